"""Time, as the product sees it: injected, so that tests run on virtual time.

Used by every use case and by the state layer. What time it is, the storage service says (`ServiceClock`): what one
worker stores another one compares, and two machines' clocks may be minutes apart. A machine's clock measures durations.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

PLAUSIBLE = timedelta(days=1)
"""A `Date` that is further from the machine's time is nonsense: on such a machine no sign-in would work."""
_DATE_STEP = timedelta(seconds=1)
"""A `Date` has whole seconds."""
_YEARS = range(2000, 2200)
"""Years that a service may be in: an instant of the year 9999 would hold what is counted from it for ever."""


def http_date(text: str | None) -> datetime | None:
    """What time an HTTP answer says it is by its `Date`, to the second; None where it says nothing that makes sense."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):  # a year of many digits overflows
        return None
    return found if found is not None and found.tzinfo and found.year in _YEARS else None


class Clock(Protocol):
    """Where `now` and waiting come from."""

    def now(self) -> datetime:
        """The present time, in UTC."""
        ...

    def passed(self) -> float:
        """Seconds since some moment: for durations, it never jumps and goes on while the machine sleeps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other work."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present time, in UTC."""
        return datetime.now(UTC)

    def passed(self) -> float:
        """Seconds since the machine began."""
        boot = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere it may stand still while the machine sleeps
        return time.monotonic() if boot is None else time.clock_gettime(boot)

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other work."""
        await asyncio.sleep(seconds)


class ServiceClock:
    """The storage service's time: its last answers' `Date`, and what has passed since by the machine's clock.

    Before the first answer it is the machine's time. Each answer says within a second or so what time it was there:
    after the request was sent and before the answer came. What is known already is put right only as far as it has to
    be; so a right clock keeps its fractions of a second.
    """

    def __init__(self, machine: Clock) -> None:
        self.machine = machine
        self._began: datetime | None = None

    def now(self) -> datetime:
        """What time it is for the storage service, in UTC."""
        return self._beginning() + timedelta(seconds=self.passed())

    def passed(self) -> float:
        """Seconds of the machine's."""
        return self.machine.passed()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other work."""
        await self.machine.sleep(seconds)

    def request_sent(self) -> Callable[[str | None], None]:
        """A request is sent now; the result is told the `Date` of its answer."""
        sent = self.passed()

        def heard(text: str | None) -> None:
            date = http_date(text)
            if date is None or abs(date - self.machine.now()) > PLAUSIBLE:
                return
            latest = date + _DATE_STEP - timedelta(seconds=sent)
            earliest = date - timedelta(seconds=self.passed())
            self._began = max(earliest, min(self._beginning(), latest))

        return heard

    def forget(self) -> None:
        """Be the machine's time again, as in a process that has just begun."""
        self._began = None

    def _beginning(self) -> datetime:
        """The service's time when `passed` was 0."""
        if self._began is None:
            self._began = self.machine.now() - timedelta(seconds=self.passed())
        return self._began


def machine_clock(clock: Clock) -> Clock:
    """The machine's own, to ask whether it is right."""
    return clock.machine if isinstance(clock, ServiceClock) else clock


class Stopwatch:
    """Seconds since it was made, for what must be over by then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began, self._loop_began = clock.passed(), asyncio.get_running_loop().time()

    @property
    def seconds(self) -> float:
        """How many have passed; of two measures the larger one."""
        return max(self._clock.passed() - self._began, asyncio.get_running_loop().time() - self._loop_began)
