"""The sweep's tests: every connection that needs nothing is tested, many at once, within a time. Used by `sweep`.

A verdict that changed is for the loop to look into; one that did not is only recorded.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime

from shared import telemetry
from shared.context import Context, log
from shared.core.guards.scope import effective_mode_of
from shared.core.model import conditions as c
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.errors import AutopilotError, InvalidInput
from shared.core.model.messages import Cause, CheckMessage, WorkMessage
from shared.core.model.services import zone_name
from shared.core.planning.drift import to_be_tested
from shared.health.check import check, record_check
from shared.health.networks import NetworkList
from shared.installation.pause import present_pause
from shared.requests import correlated
from shared.state.codec import holding
from shared.sweep.backlog import Backlog
from shared.sweep.records import StoredRecord, stored_record
from shared.sweep.snapshot import SweepStats


async def test_or_share(
    context: Context,
    backlog: Backlog,
    to_test: list[StoredRecord],
    correlation_id: str,
    began: datetime,
    networks: NetworkList,
) -> list[WorkMessage]:
    """Test here; or, where they are many and of several subscriptions, let the queue share them out, one for each.

    A queue that is behind would be none the quicker: then as many are tested here as the time allows.
    """
    subscriptions = {entry.subscription for entry in to_test}
    few = len(to_test) <= context.settings.health.checks_here or len(subscriptions) == 1
    if few or await backlog.behind():
        return await test_all(context, to_test, correlation_id, networks, backlog.result)
    messages = [CheckMessage(subscription, correlation_id, began) for subscription in sorted(subscriptions)]
    backlog.result.shared += await backlog.send(messages)
    return []


async def check_subscription(context: Context, message: CheckMessage) -> SweepStats:
    """The part of a sweep that a message asks for: test what the sweep would have tested, unless it was since."""
    with correlated(message.correlation_id):
        result, pause, started = SweepStats(), await present_pause(context), time.monotonic()
        to_test, texts = [], dict[str, str]()
        async for row in context.storage.connections.list(message.subscription_id):
            try:
                entry = stored_record(row, texts)
            except InvalidInput:
                continue  # the sweep has reported it
            enforces = effective_mode_of(entry.record.identity.mode, context.options.installation.mode, pause).enforces
            health = entry.record.health.summary
            tested = health is not None and health.tested_at >= message.since
            if to_be_tested(entry.record, enforces=enforces) and not tested:
                to_test.append(entry)
        for work in await test_all(context, to_test, message.correlation_id, NetworkList(context), result):
            # A queue that was behind would not have been given this part of the sweep.
            await context.storage.queue.send(work.encode())
            result.enqueued += 1
        duration = round((time.monotonic() - started) * 1000)
        telemetry.subscription_checked(message, result.probed, result.unhealthy, result.enqueued, duration)
        return result


async def test_all(
    context: Context, to_test: list[StoredRecord], correlation_id: str, networks: NetworkList, result: SweepStats
) -> list[WorkMessage]:
    """Test as many as the time allows, each time beginning elsewhere; what comes too late is for the next sweep."""
    gate = asyncio.Semaphore(context.settings.health.checks_at_once)
    found: list[WorkMessage] = []

    async def one(stored: StoredRecord) -> None:
        async with gate:
            message = await _probe_one(context, stored, correlation_id, networks, result)
            if message is not None:
                found.append(message)

    order = random.sample(to_test, len(to_test))
    try:
        async with asyncio.timeout(context.settings.health.sweep_seconds), asyncio.TaskGroup() as group:
            for stored in order:
                group.create_task(one(stored))
    except TimeoutError:
        result.errors.append(f"{len(to_test) - result.probed} connections were not tested for lack of time")
    return found


async def _probe_one(
    context: Context, stored: StoredRecord, correlation_id: str, networks: NetworkList, result: SweepStats
) -> WorkMessage | None:
    """Test one connection; a verdict that changed is for the loop to look into."""
    identity = stored.record.identity
    zone = zone_name(identity.family, identity.region)
    outcome = await check(context, stored.record, zone, networks=networks)
    await record_check(context, stored.record, outcome, cause=Cause.TIMER, correlation_id=correlation_id)
    result.probed += 1
    telemetry.connection_checked(stored.record, outcome.verdicts, context.clock.now(), correlation_id)
    before = stored.record.condition(c.REACHABLE)
    if not outcome.condition.true:
        result.unhealthy += 1
    if before is None or (before.status, before.reason) != (outcome.condition.status, outcome.condition.reason):
        return WorkMessage(parse_endpoint_id(stored.record.endpoint_id), Cause.TIMER, correlation_id)
    try:
        await context.storage.connections.replace(holding(stored.row, outcome.remembered(stored.record)))
    except AutopilotError as error:
        # It changed meanwhile, or storage is busy: the next sweep tests it again.
        log.info("test of connection %s not recorded: %s", stored.record.id, error)
    return None
