"""What a person asks to be done with connections, and how it goes: an operation that ends by itself. Called over HTTP.

The work goes through the queue like all other work; the run that answers it says so in the connection's record. A
request that is repeated under its `x-ms-client-request-id` answers the operation that is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.context import Context
from shared.core.model.arm_ids import ArmId, connection_id
from shared.core.model.callers import Asked
from shared.core.model.conditions import READY, Phase
from shared.core.model.errors import InvalidInput, NotFound
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.operations import Operation, OperationKind, has_ended
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import UnreadableRecord
from shared.installation import decided, operations
from shared.state.codec import record_in

AT_ONCE = 8
"""Connections that are read, or asked for, side by side."""
SHOWN = 100
"""Connections of an operation that its answer tells of one by one; of more it tells how many."""
IN_DETAIL = 10
"""Connections at most whose journal is read to tell what was changed."""
GIVEN_UP = timedelta(hours=1)
"""When an operation that no run has answered counts as failed."""
CAUSES = {
    OperationKind.RECONCILE: Cause.MANUAL,
    OperationKind.CHECK: Cause.CHECK,
    OperationKind.DECISION: Cause.MANUAL,
}


class OperationNotFound(NotFound):
    """No operation has this id, or it is older than a week."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A connection of an operation as it is now."""

    id: str
    record: ConnectionRecord | None
    ended: bool


async def ask(context: Context, kind: OperationKind, endpoints: Sequence[ArmId], asked: Asked) -> Operation:
    """Send the endpoints to work, once for each id of a request; raises InvalidInput for an id of another request."""
    wanted = {connection_id(endpoint.text): endpoint for endpoint in endpoints}
    known = await operations.find(context, asked.correlation_id)
    if known is not None:
        if (known.kind, set(known.generations)) != (kind, set(wanted)):
            raise InvalidInput(
                "This id of a request was used for another one.",
                on=asked.correlation_id,
                next_step="Send another x-ms-client-request-id, or none.",
            )
        return known
    limit = asyncio.Semaphore(AT_ONCE)

    async def send(one: str, endpoint: ArmId) -> tuple[str, int]:
        async with limit:
            record = await _record(context, one)
            if record is not None and kind is not OperationKind.DECISION:  # a decision is in the journal by its words
                await decided.note(context, record, kind, asked)
            message = WorkMessage(endpoint, CAUSES[kind], asked.correlation_id)
            await context.storage.queue.send(message.encode())
            return one, 0 if record is None else record.status.generation

    counted = await asyncio.gather(*(send(one, endpoint) for one, endpoint in wanted.items()))
    made = Operation(asked.correlation_id.lower(), kind, asked.by, context.clock.now(), dict(counted))
    return await operations.keep(context, made)


async def show(context: Context, operation_id: str) -> dict[str, Any]:
    """How an operation stands; raises OperationNotFound."""
    operation = await operations.find(context, operation_id)
    if operation is None:
        raise OperationNotFound(
            "There is no operation of this id; operations are kept for a week.",
            on=operation_id[:80],
            next_step="Read GET /api/connections for how the connections stand.",
        )
    limit = asyncio.Semaphore(AT_ONCE)

    async def look(one: str) -> _Seen:
        async with limit:
            record = await _record(context, one)
        ended = record is not None and has_ended(operation, one, record.schedule, record.status.generation)
        return _Seen(one, record, ended)

    seen = await asyncio.gather(*map(look, operation.generations))
    ended = sum(one.ended for one in seen)
    status = _status(context, operation, ended)
    details = len(seen) <= IN_DETAIL
    return {
        "id": operation.id,
        "kind": str(operation.kind),
        "by": operation.by,
        "askedAt": operation.asked_at.isoformat(),
        "status": status,
        "ended": ended,
        "of": len(seen),
        "outcome": _outcome(status, seen),
        "connections": [await _shown(context, operation, one, changes=details) for one in seen[:SHOWN]],
    }


def _status(context: Context, operation: Operation, ended: int) -> str:
    if ended == len(operation.generations):
        return "Succeeded"
    return "Failed" if context.clock.now() - operation.asked_at > GIVEN_UP else "Running"


def _outcome(status: str, seen: Sequence[_Seen]) -> str:
    waiting = sum(not one.ended for one in seen)
    if status == "Running":
        return f"{waiting} of {len(seen)} connections wait for their run, or it is under way."
    if status == "Failed":
        return f"No run of {waiting} of {len(seen)} connections has ended; GET /api/doctor says what keeps the queue."
    good = sum(one.record is not None and one.record.status.phase is Phase.READY for one in seen)
    return f"Every run has ended; {good} of {len(seen)} connections are Ready."


async def _shown(context: Context, operation: Operation, seen: _Seen, *, changes: bool) -> dict[str, Any]:
    record = seen.record
    ready = None if record is None else record.condition(READY)
    return {
        "id": seen.id,
        "name": "" if record is None else record.identity.name,
        "ended": seen.ended,
        "phase": None if record is None else str(record.status.phase),
        "reason": None if ready is None else str(ready.reason),
        "message": "" if ready is None else ready.message,
        "nextStep": "" if ready is None else ready.next_step,
        "changed": await _steps_done(context, operation, seen.id) if changes and seen.ended else [],
    }


async def _steps_done(context: Context, operation: Operation, connection: str) -> list[str]:
    """What was done since the operation was asked for, oldest first; decisions of people are no changes."""
    page = await context.storage.journal.newest(connection, 100)
    made = [one.step for one in page.entries if one.at >= operation.asked_at and one.outcome == "done"]
    return made[::-1]


async def _record(context: Context, one: str) -> ConnectionRecord | None:
    row = await context.storage.connections.get(one)
    try:
        return None if row is None else record_in(row)
    except UnreadableRecord:
        return None
