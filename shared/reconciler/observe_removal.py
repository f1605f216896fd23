"""Reading what is there of what was made for an endpoint that is gone. Used by `deleted` and the plan that is shown.

What may be taken away is read in full, just before. The other zones of the service's name are only searched for the
connection's marks: removals that come together share that. Reads of private DNS are asked for before the first one: of
many removals that begin with what reads there are, none would come to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from shared.context import Context, log
from shared.core.guards.first_and_last_policy import TargetReading, notes_in, row_name
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets, all_vanished, none_of_ours
from shared.core.model.arm_ids import lower_case, parse_arm_id
from shared.core.model.errors import (
    AutopilotError,
    AwaitingEarlierRequest,
    Blocked,
    InvalidInput,
    NotVisibleYet,
    RetryLater,
    UnusableAnswer,
)
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import Claim, Endpoint, Policy, Target, VirtualNetwork, Zone, policies_made_for
from shared.core.model.services import Services, zone_name
from shared.core.planning.associations import associated_with
from shared.core.planning.former import owns_anything
from shared.core.planning.name_resolution import resolution_of
from shared.core.planning.removal import ObservedRemoval
from shared.core.planning.removal_dns import bears_marks, marked_things
from shared.core.ports import listed_claims
from shared.installation import things
from shared.reconciler.observe import seen_guids, unseen_targets, with_attached

_Elastic = tuple[tuple[Policy, ...], tuple[Target, ...], UnseenTargets]
"""Every policy of the region, the targets of this connection's, and what is known of those that are not seen."""


async def observe_removal(
    context: Context,
    record: ConnectionRecord,
    *,
    living: Endpoint | None = None,
    dns_only: bool = False,
    elastic_only: bool = False,
    by_person: bool = False,
) -> ObservedRemoval:
    """Everything that the removal has to know; raises what the clouds raise.

    `living`: the endpoint itself, where only what it had in another network goes; `dns_only`: its policy stays then;
    `elastic_only`: only its organization is another; `by_person`: one asked for it, who knows whose the API key is.
    """
    if dns_only:
        record = record.with_identity(guid="").with_elastic(policy=PolicyMemory(), claim=None)
    if not elastic_only:
        await _ask_for_reads(context, record)
    (zones, others, unlooked), (policies, targets, unseen), claims = await asyncio.gather(
        _no_dns() if elastic_only else _dns(context, record),
        _nothing() if dns_only else _elastic(context, record, by_person=by_person),
        _claims(context, record),
    )
    if living is not None and others is not None:
        others = (*others, living)
    answering = await _answering(context, others) if others else frozenset()
    return ObservedRemoval(
        zones=zones,
        others=others if answering is not None else None,
        answering=answering or frozenset(),
        unconfirmed=await _unconfirmed(context, zones),
        policies=policies,
        targets=targets,
        unseen=unseen,
        seen_guids=await seen_guids(context, record, policies),
        claims=claims,
        unlooked=unlooked,
    )


_Dns = tuple[tuple[Zone, ...], tuple[Endpoint, ...] | None, tuple[str, ...]]
"""The zones, the other endpoints of their service, and where could not be looked."""


READS_OF_A_REMOVAL = 14
"""Of private DNS: a listing, the zone in full, once more before its link goes and before it goes, and looks at how both
end."""
READS_OF_A_SEARCH = 2
"""Links and records of each other zone of the name."""
MOST_ASKED_FOR = 100
SEARCHED_ALL = 20
"""Other zones of the name. Of more, only those are searched of which table `things` says that something in them was
made for the connection: each removal would use up a subscription's reads. Anything else the sweep finds by its mark."""
TOGETHER = 10
"""Zones whose rows are asked for side by side."""


async def _ask_for_reads(context: Context, record: ConnectionRecord) -> None:
    """Take what the removal reads; raises NoReadsLeft, which puts the run back into the queue."""
    if record.dns.zone is None:
        return
    zone = parse_arm_id(record.dns.zone.id)
    beside = context.dns.unread_beside(zone)
    number = READS_OF_A_REMOVAL + READS_OF_A_SEARCH * (0 if beside > SEARCHED_ALL else beside)
    await context.budget.ask(zone.subscription_id, min(number, MOST_ASKED_FOR))


async def _no_dns() -> _Dns:
    return (), (), ()


async def _nothing() -> _Elastic:
    return (), (), NONE_UNSEEN


async def _unconfirmed(context: Context, zones: tuple[Zone, ...]) -> frozenset[str]:
    """What of these carries our marker, and has no row that says that we made it."""
    rows = await things.listed(context, [zone.id.text for zone in zones]) if zones else {}
    instance = context.options.installation.instance_id
    marked = [thing_id for zone in zones for thing_id, _ in marked_things(zone, instance)]
    return frozenset(key for key in map(lower_case, marked) if key not in rows or rows[key].unconfirmed)


async def _answering(context: Context, others: tuple[Endpoint, ...]) -> frozenset[str] | None:
    """The networks that answer these endpoints' clients, lower-cased; None: not all of them can be told."""
    if not all(other.vnet_id for other in others):
        return None  # Azure shows no network of one, which may be any
    vnets = {lower_case(other.vnet_id): other.vnet_id for other in others}
    subscriptions = dict.fromkeys(parse_arm_id(vnet).subscription_id for vnet in vnets.values())
    networks: dict[str, VirtualNetwork] = {}
    for subscription in dict.fromkeys((*subscriptions, *context.settings.scope.watched_subscriptions)):
        try:
            networks |= await context.endpoints.networks(subscription)
        except RetryLater:
            raise
        except AutopilotError as error:
            log.warning("virtual networks of subscription %s not read: %s", subscription, error)
    if not vnets.keys() <= networks.keys():
        return None
    found = (resolution_of(vnet, networks[key], networks.values()).networks for key, vnet in vnets.items())
    return frozenset(lower_case(one) for answering in found for one in answering)


async def _dns(context: Context, record: ConnectionRecord) -> _Dns:
    """The zone on record, and all that carries the connection's markers: a run that died wrote nothing down."""
    name = zone_name(record.identity.family, record.identity.region)
    if not name:
        return (), (), ()
    own = parse_arm_id(record.endpoint_id).subscription_id
    subscriptions = dict.fromkeys(
        (own, *context.settings.scope.subscriptions, *context.settings.dns.zone_subscriptions)
    )
    listed, _ = await context.dns.zones_listed([name], subscriptions)
    instance, on_record = context.options.installation.instance_id, record.dns.zone
    known = None if on_record is None else parse_arm_id(on_record.id)
    made = [zone for zone in listed if bears_marks(zone, record.id, instance)]
    left = [zone for zone in listed if zone not in made and (known is None or zone.id.key != known.key)]
    if len(left) > SEARCHED_ALL:
        left = await _noted(context, record, left)
    searched = await asyncio.gather(*(_searched(context, zone) for zone in left))
    marked = [zone.id for zone in (*made, *searched) if zone and bears_marks(zone, record.id, instance)]
    wanted = {zone.key: zone for zone in (*([] if known is None else [known]), *marked)}
    found = await asyncio.gather(*(context.dns.whole_zone(zone) for zone in wanted.values()))
    zones = tuple(zone for zone in found if zone is not None)
    missed = (one for one in subscriptions if lower_case(one) in context.dns.unlisted)
    unlooked = tuple(f"for zones in subscription {one}, which the app cannot list" for one in missed)
    return zones, await _others(context, record, zones) if zones else (), unlooked


async def _noted(context: Context, record: ConnectionRecord, zones: Iterable[Zone]) -> list[Zone]:
    """Those of which a row says that something in them was, or was to be, made for the connection."""
    few = asyncio.Semaphore(TOGETHER)

    async def noted(zone: Zone) -> bool:
        async with few:
            rows = await things.listed(context, [zone.id.text])
        return any(record.id in row.connections for row in rows.values())

    kept = tuple(zones)
    return [zone for zone, found in zip(kept, await asyncio.gather(*map(noted, kept)), strict=True) if found]


async def _searched(context: Context, zone: Zone) -> Zone | None:
    """A zone that by its own mark was not made for the connection, with what is in it; None: gone, or not readable."""
    try:
        return next(iter(await context.dns.looked_into([zone])), None)
    except NotVisibleYet:
        return None  # it was listed, and is being deleted with all that is in it


async def _others(context: Context, record: ConnectionRecord, zones: tuple[Zone, ...]) -> tuple[Endpoint, ...] | None:
    """Every other endpoint of the zones' service in the subscriptions that matter; None: not all may be listed.

    What passes by itself says nothing about the zones' users: it is raised, and the removal tries again.
    """
    subscriptions = dict.fromkeys(context.settings.scope.subscriptions)
    for vnet in (record.identity.vnet_id, *(link.vnet_id for zone in zones for link in zone.links)):
        try:
            subscriptions.setdefault(parse_arm_id(vnet).subscription_id)
        except InvalidInput:
            continue
    found: list[Endpoint] = []
    for subscription in subscriptions:
        try:
            listed = [endpoint async for endpoint in context.endpoints.list(subscription)]
        except RetryLater:
            raise
        except AutopilotError as error:
            log.warning("users of zone %s not known: %s", zones[0].id.text, error)
            return None
        if None in listed:
            raise UnusableAnswer("One of Azure's private endpoints could not be read.", on=subscription)
        found += [endpoint for endpoint in listed if endpoint is not None]
    gone, services = lower_case(record.endpoint_id), context.options.services
    return tuple(one for one in found if one.id.key != gone and _service_zone(one, services) == zones[0].name.lower())


def _service_zone(endpoint: Endpoint, services: Services) -> str:
    """The zone that an endpoint uses, also by an alias that only looks like one of Elastic's: it may be a new one."""
    found = services.recognise(endpoint.alias)
    service = found.service or found.seems
    return service.zone if service is not None else ""


async def _elastic(context: Context, record: ConnectionRecord, *, by_person: bool) -> _Elastic:
    if not record.identity.region or (record.elastic.organization not in context.elastic and not owns_anything(record)):
        return await _nothing()
    api = context.elastic.of(record.elastic.organization, record.identity.family)
    policies = await api.policies(f"azure-{record.identity.region}")
    vanished = all_vanished(policies, (record.elastic.policy,), context.options.installation.instance_id, api.key_mark)
    if vanished and not by_person:
        raise Blocked(none_of_ours(vanished), on=record.endpoint_id)
    used = record.elastic.policy.id
    if used and all(policy.id != used for policy in policies) and await api.policy(used) is not None:
        # A listing that lacks one lacks others too, and what keeps a target closed may be among those.
        raise RetryLater("Elastic Cloud's list lacks a policy that it shows by its id.", on=used, after=15.0)
    ours = policies_made_for(record.id, policies, context.options.installation.instance_id)
    if unread := next(
        (policy.id for policy in policies if policy.unreadable and (policy in ours or policy.id == used)), ""
    ):
        # It would be left for good, as one that lets others in.
        raise UnusableAnswer("A rule of the policy could not be read.", on=unread)
    await _taken_for_certain(context, record, ours)
    ids = {target_id for policy in ours for target_id in associated_with(policy.id, policy, ())}
    ids |= {memory.target_id for memory in record.elastic.associations}
    ids |= {memory.target_id for memory in record.elastic.former_associations}
    found = await api.targets(sorted(ids)) if ids else ()
    targets = tuple(await asyncio.gather(*(with_attached(api, one) for one in found)))
    return policies, targets, await unseen_targets(context, api, record, targets)


async def _taken_for_certain(context: Context, record: ConnectionRecord, ours: tuple[Policy, ...]) -> None:
    """Raise AwaitingEarlierRequest while a list shows an association that a DELETE of ours has ended, or may still end.

    The record has forgotten it, so that it would count as one that others made.
    """
    for policy in ours:
        for target_id in policy.associations:
            if record.association(target_id) is not None:
                continue
            name = row_name(record.elastic.organization, target_id)
            row, read_at = await context.storage.control.look(name)
            try:
                notes = {} if row is None else notes_in(row.document, read_at)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a damaged row tells nothing; the next request about the target mends it
            reading = TargetReading(read_at, timedelta(seconds=context.settings.timing.lag), notes)
            if reading.deleting(policy.id):
                ends = reading.ends_at(policy.id)
                what = f"The end of an association is not certain yet; the app looks again after {ends:%H:%M:%S} UTC."
                raise AwaitingEarlierRequest(what, on=target_id, after=(ends - read_at).total_seconds() + 1.0)


async def _claims(context: Context, record: ConnectionRecord) -> tuple[Claim, ...]:
    """Those of the region, where the record has one of others; ours is given up whether a list has it or not."""
    claim = record.elastic.claim
    if claim is None or claim.owner is Owner.OURS:
        return ()
    if record.elastic.organization not in context.elastic and not owns_anything(record):
        return ()
    api = context.elastic.of(record.elastic.organization, record.identity.family)
    return await listed_claims(api, claim.region)
