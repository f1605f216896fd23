"""The health check of a connection: which names are tested, the test, what else is known, and what is kept of it.

Used by `reconcile` (after a change) and `sweep` (on the timer). What is seen is judged by `shared.core.diagnosis`; what
is remembered of it, so that a verdict changes only when it is seen again, goes with the result into the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
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
    diagnose,
    host_check,
    hosts_to_test,
    in_turn,
    last_of,
    reachable,
    summary_of,
    total_ms,
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
from shared.core.model.record_health import HealthSummary, HostCheck, LastReached, NetworkMemory
from shared.core.model.services import HTTPS_PORT, Family
from shared.health.networks import NetworkReader, read_networks
from shared.probe import Target, Timeouts, probe
from shared.requests import Stage, timed
from shared.state.rows import HOSTS_OF_CHECK, CheckedHost, CheckEntry, HostRow

HEALTHY = "healthy"
NEEDED = (c.ADDRESSED, c.POLICY_READY, c.APPROVED)
"""What must hold before a test can tell anything."""

DNS = (c.ZONE_READY, c.LINKED, c.RECORD_READY)
BEING_WORKED_ON = frozenset({c.WaitingFor.WORK, c.WaitingFor.TIME})
"""What is about to change by itself; a test of it would only cost an alarm."""

STATES_ASKED = 20
"""Targets whose state Elastic Cloud is asked for after one check: it explains a failure, and many fail together."""

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
    """Of each name that was tested this time."""
    verdict: Verdict | None = None
    """All of these together, as they were this time; None: not tested."""
    summary: HealthSummary | None = None
    rows: tuple[HostRow, ...] = ()
    """What table `hosts` is to hold of the names that were tested."""
    gone: tuple[HostRow, ...] = ()
    """Rows of names that are tested no more."""
    last_reached: LastReached | None = None
    network: NetworkMemory | None = None

    def remembered(self, connection: ConnectionRecord) -> ConnectionRecord:
        """The record with what this check learnt."""
        if self.verdict is None:
            return connection
        return connection.with_health(summary=self.summary, last_reached=self.last_reached, network=self.network)


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
    in_run: bool = False,
) -> CheckResult:
    """Test every service of the deployments that the connection serves, or the path itself when it serves none.

    `approved` is what Azure said a moment ago; left out, it is what the record says. `networks` reads virtual networks
    for many checks together. `in_run`: the time has a bound, so of very many names some are tested, in turns.
    """
    if approved is None:
        on_record = connection.condition(c.APPROVED)
        approved = on_record is not None and on_record.true
    try:
        rows = {row.host: row async for row in context.storage.hosts.list(connection.id)}
    except AutopilotError as error:
        return _not_testable(connection, error)
    all_names, reader = hosts_to_test(connection, zone_name), networks or context.endpoints
    before = known_checks(connection, rows.values())
    most = context.settings.health.sockets if in_run else None
    tested = in_turn(all_names, before, context.settings.health.other_hosts, most)
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
    now, needed = context.clock.now(), context.settings.health.verdict_after
    checks: list[HostCheck] = []
    for one, found in zip(tested, evidence, strict=True):
        verdict = diagnose(found, one, shared_with=connection.dns.record_addresses, around=around)
        last = before.get(one.host)
        checks.append(host_check(found, verdict, last, now, associated=one.associated, needed=needed))
    new = {one.host: one for one in checks}
    known_now = before | new
    everything = [known_now[name.host] for name in all_names if name.host in known_now]
    counting = [one for one in checks if one.associated]
    wanted, guid = {one.host for one in all_names}, connection.identity.guid.lower()
    return CheckResult(
        reachable(
            counting,
            [one for one in everything if one.associated],
            was_ready=connection.status.ready_since is not None,
            needed=needed,
        ),
        tuple(checks),
        weighed(worst_of([last_of(one) for one in counting])),
        summary_of(everything, checks, len(all_names), now),
        tuple(replace(rows.get(one.host) or HostRow(one.host), check=one, guid=guid) for one in checks),
        tuple(row for row in rows.values() if row.host not in wanted),
        _reached_now(context, connection, evidence),
        known,
    )


def known_checks(connection: ConnectionRecord, rows: Iterable[HostRow]) -> dict[str, HostCheck]:
    """The last check of each host, as far as it is of the endpoint as it is."""
    guid = connection.identity.guid.lower()
    return {row.check.host: row.check for row in rows if row.check is not None and row.guid == guid}


def _not_testable(connection: ConnectionRecord, error: AutopilotError) -> CheckResult:
    """Without what is known of its names one bad answer would be an alarm: what stood stands until the next check."""
    log.warning("connection %s not tested, its hosts cannot be read: %s", connection.id, error)
    stood = connection.condition(c.REACHABLE)
    if stood is not None and stood.reason is not Reason.NOT_TESTED:  # which would wait for the others, not for this
        return CheckResult(stood)
    return CheckResult(c.unknown(c.REACHABLE, Reason.TEMPORARY_FAILURE, f"Not tested: {error}"))


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

    async def one_probe(one: Subject) -> Evidence:
        async with context.sockets:
            return await probe(target(one), context.network, timeouts)

    return await asyncio.gather(*map(one_probe, tested))


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
        for target in targets[:STATES_ASKED]:
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


async def record_check(
    context: Context, connection: ConnectionRecord, outcome: CheckResult, *, cause: Cause, correlation_id: str
) -> None:
    """Store what `outcome` says; `connection` is the record from before it. Untested: nothing is written."""
    if outcome.verdict is not None:
        entry = _entry(outcome, outcome.verdict, context.clock.now(), cause, correlation_id)
        await asyncio.gather(_append(context, connection, entry), _keep_hosts(context, connection, outcome))


async def _append(context: Context, connection: ConnectionRecord, entry: CheckEntry) -> None:
    try:
        await context.storage.checks.append(connection.id, [entry])
    except AutopilotError as error:
        log.warning("check of connection %s not recorded: %s", connection.id, error)


async def _keep_hosts(context: Context, connection: ConnectionRecord, outcome: CheckResult) -> None:
    try:
        left = await context.storage.hosts.write(connection.id, outcome.rows, outcome.gone)
    except AutopilotError as error:
        log.warning("hosts of connection %s not stored: %s", connection.id, error)
        return
    if left:
        log.info("%d hosts of connection %s were tested by another worker meanwhile", left, connection.id)


def _entry(outcome: CheckResult, verdict: Verdict, now: datetime, cause: Cause, correlation_id: str) -> CheckEntry:
    checks = outcome.verdicts
    failed = sum(one.status != HEALTHY for one in checks)
    if len(checks) > HOSTS_OF_CHECK:
        checks = tuple(sorted(checks, key=lambda one: (one.status == HEALTHY, -total_ms(one)))[:HOSTS_OF_CHECK])
    return CheckEntry(
        at=now,
        correlation_id=correlation_id,
        cause=cause,
        verdict=verdict.status,
        reason=verdict.reason,
        message=outcome.condition.message,
        hosts=tuple(map(_host, checks)),
        tested=len(outcome.verdicts),
        failed=failed,
    )


def _host(check: HostCheck) -> CheckedHost:
    return CheckedHost(check.host, check.status, check.reason, check.addresses, check.stages, check.resolved_by)
