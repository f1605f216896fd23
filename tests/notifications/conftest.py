"""An estate whose app has a topic for its notifications."""

from __future__ import annotations

import pytest

from tests.harness.estate import Estate
from tests.notifications.notify_parts import ON


@pytest.fixture
async def estate() -> Estate:
    return await Estate(settings=ON).open()
