"""What people decided on a connection and no run has carried out yet: one row of table `control` for each connection.

Written by the HTTP API, which is not the connection's writer; read by the run that carries the decision out, which
takes it off then. A decision that no run could use within `KEPT` counts no more.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from shared import telemetry
from shared.context import Context, log
from shared.core.model.callers import Asked
from shared.core.model.decisions import Decided, decided_in
from shared.core.model.errors import AutopilotError
from shared.core.model.json_values import mapping
from shared.core.model.messages import Cause
from shared.core.model.record import ConnectionRecord
from shared.state import control
from shared.state.codec import record_in
from shared.state.control import DamagedRow, understood
from shared.state.rows import ControlRow, JournalEntry

NAME = "decided-"
KEPT = timedelta(days=7)
"""As long as a pause lasts at most: a decision may wait for its end."""

AT_ONCE = 8
"""Connections that are written to side by side."""


async def leave(context: Context, connection_id: str, decision: Decided) -> None:
    """Keep a decision for the next run; the same one again changes nothing."""

    def added(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        known = () if document is None else decided_in(document)
        return {**mapping(document), **_document(tuple(dict.fromkeys((*known, decision))))}

    await control.update(context.storage.control, context.clock, NAME + connection_id, added, mend=True, must=True)


async def waiting(context: Context, connection_id: str) -> tuple[Decided, ...]:
    """What was decided and is to be carried out; a row that cannot be understood says nothing."""
    row = await context.storage.control.get(NAME + connection_id)
    if row is None or _over(row):
        return ()
    try:
        return understood(row, decided_in)
    except DamagedRow as error:
        log.warning("no decision: %s", error)
        return ()


async def carried_out(context: Context, connection_id: str, decision: Decided) -> None:
    """Take a decision off: a run did what it says, or it says nothing any more."""

    def without(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        left = () if document is None else tuple(one for one in decided_in(document) if one != decision)
        return {**mapping(document), **_document(left)} if left else None

    await control.update(context.storage.control, context.clock, NAME + connection_id, without, mend=True)


async def prune(context: Context) -> None:
    """Delete what counts no more."""
    async for row in context.storage.control.list(NAME):
        if _over(row):
            with suppress(AutopilotError):  # it is looked at again tomorrow
                await context.storage.control.delete(row)


async def note(context: Context, record: ConnectionRecord, decision: object, asked: Asked) -> None:
    """Write into the connection's journal that a person decided; the log has it where the journal cannot be written."""
    step, now, run_id = f"{asked.by} decided: {decision}", context.clock.now(), secrets.token_hex(6)
    does = decision.decision.does if isinstance(decision, Decided) else "The next run carries it out."
    entry = JournalEntry(now, run_id, asked.correlation_id, Cause.MANUAL, step, outcome="decided", message=does)
    telemetry.journal_written(
        record, cause=Cause.MANUAL, run_id=run_id, correlation_id=asked.correlation_id, step=step, outcome="decided",
        duration_ms=0, message=does,
    )  # fmt: skip
    try:
        await context.storage.journal.append(record.id, [entry])
    except AutopilotError as error:
        log.warning("journal of connection %s not written: %s", record.id, error)


async def note_all(
    context: Context, connection_ids: Iterable[str], decision: object, asked: Asked
) -> list[ConnectionRecord]:
    """The same for many connections, those that can be read; returns their records."""
    limit, found = asyncio.Semaphore(AT_ONCE), []

    async def one(connection_id: str) -> None:
        async with limit:
            try:
                row = await context.storage.connections.get(connection_id)
                record = None if row is None else record_in(row)
            except AutopilotError as error:
                log.warning("journal of connection %s not written: %s", connection_id, error)
                return
            if record is not None:
                await note(context, record, decision, asked)
                found.append(record)

    await asyncio.gather(*map(one, dict.fromkeys(connection_ids)))
    return found


def _document(decisions: tuple[Decided, ...]) -> dict[str, Any]:
    return {"decisions": [decision.document() for decision in decisions]}


def _over(row: ControlRow) -> bool:
    """Whether it is too old, by the storage service's time alone."""
    return row.read_at is not None and row.written_at is not None and row.read_at - row.written_at > KEPT
