"""The sweep's tests: every connection that needs nothing is tested, many at once, within a time. Used by `sweep`.

A verdict that changed is for the loop to look into; one that did not is only recorded.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from shared import telemetry
from shared.check_log import record_check
from shared.checks import check
from shared.context import Context, log
from shared.core import conditions as c
from shared.core.connection_document import to_document
from shared.core.desired import Desired
from shared.core.errors import AutopilotError
from shared.core.messages import WorkMessage
from shared.inventory import Known, Sweep

PROBES_AT_ONCE = 20
PROBING_SECONDS = 240.0
"""All tests of a sweep together; the next sweep comes."""


async def test_all(
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
