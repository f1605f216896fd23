"""What an event about a zone, a link or a `*` record leads to: one message for each connection that it concerns.

Called by `dispatch`. What the event says is believed no further than the id it names: one read of that resource tells
how it is now, and a connection is looked at only if its record says otherwise. So events about zones that no
connection uses cost no read in Azure, and those about changes that do not matter, or that the app made itself and the
event does not say so, cost one. What is missed is found by the sweep.
"""

from __future__ import annotations

import asyncio

from shared.context import Context, log
from shared.core.model.arm_ids import ArmId, connection_id, lower_case, parse_arm_id, parse_endpoint_id, short_id
from shared.core.model.errors import AutopilotError, RetryLater
from shared.core.model.messages import Cause, DriftMessage, WorkMessage
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import QueuedMessage
from shared.core.model.resources import Link, WildcardRecord, Zone
from shared.core.model.things import WAITING, Things
from shared.core.planning.drift import concerned_by
from shared.installation import things
from shared.reconciler.run_state import send_in_place
from shared.state.codec import record_in

MOST = 200
"""Connections of one zone that an event wakes; the sweep finds what concerns the others."""
AT_ONCE = 16
HINT_SECONDS = 10.0
"""How long it is shared which connections use which zone."""
STANDS_SECONDS = 60.0
"""How long a message that was sent is remembered, so that the next one about the endpoint takes its place."""


async def wake_concerned(context: Context, message: DriftMessage) -> str:
    """Send to work whom the change concerns; returns what came of it. Raises RetryLater while it cannot be read."""
    changed = message.resource
    zone = parse_arm_id(changed.parent)
    noted = await things.listed(context, [zone.text])
    users = await _users(context, zone, noted)
    if not users:
        return "dropped, no connection uses the zone"
    try:
        seen = await _look(context, changed)
    except RetryLater:
        raise
    except AutopilotError as error:
        return f"dropped, the sweep will say why it cannot be read, {error.what}"
    thing = noted.get(lower_case(changed.text))
    if seen is not None and thing is not None and thing.version and thing.version == seen.etag:
        return "dropped, it is as the app wrote it"
    if len(users) > MOST:
        log.warning("%s connections use %s: an event wakes %s of them at most", len(users), zone.text, MOST)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(user: str) -> bool:
        async with gate:
            return await _woken(context, user, message, seen)

    woken = await asyncio.gather(*map(one, users[:MOST]))
    return f"{sum(woken)} of {len(users)} connections are looked at"


async def _look(context: Context, changed: ArmId) -> Zone | Link | WildcardRecord | None:
    await context.budget.ask(changed.subscription_id, 1)
    return await context.dns.one(changed)


async def _users(context: Context, zone: ArmId, noted: Things) -> list[str]:
    """The ids of the connections that use a zone, or wait for it or for its record."""
    known = await context.shared.get("users of zones", lambda: _users_of_zones(context), lambda _: HINT_SECONDS)
    found = list(known.get(short_id(zone.text), ()))
    for thing in noted.values():
        waits = thing.id.endswith(WAITING)  # then endpoints stand where connections do
        found += [connection_id(one) if waits else one for one in thing.connections]
    return list(dict.fromkeys(found))


async def _users_of_zones(context: Context) -> dict[str, list[str]]:
    """The connections on record by the zone that each uses."""
    found: dict[str, list[str]] = {}
    async for row in context.storage.connections.list_columns():
        if row.columns.zone:
            found.setdefault(row.columns.zone, []).append(row.connection_id)
    return found


async def _woken(context: Context, user: str, message: DriftMessage, seen: Zone | Link | WildcardRecord | None) -> bool:
    """Send a connection to work, if the change concerns it."""
    try:
        row = await context.storage.connections.get(user)
        record = None if row is None else record_in(row)
    except AutopilotError as error:
        log.info("connection %s not read: %s", user, error)
        return False
    if record is None or not concerned_by(record, message.resource, seen):
        return False
    await _send_once(context, record, message.correlation_id)
    return True


async def _send_once(context: Context, record: ConnectionRecord, correlation_id: str) -> None:
    """One message, in the place of that which wakes the connection, or of the one that an event before this sent."""
    key = f"drift of {record.id}"
    standing: QueuedMessage | None = context.shared.peek(key) or record.schedule.wait
    work = WorkMessage(parse_endpoint_id(record.endpoint_id), Cause.DRIFT, correlation_id)
    queue = context.storage.queue
    await context.shared.anew(key, lambda: send_in_place(queue, standing, work), lambda _: STANDS_SECONDS)
