"""The limit of removals as a person sees it: what stands for removal, and the word to go on. Called over HTTP."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from shared.context import Context
from shared.core.guards.removal_limit import SHOWN, Removals, Stop
from shared.core.model.callers import Asked
from shared.core.model.errors import InvalidInput, NotFound
from shared.core.model.record import owned_resources
from shared.installation import decided, removal_limit
from shared.state.codec import record_in

STOP_EXAMPLE = '{"decision": "confirm-removals", "stop": "<id>"}'


class StopNotFound(NotFound):
    """Removals are not stopped for this, or by now for something else."""


async def show_removals(context: Context) -> dict[str, Any]:
    """What may be removed, and what waits for a confirmation."""
    return await _shown(context, await removal_limit.read(context))


async def confirm_removals(context: Context, stop: object, asked: Asked) -> dict[str, Any]:
    """Let the removals that a stop names go on; raises InvalidInput or StopNotFound."""
    if not isinstance(stop, str) or not stop:
        raise InvalidInput(
            "The body names no stop.", next_step=f"Send {STOP_EXAMPLE}; GET /api/removals shows the present one."
        )
    stopped = (await removal_limit.read(context)).stopped
    removals = await removal_limit.confirm(context, stop)
    if removals is None:
        raise StopNotFound(
            "Nothing waits for this confirmation.",
            on=stop[:80],
            next_step="Read GET /api/removals, which shows what does.",
        )
    if stopped is not None and stopped.id == stop:
        await decided.note_all(context, stopped.connections, f"confirm removals {stop}", asked)
    return await _shown(context, removals)


async def _shown(context: Context, removals: Removals) -> dict[str, Any]:
    until = removals.allowed_until
    return {
        "limit": removals.limit,
        "standing": len(removals.standing),
        "tornDown": len(removals.torn),
        "stopped": None if removals.stopped is None else await _stopped(context, removals.stopped),
        "confirmed": None
        if until is None or until <= context.clock.now()
        else {"connections": len(removals.allowed), "until": until.isoformat()},
    }


async def _stopped(context: Context, stop: Stop) -> dict[str, Any]:
    connections = []
    for connection_id in stop.connections[:SHOWN]:
        row = await context.storage.connections.get(connection_id)
        with suppress(InvalidInput):  # one that cannot be read is counted all the same
            if row is None:
                continue
            record = record_in(row)
            things = list(owned_resources(record))
            shown = {"id": connection_id, "name": record.identity.name, "endpoint": record.endpoint_id, "made": things}
            connections.append(shown)
    return {"id": stop.id, "at": stop.at.isoformat(), "count": stop.count, "connections": connections}
