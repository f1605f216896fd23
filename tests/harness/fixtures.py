"""Fixtures that the `conftest` of several folders of tests take in."""

from __future__ import annotations

import pytest

from tests.harness.estate import Estate


@pytest.fixture
async def estate() -> Estate:
    """One estate per test."""
    return await Estate().open()
