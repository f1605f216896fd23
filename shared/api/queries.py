"""What a person asks over HTTP, and the manual re-run. Called by the HTTP triggers; reads state, not the clouds.

But for one question: whether there is an endpoint that a person names and no record tells of. Else each made-up id
would be work for the queue, and a record.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from shared.api import operations
from shared.api.export import as_csv
from shared.api.listing import MOST_NAMES, PAGE, Filter, filter_of, page_of
from shared.api.views import ConnectionRowView, TargetRowView, as_json, connection_view
from shared.context import Context, log
from shared.core.diagnosis import hosts_to_test
from shared.core.guards.scope import effective_mode_of, outside_by_id
from shared.core.model.arm_ids import ArmId, connection_id, parse_endpoint_id
from shared.core.model.callers import Asked
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError, InvalidInput, NotFound
from shared.core.model.operations import Operation, OperationKind
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import repaired_on
from shared.core.model.record_health import HostCheck
from shared.core.model.services import Family, zone_name
from shared.health.check import known_checks
from shared.installation import unknown_endpoints
from shared.installation.app_health import look
from shared.state.codec import record_in
from shared.state.rows import ConnectionRow, ListedConnection

EXAMPLE = '{"endpoint": "<id of the private endpoint>"} or {"filter": {"phase": "Blocked"}}'
_CONNECTION_ID = re.compile(r"[0-9a-fA-F]{16}")


UNREADABLE = "Its row cannot be understood: GET /api/doctor names it, and how to mend it."
"""Of a row without columns."""


class ConnectionNotFound(NotFound):
    """No connection has this id."""


class EndpointNotFound(NotFound):
    """Azure knows no private endpoint of this id, and no record tells of one."""


class InvalidConnectionId(InvalidInput):
    """The id is none that this app gives out."""


class EndpointOutOfScope(InvalidInput):
    """The endpoint is not among those that the settings include."""


async def list_connections(
    context: Context, wanted: Filter | None = None, *, sort: str = "name", limit: int = PAGE, cursor: str | None = None
) -> dict[str, Any]:
    """A page of the connections in short; and how many there are of each kind, shown or not."""
    rows = [row async for row in context.storage.connections.list_columns()]
    page = page_of(rows, wanted or Filter(), sort=sort, limit=limit, cursor=cursor)
    mode, families = await _modes(context), Counter(row.columns.family for row in rows)
    phases, today = Counter(row.columns.shown_phase for row in rows), context.clock.now().date()
    return {
        "items": [_summary(row, mode, today) for row in page.rows],
        "next": page.next,
        "matching": page.total,
        "repairedToday": sum(repaired_on(row.columns, today) for row in rows),
        "regions": _counted(row.columns.region for row in rows),
        "subscriptions": _counted(row.columns.subscription for row in rows),
        "families": {str(one): families[one] for one in Family},
        "phases": {str(one): phases[one] for one in Phase},
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    """How often each name is there, without the empty one."""
    return {name: number for name, number in Counter(names).most_common(MOST_NAMES) if name}


async def export_connections(context: Context, wanted: Filter, sort: str) -> str:
    """All connections that a filter means, as a table for spreadsheets."""
    rows = [row async for row in context.storage.connections.list_columns()]
    page = page_of(rows, wanted, sort=sort, limit=len(rows))
    mode, today = await _modes(context), context.clock.now().date()
    return as_csv(_summary(row, mode, today) for row in page.rows)


async def get_connection(context: Context, wanted: str) -> dict[str, Any]:
    """One connection in full; raises ConnectionNotFound or InvalidConnectionId."""
    row = await find_connection(context, wanted)
    record, mode = record_in(row), await _modes(context)
    checks = await checks_of(context, record)
    return dict(as_json(connection_view(record, mode(record.identity.mode), context.settings, checks)))


async def checks_of(context: Context, record: ConnectionRecord) -> list[HostCheck]:
    """The last check of each host, in the order in which they are tested; of an untested connection nothing is read."""
    identity = record.identity
    if record.health.summary is None:
        return []
    rows = [row async for row in context.storage.hosts.list(record.id)]
    known = known_checks(record, rows)
    names = hosts_to_test(record, zone_name(identity.family, identity.region))
    return [known[one.host] for one in names if one.host in known]


async def get_journal(context: Context, wanted: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """The newest entries of a connection's journal, and where the next page begins."""
    row = await find_connection(context, wanted)
    page = await context.storage.journal.newest(row.connection_id, limit, cursor)
    entries = [as_json({**asdict(entry), "at": entry.at.isoformat()}) for entry in page.entries]
    return {"connection": row.connection_id, "items": entries, "next": page.continuation}


async def get_checks(context: Context, wanted: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """The newest health checks of a connection, and where the next page begins."""
    row = await find_connection(context, wanted)
    page = await context.storage.checks.newest(row.connection_id, limit, cursor)
    entries = [as_json({**asdict(entry), "at": entry.at.isoformat()}) for entry in page.entries]
    return {"connection": row.connection_id, "items": entries, "next": page.continuation}


async def rerun_connection(context: Context, wanted: str, asked: Asked) -> Operation:
    """Send a known connection to work."""
    return await operations.ask(context, OperationKind.RECONCILE, [await _known(context, wanted)], asked)


async def check_connection(context: Context, wanted: str, asked: Asked) -> Operation:
    """Have a known connection tested.

    It is a full run: a test alone would tell a person that the name does not resolve, and leave the record missing.
    """
    return await operations.ask(context, OperationKind.CHECK, [await _known(context, wanted)], asked)


async def rerun_endpoint(context: Context, endpoint: object, asked: Asked) -> Operation:
    """Send an endpoint to work by its ARM id, known or not; raises InvalidInput or EndpointOutOfScope."""
    if not isinstance(endpoint, str) or not endpoint:
        raise InvalidInput("The body names no endpoint.", next_step=f"Send {EXAMPLE}.")
    try:
        wanted = parse_endpoint_id(endpoint)
    except InvalidInput as error:
        looks = "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/privateEndpoints/<name>"
        raise InvalidInput(error.what, on=error.on, next_step=f"Send {EXAMPLE}; such an id is {looks}.") from error
    _ensure_in_scope(context, wanted)
    if await context.storage.connections.get(connection_id(wanted.text)) is None:
        await unknown_endpoints.ensure_few(context)
        await _ensure_there(context, wanted)
    return await operations.ask(context, OperationKind.RECONCILE, [wanted], asked)


async def rerun_filtered(context: Context, wanted: object, asked: Asked) -> Operation:
    """Send every known connection that a filter means to work, `PAGE` of them at most; raises InvalidInput."""
    if not isinstance(wanted, dict) or not wanted:
        raise InvalidInput("The body names no filter.", next_step=f"Send {EXAMPLE}.")
    rows = [row async for row in context.storage.connections.list_columns()]
    page = page_of(rows, filter_of(wanted))
    if page.next is not None:
        raise InvalidInput(
            f"The filter means {page.total} connections; at most {PAGE} are run again by one request.",
            next_step="Name a region or a subscription in the filter, too.",
        )
    known = [parse_endpoint_id(row.columns.endpoint_id) for row in page.rows if row.columns.endpoint_id]
    scope = context.options.scope
    return await operations.ask(
        context, OperationKind.RECONCILE, [one for one in known if outside_by_id(scope, one) is None], asked
    )


async def _known(context: Context, wanted: str) -> ArmId:
    """The endpoint of a known connection; raises as `find_connection` does, and EndpointOutOfScope."""
    row = await find_connection(context, wanted)
    endpoint = parse_endpoint_id(record_in(row).endpoint_id)
    _ensure_in_scope(context, endpoint)
    return endpoint


async def _ensure_there(context: Context, endpoint: ArmId) -> None:
    """Raise EndpointNotFound for an endpoint that Azure does not know; where it does not answer, the run asks again."""
    try:
        await context.endpoints.get(endpoint)
    except NotFound as error:
        step = "Correct the id; of an endpoint that was just made, ask again in two minutes."
        raise EndpointNotFound("Azure knows no such private endpoint.", on=endpoint.text, next_step=step) from error
    except AutopilotError as error:
        log.info("whether there is %s is not known, the run asks again: %s", endpoint.text, error)


def _ensure_in_scope(context: Context, endpoint: ArmId) -> None:
    found = outside_by_id(context.options.scope, endpoint)
    if found is not None:
        raise EndpointOutOfScope(found.message, on=endpoint.text, next_step=found.next_step)


async def find_connection(context: Context, wanted: str) -> ConnectionRow:
    """The row of a connection by its id; raises ConnectionNotFound or InvalidConnectionId."""
    look = "Read GET /api/connections, which lists those that exist."
    if not _CONNECTION_ID.fullmatch(wanted):
        raise InvalidConnectionId("A connection id has 16 hexadecimal digits.", on=wanted[:80], next_step=look)
    row = await context.storage.connections.get(wanted.lower())
    if row is None:
        raise ConnectionNotFound("There is no connection with this id.", on=wanted, next_step=look)
    return row


async def _modes(context: Context) -> Callable[[object], str]:
    """What holds now for a connection that asked for something, by the pause and the setting of this moment."""
    present = (await look(context)).pause
    return lambda asked: str(effective_mode_of(str(asked or ""), context.options.installation.mode, present).mode)


def _summary(row: ListedConnection, mode: Callable[[object], str], today: date) -> dict[str, Any]:
    columns = row.columns
    view = ConnectionRowView(
        id=row.connection_id,
        name=columns.name,
        endpoint_id=columns.endpoint_id,
        subscription=columns.subscription,
        family=next((one for one in Family if one == columns.family), None),
        region=columns.region,
        phase=columns.shown_phase,
        mode=mode(columns.mode),
        ready=columns.ready or None,
        reason=columns.reason or None,
        message=columns.message if columns.ready else None if columns.phase else UNREADABLE,
        next_step=columns.next_step if columns.ready else None,
        since=columns.since or None,
        repaired_today=repaired_on(columns, today),
        targets=tuple(TargetRowView(*one) for one in columns.target_list),
        address=columns.address,
        vnet_id=columns.vnet_id,
        tested_at=columns.tested_at or None,
        latency_ms=int(columns.latency_ms) if columns.latency_ms.isdecimal() else None,
    )
    return dict(as_json(view))
