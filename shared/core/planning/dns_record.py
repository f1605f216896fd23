"""The `*` record in the DNS plan: made, followed, shared, or handed over from an endpoint that is gone. Pure.

Called by `planning.dns`. A record of ours is handed over by one conditional write, without waiting for the grace of the
endpoint that held it: what keeps that from taking the record of a living endpoint is the order of the reads (the
record, then its holder), the holder's GUID in the marker, and the record's age (tests/models/record_handover.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId, record_id
from shared.core.model.conditions import Condition
from shared.core.model.markers import Holder, RecordMarker, maker_of
from shared.core.model.ownership import Owned, Owner
from shared.core.model.reasons import Reason
from shared.core.model.resources import Listing, WildcardRecord, Zone
from shared.core.model.steps import DeleteRecord, LaterStep, PutWildcardRecord, WithdrawAddress
from shared.core.options.dns import RecordMode
from shared.core.options.plan_options import PlanOptions
from shared.core.planning import dns_problems
from shared.core.planning.desired import Desired

MAX_RECORDS = 20
"""A records in one set: https://learn.microsoft.com/azure/dns/private-dns-privatednszone#restrictions."""


ADDRESS = "Azure has given the endpoint its address"
"""What record and links wait for."""


@dataclass(frozen=True, slots=True)
class HolderFacts:
    """What was read, after the record, of the other endpoints that hold it."""

    gone: frozenset[str] = frozenset()
    """Connection ids of those that Azure does not know any more, or that lead to another service now."""
    too_young: float = 0.0
    """Seconds until the record is old enough to be taken from them."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Which networks answer the endpoint's clients, as far as the record needs to know."""

    by_zone: tuple[str, ...]
    """Those that answer by this zone."""
    hub: bool
    """Whether other networks than the endpoint's own answer."""


RecordPlan = tuple[tuple[PutWildcardRecord, ...], Condition]


def my_holder(desired: Desired, address: str) -> Holder:
    """The endpoint's entry in a record's marker."""
    return Holder(desired.connection_id, address, desired.endpoint.id.text, desired.endpoint.guid)


def first_marker(desired: Desired, address: str) -> RecordMarker:
    """The marker of a record that holds this endpoint only."""
    return RecordMarker(desired.marker.instance, (my_holder(desired, address),))


def no_address() -> Condition:
    """The endpoint has no address to write."""
    return c.waiting(c.RECORD_READY, Reason.NO_ADDRESS_YET, "The endpoint has no private address yet.")


_ZONE_FIRST = tuple(
    c.waiting(type_, Reason.MISSING, "The zone comes first.", c.WaitingFor.WORK) for type_ in (c.LINKED, c.RECORD_READY)
)


def after_the_zone(desired: Desired, why_none: Condition | None = None) -> tuple[Condition, Condition]:
    """Links and record wait for the zone; `why_none`: for the person who is told why none is made, not for the app."""
    if why_none is None:
        linked, written = _ZONE_FIRST
    else:
        linked, written = (
            c.blocked(type_, why_none.reason, "The zone comes first.", why_none.next_step, why_none.about)
            for type_ in (c.LINKED, c.RECORD_READY)
        )
    return linked, no_address() if desired.endpoint.address is None else written


def record_later(desired: Desired, zone: ArmId) -> tuple[LaterStep, ...]:
    """The record that is made once the endpoint has an address."""
    if desired.endpoint.address is not None:
        return ()
    return (LaterStep(f"create * A record in {zone.name}", c.RECORD_READY, ADDRESS),)


def other_holders(desired: Desired, zone: Zone) -> tuple[Holder, ...]:
    """The other endpoints that hold our record: each is looked at before the record is taken from it or shared."""
    marker = zone.record.marker if zone.record is not None else None
    if marker is None or marker.instance != desired.marker.instance:
        return ()
    return tuple(holder for holder in marker.holders if holder.connection_id != desired.connection_id)


def plan_record(
    desired: Desired, zone: Zone, options: PlanOptions, answering: Answering, facts: HolderFacts
) -> RecordPlan:
    """The one write that is left to do, if any, and how the record stands."""
    address, record = desired.endpoint.address, zone.record
    if address is None:
        return (), no_address()
    if record is None:
        step = PutWildcardRecord(zone.id, (address,), options.dns.record_ttl, first_marker(desired, address))
        return (step,), _to_write(f"The * record with {address} is to be created.")
    if record.marker is None or record.marker.instance != options.installation.instance_id:
        return (), _foreign_record(desired, zone, record, address, options, answering)
    return _plan_our_record(desired, zone, record, address, options, answering, facts)


def withdrawals(connection_id: str, zones: Collection[Zone], options: PlanOptions) -> tuple[WithdrawAddress, ...]:
    """The writes that take one endpoint's address out of the records of ours that it shares."""
    held = Listing.of(zones).where(_holders, connection_id)
    return tuple(step for zone in held if (step := withdrawal(connection_id, zone, options)) is not None)


def _holders(zone: Zone) -> list[str]:
    marker = zone.record.marker if zone.record is not None else None
    return [holder.connection_id for holder in marker.holders] if marker is not None else []


def withdrawal(connection_id: str, zone: Zone, options: PlanOptions) -> WithdrawAddress | None:
    """The write that takes one endpoint's address out of our record; None: it is not in it, or alone in it."""
    record = zone.record
    marker = record.marker if record is not None else None
    if record is None or marker is None or marker.instance != options.installation.instance_id:
        return None
    mine = marker.holder(connection_id)
    rest = tuple(holder for holder in marker.holders if holder.connection_id != connection_id)
    if mine is None or not rest:
        return None
    held = {holder.address for holder in rest}
    kept = tuple(one for one in record.addresses if one != mine.address or one in held)
    new = PutWildcardRecord(zone.id, kept, options.dns.record_ttl, marker.without(connection_id), record.etag)
    return WithdrawAddress(mine.address, new)


def emptied(step: DeleteRecord, record: WildcardRecord, options: PlanOptions) -> PutWildcardRecord | None:
    """The write that takes a record's last address out of it where the record itself must not be deleted.

    None: it is another version than the one to be deleted, or none of ours.
    """
    if record.etag != step.etag or record.marker is None:
        return None
    marker = RecordMarker(record.marker.instance, ())
    return PutWildcardRecord(step.zone, (), options.dns.record_ttl, marker, record.etag)


def record_owner(desired: Desired, zone: Zone) -> Owned:
    """Whose the record is that is used."""
    marker = zone.record.marker if zone.record else None
    ours = marker is not None and marker.instance == desired.marker.instance
    return Owned(record_id(zone.id), Owner.OURS if ours else Owner.ADOPTED)


def _to_write(message: str) -> Condition:
    return c.waiting(c.RECORD_READY, Reason.MISSING, message, c.WaitingFor.WORK)


def _foreign_record(
    desired: Desired, zone: Zone, record: WildcardRecord, address: str, options: PlanOptions, answering: Answering
) -> Condition:
    shared = options.dns.record_mode is RecordMode.UNION and address in record.addresses
    if record.addresses == (address,) or shared:
        made = f"made by {maker_of(record.marker)}, used as it is"
        return c.satisfied(c.RECORD_READY, Reason.ADOPTED, f"* points to {address}; {made}.")
    if answering.hub and answering.by_zone:
        return dns_problems.hub_has_another(zone, answering.by_zone)
    return dns_problems.held_by_others(desired, record)


def _plan_our_record(
    desired: Desired,
    zone: Zone,
    record: WildcardRecord,
    address: str,
    options: PlanOptions,
    answering: Answering,
    facts: HolderFacts,
) -> RecordPlan:
    marker = record.marker or first_marker(desired, address)
    mine, others = marker.holder(desired.connection_id), other_holders(desired, zone)
    living = tuple(holder for holder in others if holder.connection_id not in facts.gone)
    if facts.too_young and len(living) < len(others):
        if mine is None and not living:
            return (), _handed_over_soon(others[0], facts.too_young)
        living = others
    may_share = options.dns.record_mode is RecordMode.UNION and answering.by_zone
    if living and mine is None and not may_share:
        if answering.hub and answering.by_zone:
            return (), dns_problems.hub_has_another(zone, answering.by_zone)
        return (), dns_problems.held_by_another(desired, living[0], options.dns.record_mode)
    wanted = tuple(dict.fromkeys((*(holder.address for holder in living), address)))
    if len(wanted) > MAX_RECORDS:
        return (), dns_problems.record_full(desired.service.zone, MAX_RECORDS)
    if set(record.addresses) == set(wanted) and living == others and mine is not None and _says(mine, desired, address):
        return (), c.satisfied(c.RECORD_READY, Reason.POINTS_TO_ENDPOINT, f"* points to {', '.join(wanted)}.")
    new = RecordMarker(marker.instance, (*living, my_holder(desired, address)))
    step = PutWildcardRecord(zone.id, wanted, options.dns.record_ttl, new, record.etag)
    message = (
        f"The * record points to {', '.join(record.addresses) or 'nothing'}; it is to point to {', '.join(wanted)}."
    )
    return (step,), c.waiting(c.RECORD_READY, Reason.DIFFERENT, message, c.WaitingFor.WORK)


def _says(mine: Holder, desired: Desired, address: str) -> bool:
    """Whether the entry is this endpoint's as it is now: one that was made anew writes it, also with its old address.

    An endpoint whose GUID Azure has not told yet is not known to be another.
    """
    guid = desired.endpoint.guid.lower()
    return mine.address == address and (not guid or mine.guid.lower() == guid)


def _handed_over_soon(holder: Holder, seconds: float) -> Condition:
    who = holder.endpoint_id or f"connection {holder.connection_id}"
    message = f"The * record is that of {who}, which is gone. It was written a moment ago: it is taken over in "
    return c.waiting(c.RECORD_READY, Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT, f"{message}{seconds:.0f} s.")
