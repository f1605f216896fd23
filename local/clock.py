"""The clock that every simulator in `local/` is given: the event loop's own.

Called by each simulator's constructor. Nothing here knows whether time is real: under a virtual-time event loop (the
fast tests) `sleep(3600)` returns at once and `now()` is an hour later; under a normal loop (`python -m local up`) both
are real. That is why simulators never call `time.time()`, `datetime.now()` or `asyncio.sleep()` themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any


class LoopClock:
    """Wall-clock time that advances with the running event loop's `time()`."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = self._now = start or datetime.now(UTC)
        self._loop_time: float | None = None

    def now(self) -> datetime:
        """Now, in UTC: `start` at the first call, and never earlier than at the call before.

        A virtual-time loop starts over between a fixture and its test; for the simulators no time passes there.
        """
        loop_time = asyncio.get_running_loop().time()
        passed = 0.0 if self._loop_time is None else max(0.0, loop_time - self._loop_time)
        self._loop_time = loop_time
        self._now += timedelta(seconds=passed)
        return self._now

    def passed(self) -> float:
        """Seconds since `start`."""
        return (self.now() - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock's time."""
        self.now()  # from here: a loop that started over may be behind the one before for all of the sleep
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """Run `callback(*args)` after `seconds`; it must not raise and not block. The handle can be cancelled."""
        return asyncio.get_running_loop().call_later(max(0.0, seconds), callback, *args)


class Skewed:
    """The clock of a machine that is wrong: another one's time, off by `by`."""

    def __init__(self, clock: LoopClock, by: timedelta) -> None:
        self._clock = clock
        self.by = by

    def now(self) -> datetime:
        """Now, as this machine believes."""
        return self._clock.now() + self.by

    def passed(self) -> float:
        """Seconds since its time began: durations are right on every machine."""
        return self._clock.passed()

    async def sleep(self, seconds: float) -> None:
        """Wait: durations are right on every machine."""
        await self._clock.sleep(seconds)
