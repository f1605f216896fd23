"""The DNS branch of the plan: zone, links, `*` record. Pure; called by `plan`.

What is made, used and left alone in each case is told in docs/ownership.md. The zone is the one that the endpoint's
network is linked to, wherever it is; else the one at home. The order matters for safety: a network is linked only to a
zone whose `*` record is, or will be, right for it, because from the moment of the link every name of the zone resolves
through that record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.markers import Holder, Marker, RecordMarker, maker_of
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.resources import WildcardRecord, Zone
from shared.core.model.steps import CreateLink, CreateZone, DnsStep, PutWildcardRecord
from shared.core.options.dns import RecordMode
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.reasons import remedy_of

MAX_RECORDS = 20
"""A records in one set: https://learn.microsoft.com/azure/dns/private-dns-privatednszone#restrictions."""


@dataclass(frozen=True, slots=True)
class DnsPlan:
    """Steps still to do, the conditions as they stand, and what is used."""

    steps: tuple[DnsStep, ...]
    conditions: tuple[Condition, ...]
    zone: Owned | None = None
    links: tuple[Owned, ...] = ()
    record: Owned | None = None
    record_addresses: tuple[str, ...] = ()
    """What the `*` record holds; with `union` other endpoints' addresses too."""


def link_name(vnet_id: str) -> str:
    """The name of our link to a network: the same network always gets the same name, so a repeated PUT finds itself."""
    return f"autopilot-{hashlib.sha256(vnet_id.lower().encode()).hexdigest()[:12]}"


def choose_zone(desired: Desired, zones: tuple[Zone, ...]) -> Zone | None:
    """The zone to use: the one the endpoint's network is linked to, else the one at home; None: make it at home."""
    linked = (zone for zone in zones if zone.link_to(desired.endpoint.vnet_id))
    at_home = (zone for zone in zones if zone.id.key in {home.key for home in desired.zone_homes})
    return next(linked, None) or next(at_home, None)


def plan_dns(desired: Desired, zones: tuple[Zone, ...], options: PlanOptions) -> DnsPlan:
    """What is left to do for DNS, given every visible zone; those of other names (the sweep has them) are left out."""
    zones = tuple(zone for zone in zones if zone.name.lower() == desired.service.zone)
    zone = choose_zone(desired, zones)
    if zone is None:
        return _plan_new_zone(desired, zones, options)
    record_steps, record = _plan_record(desired, zone, options)
    owner = _owner(desired.marker, zone.marker)
    maker = "" if owner is Owner.OURS else f" It was made by {maker_of(zone.marker)} and is used as it is."
    where = f"Zone {zone.name} in resource group {zone.id.resource_group}."
    zone_condition = c.satisfied(c.ZONE_READY, Reason.EXISTS, f"{where}{maker}")
    link_steps, linked, links = _plan_links(desired, zone, zones, _held_back(desired, zone, record))
    return DnsPlan(
        steps=(*record_steps, *link_steps),
        conditions=(zone_condition, linked, record),
        zone=Owned(zone.id.text, owner),
        links=links,
        record=_record_owner(desired, zone) if record.true else None,
        record_addresses=zone.record.addresses if record.true and zone.record else (),
    )


def _owner(mine: Marker, theirs: Marker | None) -> Owner:
    return Owner.OURS if mine.same_maker(theirs) else Owner.ADOPTED


def _plan_new_zone(desired: Desired, zones: tuple[Zone, ...], options: PlanOptions) -> DnsPlan:
    home = desired.zone_homes[0]
    steps: list[DnsStep] = [CreateZone(home, desired.marker)]
    address = desired.endpoint.address
    if address is not None:
        steps.append(PutWildcardRecord(home, (address,), options.dns.record_ttl, _first_marker(desired, address)))
    vnets = (desired.endpoint.vnet_id, *desired.link_vnets)
    free = (vnet for vnet in vnets if not any(zone.link_to(vnet) for zone in zones))
    steps += [CreateLink(home, link_name(vnet), vnet, desired.marker) for vnet in free]
    missing = (
        c.waiting(c.ZONE_READY, Reason.MISSING, f"Zone {home.name} is to be created.", c.WaitingFor.WORK),
        c.waiting(c.LINKED, Reason.MISSING, "The zone comes first.", c.WaitingFor.WORK),
        _no_address() if address is None else _to_write("The zone comes first."),
    )
    return DnsPlan(tuple(steps), missing)


def _no_address() -> Condition:
    return c.waiting(c.RECORD_READY, Reason.NO_ADDRESS_YET, "The endpoint has no private address yet.")


def _to_write(message: str) -> Condition:
    return c.waiting(c.RECORD_READY, Reason.MISSING, message, c.WaitingFor.WORK)


def _first_marker(desired: Desired, address: str) -> RecordMarker:
    holder = Holder(desired.connection_id, address, desired.endpoint.id.text)
    return RecordMarker(desired.marker.instance, (holder,))


# -- links ---------------------------------------------------------------------------------------------------------


def _held_back(desired: Desired, zone: Zone, record: Condition) -> Condition | None:
    """Why no further network may be linked now; None: nothing stands against it."""
    if record.needs is c.WaitingFor.PERSON:
        return c.blocked(
            c.LINKED,
            record.reason,
            "The network is not linked: every name of the zone would resolve to another endpoint's address there.",
            record.next_step,
        )
    if zone.record is not None and desired.endpoint.address is None:
        message = (
            "The zone has a * record; whether it is right for this network shows once the endpoint has an address."
        )
        return c.waiting(c.LINKED, Reason.NO_ADDRESS_YET, message)
    return None


def _plan_links(
    desired: Desired, zone: Zone, zones: tuple[Zone, ...], held_back: Condition | None
) -> tuple[tuple[DnsStep, ...], Condition, tuple[Owned, ...]]:
    steps: list[DnsStep] = []
    links: list[Owned] = []
    problems: list[Condition] = []
    for vnet in (desired.endpoint.vnet_id, *desired.link_vnets):
        link = zone.link_to(vnet)
        elsewhere = next((other for other in zones if other.id.key != zone.id.key and other.link_to(vnet)), None)
        if link is not None:
            links.append(Owned(link.id, _owner(desired.marker, link.marker)))
            if not link.completed:
                problems.append(c.waiting(c.LINKED, Reason.IN_PROGRESS, f"The link to {vnet} is being made."))
        elif elsewhere is not None:
            problems.append(_linked_elsewhere(vnet, elsewhere))
        elif held_back is not None:
            problems.append(held_back)
        else:
            steps.append(
                CreateLink(zone.id, link_name(vnet), vnet, desired.marker, _failed_before(desired, zone, vnet))
            )
            problems.append(
                c.waiting(c.LINKED, Reason.MISSING, f"The link to {vnet} is to be created.", c.WaitingFor.WORK)
            )
    persons = (problem for problem in problems if problem.needs is c.WaitingFor.PERSON)
    condition = next(persons, None) or next(iter(problems), None)
    return (
        tuple(steps),
        condition or c.satisfied(c.LINKED, Reason.LINKED, f"{len(links)} network(s) linked."),
        tuple(links),
    )


def _linked_elsewhere(vnet_id: str, other: Zone) -> Condition:
    """A further network that another visible zone serves; were it the endpoint's own, that zone would be used."""
    return c.blocked(
        c.LINKED,
        Reason.NETWORK_LINKED_TO_ANOTHER_ZONE,
        f"Virtual network {vnet_id} is already linked to zone {other.id.text}; a network can use one zone of a name.",
        "Remove that link, or take the network out of DNS_LINK_VNETS: it can follow one endpoint of a region.",
    )


def _failed_before(desired: Desired, zone: Zone, vnet: str) -> str | None:
    """The ETag of a link of ours that Azure could not make and keeps: it is written anew, and tells again why."""
    failed = zone.failed_link_to(vnet)
    ours = failed is not None and failed.name == link_name(vnet) and desired.marker.same_maker(failed.marker)
    return failed.etag if failed is not None and ours else None


# -- record --------------------------------------------------------------------------------------------------------


def _plan_record(desired: Desired, zone: Zone, options: PlanOptions) -> tuple[tuple[DnsStep, ...], Condition]:
    address = desired.endpoint.address
    record = zone.record
    if address is None:
        return (), _no_address()
    if record is None:
        step = PutWildcardRecord(zone.id, (address,), options.dns.record_ttl, _first_marker(desired, address))
        return (step,), _to_write(f"The * record with {address} is to be created.")
    if record.marker is None or record.marker.instance != options.installation.instance_id:
        return (), _foreign_record(desired, record, address, options)
    return _plan_our_record(desired, zone, record, address, options)


def _foreign_record(desired: Desired, record: WildcardRecord, address: str, options: PlanOptions) -> Condition:
    shared = options.dns.record_mode is RecordMode.UNION and address in record.addresses
    if record.addresses == (address,) or shared:
        made = f"made by {maker_of(record.marker)}, used as it is"
        return c.satisfied(c.RECORD_READY, Reason.ADOPTED, f"* points to {address}; {made}.")
    return c.blocked(
        c.RECORD_READY,
        Reason.RECORD_HELD_BY_OTHERS,
        f"The * record of {desired.service.zone} was made by {maker_of(record.marker)} and points to "
        f"{', '.join(record.addresses) or 'nothing'}, not to {address}.",
        f"Point it to {address} or delete it; the app then goes on by itself.",
    )


def _plan_our_record(
    desired: Desired, zone: Zone, record: WildcardRecord, address: str, options: PlanOptions
) -> tuple[tuple[DnsStep, ...], Condition]:
    marker = record.marker or _first_marker(desired, address)
    mine = marker.holder(desired.connection_id)
    others = tuple(holder for holder in marker.holders if holder.connection_id != desired.connection_id)
    may_share = options.dns.record_mode is RecordMode.UNION and zone.link_to(desired.endpoint.vnet_id) is not None
    if others and mine is None and not may_share:
        return (), _held_by_another(desired, others[0], options)
    kept = tuple(holder.address for holder in others)
    wanted = tuple(dict.fromkeys((*kept, address)))
    if len(wanted) > MAX_RECORDS:
        return (), c.blocked(
            c.RECORD_READY,
            Reason.RECORD_FULL,
            f"The * record already holds {MAX_RECORDS} addresses, the most that Azure allows.",
            remedy_of(Reason.RECORD_FULL),
        )
    if set(record.addresses) == set(wanted) and mine is not None and mine.address == address:
        return (), c.satisfied(c.RECORD_READY, Reason.POINTS_TO_ENDPOINT, f"* points to {', '.join(wanted)}.")
    new = marker.with_holder(Holder(desired.connection_id, address, desired.endpoint.id.text))
    step = PutWildcardRecord(zone.id, wanted, options.dns.record_ttl, new, record.etag)
    message = (
        f"The * record points to {', '.join(record.addresses) or 'nothing'}; it is to point to {', '.join(wanted)}."
    )
    return (step,), c.waiting(c.RECORD_READY, Reason.DIFFERENT, message, c.WaitingFor.WORK)


def _held_by_another(desired: Desired, holder: Holder, options: PlanOptions) -> Condition:
    who = holder.endpoint_id or f"connection {holder.connection_id}"
    union = "Set DNS_RECORD_MODE=union to let both stand in it, or delete"
    if options.dns.record_mode is not RecordMode.FIRST:
        union = "Delete"
    return c.blocked(
        c.RECORD_READY,
        Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT,
        f"The * record of {desired.service.zone} belongs to {who} ({holder.address}).",
        f"{union} one of the endpoints if both are in one network. "
        f"If they are in different networks: {_own_zone(desired, options)}",
    )


def _own_zone(desired: Desired, options: PlanOptions) -> str:
    """How an endpoint of another network gets a zone of its own: one `*` cannot lead two networks to two addresses."""
    if not options.dns.zone_resource_groups:
        return "put this endpoint into a resource group of its own, so that it gets its own zone."
    return (
        f"make a zone {desired.service.zone} in another resource group and link this network to it; the app uses the "
        "zone that a network is linked to."
    )


def _record_owner(desired: Desired, zone: Zone) -> Owned:
    marker = zone.record.marker if zone.record else None
    ours = marker is not None and marker.instance == desired.marker.instance
    return Owned(f"{zone.id.text}/A/*", Owner.OURS if ours else Owner.ADOPTED)
