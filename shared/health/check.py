"""The health check of a connection: which names to test, the test itself, and the `Reachable` condition.

Used by `reconcile` (after a change) and `sweep` (on the timer). What is seen is judged by `shared.core.diagnosis`; what
is remembered of it, so that a verdict changes only when it is seen again, goes with the result into the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.context import Context
from shared.core.diagnosis import (
    Evidence,
    Subject,
    Verdict,
    debounce,
    diagnose,
    history,
    hosts_to_test,
    last_of,
    standing_of,
    told,
    weighed,
    worst_of,
)
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import EffectiveVerdict, HostCheck, LastReached, NetworkMemory
from shared.correlation import Stage, timed
from shared.health.surroundings import NetworkReader, networks_around, reached_now, surroundings
from shared.probe import Target, Timeouts, probe

HEALTHY = "healthy"
UNKNOWN = "unknown"
NEEDED = (c.LINKED, c.RECORD_READY, c.POLICY_READY, c.APPROVED)
"""What must hold before a test can tell anything."""

UNTESTABLE = frozenset({Reason.NO_ROUTE_FROM_APP, Reason.ZONE_NOT_LINKED_TO_APP})
"""The app cannot see the connection from where it stands: nothing that looking again soon would change."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of testing a connection."""

    condition: Condition
    """What counts; it may stand against the last results (`diagnosis.debounce`)."""
    verdicts: tuple[HostCheck, ...] = ()
    """By name."""
    verdict: Verdict | None = None
    """All names together, as they were this time; None: not tested."""
    reached: LastReached | None = None
    network: NetworkMemory | None = None

    def remembered(self, connection: ConnectionRecord) -> ConnectionRecord:
        """The record with what this check learnt."""
        if self.verdict is None:
            return connection
        return connection.with_health(checks=self.verdicts, last_reached=self.reached, network=self.network)


def testable(conditions: dict[str, Condition]) -> bool:
    """Whether a test could succeed: DNS and policy are there, and the connection is approved."""
    return all(name in conditions and conditions[name].true for name in NEEDED)


def not_tested() -> CheckResult:
    """The condition of a connection whose turn has not come."""
    return CheckResult(c.unknown(c.REACHABLE, Reason.NOT_TESTED, "Tested once DNS, policy and approval are there."))


@timed(Stage.TEST)
async def check(
    context: Context,
    connection: ConnectionRecord,
    zone_name: str,
    *,
    approved: bool | None = None,
    networks: NetworkReader | None = None,
) -> CheckResult:
    """Test every service of the deployments that the connection serves, or the path itself when it serves none.

    `approved` is what Azure said a moment ago; left out, it is what the record says. `networks` reads virtual networks
    for many checks together.
    """
    if approved is None:
        on_record = connection.condition(c.APPROVED)
        approved = on_record is not None and on_record.true
    tested = hosts_to_test(connection, zone_name)
    evidence = await asyncio.gather(*(_probe(context, connection, one) for one in tested))
    known = await networks_around(context, connection, evidence, networks or context.endpoints)
    around = surroundings(context, connection, known, approved=approved)
    before = {memory.host: memory for memory in connection.health.checks}
    memories = []
    for one, found in zip(tested, evidence, strict=True):
        verdict = diagnose(found, one, shared_with=connection.dns.record_addresses, around=around)
        memories.append(_memory(context, one, found, verdict, before.get(one.host)))
    counting = [memory for memory in memories if memory.associated]
    return CheckResult(
        _reachable(context, connection, counting),
        tuple(memories),
        weighed(worst_of([last_of(memory) for memory in counting])),
        reached_now(context, connection, evidence),
        known,
    )


async def _probe(context: Context, connection: ConnectionRecord, tested: Subject) -> Evidence:
    settings = context.settings
    target = Target(tested.host, connection.identity.address, settings.health.probe_port, tested.service)
    return await probe(target, context.network, Timeouts(whole=settings.health.probe_seconds))


def _memory(
    context: Context, tested: Subject, evidence: Evidence, verdict: Verdict, before: HostCheck | None
) -> HostCheck:
    stood = standing_of(before) if before is not None else None
    recent = history(before.recent if before else (), verdict)
    settled = stood is None or debounce(stood, recent, context.settings.health.verdict_after)
    return HostCheck(
        host=tested.host,
        status=str(verdict.status),
        reason=verdict.reason,
        checked_at=context.clock.now(),
        stages=tuple((str(stage.name), round(stage.milliseconds, 1)) for stage in evidence.stages),
        addresses=evidence.addresses,
        service=tested.service,
        cause=verdict.cause,
        next_step=verdict.next_step,
        associated=tested.associated,
        recent=recent,
        effective=None if settled or stood is None else _standing(stood),
    )


def _standing(verdict: Verdict) -> EffectiveVerdict:
    return EffectiveVerdict(str(verdict.status), verdict.reason, verdict.cause, verdict.next_step)


def _reachable(context: Context, connection: ConnectionRecord, memories: Sequence[HostCheck]) -> Condition:
    seen, standing = [last_of(memory) for memory in memories], [standing_of(memory) for memory in memories]
    verdict, message = weighed(worst_of(standing)), told(standing)
    if verdict.status == HEALTHY:
        return c.satisfied(c.REACHABLE, verdict.reason, f"{message}{_aside(context, seen, memories)}")
    if verdict.status == UNKNOWN:
        # Not knowing is no alarm: what worked counts as working until something says otherwise.
        nothing_to_do = verdict.reason in UNTESTABLE or connection.status.ready_since is not None
        needs = c.WaitingFor.NONE if nothing_to_do else c.WaitingFor.WORK
        return Condition(c.REACHABLE, c.Status.UNKNOWN, verdict.reason, message, verdict.next_step, needs)
    return Condition(c.REACHABLE, c.Status.FALSE, verdict.reason, message, verdict.next_step, c.WaitingFor.WORK)


def _aside(context: Context, seen: Sequence[Verdict], memories: Sequence[HostCheck]) -> str:
    """What is said of a good verdict besides: how long it took, or that the last check was not good."""
    if weighed(worst_of(seen)).status != HEALTHY:
        needed = context.settings.health.verdict_after
        return f" The last check was not good ({told(seen)}); that counts after {needed} in a row."
    slowest = max(sum(milliseconds for _, milliseconds in memory.stages) for memory in memories)
    others = f", {len(seen) - 1} more are well" if len(seen) > 1 else ""
    return f" ({slowest:.0f} ms{others})"
