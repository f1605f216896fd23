"""One estate per test."""

from __future__ import annotations

import pytest

from tests.harness.estate import Estate


@pytest.fixture
async def estate() -> Estate:
    return await Estate().open()
