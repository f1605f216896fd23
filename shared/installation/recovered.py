"""What has our marker and no row: one list for the whole installation, which a person confirms once.

After the tables were lost everything is on it; at other times what a person gave the app's tags. Until the list is
confirmed these things are used and kept right, and only their removals wait. Called by the sweep, which keeps the list
complete, by a removal, and by the decision that a person sends.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.context import Context, log
from shared.core.model.arm_ids import lower_case, parse_endpoint_id
from shared.core.model.errors import AutopilotError, InvalidInput
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.resources import Zone
from shared.core.model.things import Thing, Things
from shared.core.planning.removal_dns import marked_things
from shared.installation import things
from shared.state.codec import record_in

AT_ONCE = 8
"""Rows that are written side by side."""


@dataclass(frozen=True, slots=True)
class RecoveredList:
    """All that waits for the one confirmation. `id` names exactly this list: what comes later is another list."""

    id: str
    things: tuple[Thing, ...]


async def recovered_list(context: Context) -> RecoveredList:
    """The list as it is now; without things its id is empty."""
    return _list(await things.listed(context))


async def confirm_recovered(context: Context, list_id: str, correlation_id: str) -> RecoveredList | None:
    """Make everything on the list ours, as a person decided who saw it; None: it is another list by now.

    The connections whose removals waited are sent to work. A confirmation that breaks off leaves a shorter list.
    """
    found = await recovered_list(context)
    if not found.things or found.id != list_id:
        return None
    await things.confirm(context, found.things)
    for connection in dict.fromkeys(one for thing in found.things for one in thing.connections):
        await _send(context, connection, correlation_id)
    return found


async def keep_list(context: Context, zones: Iterable[Zone], subscriptions: Iterable[str]) -> int:
    """Put on the list what these zones show, and take off it what is gone from subscriptions that were read whole.

    The zones were read before the rows are: a thing that was made meanwhile has its row by then.
    """
    instance = context.options.installation.instance_id
    marked = {
        lower_case(thing_id): (zone.id.text, thing_id, connection)
        for zone in zones
        for thing_id, connection in marked_things(zone, instance)
    }
    rows = await things.listed(context)
    new = [one for key, one in marked.items() if key not in rows]
    limit = asyncio.Semaphore(AT_ONCE)

    async def recover(scope: str, thing_id: str, connection: str) -> None:
        async with limit:
            await things.recover(context, scope, thing_id, connection)

    await asyncio.gather(*(recover(*one) for one in new))
    read = {subscription.lower() for subscription in subscriptions}
    for thing in things.unconfirmed(rows):
        if lower_case(thing.id) not in marked and _subscription(thing.scope) in read:
            await things.forget(context, thing.scope, thing.id)
    return len(new)


def _list(rows: Things) -> RecoveredList:
    found = things.unconfirmed(rows)
    if not found:
        return RecoveredList("", ())
    digest = hashlib.sha256("\n".join(lower_case(thing.id) for thing in found).encode()).hexdigest()
    return RecoveredList(digest[:16], found)


def _subscription(scope: str) -> str:
    """The lower-cased subscription of a zone's id; empty where the scope is none."""
    parts = scope.lower().split("/")
    return parts[2] if parts[:2] == ["", "subscriptions"] and len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/ID


async def _send(context: Context, connection: str, correlation_id: str) -> None:
    """Let a connection's removal go on now; where that fails the sweep does it."""
    try:
        row = await context.storage.connections.get(connection)
        if row is not None:
            endpoint = parse_endpoint_id(record_in(row).endpoint_id)
            await context.storage.queue.send(WorkMessage(endpoint, Cause.TIMER, correlation_id).encode())
    except (AutopilotError, InvalidInput) as error:
        log.info("connection %s not sent to work after a confirmation: %s", connection, error)
