"""Everything there is, read in pages and once: records, endpoints, zones, policies, targets. Used by `sweep`.

What cannot be read is reported and left out; nothing is concluded from it, and it holds up nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from shared.context import Context, log
from shared.core.guards.consent import CONNECT_TAG, short_name
from shared.core.guards.scope import in_scope, is_out_of_scope
from shared.core.guards.unseen_targets import all_vanished
from shared.core.model.arm_ids import ArmId, connection_id, lower_case
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError, Blocked, InvalidInput, RetryLater, Throttled
from shared.core.model.organizations import DEFAULT
from shared.core.model.reasons import KEY_REASONS
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Endpoint, Listing, Target, VirtualNetwork
from shared.core.model.services import Family
from shared.core.planning.desired import Desired, zone_subscriptions
from shared.core.planning.former import organization_on_record, serving
from shared.core.planning.name_resolution import unexplained
from shared.core.planning.plan import targets_that_matter
from shared.core.planning.snapshot import CloudListing, OrganizationListing, Snapshot, subscriptions_answering
from shared.core.ports import listed_claims
from shared.health.networks import NetworkList
from shared.installation.pause import present_pause
from shared.installation.services import ask_for_services, follow_services
from shared.requests import Stage, timed
from shared.sweep.records import StoredRecord, stored_record
from shared.sweep.zones import expected_sets, read_zones

_T = TypeVar("_T")

LISTING_SECONDS = 120.0
"""For all pages of one subscription."""
LISTINGS_AT_ONCE = 32
"""Subscriptions whose endpoints, or zones, are listed side by side: of hundreds each would need a connection."""


@dataclass(slots=True)
class SweepStats:
    """What one run of the timer found, for its log line."""

    endpoints: int = 0
    enqueued: int = 0
    held_back: int = 0
    """What was not sent because the queue is behind."""
    behind_since: datetime | None = None
    """Since when sweeps in a row have found it so."""
    skipped: bool = False
    """Another sweep was under way: nothing was done."""
    probed: int = 0
    shared: int = 0
    """Subscriptions whose connections the queue has tested, beside this sweep."""
    unhealthy: int = 0
    throttled: int = 0
    poisoned: int = 0
    removals: int = 0
    """Destructive steps that would be taken."""
    stopped: bool = False
    """Whether they are too many, so that a person is asked (S6)."""
    recovered: int = 0
    """Things with our marker that wait for a person's word."""
    errors: list[str] = field(default_factory=list)
    keys_refused: list[str] = field(default_factory=list)
    """What was not read because Elastic Cloud takes no key of ours."""
    events_lost: tuple[str, ...] = ()
    """Subscriptions whose events do not arrive."""


async def take_snapshot(
    context: Context, correlation_id: str, result: SweepStats, networks: NetworkList
) -> tuple[Snapshot, dict[str, StoredRecord]]:
    """Read everything; what cannot be read is reported in `result` and left out. And each record's row, by its id."""
    stored, unreadable = await read_records(context, result)
    listed, complete = await list_endpoints(context, result)
    for key in _without_their_network(listed, stored):
        subscription = listed.pop(key).id.subscription_id
        complete.discard(subscription)
        failed(result, f"subscription {subscription}", RetryLater("Azure lists a private endpoint without its subnet."))
    # A message about a record that cannot be read would only end among the poisoned ones, once per sweep.
    readable = {key: one for key, one in listed.items() if connection_id(one.id.text) not in unreadable}
    pause = await present_pause(context)
    await _learn_services(context, readable, result)
    records = {key: one.record for key, one in stored.items()}
    snapshot = Snapshot(records, unreadable, readable, complete, pause, correlation_id)
    desired = snapshot.desired(context.options)
    result.endpoints = len(desired)
    clouds = await read_clouds(context, desired, records, networks, result)
    clouds = replace(clouds, guids=frozenset(one.guid.lower() for one in listed.values()))
    return replace(snapshot, clouds=clouds), stored


def _without_their_network(listed: Mapping[str, Endpoint], stored: Mapping[str, StoredRecord]) -> list[str]:
    """Endpoints that Azure lists without the network that they have by our records: nothing can be told of them."""
    bare = {key: connection_id(one.id.text) for key, one in listed.items() if not one.vnet_id}
    return [key for key, one in bare.items() if one in stored and stored[one].record.identity.vnet_id]


async def _learn_services(context: Context, listed: dict[str, Endpoint], result: SweepStats) -> None:
    """Know Elastic's services as they are by now; those known before are enough for every endpoint of theirs."""
    try:
        await follow_services(context)
    except AutopilotError as error:  # the next one that asks writes the row anew
        failed(result, "Elastic's services as they are stored", error)
    try:
        await ask_for_services(
            context, (one for one in listed.values() if not is_out_of_scope(one, context.options.scope))
        )
    except AutopilotError as error:
        failed(result, "Elastic's services for projects", error)


@timed(Stage.READ_RECORDS)
async def read_records(context: Context, result: SweepStats) -> tuple[dict[str, StoredRecord], set[str]]:
    """Every connection's record, and the ids of those whose record cannot be read."""
    found, unreadable, texts = {}, set(), dict[str, str]()
    async for row in context.storage.connections.list():
        try:
            found[row.connection_id] = stored_record(row, texts)
        except InvalidInput as error:
            unreadable.add(row.connection_id)
            result.errors.append(str(error))
            log.warning("connection %s cannot be read: %s", row.connection_id, error)
    return found, unreadable


@timed(Stage.LIST_ENDPOINTS)
async def list_endpoints(context: Context, result: SweepStats) -> tuple[dict[str, Endpoint], set[str]]:
    """Every endpoint in scope by its lower-cased id, and the subscriptions whose listing was complete.

    Side by side and each within `LISTING_SECONDS`: one subscription that is slow or forbidden holds up no other.
    """
    subscriptions = context.settings.scope.watched_subscriptions
    listings = await _few_at_once(_list_subscription(context, one, result) for one in subscriptions)
    found: dict[str, Endpoint] = {}
    complete = set()
    for subscription, (endpoints, whole) in zip(subscriptions, listings, strict=True):
        if whole:
            complete.add(subscription)
        found |= {endpoint.id.key: endpoint for endpoint in endpoints if in_scope(context.options.scope, endpoint.id)}
    return found, complete


def _few_at_once(works: Iterable[Awaitable[_T]]) -> Awaitable[list[_T]]:
    """What they answer, in their order."""
    gate = asyncio.Semaphore(LISTINGS_AT_ONCE)

    async def one(work: Awaitable[_T]) -> _T:
        async with gate:
            return await work

    return asyncio.gather(*(one(work) for work in works))


async def _list_subscription(context: Context, subscription: str, result: SweepStats) -> tuple[list[Endpoint], bool]:
    """Every endpoint of a subscription with its address, and whether these are all."""
    what = f"subscription {subscription}"
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            listed = [endpoint async for endpoint in context.endpoints.list(subscription)]
            addresses = await context.endpoints.addresses(subscription) if any(listed) else {}
    except TimeoutError:
        failed(result, what, RetryLater(f"Its listing took longer than {LISTING_SECONDS:.0f} s."))
        return [], False
    except AutopilotError as error:
        failed(result, what, error)
        return [], False
    endpoints = [endpoint for endpoint in listed if endpoint is not None]
    unread = len(listed) - len(endpoints)
    if unread:
        failed(result, what, RetryLater(f"{unread} of its private endpoints could not be read."))
    return [with_address(endpoint, addresses) for endpoint in endpoints], not unread


def with_address(endpoint: Endpoint, addresses: dict[str, str]) -> Endpoint:
    """The endpoint with the address of its interface, where Azure does not tell it itself."""
    found = (addresses.get(lower_case(nic_id)) for nic_id in endpoint.nic_ids)
    return replace(endpoint, address=endpoint.address or next((address for address in found if address), None))


@timed(Stage.READ_CLOUDS)
async def read_clouds(
    context: Context,
    desired: list[Desired],
    records: dict[str, ConnectionRecord],
    networks: NetworkList,
    result: SweepStats,
) -> CloudListing:
    """What stands around these endpoints, and what was made for others, each thing listed once."""
    settings, homes, expected = context.settings, _homes(desired), expected_sets(records.values())
    around = [s for wanted in desired for s in zone_subscriptions(wanted, context.options)]
    # A hub may be in a subscription that only the peering names: a run has looked for its zone there.
    hubs = [s for wanted in desired for s in subscriptions_answering(records.get(wanted.connection_id))]
    subscriptions = list(
        dict.fromkeys((*around, *hubs, *settings.scope.watched_subscriptions, *settings.dns.zone_subscriptions))
    )
    # All names: what was made for an endpoint that is gone is found by its marker, wherever it is.
    names = context.options.services.zone_names
    organizations, listed, (known, others) = await asyncio.gather(
        _read_organizations(context, desired, records, result),
        _few_at_once(
            _read(f"zones of {s}", read_zones(context, names, s, homes.get(s.lower(), ()), expected), result)
            for s in subscriptions
        ),
        read_networks(context, desired, networks, result),
    )
    zones = {s: None if found is None else Listing(found.zones) for s, found in zip(subscriptions, listed, strict=True)}
    counts = {s: count for found in listed if found is not None for s, count in found.counts.items()}
    unusable = dict(context.dns.unseen)
    for subscription, why in unusable.items():
        failed(result, f"zones of {subscription}", Blocked(why, on=subscription))
    unread = frozenset(key for found in listed if found is not None for key in found.left_out)
    return CloudListing(zones, organizations, counts, unusable, known, others, _by_name(desired), unread_zones=unread)


def _homes(desired: list[Desired]) -> dict[str, tuple[ArmId, ...]]:
    """Where the endpoints' zones are made, each place once, by its subscription: many endpoints share few."""
    found: dict[str, dict[str, ArmId]] = {}
    for home in (home for wanted in desired for home in wanted.zone_homes):
        found.setdefault(home.subscription_id, {})[home.key] = home
    return {subscription: tuple(places.values()) for subscription, places in found.items()}


def _by_name(desired: list[Desired]) -> dict[str, tuple[str, ...]]:
    """The endpoints by what the weak form of consent may call them."""
    found: dict[str, tuple[str, ...]] = {}
    for one in desired:
        name = short_name(one.endpoint.id)
        found[name] = (*found.get(name, ()), one.endpoint.id.text)
    return found


async def read_networks(
    context: Context, desired: list[Desired], reader: NetworkList, result: SweepStats
) -> tuple[dict[str, VirtualNetwork | None], Listing[VirtualNetwork]]:
    """The endpoints' networks, each subscription's listed once; and those in which their name servers may be."""
    vnets = {lower_case(one.endpoint.vnet_id): one.endpoint.vnet_id for one in desired if one.endpoint.vnet_id}
    found: dict[str, VirtualNetwork | None] = {}
    for key, vnet in vnets.items():
        try:
            found[key] = await reader.network(vnet)
        except RetryLater as error:
            failed(result, f"virtual network {vnet}", error)
        except AutopilotError as error:
            found[key] = None
            log.info("virtual network %s not read: %s", vnet, error)
    open_ones = {key for key, network in found.items() if network is not None and unexplained(network)}
    if not open_ones:
        return found, Listing()
    try:
        return found, await _other_networks(context, desired, reader)
    except RetryLater as error:
        # With some networks missing a name server would seem to be in none, or in a wrong one: the record stands.
        failed(result, "virtual networks in which name servers may be", error)
        return {key: network for key, network in found.items() if key not in open_ones}, Listing()


async def _other_networks(context: Context, desired: list[Desired], reader: NetworkList) -> Listing[VirtualNetwork]:
    """The networks in which name servers may be, as far as they may be read; raises what passes by itself."""
    around = dict.fromkeys(s for wanted in desired for s in zone_subscriptions(wanted, context.options))
    listed = await reader.all_of((*context.settings.scope.watched_subscriptions, *around))
    others = {lower_case(one.id): one for one in listed}
    for vnet in context.options.dns.link_vnets:  # the app may have a role on it alone, and not see it in a list
        try:
            others.setdefault(lower_case(vnet), await reader.network(vnet))
        except RetryLater:
            raise
        except AutopilotError as error:
            log.info("virtual network %s not read: %s", vnet, error)
    return Listing(others.values())


async def _read_organizations(
    context: Context, desired: list[Desired], records: dict[str, ConnectionRecord], result: SweepStats
) -> dict[tuple[str, Family], OrganizationListing]:
    """Each organization by itself: one that is down or refuses its key holds up its own endpoints only."""
    pairs = [(one, records.get(one.connection_id) or ConnectionRecord(one.endpoint.id.text)) for one in desired]
    families = _families_in_play(desired, records)
    keys = [key for key, _ in context.elastic.items() if key[1] in families]
    listings = await asyncio.gather(*(_read_organization(context, *key, pairs, result) for key in keys))
    return dict(zip(keys, listings, strict=True))


def _families_in_play(desired: list[Desired], records: dict[str, ConnectionRecord]) -> set[Family]:
    """Those of endpoints and records. No other is asked: the key may have no rights there, and needs none.

    Where there is no record the tables may be lost: a policy of deployments may be all that tells of an endpoint.
    """
    ended = {Phase.REMOVED, Phase.IGNORED}
    families = {one.service.family for one in desired}
    families |= {record.identity.family for record in records.values() if record.status.phase not in ended}
    if not records:
        return families | {Family.HOSTED}
    return families or {record.identity.family for record in records.values()}


async def _read_organization(
    context: Context, name: str, family: Family, pairs: list[tuple[Desired, ConnectionRecord]], result: SweepStats
) -> OrganizationListing:
    """Policies, then the targets that endpoints ask for, ours are associated with, or that ask for endpoints."""
    api, of = context.elastic.of(name, family), "" if name == DEFAULT else f" of organization {name}"
    what = "policies" if family is Family.HOSTED else "policies of projects"
    policies, refused = None, None
    try:
        policies = Listing(await api.policies())
    except AutopilotError as error:
        failed(result, f"{what}{of}", error)
        refused = error if isinstance(error, Blocked) and error.reason in KEY_REASONS else None
    matter: dict[str, None] = {}
    claims, in_use = False, False
    for wanted, record in pairs:
        here = (serving(wanted, record).organization, wanted.service.family) == (name, family)
        in_use = in_use or here
        if here:
            matter |= dict.fromkeys(targets_that_matter(wanted, policies or (), record))
        claims = claims or (here and wanted.claim)
        claims = claims or (record.elastic.claim is not None and organization_on_record(record) == name)
    asked = api.targets(matter, tag=CONNECT_TAG) if in_use else _none()
    targets = _listing(await _read(f"{family.noun}s{of}", asked, result))
    claimed = _listing(await _read(f"claims{of}", listed_claims(api), result) if claims else None)
    known = [one for _, one in pairs if (organization_on_record(one), one.identity.family) == (name, family)]
    memories, ours = (one.elastic.policy for one in known), context.options.installation.instance_id
    vanished = () if policies is None else all_vanished(policies, memories, ours, api.key_mark)
    offers = api.claims is not None
    return OrganizationListing(policies, targets, claimed, api.key_expires, offers, refused, vanished, api.key_mark)


def _listing(things: tuple[_T, ...] | None) -> Listing[_T] | None:
    return None if things is None else Listing(things)


async def _none() -> tuple[Target, ...]:
    """No endpoint is there that any of them could be for."""
    return ()


async def _read(what: str, reading: Awaitable[_T], result: SweepStats) -> _T | None:
    """What was read, or None when it could not be: one closed door does not hold up the rest."""
    try:
        return await reading
    except AutopilotError as error:
        failed(result, what, error)
        return None


def failed(result: SweepStats, what: str, error: AutopilotError) -> None:
    """Report what could not be read or sent."""
    result.throttled += isinstance(error, Throttled)
    if isinstance(error, Blocked) and error.reason in KEY_REASONS:
        result.keys_refused.append(what)
    result.errors.append(f"{what}: {error}")
    log.warning("sweep could not read %s: %s", what, error)
