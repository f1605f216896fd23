"""One estate per test."""

from __future__ import annotations

from tests.harness.fixtures import estate

__all__ = ["estate"]
