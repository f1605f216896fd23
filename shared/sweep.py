"""The timer's use case: what events missed is found here. Called by `check_health`.

Everything is listed in pages, once per run: endpoints per subscription, zones by name, all policies, the deployments
that endpoints ask for. The same pure plan as in `reconcile` says what is missing or drifted; the sweep itself changes
nothing in Azure or Elastic Cloud, it enqueues. What needs nothing is tested, and a changed verdict is enqueued too.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared import notify, telemetry
from shared.aside import is_aside, newly_aside
from shared.check_log import record_check
from shared.checks import check
from shared.context import Context, log
from shared.core import conditions as c
from shared.core.arm_ids import ArmId, connection_id, parse_endpoint_id
from shared.core.catalogue import Kind, recognise
from shared.core.conditions import Phase
from shared.core.connection import Connection
from shared.core.connection_document import to_document
from shared.core.desired import Desired, desired_of
from shared.core.errors import AutopilotError, InvalidInput
from shared.core.messages import WorkMessage
from shared.core.model import Endpoint
from shared.core.modes import asked_mode, stance_of
from shared.core.pause import Pause
from shared.core.plan import Observed, Plan, plan
from shared.core.plan_elastic import ObservedElastic
from shared.core.turned import calls_for_another_look, calls_for_work
from shared.correlation import correlated
from shared.inventory import Known, Sweep, World, failed, list_endpoints, read_records, read_world
from shared.last_sweep import remember
from shared.pause import present_pause
from shared.reconcile import in_scope

OVERDUE = timedelta(minutes=2)
"""How late a connection's own wake-up may be before the sweep takes its place."""

PROBES_AT_ONCE = 20
PROBING_SECONDS = 240.0
"""All tests of a sweep together; the next sweep comes."""

HEARTBEAT = timedelta(hours=1)
"""How long a blocked connection is left to itself while nothing about it seems to have changed."""


async def sweep(context: Context, correlation_id: str) -> Sweep:
    """Look at every connection and every endpoint in scope once."""
    with correlated(correlation_id):
        return await _sweep(context, correlation_id)


async def _sweep(context: Context, correlation_id: str) -> Sweep:
    result, started = Sweep(), time.monotonic()
    known, unreadable = await read_records(context, result)
    listed, complete = await list_endpoints(context, result)
    pause = await present_pause(context)
    # A message about a record that cannot be read would only end among the poisoned ones, once per sweep.
    readable = {key: one for key, one in listed.items() if connection_id(one.id.text) not in unreadable}
    handled = {key: one for key, one in readable.items() if not is_aside(context, one)}
    desired = [wanted for endpoint in handled.values() if (wanted := desired_of(endpoint, context.rules))]
    result.endpoints = len(desired)
    world = await read_world(context, desired, result)
    messages: list[WorkMessage] = []
    to_probe: list[tuple[Desired, Known]] = []
    for wanted in desired:
        entry = known.get(wanted.connection_id)
        if _needs_work(context, wanted, entry, world, pause):
            messages.append(WorkMessage(wanted.endpoint.id, "timer", correlation_id))
        elif entry is not None and _to_be_tested(context, entry.connection, pause):
            to_probe.append((wanted, entry))
            continue
        if entry is not None:
            telemetry.connection_checked(entry.connection, (), context.clock.now(), correlation_id)
    messages += _unexplained(handled, known, correlation_id)
    records = {key: entry.connection for key, entry in known.items()}
    messages += [WorkMessage(id_, "timer", correlation_id) for id_ in newly_aside(context, readable, records)]
    messages += _missing(context, known.values(), listed, complete, correlation_id)
    # Repairs first: tests of many unreachable endpoints take long, and nobody should wait for them.
    await _send(context, messages, result)
    await _send(context, await _probe_all(context, to_probe, correlation_id, result), result)
    await _count_poison(context, result)
    # Whether the key has an end is known only once Elastic Cloud has answered.
    keys = {"default": context.elastic.key_expires} if desired and world.policies is not None else {}
    await notify.after_sweep(context, [entry.connection for entry in known.values()], keys, correlation_id)
    await _report(context, result, correlation_id, started)
    return result


async def _report(context: Context, result: Sweep, correlation_id: str, started: float) -> None:
    expires = context.elastic.key_expires
    left = None if expires is None else round((expires - context.clock.now()).total_seconds() / 86400, 1)
    fields = {
        "endpoints": result.endpoints,
        "enqueued": result.enqueued,
        "probed": result.probed,
        "unhealthy": result.unhealthy,
        "throttled": result.throttled,
        "poisoned": result.poisoned,
        "errorCount": len(result.errors),
        "errors": "; ".join(result.errors)[:1000],
        "keyExpiresAt": expires,
        "keyDaysLeft": left,
    }
    line = telemetry.sweep_completed(correlation_id, fields, round((time.monotonic() - started) * 1000))
    await remember(context, line)


async def _count_poison(context: Context, result: Sweep) -> None:
    try:
        result.poisoned = await context.storage.queue.poisoned()
    except AutopilotError as error:
        failed(result, "poison queue", error)


# -- deciding ------------------------------------------------------------------------------------------------------


def _needs_work(context: Context, desired: Desired, known: Known | None, world: World, pause: Pause | None) -> bool:
    """Missing, unfinished or drifted; a connection that will look again by itself soon is left to do so."""
    if known is None:
        return True
    connection, now = known.connection, context.clock.now()
    if connection.wake_at is not None and now - connection.wake_at < OVERDUE:
        return False
    if connection.mode != asked_mode(desired.endpoint, context.rules.scope):
        return True
    stance = stance_of(connection.mode, context.rules.mode, pause)
    if stance.enforces and _unfinished(connection, desired.endpoint, now):
        return True
    found, complete = _plan_of(context, desired, connection, world)
    if stance.enforces:
        return calls_for_work(connection, found)
    return calls_for_another_look(connection, found, stance, complete=complete)


def _unfinished(connection: Connection, endpoint: Endpoint, now: datetime) -> bool:
    """Whether the record alone tells that there is something to do."""
    if connection.phase not in {Phase.READY, Phase.BLOCKED} or _waits_for_us(connection):
        return True
    if (connection.guid.lower(), connection.address) != (endpoint.guid.lower(), endpoint.address or ""):
        return True
    blocked = connection.phase is Phase.BLOCKED
    return blocked and (connection.observed_at is None or now - connection.observed_at > HEARTBEAT)


def _plan_of(context: Context, desired: Desired, connection: Connection, world: World) -> tuple[Plan, bool]:
    """The plan by what the listings answered, and whether they answered all that it takes."""
    elastic = None
    if world.policies is not None and world.deployments is not None:
        region = desired.service.elastic_region
        policies = tuple(policy for policy in world.policies if policy.region == region)
        elastic = ObservedElastic(policies, world.deployments)
    zones = world.zones_for(context, desired)
    observed = Observed(desired.endpoint, zones, elastic)
    found = plan(desired, observed, connection, context.rules, context.clock.now())
    return found, zones is not None and elastic is not None


def _to_be_tested(context: Context, connection: Connection, pause: Pause | None) -> bool:
    """What needs nothing is tested; where nothing is carried out, also what did not pass: no run looks after that."""
    if connection.phase is Phase.READY:
        return True
    reachable = connection.condition(c.REACHABLE)
    tested = reachable is not None and reachable.reason != "NotTested"
    return tested and not stance_of(connection.mode, context.rules.mode, pause).enforces


def _waits_for_us(connection: Connection) -> bool:
    """Whether anything but a person is still needed."""
    return any(
        condition.wanting and condition.needs is not c.Kind.PERSON and condition.reason != "NotTested"
        for condition in connection.conditions
        if condition.type != c.READY
    )


def _unexplained(listed: dict[str, Endpoint], known: dict[str, Known], correlation_id: str) -> list[WorkMessage]:
    """Endpoints that look like Elastic's but cannot be handled, and have no record that says why."""
    explained = {Kind.SERVERLESS, Kind.UNKNOWN_ELASTIC}
    return [
        WorkMessage(endpoint.id, "timer", correlation_id)
        for endpoint in listed.values()
        if recognise(endpoint.alias).kind in explained and connection_id(endpoint.id.text) not in known
    ]


def _missing(
    context: Context, known: Iterable[Known], listed: dict[str, Endpoint], complete: set[str], correlation_id: str
) -> list[WorkMessage]:
    """Connections whose endpoint a complete listing did not show; the loop reads each before it believes it."""
    messages = []
    for entry in known:
        endpoint_id = _endpoint_id(entry.connection)
        settled = entry.connection.phase in {Phase.REMOVED, Phase.IGNORED}
        if endpoint_id is None or settled or endpoint_id.key in listed:
            continue
        if endpoint_id.subscription_id not in complete or not in_scope(context, endpoint_id):
            continue
        messages.append(WorkMessage(endpoint_id, "timer", correlation_id))
    return messages


def _endpoint_id(connection: Connection) -> ArmId | None:
    try:
        return parse_endpoint_id(connection.endpoint_id)
    except InvalidInput:
        return None


# -- testing what needs nothing ------------------------------------------------------------------------------------


async def _send(context: Context, messages: list[WorkMessage], result: Sweep) -> None:
    for message in messages:
        try:
            await context.storage.queue.send(message.encode())
        except AutopilotError as error:
            failed(result, "work queue", error)
        else:
            result.enqueued += 1


async def _probe_all(
    context: Context, to_probe: list[tuple[Desired, Known]], correlation_id: str, result: Sweep
) -> list[WorkMessage]:
    """Test as many as the time allows, each time beginning elsewhere; what comes too late is for the next sweep."""
    gate = asyncio.Semaphore(PROBES_AT_ONCE)
    found: list[WorkMessage] = []

    async def one(desired: Desired, known: Known) -> None:
        async with gate:
            message = await _probe_one(context, desired, known, correlation_id, result)
            if message is not None:
                found.append(message)

    random.shuffle(to_probe)
    try:
        async with asyncio.timeout(PROBING_SECONDS), asyncio.TaskGroup() as group:
            for desired, known in to_probe:
                group.create_task(one(desired, known))
    except TimeoutError:
        result.errors.append(f"{len(to_probe) - result.probed} connections were not tested for lack of time")
    return found


async def _probe_one(
    context: Context, desired: Desired, known: Known, correlation_id: str, result: Sweep
) -> WorkMessage | None:
    """Test one connection; a verdict that changed is for the loop to look into."""
    outcome = await check(context, known.connection, desired.service.zone)
    await record_check(context, known.connection, outcome, cause="timer", correlation_id=correlation_id)
    result.probed += 1
    telemetry.connection_checked(known.connection, outcome.verdicts, context.clock.now(), correlation_id)
    before = known.connection.condition(c.REACHABLE)
    if not outcome.condition.true:
        result.unhealthy += 1
    if before is None or (before.status, before.reason) != (outcome.condition.status, outcome.condition.reason):
        return WorkMessage(desired.endpoint.id, "timer", correlation_id)
    if known.row.lease_owner is None:
        tested = to_document(outcome.remembered(known.connection))
        try:
            await context.storage.connections.replace(replace(known.row, document=tested))
        except AutopilotError as error:
            # It changed meanwhile, or storage is busy: the next sweep tests it again.
            log.info("test of connection %s not recorded: %s", known.connection.id, error)
    return None
