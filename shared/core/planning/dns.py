"""The DNS branch of the plan: zone, links, `*` record. Pure; called by `plan`.

What is made, used and left alone in each case is told in docs/ownership.md. The zone is the one that a network which
answers the endpoint's clients is linked to, wherever it is; else ours for this endpoint; else the first place that is
free. The order matters for safety: a network is linked only to a zone whose `*` record is, or will be, right for it,
because from the moment of the link every name of the zone resolves through that record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, lower_case
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.markers import Marker, maker_of
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.record_parts import NAMES, DnsState, RefusedNetwork
from shared.core.model.resources import Listing, NamedRecords, NameResolution, Zone, zone_key
from shared.core.model.steps import CreateLink, CreateZone, DnsStep, LaterStep, PutWildcardRecord, creates
from shared.core.options.plan_options import PlanOptions
from shared.core.planning import dns_problems
from shared.core.planning.desired import Desired
from shared.core.planning.dns_record import (
    ADDRESS,
    Answering,
    HolderFacts,
    after_the_zone,
    first_marker,
    plan_record,
    record_later,
    record_owner,
)

MOST_ZONES = 950
"""Zones of a subscription at which no more is made: Azure allows 1,000, and others want some too."""


@dataclass(frozen=True, slots=True)
class DnsFacts:
    """What is known besides the zones."""

    resolution: NameResolution | None = None
    """Which networks answer the clients; None: not known, so the endpoint's own is assumed."""
    zone_counts: Mapping[str, int] = field(default_factory=dict)
    """Zones of any name in each subscription whose zones were all listed, by its lower-cased id."""
    holders: HolderFacts = HolderFacts()
    """Of the endpoints that hold the `*` record of the zone in use."""
    unusable: Mapping[str, Explanation] = field(default_factory=dict)
    """Why a subscription shows no zones and takes none, by its lower-cased id: it is gone, or another tenant's."""
    full: bool = True
    """Whether all visible zones were read; False: only the one on record was."""
    narrow: bool = False
    """Whether the content of some was left unread, because by our own records they serve other networks: a hint, so
    nothing is told to a person by it."""


_ALONE = DnsFacts()
_NOTHING_KNOWN = DnsState()


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
    names: tuple[NamedRecords, ...] = ()
    """What hides the `*` record."""
    linked: tuple[str, ...] = ()
    """Lower-cased ids of the networks that matter and are linked to the zone."""
    elsewhere: tuple[str, ...] = ()
    """Lower-cased ids of further networks that have another zone of the name."""
    advice: tuple[Explanation, ...] = ()
    resolution: NameResolution | None = None
    """Which networks answer the clients; None: not looked at."""
    later: tuple[LaterStep, ...] = ()
    """What waits for the endpoint's address."""

    def held_by(self, why: Condition) -> DnsPlan:
        """The plan where for that reason nothing is made that is not there; what stands is kept right."""
        kept = tuple(step for step in self.steps if not creates(step))
        if len(kept) == len(self.steps):
            return self
        held = (
            one if one.true or one.needs is c.WaitingFor.PERSON else replace(why, type=one.type)
            for one in self.conditions
        )
        return replace(self, steps=kept, conditions=tuple(held), later=())


@dataclass(frozen=True, slots=True)
class _Networks:
    """The networks that matter, each by the id that Azure spells."""

    own: str
    further: tuple[str, ...]
    """Those of the settings."""
    answering: tuple[str, ...]
    """Those that answer the clients."""

    @property
    def hub_answers(self) -> bool:
        """Whether other networks than the endpoint's own answer its clients."""
        return lower_case(self.own) not in _lower(self.answering)

    @property
    def all(self) -> tuple[str, ...]:
        """Each once, those that decide first: they are linked first."""
        return tuple({lower_case(one): one for one in (*self.answering, self.own, *self.further)}.values())

    def decides(self, vnet: str) -> bool:
        """Whether what this network is linked to is what the clients get."""
        return lower_case(vnet) in _lower(self.answering)

    def answering_by(self, zone: Zone) -> tuple[str, ...]:
        """Those that answer the clients by this zone."""
        return tuple(one for one in self.answering if zone.link_to(one))

    def ours_to_link(self, vnet: str) -> bool:
        """Whether the app links it: the endpoint's own, and those that the settings name."""
        key = lower_case(vnet)
        return key == lower_case(self.own) or key in _lower(self.further)


def _lower(ids: tuple[str, ...]) -> set[str]:
    return {lower_case(one) for one in ids}


def link_name(vnet_id: str) -> str:
    """The name of our link to a network: the same network always gets the same name, so a repeated PUT finds itself."""
    return f"autopilot-{hashlib.sha256(lower_case(vnet_id).encode()).hexdigest()[:12]}"


def plan_dns(
    desired: Desired,
    zones: Collection[Zone],
    options: PlanOptions,
    facts: DnsFacts = _ALONE,
    known: DnsState = _NOTHING_KNOWN,
) -> DnsPlan:
    """What is left to do for DNS, given every visible zone; those of other names are left out.

    `known`: what the record says of the connection's DNS.
    """
    zones = Listing.of(zones).where(zone_name, desired.service.zone)
    resolution = facts.resolution
    answering = resolution.networks if resolution is not None and resolution.networks else (desired.endpoint.vnet_id,)
    networks = _Networks(desired.endpoint.vnet_id, desired.link_vnets, answering)
    zone = _zone_in_use(desired, zones, networks, facts)
    if zone is None:
        home = _free_home(desired, zones, facts)
        if isinstance(home, Condition):
            return DnsPlan((), (home, *after_the_zone(desired, home)), resolution=resolution)
        return _plan_new_zone(desired, home, zones, options, networks, resolution)
    answering_here = Answering(networks.answering_by(zone), networks.hub_answers)
    record_steps, record = plan_record(desired, zone, options, answering_here, facts.holders)
    owner = _owner(desired.marker, zone.marker)
    maker = "" if owner is Owner.OURS else f" It was made by {maker_of(zone.marker)} and is used as it is."
    where = f"Zone {zone.name} in resource group {zone.id.resource_group}."
    zone_condition = c.satisfied(c.ZONE_READY, Reason.EXISTS, f"{where}{maker}")
    elsewhere = _elsewhere(zone, zones, networks, known, full=facts.full)
    unlinkable = {one.vnet for one in known.refused} - elsewhere
    link_steps, linked, links = _plan_links(
        desired, zone, zones, networks, _held_back(desired, zone, record), (elsewhere, unlinkable)
    )
    addresses = zone.record.addresses if zone.record else ()
    return DnsPlan(
        steps=(*record_steps, *link_steps),
        conditions=(zone_condition, linked, record),
        zone=Owned(zone.id.text, owner),
        links=links,
        record=record_owner(desired, zone) if record.true else None,
        record_addresses=addresses,
        names=zone.names[:NAMES],
        linked=tuple(
            sorted(lower_case(one) for one in (*networks.all, options.app_network) if one and zone.link_to(one))
        ),
        elsewhere=tuple(sorted(elsewhere)),
        advice=_advice(desired, zone, networks, elsewhere, known.refused) if record.true else (),
        resolution=resolution,
        later=record_later(desired, zone.id)
        if zone.record is None
        else _links_later(zone, networks, linked, elsewhere),
    )


def _advice(
    desired: Desired, zone: Zone, networks: _Networks, elsewhere: set[str], refused: tuple[RefusedNetwork, ...]
) -> tuple[Explanation, ...]:
    # Of the endpoint's own network, where a hub answers, it does not matter what it is linked to.
    further = [one for one in networks.further if lower_case(one) in elsewhere and not networks.decides(one)]
    shared = dns_problems.shared_record(desired, zone) if zone.record and len(zone.record.addresses) > 1 else None
    found = (dns_problems.further_networks(further) if further else None, shared)
    asked_for = _lower(networks.all)
    refused = tuple(one for one in refused if one.vnet in asked_for)  # the settings may have been corrected since
    unlinked = [one for one in refused if one.vnet not in elsewhere and not zone.link_to(one.vnet)]
    told = tuple(advice for advice in found if advice is not None)
    return (*told, *dns_problems.unlinkable(unlinked)) if unlinked else told


def _owner(mine: Marker, theirs: Marker | None) -> Owner:
    return Owner.OURS if mine.same_maker(theirs) else Owner.ADOPTED


# -- zone ----------------------------------------------------------------------------------------------------------


def _zone_in_use(desired: Desired, zones: Listing[Zone], networks: _Networks, facts: DnsFacts) -> Zone | None:
    """The zone that the clients see, else the one that was made for this endpoint; None: there is none yet."""
    if not zones:
        return None
    # Where several networks answer by several zones, the one that is right for this endpoint is kept right.
    seen = sorted(zones.among(_linked, _lower(networks.answering)), key=lambda zone: not _has_record(desired, zone))
    made = zones.where(_made_for, (desired.marker.instance, desired.connection_id))
    return next(iter((*seen, *made)), None) or _free_zone(desired, zones, facts)


def zone_name(zone: Zone) -> tuple[str]:
    """The name that a zone is looked for by."""
    return (zone.name.lower(),)


def _linked(zone: Zone) -> list[str]:
    return [lower_case(link.vnet_id) for link in zone.links if not link.failed]


def _made_for(zone: Zone) -> tuple[tuple[str, str], ...]:
    return () if zone.marker is None else ((zone.marker.instance, zone.marker.connection_id),)


def _has_record(desired: Desired, zone: Zone) -> bool:
    """Whether the zone's `*` record is this endpoint's."""
    record = zone.record
    if record is None:
        return False
    if record.marker is not None and record.marker.instance == desired.marker.instance:
        return record.marker.holder(desired.connection_id) is not None
    return record.addresses == (desired.endpoint.address,)


def _usable_homes(desired: Desired, facts: DnsFacts) -> list[ArmId]:
    unusable = facts.unusable
    return [home for home in desired.zone_homes if not unusable or home.subscription_id.lower() not in unusable]


def _free_zone(desired: Desired, zones: Listing[Zone], facts: DnsFacts) -> Zone | None:
    """The zone of the first place that is free, if there is one already; see `_free_home`."""
    for home in _usable_homes(desired, facts):
        zone = next(iter(zones.where(zone_key, home.key)), None)
        if zone is None:
            return None
        if _is_free(desired, zone):
            return zone
    return None


def _is_free(desired: Desired, zone: Zone) -> bool:
    """Whether a zone at home may become this endpoint's.

    One that was made for another endpoint is that one's, also before its record is written. Of a record that others
    made it shows only with the endpoint's address whether it is right.
    """
    record = zone.record
    if record is None:
        return not desired.marker.same_maker(zone.marker)
    ours = record.marker is not None and record.marker.instance == desired.marker.instance
    return _has_record(desired, zone) or (desired.endpoint.address is None and not ours)


def _free_home(desired: Desired, zones: Listing[Zone], facts: DnsFacts) -> ArmId | Condition:
    """Where the zone is made, or why nowhere: a group holds one zone of a name, a subscription 1,000 of any."""
    homes = _usable_homes(desired, facts)
    if not homes:
        return dns_problems.no_usable_home(desired, facts.unusable)
    free = [home for home in homes if not zones.where(zone_key, home.key)]
    for home in free:
        if facts.zone_counts.get(home.subscription_id.lower(), 0) < MOST_ZONES:
            return home
    if free:
        return dns_problems.zone_limit(desired, free, MOST_ZONES)
    return dns_problems.no_place(desired, zones.among(zone_key, [home.key for home in desired.zone_homes]))


def _plan_new_zone(
    desired: Desired,
    home: ArmId,
    zones: Listing[Zone],
    options: PlanOptions,
    networks: _Networks,
    resolution: NameResolution | None,
) -> DnsPlan:
    steps: list[DnsStep] = [CreateZone(home, desired.marker)]
    address = desired.endpoint.address
    if address is not None:
        steps.append(PutWildcardRecord(home, (address,), options.dns.record_ttl, first_marker(desired, address)))
    free = (vnet for vnet in networks.all if networks.ours_to_link(vnet) and not zones.where(_linked, lower_case(vnet)))
    steps += [CreateLink(home, link_name(vnet), vnet, desired.marker) for vnet in free]
    made = c.waiting(c.ZONE_READY, Reason.MISSING, f"Zone {home.name} is to be created.", c.WaitingFor.WORK)
    conditions = (made, *after_the_zone(desired))
    return DnsPlan(tuple(steps), conditions, resolution=resolution, later=record_later(desired, home))


def _links_later(zone: Zone, networks: _Networks, linked: Condition, elsewhere: set[str]) -> tuple[LaterStep, ...]:
    """The links that wait until it shows whether the record is right for their network."""
    if linked.reason is not Reason.NO_ADDRESS_YET:
        return ()
    missing = (one for one in networks.all if networks.ours_to_link(one) and not zone.link_to(one))
    return tuple(
        LaterStep(f"link private DNS zone {zone.name} to virtual network {one}", c.LINKED, ADDRESS)
        for one in missing
        if lower_case(one) not in elsewhere
    )


# -- links ---------------------------------------------------------------------------------------------------------


def _held_back(desired: Desired, zone: Zone, record: Condition) -> Condition | None:
    """Why no further network may be linked now; None: nothing stands against it."""
    if record.needs is c.WaitingFor.PERSON:
        return dns_problems.held_back_by(record)
    if zone.record is not None and desired.endpoint.address is None:
        message = (
            "The zone has a * record; whether it is right for this network shows once the endpoint has an address."
        )
        return c.waiting(c.LINKED, Reason.NO_ADDRESS_YET, message)
    return None


def _elsewhere(zone: Zone, zones: Listing[Zone], networks: _Networks, known: DnsState, *, full: bool) -> set[str]:
    """Lower-cased ids of the networks that another zone of the name serves: seen, or known from a refusal of Azure."""
    told = {one.vnet for one in known.refused if one.reason is Reason.NETWORK_LINKED_TO_ANOTHER_ZONE}
    told |= set() if full else set(known.elsewhere)
    missing = (lower_case(one) for one in networks.all if not zone.link_to(one))
    return {one for one in missing if one in told or zones.where(_linked, one)}


def _plan_links(
    desired: Desired,
    zone: Zone,
    zones: Listing[Zone],
    networks: _Networks,
    held_back: Condition | None,
    not_ours: tuple[set[str], set[str]],
) -> tuple[tuple[DnsStep, ...], Condition, tuple[Owned, ...]]:
    """`not_ours`: networks that another zone serves, and those that cannot be linked at all."""
    elsewhere, unlinkable = not_ours
    steps: list[DnsStep] = []
    links: list[Owned] = []
    problems: list[Condition] = []
    for vnet in networks.all:
        link, decides = zone.link_to(vnet), networks.decides(vnet)
        if link is not None:
            links.append(Owned(link.id, _owner(desired.marker, link.marker)))
            if not link.completed:
                problems.append(dns_problems.link_in_progress(vnet, link.name))
        elif lower_case(vnet) in elsewhere:
            others = zones.where(_linked, lower_case(vnet))
            problems += [dns_problems.answers_by_another(vnet, others)] if decides else []
        elif lower_case(vnet) in unlinkable and not decides:
            continue
        elif held_back is not None:
            problems += [held_back] if decides or not networks.hub_answers else []
        elif networks.ours_to_link(vnet):
            etag = _failed_before(desired, zone, vnet)
            steps.append(CreateLink(zone.id, link_name(vnet), vnet, desired.marker, etag))
            missing = f"The link to {vnet} is to be created."
            problems.append(c.waiting(c.LINKED, Reason.MISSING, missing, c.WaitingFor.WORK))
        else:
            problems.append(dns_problems.answers_by_none(vnet, zone))
    persons = (problem for problem in problems if problem.needs is c.WaitingFor.PERSON)
    condition = next(persons, None) or next(iter(problems), None)
    return (
        tuple(steps),
        condition or c.satisfied(c.LINKED, Reason.LINKED, f"{c.count(len(links), 'network')} linked."),
        tuple(links),
    )


def _failed_before(desired: Desired, zone: Zone, vnet: str) -> str | None:
    """The ETag of a link of ours that Azure could not make and keeps: it is written anew, and tells again why."""
    failed = zone.failed_link_to(vnet)
    ours = failed is not None and failed.name == link_name(vnet) and desired.marker.same_maker(failed.marker)
    return failed.etag if failed is not None and ours else None
