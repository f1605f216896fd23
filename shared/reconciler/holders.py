"""The other endpoints that hold our `*` record: are they gone, and is the record old enough to be taken from them?

Used by the DNS branch, and by the removal before it takes an address away. A record is read before its holder, so a
holder that comes back writes it, and the write that takes it over is refused (tests/models/record_handover.py).
Namesakes, other endpoints that a permission by name may mean, are read for `observe`. Which zones serve other networks
is told by our own records: a hint, by which a run leaves them unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from shared.context import Context, log
from shared.core.guards.scope import in_scope, is_out_of_scope
from shared.core.model.arm_ids import (
    ArmId,
    connection_id,
    in_subscription,
    parse_endpoint_id,
    record_id,
    same_id,
    short_id,
)
from shared.core.model.errors import AutopilotError, NotFound
from shared.core.model.markers import Holder
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.resources import Endpoint, Zone
from shared.core.model.services import Services
from shared.core.model.things import YOUNG
from shared.core.planning.desired import desired_of
from shared.core.planning.dns_record import HolderFacts
from shared.installation import things
from shared.state.codec import record_in

HINT_SECONDS = 10.0
"""How long what the records say of zones is shared by the runs of a process."""


async def holder_facts(context: Context, zone: Zone, others: Iterable[Holder], *, note: bool) -> HolderFacts:
    """What is so of these holders. `note`: a version of the record that is not known yet may be written down."""
    holders = tuple(others)
    found = await asyncio.gather(*(_is_gone(context, holder, zone) for holder in holders))
    gone = frozenset(one.connection_id for one, is_gone in zip(holders, found, strict=True) if is_gone)
    if not gone:
        return HolderFacts()
    version = zone.record.etag if zone.record is not None else ""
    return HolderFacts(gone, await seconds_too_young(context, zone.id, version, note=note))


async def seconds_too_young(context: Context, zone: ArmId, version: str, *, note: bool = True) -> float:
    """How long until this version of a zone's `*` record may be taken from its holder: two minutes after its writing.

    A version that no row tells of (its writer died, or the tables were lost) is as young as the look that finds it.
    """
    scope, thing_id = zone.text, record_id(zone)
    thing = await things.read(context, scope, thing_id)
    left = None if thing is None else thing.seconds_too_young(version)
    if left is not None:
        return left
    if note:
        await things.first_seen(context, scope, thing_id, version)
    return YOUNG.total_seconds()


async def _is_gone(context: Context, holder: Holder, zone: Zone) -> bool:
    """Whether Azure answers that the holder does not exist, or that it leads to another service now."""
    endpoint_id = holder.endpoint_id or await _endpoint_on_record(context, holder)
    if connection_id(endpoint_id) != holder.connection_id:
        return False  # the entry does not say which endpoint it is
    try:
        endpoint = await context.endpoints.get(parse_endpoint_id(endpoint_id))
    except NotFound:
        return True
    except AutopilotError as error:
        log.info("holder %s of the * record in %s not read: %s", endpoint_id, zone.id.text, error)
        return False
    return leads_elsewhere(endpoint, zone.name, context.options.services)


async def _endpoint_on_record(context: Context, holder: Holder) -> str:
    """Which endpoint it is, where a record has so many holders that their ids do not stand in it; empty: not known."""
    try:
        row = await context.storage.connections.get(holder.connection_id)
        return "" if row is None else record_in(row).endpoint_id
    except AutopilotError as error:
        log.info("connection %s not read: %s", holder.connection_id, error)
        return ""


def leads_elsewhere(endpoint: Endpoint, zone: str, services: Services) -> bool:
    """Whether an endpoint is surely of another service than the zone's: it needs no record in it any more."""
    service = services.recognise(endpoint.alias).service
    return service is not None and service.zone.lower() != zone.lower()


# -- those that wait for the record, and those that had to leave the zone --------------------------------------------


async def note_waiting(context: Context, zone: ArmId, endpoint_id: str) -> None:
    """Remember an endpoint that waits for the record, so that it is told at once when a holder goes."""
    await _note(context, zone, record_id(zone), endpoint_id)


async def wake_waiting(context: Context, zone: ArmId, correlation_id: str) -> None:
    """Send those that wait for the record to work: one of its holders is gone."""
    await _wake(context, zone, record_id(zone), correlation_id)


async def note_left(context: Context, zone: ArmId, endpoint_id: str) -> None:
    """Remember an endpoint whose removal had to leave the zone, so that its record says so no longer than it is so."""
    await _note(context, zone, zone.text, endpoint_id)


async def wake_left(context: Context, zone: ArmId, correlation_id: str) -> None:
    """Send those whose removals had to leave the zone to work: it is gone."""
    await _wake(context, zone, zone.text, correlation_id)


async def _note(context: Context, zone: ArmId, thing_id: str, endpoint_id: str) -> None:
    try:
        await things.note_waiting(context, zone.text, thing_id, endpoint_id)
    except AutopilotError as error:
        log.info("that %s waits for %s is not noted: %s", endpoint_id, thing_id, error)


async def _wake(context: Context, zone: ArmId, thing_id: str, correlation_id: str) -> None:
    try:
        waiting = await things.waiting_for(context, zone.text, thing_id)
        for one in waiting:
            message = WorkMessage(parse_endpoint_id(one), Cause.TIMER, correlation_id)
            await context.storage.queue.send(message.encode())
        if waiting:
            await things.forget_waiting(context, zone.text, thing_id)
    except AutopilotError as error:
        log.info("those that wait for %s are not told: %s", thing_id, error)


async def namesakes(context: Context, endpoint: ArmId) -> tuple[str, ...]:
    """The endpoints of the same resource group and name in other subscriptions that the app handles, each asked for."""
    found = []
    for subscription in context.settings.scope.watched_subscriptions:
        other = in_subscription(endpoint, subscription)
        if same_id(other.text, endpoint.text) or not in_scope(context.options.scope, other):
            continue
        there = await _shown(context, other)
        if there is None:
            continue
        if not is_out_of_scope(there, context.options.scope) and desired_of(there, context.options) is not None:
            found.append(there.id.text)
    return tuple(found)


async def _shown(context: Context, endpoint: ArmId) -> Endpoint | None:
    """An endpoint as the listing shows it, which runs share; None: there is none."""
    try:
        listing = await context.endpoints.listed(endpoint.subscription_id)
        if None in listing:  # one that cannot be read may be this one
            return await context.endpoints.get(endpoint)
    except NotFound:
        return None
    return next((one for one in listing if one is not None and same_id(one.id.text, endpoint.text)), None)


# -- zones of other endpoints --------------------------------------------------------------------------------------


async def serving_others(context: Context, networks: Iterable[str], zones: list[Zone]) -> tuple[Zone, ...]:
    """Those of our zones that by our records serve none of these networks, and some other."""
    served = await context.shared.get("zones", lambda: _networks_of_zones(context), lambda _: HINT_SECONDS)
    matter = {short_id(one) for one in networks}

    def serves_others(zone: Zone) -> bool:
        makers = zone.marker.connection_id if zone.marker is not None else ""
        found = served.get(short_id(zone.id.text), frozenset()) | served.get(makers, frozenset())
        return bool(found) and not found & matter

    return tuple(zone for zone in zones if serves_others(zone))


async def _networks_of_zones(context: Context) -> dict[str, frozenset[str]]:
    """The networks of each connection on record, by its id, and by the zone that it uses."""
    found: dict[str, frozenset[str]] = {}
    async for row in context.storage.connections.list_columns():
        networks = frozenset(row.columns.networks.split())
        for key in (row.connection_id, row.columns.zone):
            found[key] = found.get(key, frozenset()) | networks
    return found
