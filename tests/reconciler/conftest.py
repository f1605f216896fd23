"""One estate per test; a suite with the marker `both_families` tells its stories of deployments and of projects."""

from __future__ import annotations

from tests.harness.fixtures import estate, family, pytest_generate_tests

__all__ = ["estate", "family", "pytest_generate_tests"]
