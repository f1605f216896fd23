"""An estate whose app has a topic for its notifications."""

from __future__ import annotations

import pytest
from notify_parts import ON

from tests.harness.estate import Estate


@pytest.fixture
async def estate() -> Estate:
    return await Estate(settings=ON).open()
