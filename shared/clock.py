"""Time, as the product sees it: injected, so that tests run on virtual time.

Used by every use case and by the state layer. `SystemClock` is what runs in Azure.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where `now` and waiting come from."""

    def now(self) -> datetime:
        """The present time, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other work."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present time, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other work."""
        await asyncio.sleep(seconds)
