"""Every health check goes into table `checks`. Called after each `check`, by `branches` and by `sweep`.

A check that cannot be written stops no work: the connection's record has the last verdict, this table only its history.
"""

from __future__ import annotations

from datetime import datetime

from shared.context import Context, log
from shared.core.diagnosis import Verdict
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import HostCheck
from shared.health.check import CheckResult
from shared.state.rows import CheckedHost, CheckEntry


async def record_check(
    context: Context, connection: ConnectionRecord, outcome: CheckResult, *, cause: Cause, correlation_id: str
) -> None:
    """Append what `outcome` says; `connection` is the record from before it. Untested: nothing is written."""
    if outcome.verdict is None:
        return
    now = context.clock.now()
    table = context.storage.checks
    try:
        await table.append(connection.id, [_entry(outcome, outcome.verdict, now, cause, correlation_id)])
    except AutopilotError as error:
        log.warning("check of connection %s not recorded: %s", connection.id, error)


def _entry(outcome: CheckResult, verdict: Verdict, now: datetime, cause: Cause, correlation_id: str) -> CheckEntry:
    return CheckEntry(
        at=now,
        correlation_id=correlation_id,
        cause=cause,
        verdict=verdict.status,
        reason=verdict.reason,
        message=outcome.condition.message,
        hosts=tuple(map(_host, outcome.verdicts)),
    )


def _host(verdict: HostCheck) -> CheckedHost:
    return CheckedHost(verdict.host, verdict.status, verdict.reason, verdict.addresses, verdict.stages)
