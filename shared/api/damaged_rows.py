"""Rows of the tables that this version cannot understand: named by the doctor, given up at a person's word.

Called by `doctor` and by the decision `take-over-row`. State is a cache and a diary: what a row said is made anew from
Azure and Elastic Cloud, or counted anew. A row of a newer version of the app is whole, and is never given up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.context import Context, log
from shared.core.guards.first_and_last_policy import TARGET_ROWS, notes_in, outdated_in
from shared.core.guards.pause import LONGEST, stored_pause
from shared.core.model.arm_ids import ArmId, connection_id, parse_endpoint_id
from shared.core.model.callers import Asked
from shared.core.model.decisions import decided_in
from shared.core.model.errors import AutopilotError, InvalidInput, NotFound
from shared.core.model.json_values import is_newer
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record_document import NewerRecord, UnreadableRecord
from shared.core.reports.app_health import stored_health
from shared.installation import app_health, decided, pause, removal_limit, things
from shared.state.codec import record_in
from shared.state.control import DamagedRow, NewerRow, understood
from shared.state.rows import ConnectionRow, ControlRow, ThingRow

TABLES = CONNECTIONS, CONTROL, THINGS = "connections", "control", "things"
NEWER_THING = "A newer version of the app wrote the row of this thing."
EXAMPLE = '{"decision": "take-over-row", "table": "control", "row": "removals"}'
_LIST = "Read GET /api/doctor, which names the rows that are damaged."


class RowNotFound(NotFound):
    """No table has this row."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be understood."""

    table: str
    row: str
    what: str
    newer: bool = False
    """A newer version of the app wrote it."""


async def unreadable_rows(context: Context) -> list[Unreadable]:
    """Every row that cannot be understood, of the tables that decide what is done."""
    found = [one async for one in _connections(context)]
    found += [one async for one in _control(context)]
    return found + [
        _unreadable_thing(row)
        async for row in context.storage.things.list()
        if things.is_damaged(row) or is_newer(row.document)
    ]


async def take_over_row(context: Context, table: object, name: object, asked: Asked) -> dict[str, Any]:
    """Delete a row that cannot be understood; raises RowNotFound, and InvalidInput for one that can."""
    delete = _DELETE.get(table) if isinstance(table, str) else None
    if delete is None or not isinstance(name, str) or not name:
        tables = ", ".join(_DELETE)
        raise InvalidInput(f"The body names no row of {tables}.", next_step=f"Send {EXAMPLE}. {_LIST}")
    await delete(context, name, asked)
    log.warning("damaged row %s of table %s deleted by a decision %s", name, table, asked)
    return {"table": table, "row": name}


# -- connections ---------------------------------------------------------------------------------------------------


async def _connections(context: Context) -> AsyncIterator[Unreadable]:
    async for row in context.storage.connections.list():
        try:
            record_in(row)
        except UnreadableRecord as error:
            yield Unreadable(CONNECTIONS, row.connection_id, error.what, newer=isinstance(error, NewerRecord))


async def _delete_connection(context: Context, name: str, asked: Asked) -> None:
    row = await context.storage.connections.get(name.lower())
    if row is None:
        raise _not_found(CONNECTIONS, name)
    try:
        record_in(row)
    except NewerRecord as error:
        raise InvalidInput(error.what, on=name, next_step=error.next_step) from error
    except UnreadableRecord:
        await context.storage.connections.delete(row)
    else:
        raise _readable(CONNECTIONS, name)
    endpoint = _endpoint_in(row)
    if endpoint is not None:  # else the next sweep finds it
        await context.storage.queue.send(WorkMessage(endpoint, Cause.MANUAL, asked.correlation_id).encode())


def _endpoint_in(row: ConnectionRow) -> ArmId | None:
    """The endpoint that the row is about, by what is left of it."""
    for text in (row.columns.endpoint_id, row.document.get("endpoint_id")):
        try:
            endpoint = parse_endpoint_id(text)
        except InvalidInput:
            continue
        if connection_id(endpoint.text) == row.connection_id:
            return endpoint
    return None


# -- control -------------------------------------------------------------------------------------------------------


def _check(context: Context, row: ControlRow) -> None:
    """Raise DamagedRow for a document that cannot be understood; of one that no version writes nothing is asked."""
    now = context.clock.now()
    read_at = row.read_at or now
    readers: Mapping[str, Callable[[Any], object]] = {
        app_health.DOCUMENT: stored_health,  # before the pause, with whose name its own begins
        pause.DOCUMENT: lambda document: stored_pause(document, (row.written_at or now) + LONGEST),
        removal_limit.NAME: partial(removal_limit.stored_removals, now),
        decided.NAME: decided_in,
        TARGET_ROWS: lambda document: (notes_in(document, read_at), outdated_in(document, read_at)),
    }
    read = next((reader for name, reader in readers.items() if row.name.startswith(name)), None)
    if read is not None:
        understood(row, read)


_NAMES = (pause.DOCUMENT, removal_limit.NAME, decided.NAME, TARGET_ROWS)
"""Of what others rely on; a lease, a guard's word and the last sweep are written anew by their next use."""


async def _control(context: Context) -> AsyncIterator[Unreadable]:
    for name in _NAMES:
        async for row in context.storage.control.list(name):
            try:
                _check(context, row)
            except DamagedRow as error:
                yield Unreadable(CONTROL, row.name, error.what, newer=isinstance(error, NewerRow))


async def _delete_control(context: Context, name: str, asked: Asked) -> None:
    del asked
    row = await context.storage.control.get(name)
    if row is None:
        raise _not_found(CONTROL, name)
    try:
        _check(context, row)
    except NewerRow as error:
        raise InvalidInput(error.what, on=name, next_step=error.next_step) from error
    except DamagedRow:
        await context.storage.control.delete(row)
    else:
        raise _readable(CONTROL, name)


# -- things --------------------------------------------------------------------------------------------------------


def _unreadable_thing(row: ThingRow) -> Unreadable:
    if is_newer(row.document):
        return Unreadable(THINGS, row.key, NEWER_THING, newer=True)
    return Unreadable(THINGS, row.key, "The row does not say of which thing it is, or what we did with it.")


async def _delete_thing(context: Context, name: str, asked: Asked) -> None:
    del asked
    rows = [row async for row in context.storage.things.list() if row.key == name]
    if not rows:
        raise _not_found(THINGS, name)
    if is_newer(rows[0].document):
        raise InvalidInput(NEWER_THING, on=name, next_step="Deploy the newer version of the app again.")
    if not things.is_damaged(rows[0]):
        raise _readable(THINGS, name)
    await context.storage.things.delete(rows[0])


_DELETE: Mapping[str, Callable[[Context, str, Asked], Awaitable[None]]] = {
    CONNECTIONS: _delete_connection,
    CONTROL: _delete_control,
    THINGS: _delete_thing,
}


def _not_found(table: str, name: str) -> AutopilotError:
    return RowNotFound(f"Table {table} has no such row.", on=name[:80], next_step=_LIST)


def _readable(table: str, name: str) -> AutopilotError:
    what = f"This row of table {table} can be understood: there is nothing to take over."
    return InvalidInput(what, on=name[:80], next_step=_LIST)
