"""The health check of a connection: which names are tested, the test, what else is known, and what is kept of it.

Used by `reconcile` (after a change) and `sweep` (on the timer). What is seen is judged by `shared.core.diagnosis`; what
is remembered of it, so that a verdict changes only when it is seen again, goes with the result into the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

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
from shared.core.diagnosis.evidence import authoritative
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Condition
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import EffectiveVerdict, HostCheck, LastReached, NetworkMemory
from shared.core.model.services import HTTPS_PORT, Family
from shared.health.networks import NetworkReader, read_networks
from shared.probe import Target, Timeouts, probe
from shared.requests import Stage, timed
from shared.state.rows import CheckedHost, CheckEntry

HEALTHY = "healthy"
UNKNOWN = "unknown"
NEEDED = (c.ADDRESSED, c.POLICY_READY, c.APPROVED)
"""What must hold before a test can tell anything."""

DNS = (c.ZONE_READY, c.LINKED, c.RECORD_READY)
BEING_WORKED_ON = frozenset({c.WaitingFor.WORK, c.WaitingFor.TIME})
"""What is about to change by itself; a test of it would only cost an alarm."""

UNTESTABLE = frozenset({Reason.NO_ROUTE_FROM_APP, Reason.REFUSED_ON_THE_WAY})
"""The app cannot see the connection from where it stands: nothing that looking again soon would change."""


EXPLAINED = timedelta(minutes=15)
LOOKED_AT = timedelta(days=1)
_MINUTES_OF_A_DAY = 24 * 60
_UNEXPLAINED = frozenset(
    {
        Failure.NAME_NOT_FOUND,
        Failure.PUBLIC_ADDRESS,
        Failure.WRONG_ADDRESS,
        Failure.REFUSED,
        Failure.RESET,
        Failure.UNREACHABLE,
        Failure.CONNECT_TIMEOUT,
    }
)


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
    """Whether a test can tell something: the connection is approved, and DNS is as far as the app can bring it.

    DNS that waits for a person is no reason not to test: the way to the endpoint is there or not all the same.
    """
    needed = all(name in conditions and conditions[name].true for name in NEEDED)
    return needed and all(name in conditions and _settled(conditions[name]) for name in DNS)


def _settled(condition: Condition) -> bool:
    return condition.true or condition.needs not in BEING_WORKED_ON


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
    tested, reader = hosts_to_test(connection, zone_name), networks or context.endpoints
    known = _known_networks(context, connection)
    app_network = lower_case(context.settings.health.app_network)
    if known is None and networks is not None and app_network in connection.dns.linked:
        # The zone may serve the app's network, which then resolves. A sweep has the networks listed: asking is free.
        known = await _networks_around(context, connection, (), reader, anyway=True)
        connection = connection.with_health(network=known)
    own_view = _app_is_served(context, connection, known)
    evidence = await _probe_all(context, connection, tested, zone_name, own_view=own_view)
    known = await _networks_around(context, connection, evidence, reader)
    if own_view and not _app_is_served(context, connection, known):
        # The app's network asks other name servers now: what they answered says nothing of the clients.
        evidence = await _probe_all(context, connection, tested, zone_name, own_view=False)
    around = _surroundings(context, connection, known, approved=approved)
    tested = await _with_states(context, connection, tested, evidence)
    tested = await _tried_by_id(context, connection, tested, evidence, zone_name, own_view=own_view)
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
        _reached_now(context, connection, evidence),
        known,
    )


async def _probe_all(
    context: Context, connection: ConnectionRecord, tested: Sequence[Subject], zone_name: str, *, own_view: bool
) -> list[Evidence]:
    """Probe every name. `own_view`: what it leads to is asked of the app's own resolver, not told by the zone."""
    health, dns = context.settings.health, connection.dns
    timeouts = Timeouts(whole=health.probe_seconds)
    port = HTTPS_PORT if connection.identity.family is Family.SERVERLESS else health.probe_port

    def target(one: Subject) -> Target:
        answer = None if own_view else authoritative(one.host, zone_name, dns.record_addresses, dns.names)
        return Target(one.host, connection.identity.address, port, one.service, answer)

    return await asyncio.gather(*(probe(target(one), context.network, timeouts) for one in tested))


async def _with_states(
    context: Context, connection: ConnectionRecord, tested: Sequence[Subject], evidence: Sequence[Evidence]
) -> tuple[Subject, ...]:
    """The names, with what Elastic Cloud says that their targets do where they answer, and not well."""
    failed = {
        one.host
        for one, seen in zip(tested, evidence, strict=True)
        if seen.http_status is not None and diagnose(seen, one).status != HEALTHY
    }
    targets = [one for one in connection.elastic.targets if not failed.isdisjoint(url.host for url in one.urls)]
    if not targets:
        return tuple(tested)
    states: dict[str, str] = {}
    try:
        api = context.elastic.of(connection.elastic.organization, connection.identity.family)
        for target in targets:
            state = await api.state_of(target.id)
            states |= {url.host: state for url in target.urls if state}
    except AutopilotError as error:  # an explanation less
        log.info("states of targets of connection %s not read: %s", connection.id, error)
    return tuple(replace(one, state=states.get(one.host, one.state)) for one in tested)


async def _tried_by_id(
    context: Context,
    connection: ConnectionRecord,
    tested: Sequence[Subject],
    evidence: Sequence[Evidence],
    zone_name: str,
    *,
    own_view: bool,
) -> tuple[Subject, ...]:
    """The names, with whether the product answers by its id where Elastic's proxy does not know the alias."""
    both = zip(tested, evidence, strict=True)
    unknown = [one for one, seen in both if one.by_id and seen.http_status == HTTPStatus.NOT_FOUND]
    if not unknown:
        return tuple(tested)
    by_id = [replace(one, host=one.by_id) for one in unknown]
    found = await _probe_all(context, connection, by_id, zone_name, own_view=own_view)
    answer = {
        one.host: diagnose(seen, named).status == HEALTHY
        for one, named, seen in zip(unknown, by_id, found, strict=True)
    }
    return tuple(replace(one, answers_by_id=answer.get(one.host, False)) for one in tested)


# -- what is known around it -------------------------------------------------------------------------------------------


def _known_networks(context: Context, connection: ConnectionRecord) -> NetworkMemory | None:
    """What was read of the networks that endpoint and app are in now; None: nothing."""
    known = connection.health.network
    now = (connection.identity.vnet_id, lower_case(context.settings.health.app_network))
    return known if known is not None and (known.vnet_id, known.app_network) == now else None


def _app_is_served(context: Context, connection: ConnectionRecord, known: NetworkMemory | None) -> bool:
    """Whether the zone answers in the app's own network, so that what it resolves is what clients resolve.

    It is where every network that answers the app's names is linked to the zone. What is not known counts as not.
    """
    app = lower_case(context.settings.health.app_network)
    resolution = connection.dns.resolution
    if app and app == lower_case(connection.identity.vnet_id):
        answering = resolution.networks if resolution is not None and resolution.complete else None
    else:
        answering = known.app_answered_by if app and known is not None else None
    return bool(answering) and {lower_case(network) for network in answering or ()} <= set(connection.dns.linked)


async def _networks_around(
    context: Context,
    connection: ConnectionRecord,
    seen: Sequence[Evidence],
    reader: NetworkReader,
    *,
    anyway: bool = False,
) -> NetworkMemory | None:
    """What is known of the networks, read anew when it is time to, or `anyway`; None: nothing is known."""
    known = _known_networks(context, connection)
    failed = any(one.failure in _UNEXPLAINED for one in seen)
    now = context.clock.now()
    if not connection.identity.vnet_id or not (anyway or _is_due(connection, known, now, failed=failed)):
        return known
    return await read_networks(context, connection, reader)


def _is_due(connection: ConnectionRecord, known: NetworkMemory | None, now: datetime, *, failed: bool) -> bool:
    if failed:
        return known is None or now - known.read_at > EXPLAINED
    last = known.read_at if known else (connection.status.first_seen or now)
    spread = timedelta(minutes=int(connection.id[:8], 16) % _MINUTES_OF_A_DAY)
    return now - last > (LOOKED_AT if known else spread)


def _surroundings(
    context: Context, connection: ConnectionRecord, networks: NetworkMemory | None, *, approved: bool
) -> Surroundings:
    """The facts for reading a probe of `connection`."""
    app = context.settings.health.app_network
    reached = connection.health.last_reached
    return Surroundings(
        approved=approved,
        reached_before=reached is not None
        and (reached.address, reached.network) == (connection.identity.address, lower_case(app)),
        peered=networks.peered if networks else None,
        app_network=app,
        network=connection.identity.vnet_id,
    )


def _reached_now(context: Context, connection: ConnectionRecord, seen: Sequence[Evidence]) -> LastReached | None:
    """The memory of having reached the endpoint, refreshed by what was seen now."""
    if not any(one.connected for one in seen):
        return connection.health.last_reached
    return LastReached(
        connection.identity.address, lower_case(context.settings.health.app_network), context.clock.now()
    )


# -- what is kept of it ------------------------------------------------------------------------------------------------


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
        resolved_by=evidence.resolved_by,
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
    return CheckedHost(
        verdict.host, verdict.status, verdict.reason, verdict.addresses, verdict.stages, verdict.resolved_by
    )
