"""The health check of a connection: which names are tested, the test, what else is known, and what is kept of it.

Used by `reconcile` (after a change) and `sweep` (on the timer). What is seen is judged by `shared.core.diagnosis`; what
is remembered of it, so that a verdict changes only when it is seen again, goes with the result into the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.context import Context, log
from shared.core.diagnosis import (
    Evidence,
    Failure,
    Subject,
    Surroundings,
    Verdict,
    debounce,
    diagnose,
    history,
    hosts_to_test,
    last_of,
    standing_of,
    summarize,
    weighed,
    worst_of,
)
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import EffectiveVerdict, HostCheck, LastReached, NetworkMemory
from shared.core.model.resources import VirtualNetwork
from shared.correlation import Stage, timed
from shared.probe import Target, Timeouts, probe
from shared.state.rows import CheckedHost, CheckEntry

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
    last_reached: LastReached | None = None
    network: NetworkMemory | None = None

    def remembered(self, connection: ConnectionRecord) -> ConnectionRecord:
        """The record with what this check learnt."""
        if self.verdict is None:
            return connection
        return connection.with_health(checks=self.verdicts, last_reached=self.last_reached, network=self.network)


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
        explanation=verdict.explanation,
        checked_at=context.clock.now(),
        stages=tuple((str(stage.name), round(stage.milliseconds, 1)) for stage in evidence.stages),
        addresses=evidence.addresses,
        service=tested.service,
        associated=tested.associated,
        recent=recent,
        effective=None if settled or stood is None else EffectiveVerdict(str(stood.status), stood.explanation),
    )


def _reachable(context: Context, connection: ConnectionRecord, memories: Sequence[HostCheck]) -> Condition:
    seen, standing = [last_of(memory) for memory in memories], [standing_of(memory) for memory in memories]
    verdict, message = weighed(worst_of(standing)), summarize(standing)
    if verdict.status == HEALTHY:
        return c.satisfied(c.REACHABLE, verdict.reason, f"{message}{_remark(context, seen, memories)}")
    told = replace(verdict.explanation, message=message)
    if verdict.status == UNKNOWN:
        # Not knowing is no alarm: what worked counts as working until something says otherwise.
        nothing_to_do = verdict.reason in UNTESTABLE or connection.status.ready_since is not None
        needs = c.WaitingFor.NONE if nothing_to_do else c.WaitingFor.WORK
        return Condition(c.REACHABLE, c.Status.UNKNOWN, told, needs)
    return Condition(c.REACHABLE, c.Status.FALSE, told, c.WaitingFor.WORK)


def _remark(context: Context, seen: Sequence[Verdict], memories: Sequence[HostCheck]) -> str:
    """What is said of a good verdict besides: how long it took, or that the last check was not good."""
    if weighed(worst_of(seen)).status != HEALTHY:
        needed = context.settings.health.verdict_after
        return f" The last check was not good ({summarize(seen)}); that counts after {needed} in a row."
    slowest = max(sum(milliseconds for _, milliseconds in memory.stages) for memory in memories)
    others = f", {len(seen) - 1} more are well" if len(seen) > 1 else ""
    return f" ({slowest:.0f} ms{others})"


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


EXPLAINED = timedelta(minutes=15)
LOOKED_AT = timedelta(days=1)
_MINUTES_OF_A_DAY = 24 * 60
_UNEXPLAINED = frozenset(
    {
        Failure.NAME_NOT_FOUND,
        Failure.PUBLIC_ADDRESS,
        Failure.WRONG_ADDRESS,
        Failure.REFUSED,
        Failure.UNREACHABLE,
        Failure.CONNECT_TIMEOUT,
    }
)


class NetworkReader(Protocol):
    """Where virtual networks are read: one by one, or for all checks of a sweep together."""

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """One network; raises what the clouds raise."""
        ...


async def networks_around(
    context: Context, connection: ConnectionRecord, seen: Sequence[Evidence], reader: NetworkReader
) -> NetworkMemory | None:
    """What is known of the networks, read anew when it is time to; None: nothing is known."""
    known = (
        connection.health.network
        if connection.health.network and connection.health.network.vnet_id == connection.identity.vnet_id
        else None
    )
    failed = any(one.failure in _UNEXPLAINED for one in seen)
    now = context.clock.now()
    if not connection.identity.vnet_id or not _due(connection, known, now, failed=failed):
        return known
    app = context.settings.health.app_network
    own = app.lower() == connection.identity.vnet_id.lower()
    network, app_network = await asyncio.gather(
        _read(reader, connection.identity.vnet_id), _read(reader, app if failed and not own else "")
    )
    if own:
        app_network = network
    return NetworkMemory(
        vnet_id=connection.identity.vnet_id,
        read_at=now,
        dns_servers=network.own_dns_servers if network else (),
        peered=network.reaches(app) if network and app else None,
        app_dns_servers=app_network.own_dns_servers if app_network else (),
    )


def _due(connection: ConnectionRecord, known: NetworkMemory | None, now: datetime, *, failed: bool) -> bool:
    if failed:
        return known is None or now - known.read_at > EXPLAINED
    last = known.read_at if known else (connection.status.first_seen or now)
    spread = timedelta(minutes=int(connection.id[:8], 16) % _MINUTES_OF_A_DAY)
    return now - last > (LOOKED_AT if known else spread)


async def _read(reader: NetworkReader, vnet_id: str) -> VirtualNetwork | None:
    if not vnet_id:
        return None
    try:
        return await reader.network(vnet_id)
    except AutopilotError as error:
        # An explanation less: the check itself stands without it.
        log.info("virtual network %s not read: %s", vnet_id, error)
        return None


def surroundings(
    context: Context, connection: ConnectionRecord, networks: NetworkMemory | None, *, approved: bool
) -> Surroundings:
    """The facts for reading a probe of `connection`."""
    app = context.settings.health.app_network
    linked = {network.lower() for network in (connection.identity.vnet_id, *context.options.dns.link_vnets)}
    reached = connection.health.last_reached
    return Surroundings(
        approved=approved,
        reached_before=reached is not None
        and (reached.address, reached.network) == (connection.identity.address, app.lower()),
        peered=networks.peered if networks else None,
        app_linked=app.lower() in linked if app else None,
        app_network=app,
        network=connection.identity.vnet_id,
        app_dns_servers=networks.app_dns_servers if networks else (),
        dns_servers=networks.dns_servers if networks else (),
    )


def reached_now(context: Context, connection: ConnectionRecord, seen: Sequence[Evidence]) -> LastReached | None:
    """The memory of having reached the endpoint, refreshed by what was seen now."""
    if not any(one.connected for one in seen):
        return connection.health.last_reached
    return LastReached(connection.identity.address, context.settings.health.app_network.lower(), context.clock.now())
