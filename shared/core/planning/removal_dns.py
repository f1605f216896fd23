"""The DNS part of a removal: the endpoint's address, then links and zone without another user. Pure.

Called by `removal`. A link or zone is removed only when this installation made it (its row says so, not its marker
alone), nothing is left to resolve in it, and no other endpoint of the service is in a network that it serves, or has
its clients answered there; what could not be checked counts as in use. A network that the settings name stays linked
as long as the zone is there: it goes with the zone, after the last endpoint of the service.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Endpoint, Link, Zone
from shared.core.model.steps import DeleteLink, DeleteRecord, DeleteZone, DnsRemoval, WithdrawAddress
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.dns_record import withdrawal

IN_SETTINGS = "the settings name this network, and the zone stays"


@dataclass(frozen=True, slots=True)
class ZoneUsers:
    """Who else may need a zone, its links and its names."""

    networks: frozenset[str] | None = frozenset()
    """Lower-cased ids of the networks of the service's other endpoints, and of those that answer their clients; None:
    not all could be read."""
    unconfirmed: frozenset[str] = frozenset()
    """Lower-cased ids of what has our marker and no row that says that we made it."""


@dataclass(frozen=True, slots=True)
class DnsRemovalPlan:
    """What of one zone goes, what stays and why, and what waits for a person's word."""

    steps: tuple[DnsRemoval, ...]
    leftovers: tuple[str, ...]
    unconfirmed: tuple[str, ...] = ()


def users_of(others: tuple[Endpoint, ...] | None, answering: frozenset[str], unconfirmed: frozenset[str]) -> ZoneUsers:
    """The users, from the other endpoints of the service and the networks that answer their clients."""
    if others is None:
        return ZoneUsers(None, unconfirmed)
    return ZoneUsers(answering | {lower_case(other.vnet_id) for other in others}, unconfirmed)


def plan_dns_removal(record: ConnectionRecord, zone: Zone, users: ZoneUsers, options: PlanOptions) -> DnsRemovalPlan:
    """Steps in their order, and what stays and why."""
    record_step, record_left = _record(record.id, zone, options)
    steps: list[DnsRemoval] = [] if record_step is None else [record_step]
    left = [] if record_left is None else [record_left]
    empty = zone.record is None or isinstance(record_step, DeleteRecord)
    stays = {link.id: _why_link_stays(record, link, zone, users, options, empty=empty) for link in zone.links}
    waits = [link.id for link in zone.links if stays[link.id] is None and lower_case(link.id) in users.unconfirmed]
    why_zone = _why_zone_stays(zone, options, empty=empty, links_left=sum(why is not None for why in stays.values()))
    if why_zone is None and zone.id.key in users.unconfirmed:
        waits.append(zone.id.text)
    goes = why_zone is None and not waits
    named = {lower_case(vnet) for vnet in options.dns.link_vnets}
    for link in zone.links:
        why = stays[link.id]
        why = IN_SETTINGS if why is None and not goes and lower_case(link.vnet_id) in named else why
        if why is None and link.id not in waits:
            steps.append(DeleteLink(zone.id, link.name, link.vnet_id, link.etag))
        elif why:
            left.append(f"link of zone {zone.name} to {link.vnet_id}: {why}")
    if goes:
        steps.append(DeleteZone(zone.id, zone.etag))
    elif why_zone is not None:
        left.append(f"zone {zone.name} in {zone.id.resource_group}: {why_zone}")
    return DnsRemovalPlan(tuple(steps), tuple(left), tuple(waits))


def marked_things(zone: Zone, instance_id: str) -> tuple[tuple[str, str], ...]:
    """Ids of what in a zone says by its tags that this installation made it, each with the id of its connection."""
    tagged = [(zone.id.text, zone.marker), *((link.id, link.marker) for link in zone.links)]
    return tuple((one, found.connection_id) for one, found in tagged if found and found.instance == instance_id)


def bears_marks(zone: Zone, connection_id: str, instance_id: str) -> bool:
    """Whether this installation made the zone, a link or an address in it for a connection."""
    markers = [zone.marker, *(link.marker for link in zone.links)]
    if any(one and (one.instance, one.connection_id) == (instance_id, connection_id) for one in markers):
        return True
    record = zone.record.marker if zone.record else None
    return record is not None and record.instance == instance_id and record.holder(connection_id) is not None


def _record(
    connection_id: str, zone: Zone, options: PlanOptions
) -> tuple[DeleteRecord | WithdrawAddress | None, str | None]:
    record = zone.record
    if record is None:
        return None, None
    marker = record.marker
    if marker is None or marker.instance != options.installation.instance_id:
        return None, f"* record in {zone.name}: made by others"
    mine = marker.holder(connection_id)
    empty = not marker.holders and not record.addresses  # ours, left where nothing could be deleted
    if mine is None and not empty:
        return None, f"* record in {zone.name}: it belongs to another endpoint"
    shared = withdrawal(connection_id, zone, options)
    return shared or DeleteRecord(zone.id, record.addresses, record.etag), None


def _why_link_stays(
    record: ConnectionRecord, link: Link, zone: Zone, users: ZoneUsers, options: PlanOptions, *, empty: bool
) -> str | None:
    """None: it can go; "": it is none of ours and no reason is needed."""
    if link.marker is None or link.marker.instance != options.installation.instance_id:
        return "made by others" if lower_case(link.vnet_id) == lower_case(record.identity.vnet_id) else ""
    if not empty or users.networks is None:
        unread = "whether other endpoints use it could not be checked"
        return unread if empty else "the zone's * record still serves other endpoints"
    if lower_case(link.vnet_id) in users.networks:
        return "another endpoint in this network, or answered by it, uses it"
    if zone.has_other_records is not False:
        unread = "whether others have records in the zone could not be checked"
        return "the zone has records of others" if zone.has_other_records else unread
    served = {lower_case(other.vnet_id) for other in zone.links}
    own = lower_case(link.vnet_id) == lower_case(record.identity.vnet_id)
    return None if own or not users.networks & served else "other endpoints use the zone"


def _why_zone_stays(zone: Zone, options: PlanOptions, *, empty: bool, links_left: int) -> str | None:
    if zone.marker is None or zone.marker.instance != options.installation.instance_id:
        return "made by others"
    if not empty:
        return "it still has a * record"
    if zone.has_other_records is None:
        return "whether it has other records could not be checked"
    if zone.has_other_records:
        return f"it has {c.count(max(zone.other_records or 0, len(zone.names)), 'other record set')}"
    if links_left:
        return f"{c.count(links_left, 'network stays', 'networks stay')} linked to it"
    return None
