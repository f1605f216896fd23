"""The health check of a connection: which names to test, the test itself, and the `Reachable` condition.

Used by `reconcile` (after a change) and `sweep` (on the timer). What is seen is judged by `shared.core.diagnosis`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.context import Context
from shared.core import conditions as c
from shared.core.conditions import Condition
from shared.core.connection import Connection, VerdictMemory
from shared.core.diagnosis import Evidence, HostVerdict, Tested, Verdict, diagnose, hosts_to_test, told, worst_of
from shared.correlation import Stage, timed
from shared.probe import Target, Timeouts, probe

HEALTHY = "healthy"
UNKNOWN = "unknown"
NEEDED = (c.LINKED, c.RECORD_READY, c.POLICY_READY, c.APPROVED)
"""What must hold before a test can tell anything."""


@dataclass(frozen=True, slots=True)
class Check:
    """What became of testing a connection."""

    condition: Condition
    verdicts: tuple[VerdictMemory, ...] = ()
    """By name."""
    verdict: Verdict | None = None
    """All names together; None: not tested."""


def testable(conditions: dict[str, Condition]) -> bool:
    """Whether a test could succeed: DNS and policy are there, and the connection is approved."""
    return all(name in conditions and conditions[name].true for name in NEEDED)


def not_tested() -> Check:
    """The condition of a connection whose turn has not come."""
    return Check(c.unknown(c.REACHABLE, "NotTested", "Tested once DNS, policy and approval are there."))


@timed(Stage.TEST)
async def check(context: Context, connection: Connection, zone_name: str) -> Check:
    """Test every service of the deployments that the connection serves, or the path itself when it serves none."""
    tested = hosts_to_test(connection, zone_name)
    evidence = await asyncio.gather(*(_probe(context, connection, one) for one in tested))
    verdicts = [_judged(connection, *both) for both in zip(tested, evidence, strict=True)]
    memories = tuple(_memory(context, *both) for both in zip(evidence, verdicts, strict=True))
    return Check(_reachable(verdicts, evidence), memories, worst_of(verdicts).weighed)


async def _probe(context: Context, connection: Connection, tested: Tested) -> Evidence:
    settings = context.settings
    target = Target(tested.host, connection.address, settings.probe_port, tested.service)
    return await probe(target, context.network, Timeouts(whole=settings.probe_seconds))


def _judged(connection: Connection, tested: Tested, evidence: Evidence) -> HostVerdict:
    verdict = diagnose(evidence, expect_unknown=tested.path_only, shared_with=connection.record_addresses)
    return HostVerdict(tested.host, tested.service, verdict)


def _memory(context: Context, evidence: Evidence, one: HostVerdict) -> VerdictMemory:
    verdict = one.verdict
    bad = verdict.status != HEALTHY
    return VerdictMemory(
        host=one.host,
        status=str(verdict.status),
        reason=verdict.reason,
        checked_at=context.clock.now(),
        stages=tuple((str(stage.name), round(stage.milliseconds, 1)) for stage in evidence.stages),
        addresses=evidence.addresses,
        service=one.service,
        cause=verdict.cause if bad else "",
        next_step=verdict.next_step if bad else "",
    )


def _reachable(verdicts: list[HostVerdict], evidence: list[Evidence]) -> Condition:
    worst = worst_of(verdicts)
    verdict = worst.weighed
    if verdict.status == HEALTHY:
        slowest = max(one.milliseconds for one in evidence)
        others = f", {len(verdicts) - 1} more are well" if len(verdicts) > 1 else ""
        return c.good(c.REACHABLE, verdict.reason, f"{told(verdicts)} ({slowest:.0f} ms{others})")
    status = c.Status.UNKNOWN if verdict.status == UNKNOWN else c.Status.FALSE
    return Condition(c.REACHABLE, status, verdict.reason, told(verdicts), verdict.next_step, c.Kind.WORK)
