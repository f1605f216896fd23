"""The DNS part of a removal: the endpoint's address, then links and zone without another user. Pure.

Called by `removal`. A link or zone is removed only when this installation made it, nothing is left to resolve in
it, and no other endpoint of the service is in a network that it serves; what could not be checked counts as in use.
"""

from __future__ import annotations

from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Endpoint, Link, Zone
from shared.core.model.steps import DeleteLink, DeleteRecord, DeleteZone, DnsRemoval, WithdrawAddress
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.dns_record import withdrawal


def plan_dns_removal(
    record: ConnectionRecord, zone: Zone, others: tuple[Endpoint, ...] | None, options: PlanOptions
) -> tuple[tuple[DnsRemoval, ...], tuple[str, ...]]:
    """Steps in their order, and what stays and why."""
    record_step, record_left = _record(record.id, zone, options)
    steps: list[DnsRemoval] = [] if record_step is None else [record_step]
    left = [] if record_left is None else [record_left]
    empty = zone.record is None or isinstance(record_step, DeleteRecord)
    used_vnets = None if others is None else {other.vnet_id.lower() for other in others}
    removable = []
    for link in zone.links:
        why = _why_link_stays(record, link, zone, used_vnets, options, empty=empty)
        if why is None:
            removable.append(link)
        elif why:
            left.append(f"link of zone {zone.name} to {link.vnet_id}: {why}")
    steps += [DeleteLink(zone.id, link.name, link.vnet_id, link.etag) for link in removable]
    why = _why_zone_stays(zone, options, empty=empty, links_left=len(zone.links) - len(removable))
    if why is None:
        steps.append(DeleteZone(zone.id, zone.etag))
    else:
        left.append(f"zone {zone.name} in {zone.id.resource_group}: {why}")
    return tuple(steps), tuple(left)


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
    record: ConnectionRecord, link: Link, zone: Zone, used_vnets: set[str] | None, options: PlanOptions, *, empty: bool
) -> str | None:
    """None: it can go; "": it is none of ours and no reason is needed."""
    if link.marker is None or link.marker.instance != options.installation.instance_id:
        return "made by others" if link.vnet_id.lower() == record.identity.vnet_id.lower() else ""
    if not empty:
        return "the zone's * record still serves other endpoints"
    if used_vnets is None:
        return "whether other endpoints use it could not be checked"
    if link.vnet_id.lower() in used_vnets:
        return "another endpoint in this network uses it"
    served = {other.vnet_id.lower() for other in zone.links}
    if link.vnet_id.lower() != record.identity.vnet_id.lower() and used_vnets & served:
        return "other endpoints use the zone"
    return None


def _why_zone_stays(zone: Zone, options: PlanOptions, *, empty: bool, links_left: int) -> str | None:
    if zone.marker is None or zone.marker.instance != options.installation.instance_id:
        return "made by others"
    if not empty:
        return "it still has a * record"
    if links_left:
        return f"{links_left} network(s) stay linked to it"
    if zone.other_records is None:
        return "whether it has other records could not be checked"
    if zone.other_records:
        return f"it has {zone.other_records} other record set(s)"
    return None
