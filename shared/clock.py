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


class Stopwatch:
    """Seconds since it was made, for what must be over by then.

    The event loop's time does not jump, and the wall clock goes on while the machine sleeps: the larger one counts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began, self._loop_began = clock.now(), asyncio.get_running_loop().time()

    @property
    def seconds(self) -> float:
        """How many have passed."""
        wall = (self._clock.now() - self._began).total_seconds()
        return max(wall, asyncio.get_running_loop().time() - self._loop_began)
