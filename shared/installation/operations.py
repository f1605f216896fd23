"""Operations in table `control`, one row each: written when a person asks, read by who follows it, kept for a week.

Written by the HTTP API alone. A request that is repeated under its id finds the row, and asks for nothing again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from shared.context import Context
from shared.core.model.errors import AutopilotError, LostRace
from shared.core.model.operations import Operation, operation_in
from shared.state.control import understood
from shared.state.rows import ControlRow

NAME = "operation-"
KEPT = timedelta(days=7)


async def find(context: Context, operation_id: str) -> Operation | None:
    """The operation of this id, if there is one; raises DamagedRow."""
    row = await context.storage.control.get(NAME + operation_id.lower())
    return None if row is None else understood(row, lambda document: operation_in(operation_id.lower(), document))


async def keep(context: Context, operation: Operation) -> Operation:
    """Store a new operation; returns the one that is stored, which an equal request may have stored a moment ago."""
    try:
        await context.storage.control.put(ControlRow(NAME + operation.id, operation.document(), None))
    except LostRace:
        return await find(context, operation.id) or operation
    return operation


async def prune(context: Context) -> None:
    """Delete what is older than a week, by the storage service's time alone."""
    async for row in context.storage.control.list(NAME):
        if row.read_at is not None and row.written_at is not None and row.read_at - row.written_at > KEPT:
            with suppress(AutopilotError):  # it is looked at again tomorrow
                await context.storage.control.delete(row)
