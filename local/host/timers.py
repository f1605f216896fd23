"""Schedules of timer triggers, and the loop that runs them one at a time.

`FunctionsHost` starts one `TimerListener` for each timer trigger.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from croniter import CroniterError, croniter

from local.host.definition import HostError
from local.host.settings import SettingsError, time_span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from local.clock import LoopClock

logger = logging.getLogger("local.host")
_MONITORED_FROM = 60.0
"""Schedules with shorter intervals are not monitored, as in the real host."""


class Schedule(Protocol):
    """When a timer fires."""

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after `moment`."""


@dataclass(frozen=True)
class Cron:
    """NCRONTAB: {second} {minute} {hour} {day} {month} {day of week}, in UTC; five fields mean second 0."""

    expression: str

    def next_after(self, moment: datetime) -> datetime:
        """Return the next time at which all six fields match."""
        upcoming = croniter(self.expression, moment, ret_type=datetime, second_at_beginning=True, day_or=False)
        next_time: datetime = upcoming.get_next(datetime)
        return next_time


@dataclass(frozen=True)
class Every:
    """A time span between two runs."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime:
        """Return `moment` plus the span."""
        return moment + timedelta(seconds=self.seconds)


def parse_schedule(text: str) -> Schedule:
    """Read an NCRONTAB expression or a time span; raises `HostError`."""
    fields = text.split()
    if len(fields) == 1:
        try:
            return Every(time_span(text))
        except SettingsError:
            raise HostError(f"schedule {text!r} is neither NCRONTAB nor a time span") from None
    expression = text if len(fields) == 6 else f"0 {text}"
    try:
        croniter(expression, second_at_beginning=True)
    except CroniterError as error:
        raise HostError(f"schedule {text!r} is no NCRONTAB expression: {error}") from error
    return Cron(expression)


class TimerMonitor:
    """Remembers when each timer ran and should run next, so that a run missed while the host was down is made good."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep it in `path`, or only in memory."""
        self._path = path
        self._status: dict[str, dict[str, str]] = {}
        if path is not None and path.exists():
            self._status = json.loads(path.read_text(encoding="utf-8"))

    def status(self, name: str) -> dict[str, str] | None:
        """What is known of a timer."""
        return self._status.get(name)

    def update(self, name: str, last: datetime, upcoming: datetime) -> None:
        """Note a run and the next."""
        moment = last.isoformat()
        self._status[name] = {"Last": moment, "Next": upcoming.isoformat(), "LastUpdated": moment}
        if self._path is not None:
            temporary = self._path.with_suffix(".new")
            temporary.write_text(json.dumps(self._status), encoding="utf-8")
            temporary.replace(self._path)


@dataclass
class TimerListener:
    """One timer, one function; `run(past_due, status)` invokes it."""

    name: str
    schedule: Schedule
    run: Callable[[bool, dict[str, str] | None], Awaitable[Any]]
    monitor: TimerMonitor
    clock: LoopClock
    run_on_startup: bool
    use_monitor: bool

    async def listen(self) -> None:
        """Fire until cancelled. A run that takes longer than the interval skips what it missed."""
        now = self.clock.now()
        status = self.monitor.status(self.name) if self._monitored(now) else None
        if status is not None and datetime.fromisoformat(status["Next"]) <= now:
            await self._fire(past_due=True, upcoming=now)
        elif self.run_on_startup:
            await self._fire(past_due=False, upcoming=now)
        last = self.clock.now()
        while True:
            upcoming = self.schedule.next_after(max(last, self.clock.now()))
            await self.clock.sleep((upcoming - self.clock.now()).total_seconds())
            last = upcoming  # a loop may wake a little early: never twice for one time
            await self._fire(past_due=False, upcoming=upcoming)

    async def _fire(self, *, past_due: bool, upcoming: datetime) -> None:
        status = self.monitor.status(self.name)
        if self._monitored(upcoming):
            self.monitor.update(self.name, upcoming, self.schedule.next_after(max(upcoming, self.clock.now())))
        try:
            await self.run(past_due, status)
        except Exception:  # noqa: BLE001 - any error of the function; the invocation has logged it
            logger.debug("Timer '%s' goes on after a failed run", self.name)

    def _monitored(self, moment: datetime) -> bool:
        first = self.schedule.next_after(moment)
        return self.use_monitor and (self.schedule.next_after(first) - first).total_seconds() >= _MONITORED_FROM
