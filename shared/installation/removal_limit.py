"""The limit of removals (S6), kept for the whole installation in table `control`.

Used by `elastic_branch`, `deleted`, the sweep and the HTTP API. A connection is counted before it is torn down: of a
worker that dies in between, too much was counted, never too little. The time is taken when the row has been read: it is
the storage service's then, also in a process that has just begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from shared.context import Context
from shared.core.guards.removal_limit import CONFIRMED_FOR, SMALLEST, Removals, Stop, Swept, limit_for
from shared.core.model.errors import Blocked
from shared.core.model.json_values import stored_instant
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.state import control

NAME = "removals"


async def stand_for_removal(context: Context, connection_id: str, stop_id: str) -> None:
    """Count a connection that is to be torn down once its grace period has ended."""
    await _change(context, lambda known: known.stand(connection_id, stop_id, context.clock.now()))


async def withdraw(context: Context, connection_id: str) -> None:
    """Count it no more: it is wanted again."""
    await _change(context, lambda known: known.withdraw(connection_id))


async def tear_down(context: Context, connection_id: str, stop_id: str, *, gone: bool) -> None:
    """Count a connection that loses something now; raises Blocked where it may not.

    `gone`: its endpoint is, and all of it goes. `stop_id`: of the stop that this may begin.
    """
    may = False

    def counted(known: Removals) -> Removals:
        nonlocal may
        known, may = known.tear_down(connection_id, stop_id, context.clock.now(), gone=gone)
        return known

    removals = await _change(context, counted)
    if not may:
        raise _refused(removals)


async def swept(context: Context, found: Swept, stop_id: str, on_record: int) -> Removals:
    """Count anew what a sweep found; the answer says whether removals are stopped."""
    limit = limit_for(context.settings.removal.limit, on_record)
    return await _change(context, lambda known: known.swept(found, stop_id, limit, context.clock.now()))


async def confirm(context: Context, stop_id: str) -> Removals | None:
    """Allow what a stop names; None: that is not the present one."""
    if (await read(context)).confirm(stop_id, context.clock.now()) is None:
        return None
    return await _change(context, lambda known: known.confirm(stop_id, context.clock.now()) or known)


async def read(context: Context) -> Removals:
    """How it stands now."""
    return await control.read(context.storage.control, NAME, partial(stored_removals, context.clock.now()), Removals())


async def _change(context: Context, change: Callable[[Removals], Removals]) -> Removals:
    new, limit = Removals(), context.settings.removal.limit

    def changed_document(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal new
        known = Removals() if document is None else stored_removals(context.clock.now(), document)
        # What is set holds at once; what depends on the number on record is as the last sweep counted.
        new = change(known if limit is None else replace(known, limit=limit))
        return document if new == known else {**(document or {}), **_to_document(new)}

    await control.update(context.storage.control, context.clock, NAME, changed_document)
    return new


def _refused(removals: Removals) -> Blocked:
    stop = removals.stopped
    count = stop.count if stop is not None else 0
    what = f"{count} connections stand for removal at once, or were torn down within a day; {removals.limit} may."
    step = (
        "Look at GET /api/removals and, if they are to go, "
        f'POST /api/decisions {{"decision": "confirm-removals", "stop": "{stop.id if stop else "<its id>"}"}}.'
    )
    return Blocked(explain(Reason.REMOVAL_LIMIT_REACHED, what, step, {"stop": stop.id} if stop else {}))


def _to_document(removals: Removals) -> dict[str, Any]:
    stop, until = removals.stopped, removals.allowed_until
    return {
        "limit": removals.limit,
        "standing": sorted(removals.standing),
        "torn": {key: at.isoformat() for key, at in removals.torn.items()},
        "changed": sorted(removals.changed),
        "stopped": None
        if stop is None
        else {"id": stop.id, "at": stop.at.isoformat(), "count": stop.count, "connections": list(stop.connections)},
        "allowed": sorted(removals.allowed),
        "allowedUntil": until.isoformat() if until else None,
    }


def stored_removals(now: datetime, document: Mapping[str, Any]) -> Removals:
    """Raises ValueError, KeyError, TypeError or AttributeError where it is damaged, as by an instant far ahead."""
    stop, until, latest = document.get("stopped"), document.get("allowedUntil"), now + 2 * CONFIRMED_FOR
    return Removals(
        limit=int(document.get("limit", SMALLEST)),
        standing=frozenset(map(str, document.get("standing") or ())),
        torn={str(key): stored_instant(at, latest=latest) for key, at in (document.get("torn") or {}).items()},
        changed=frozenset(map(str, document.get("changed") or ())),
        stopped=_stop(stop, latest) if stop else None,
        allowed=frozenset(map(str, document.get("allowed") or ())),
        allowed_until=stored_instant(until, latest=latest) if until else None,
    )


def _stop(document: Mapping[str, Any], latest: datetime) -> Stop:
    return Stop(
        str(document["id"]),
        stored_instant(document["at"], latest=latest),
        int(document["count"]),
        tuple(map(str, document.get("connections") or ())),
    )
