"""What keeps clients from an endpoint's address, told to a person: conditions and advice of the DNS plan. Pure.

Called by `planning.dns`, which decides; here are the words. An endpoint that is set up well enters none of this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from shared.core.model import conditions as c
from shared.core.model.arm_ids import ArmId
from shared.core.model.conditions import Condition, Explanation, Status, WaitingFor
from shared.core.model.markers import Holder, maker_of
from shared.core.model.reasons import Reason
from shared.core.model.record_parts import RefusedNetwork
from shared.core.model.resources import WildcardRecord, Zone
from shared.core.options.dns import RecordMode
from shared.core.planning.desired import Desired
from shared.core.reasons import explain, remedy_of

NAMED = 3
"""Networks, or addresses, that an advice names before it only counts."""


# -- zone ----------------------------------------------------------------------------------------------------------


def zone_limit(desired: Desired, homes: Collection[ArmId], most: int) -> Condition:
    """Every subscription with a free place has as many zones as the app lets it have."""
    full = ", ".join(dict.fromkeys(home.subscription_id for home in homes))
    return c.blocked(
        c.ZONE_READY,
        Reason.TOO_MANY_ZONES,
        f"Zone {desired.service.zone} is not made: subscription {full} has {most} private DNS zones or more, and Azure "
        "allows 1,000.",
        remedy_of(Reason.TOO_MANY_ZONES),
    )


def no_place(desired: Desired, zones: Iterable[Zone]) -> Condition:
    """Every group in which the zone may be made has one of the name, of another endpoint."""
    there = {zone.id.key: zone for zone in zones}
    taken = [there[home.key] for home in desired.zone_homes if home.key in there]
    more = f", and so have {len(taken) - 1} more" if len(taken) > 1 else ""
    return c.blocked(
        c.ZONE_READY,
        Reason.NO_PLACE_FOR_ZONE,
        f"There is no free place for a zone {desired.service.zone} of this endpoint: resource group "
        f"{taken[0].id.resource_group} has that of {holder_of(taken[0])}{more}. A group holds one zone of a name.",
        remedy_of(Reason.NO_PLACE_FOR_ZONE),
    )


def no_usable_home(desired: Desired, unusable: Mapping[str, Explanation]) -> Condition:
    """Every group in which the zone may be made is in a subscription that the app cannot use."""
    home = desired.zone_homes[0]
    why = unusable[home.subscription_id.lower()]
    own = remedy_of(Reason.SUBSCRIPTION_NOT_FOUND)
    otherwise = "Assign the app's identity a role in it if it exists." if why.next_step == own else why.next_step
    step = f"Correct DNS_ZONE_RESOURCE_GROUPS, if it names subscription {home.subscription_id}. {otherwise}"
    message = f"Zone {desired.service.zone} cannot be made in resource group {home.resource_group}: {why.message}"
    return c.blocked(c.ZONE_READY, why.reason, message, step, ((("scope", f"/subscriptions/{home.subscription_id}"),),))


def holder_of(zone: Zone) -> str:
    """Whose a zone's `*` record is."""
    record = zone.record
    if record is None:
        return maker_of(zone.marker)
    holders = record.marker.holders if record.marker is not None else ()
    if holders:
        return f"{holders[0].endpoint_id or f'connection {holders[0].connection_id}'} ({holders[0].address})"
    return f"{maker_of(record.marker)} ({', '.join(record.addresses) or 'no address'})"


# -- links ---------------------------------------------------------------------------------------------------------


def answers_by_another(vnet_id: str, zones: Iterable[Zone]) -> Condition:
    """A network that answers the clients, and is linked to another zone of the name: the first of these."""
    other = next(iter(zones), None)
    by = "a zone that the app cannot see" if other is None else f"zone {other.id.text}, of {holder_of(other)}"
    return c.blocked(
        c.LINKED,
        Reason.ANSWERED_BY_ANOTHER_ZONE,
        f"Virtual network {vnet_id} answers this endpoint's clients, and is linked to {by}. A network can use one zone "
        "of a name, so the clients do not get this endpoint's address.",
        remedy_of(Reason.ANSWERED_BY_ANOTHER_ZONE),
    )


def link_in_progress(vnet_id: str, name: str) -> Condition:
    """A link that Azure is still making."""
    told = Explanation(Reason.IN_PROGRESS, f"The link to {vnet_id} is being made.", about=((("link", name),),))
    return Condition(c.LINKED, Status.FALSE, told, WaitingFor.TIME)


def answers_by_none(vnet_id: str, zone: Zone) -> Condition:
    """A network that answers the clients, that the app is not to link, and that has no zone of the name."""
    return c.blocked(
        c.LINKED,
        Reason.ANSWERING_NETWORK_NOT_LINKED,
        f"Virtual network {vnet_id} answers this endpoint's clients and is linked to no zone {zone.name}: the clients "
        "do not find the endpoint.",
        f"Add {vnet_id} to DNS_LINK_VNETS, or link it to {zone.id.text}.",
        ((("network id", vnet_id), ("link", vnet_id.rsplit("/", 1)[-1])),),
    )


def held_back_by(record: Condition) -> Condition:
    """The record is not this endpoint's, so its network must not be linked to it."""
    return c.blocked(
        c.LINKED,
        record.reason,
        "The network is not linked: every name of the zone would resolve to another endpoint's address there.",
        record.next_step,
        record.about,
    )


def further_networks(networks: Collection[str]) -> Explanation:
    """Networks that decide nothing and have another zone, in one line."""
    who = c.count(len(networks), "further network uses", "further networks use")
    text = f"{who} another zone of this name: {_some(networks)}. Their clients do not "
    return explain(Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, f"{text}get this endpoint's address.")


def unlinkable(networks: Iterable[RefusedNetwork]) -> tuple[Explanation, ...]:
    """Networks of the settings that cannot be linked at all, in one line for each kind."""
    by_reason: dict[Reason, list[str]] = {}
    for one in networks:
        by_reason.setdefault(one.reason, []).append(one.message)
    return tuple(
        explain(reason, " ".join(messages[:NAMED]) + _more(messages)) for reason, messages in by_reason.items()
    )


def _more(messages: Collection[str]) -> str:
    return f" So it is with {len(messages) - NAMED} more." if len(messages) > NAMED else ""


# -- record --------------------------------------------------------------------------------------------------------


def shared_record(desired: Desired, zone: Zone) -> Explanation | None:
    """The clients may be given other endpoints' addresses, of other networks too; None: they may not."""
    record = zone.record
    others = [one for one in record.addresses if one != desired.endpoint.address] if record is not None else []
    if record is None or not others:
        return None
    holders = record.marker.holders if record.marker is not None else ()
    named = [f"{one.address} of {one.endpoint_id or one.connection_id}" for one in holders if one.address in others]
    text = f"The * record holds {len(record.addresses)} addresses, and clients get any of them: also "
    return explain(Reason.RECORD_SHARED, f"{text}{_some(named or others)}.")


def hub_has_another(zone: Zone, answering: Iterable[str]) -> Condition:
    """The zone of the network that answers is another endpoint's: the clients are led there."""
    return c.blocked(
        c.RECORD_READY,
        Reason.ANSWERED_BY_ANOTHER_ZONE,
        f"Virtual network {', '.join(answering)} answers this endpoint's clients, by zone {zone.id.text}: its * record "
        f"is that of {holder_of(zone)}, so the clients are led there.",
        remedy_of(Reason.ANSWERED_BY_ANOTHER_ZONE),
    )


def held_by_another(desired: Desired, holder: Holder, mode: RecordMode) -> Condition:
    """The `*` record belongs to another endpoint of the network, or of another one that is linked to the zone."""
    who = holder.endpoint_id or f"connection {holder.connection_id}"
    union = "Set DNS_RECORD_MODE=union to let both stand in it, or delete" if mode is RecordMode.FIRST else "Delete"
    return c.blocked(
        c.RECORD_READY,
        Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT,
        f"The * record of {desired.service.zone} belongs to {who} ({holder.address}).",
        f"{union} one of the endpoints if both are in one network. If they are in different networks: make a zone "
        f"{desired.service.zone} in another resource group and link this network to it; the app uses the zone that a "
        "network is linked to.",
        ((("other endpoint id", holder.endpoint_id),),) if holder.endpoint_id else (),
    )


def held_by_others(desired: Desired, record: WildcardRecord) -> Condition:
    """The `*` record was made by others and points elsewhere."""
    address = desired.endpoint.address
    return c.blocked(
        c.RECORD_READY,
        Reason.RECORD_HELD_BY_OTHERS,
        f"The * record of {desired.service.zone} was made by {maker_of(record.marker)} and points to "
        f"{', '.join(record.addresses) or 'nothing'}, not to {address}.",
        f"Point it to {address} or delete it; the app then goes on by itself.",
    )


def record_full(zone: str, most: int) -> Condition:
    """The zone's `*` record has as many addresses as Azure allows."""
    return c.blocked(
        c.RECORD_READY,
        Reason.RECORD_FULL,
        f"The * record of {zone} already holds {most} addresses, the most that Azure allows.",
        remedy_of(Reason.RECORD_FULL),
    )


def _some(things: Collection[str]) -> str:
    rest = len(things) - NAMED
    return ", ".join(list(things)[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
