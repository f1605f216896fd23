"""What the tests of the doctor share: findings by what they are about, and a clock that is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.api.doctor import examine
from shared.clock import Clock
from shared.context import Context
from shared.core.reports.doctor.findings import Finding, Level, Report
from tests.harness.estate import Estate
from tests.harness.wire import Call, Faults, Outcome


async def bad(estate: Estate, context: Context | None = None) -> list[Finding]:
    """The findings that are not ok."""
    report = await examine(context or estate.worker.context)
    return [finding for finding in report.findings if finding.level is not Level.OK]


async def only(estate: Estate, context: Context | None = None) -> Finding:
    """The one finding that is not ok."""
    (finding,) = await bad(estate, context)
    return finding


def good(report: Report) -> dict[str, str]:
    """What is ok, by what it is about."""
    return {finding.check: finding.what for finding in report.findings if finding.level is Level.OK}


def of(service: str, outcome: Outcome) -> Faults:
    """A wire that does this to every call of a service; `storage` is all of its tables and the queue."""
    services = {"connections", "journal", "checks", "control", "queue"} if service == "storage" else {service}

    def fault(call: Call) -> Outcome:
        return outcome if call.service in services else None

    return fault


class WrongClock:
    """A machine's clock that is ahead of everybody else's."""

    def __init__(self, right: Clock, ahead: timedelta) -> None:
        self._right, self._ahead = right, ahead

    def now(self) -> datetime:
        return self._right.now() + self._ahead

    def passed(self) -> float:
        return self._right.passed()

    async def sleep(self, seconds: float) -> None:
        await self._right.sleep(seconds)


def with_clock(context: Context, ahead: timedelta) -> Context:
    """The same process on a machine whose clock is wrong."""
    return replace(context, clock=WrongClock(context.clock, ahead))
