"""One estate per test; stories with the marker `both_families` are told of deployments and of projects."""

from __future__ import annotations

from tests.harness.fixtures import estate, family, pytest_generate_tests

__all__ = ["estate", "family", "pytest_generate_tests"]
