"""Plans that are shown: of one connection, or of all by the listings of a sweep. Called by the HTTP triggers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from shared.api.listing import PAGE, Key, cursor_of, read_cursor
from shared.api.plan import preview_connection, preview_missing, preview_of
from shared.api.queries import find_connection
from shared.context import Context
from shared.core.guards.scope import asked_mode
from shared.core.model.errors import AutopilotError
from shared.core.model.record import ConnectionRecord
from shared.core.planning.desired import Desired
from shared.core.planning.snapshot import Snapshot
from shared.core.planning.triage import missing, plan_of
from shared.core.reports.plan_text import Preview
from shared.health.networks import NetworkList
from shared.requests import SharedReads
from shared.state.codec import record_in
from shared.sweep.snapshot import SweepStats, take_snapshot

_ORDER = "plan"
"""What cursors say that the list is sorted by."""


async def plan_connection(context: Context, wanted: str) -> Preview:
    """The plan of a known connection; raises ConnectionNotFound, InvalidConnectionId, and what the clouds raise."""
    row = await find_connection(context, wanted)
    return await preview_connection(context, record_in(row))


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The plans of some connections, by name."""

    previews: tuple[Preview, ...]
    next: str | None
    """The cursor of the page that follows; None: this is the last one."""
    total: int
    errors: tuple[str, ...]
    """What could not be read."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What all plans are made from, and each connection with its place in their order."""

    snapshot: Snapshot
    errors: tuple[str, ...]
    entries: tuple[tuple[Key, Desired | None], ...]
    """Without what is desired: the endpoint is gone."""


_seen: SharedReads[int, _Seen] = SharedReads()
SHARED = 120.0
"""Seconds for which further pages are made from what was read for the first."""


async def plan_all(context: Context) -> tuple[list[Preview], list[str]]:
    """The plans of every connection by name, and what could not be read."""
    page = await plan_page(context, limit=None)
    return list(page.previews), list(page.errors)


async def plan_page(context: Context, *, limit: int | None = PAGE, cursor: str | None = None) -> PlanPage:
    """The plans of some connections; the first page reads both clouds anew. Raises InvalidInput for another cursor."""
    after = None if cursor is None else read_cursor(cursor, _ORDER)
    ask = _seen.anew if after is None else _seen.get
    seen = await ask(id(context), lambda: _look(context), lambda _: SHARED)
    waiting = [one for one in seen.entries if after is None or one[0] > after]
    shown, errors = waiting[:limit], list(seen.errors)
    previews = []
    for (_, key), desired in shown:
        if desired is not None:
            previews.append(_planned(context, seen.snapshot, desired))
            continue
        try:
            previews.append(await preview_missing(context, seen.snapshot.records[key], seen.snapshot.pause))
        except AutopilotError as error:
            errors.append(str(error))
    following = cursor_of(_ORDER, shown[-1][0]) if len(waiting) > len(shown) else None
    return PlanPage(tuple(previews), following, len(seen.entries), tuple(errors))


async def _look(context: Context) -> _Seen:
    result, options = SweepStats(), context.options
    snapshot, _ = await take_snapshot(context, str(uuid.uuid4()), result, NetworkList(context))
    entries: list[tuple[Key, Desired | None]]
    entries = [((one.endpoint.name, one.connection_id), one) for one in snapshot.desired(options)]
    gone = (key for key, _ in missing(snapshot, options.scope))
    entries += [((snapshot.records[key].identity.name, key), None) for key in gone]
    return _Seen(snapshot, tuple(result.errors), tuple(sorted(entries, key=lambda one: one[0])))


def _planned(context: Context, snapshot: Snapshot, desired: Desired) -> Preview:
    endpoint, options = desired.endpoint, context.options
    record = snapshot.records.get(desired.connection_id) or ConnectionRecord(endpoint.id.text)
    record = record.with_identity(name=endpoint.name, mode=asked_mode(endpoint, options.scope))
    found, _ = plan_of(desired, record, snapshot.clouds, options, context.clock.now())
    return preview_of(context, record, found, snapshot.pause)
