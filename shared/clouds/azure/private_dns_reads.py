"""Private DNS zones, virtual network links and the `*` record, read from ARM. Used through `private_dns`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from shared.clouds.azure.clients import ArmClients, arm_errors, arm_read_errors, body_of
from shared.core.model.arm_ids import ArmId, parse_arm_id
from shared.core.model.conditions import Explanation
from shared.core.model.errors import Blocked, Forbidden, InvalidInput, NotFound, NotVisibleYet, UnusableAnswer
from shared.core.model.json_values import entries, mapping, text, whole_number
from shared.core.model.markers import marker_from_tags, record_marker
from shared.core.model.reasons import Reason
from shared.core.model.resources import Link, NamedRecords, WildcardRecord, Zone
from shared.requests import SharedReads

log = logging.getLogger("privatelink")
WILDCARD = "*"
APEX = "@"
"""The zone's own name, which has its SOA."""
_UNSEEN = Zone(ArmId("", "", "", "", ""))
"""In place of a zone that may not be read."""


def zone_of(body: Mapping[str, Any]) -> Zone:
    """A zone from ARM's JSON, without links and record; `other_records` still counts the `*` record too.

    Raises InvalidInput when it has no id.
    """
    sets = whole_number(mapping(body.get("properties")).get("numberOfRecordSets"))
    return Zone(
        id=parse_arm_id(body.get("id")),
        marker=marker_from_tags(body.get("tags")),
        other_records=None if sets is None else max(0, sets - 1),  # one is the zone's own SOA
        etag=text(body.get("etag")),
    )


def link_of(body: Mapping[str, Any]) -> Link:
    """A link from ARM's JSON."""
    properties = mapping(body.get("properties"))
    completed = text(properties.get("virtualNetworkLinkState")).lower() in {"completed", "done"}
    ended_badly = text(properties.get("provisioningState")).lower() in {"failed", "canceled"}
    return Link(
        id=text(body.get("id")),
        name=text(body.get("name")),
        vnet_id=text(mapping(properties.get("virtualNetwork")).get("id")),
        completed=completed,
        marker=marker_from_tags(body.get("tags")),
        etag=text(body.get("etag")),
        failed=ended_badly and not completed,
    )


def record_of(body: Mapping[str, Any]) -> WildcardRecord:
    """The `*` record set from ARM's JSON; raises UnusableAnswer where its addresses cannot be read."""
    properties = mapping(body.get("properties"))
    addresses = _addresses(properties)
    if addresses is None or not properties:
        raise UnusableAnswer("Azure's answer about a record set could not be used.", on=text(body.get("id")))
    return WildcardRecord(
        addresses=addresses,
        etag=text(body.get("etag")),
        marker=record_marker(properties.get("metadata")),
    )


def _addresses(properties: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The addresses of an A record set, which may be empty; None where one of them cannot be read."""
    found = properties.get("aRecords")
    addresses = tuple(text(mapping(record).get("ipv4Address")) for record in entries(found))
    return addresses if isinstance(found, list | None) and all(addresses) else None


@dataclass(frozen=True, slots=True)
class ZoneList:
    """The zones of a subscription as one listing showed them, without links and records."""

    zones: tuple[Zone, ...]
    count: int
    """All of them, those too that have no id."""

    def with_zone(self, zone: Zone) -> ZoneList:
        """The same with one that was made since."""
        others = tuple(one for one in self.zones if one.id.key != zone.id.key)
        return ZoneList((*others, zone), self.count + 1 - (len(self.zones) - len(others)))


LIST_SECONDS = 5.0
"""How long a listing of a subscription's zones is shared, for each `LIST_PAGE` zones: the longer it is, the more it
costs. What is made meanwhile by others is met by the write that is refused because of it."""
LIST_PAGE = 100
OTHERS_SECONDS = 5.0
"""How long the content of a zone is shared that others made, and that many runs look into."""


_UNUSABLE = frozenset({Reason.SUBSCRIPTION_NOT_FOUND, Reason.SUBSCRIPTION_OF_ANOTHER_TENANT})
"""A subscription of which this is so has no zone that a network of ours could use, and takes none: the rest goes on."""


def _list_seconds(found: ZoneList) -> float:
    return LIST_SECONDS * (1 + found.count // LIST_PAGE)


class PrivateDnsReads:
    """Reads what DNS has."""

    def __init__(self, clients: ArmClients) -> None:
        self.clients = clients
        self.lists: SharedReads[str, ZoneList] = SharedReads()
        """By the lower-cased subscription."""
        self.others: SharedReads[str, Zone] = SharedReads()
        """By the zone's key."""
        self.unlisted: set[str] = set()
        """The lower-cased ids of the subscriptions that the app may not list, or cannot any more."""
        self.unseen: dict[str, Explanation] = {}
        """Why a subscription showed no zones when it was last listed, by its lower-cased id; see `_UNUSABLE`."""

    async def zones_named(
        self, names: Iterable[str], subscription_ids: Iterable[str], *, homes: Iterable[ArmId] = ()
    ) -> tuple[Zone, ...]:
        """Every zone of these names that the app can see in these subscriptions, with links and `*` record.

        A subscription or zone that the app may not read shows nothing, unless it is among the `homes`, where zones are
        made: a right that is missing elsewhere is no reason to stop.
        """
        return (await self.zones_and_counts(names, subscription_ids, homes=homes))[0]

    async def zones_and_counts(
        self,
        names: Iterable[str],
        subscription_ids: Iterable[str],
        *,
        homes: Iterable[ArmId] = (),
        partly: bool = False,
    ) -> tuple[tuple[Zone, ...], dict[str, int]]:
        """As `zones_named`, and how many zones of any name there are in each subscription that may be listed.

        `partly`: for who only looks, and writes nothing by it: a zone that cannot be read just now is left out.
        """
        homes = tuple(homes)
        zones, counts = await self.zones_listed(names, subscription_ids, homes=homes, anew=True)
        return await self.filled(zones, homes=homes, partly=partly), counts

    async def zones_listed(
        self,
        names: Iterable[str],
        subscription_ids: Iterable[str],
        *,
        homes: Iterable[ArmId] = (),
        anew: bool = False,
    ) -> tuple[tuple[Zone, ...], dict[str, int]]:
        """The same without links and records. Unless it is asked for `anew`, many runs share one listing."""
        wanted = {name.lower() for name in names}
        required = {home.subscription_id for home in homes}
        subscriptions = tuple(dict.fromkeys(subscription_ids))
        listings = await asyncio.gather(*(self._visible(s, must=s in required, anew=anew) for s in subscriptions))
        found = {s.lower(): one for s, one in zip(subscriptions, listings, strict=True) if one is not None}
        zones = (zone for one in found.values() for zone in one.zones if zone.name.lower() in wanted)
        return tuple(zones), {s: one.count for s, one in found.items()}

    async def filled(
        self, zones: Iterable[Zone], *, homes: Iterable[ArmId] = (), partly: bool = False
    ) -> tuple[Zone, ...]:
        """Zones that were listed, with links and records; those that the app may not read are left out."""
        required = {home.key for home in homes}
        found = await asyncio.gather(
            *(self._listed(zone, must=zone.id.key in required, partly=partly) for zone in zones)
        )
        return tuple(zone for zone in found if zone is not None)

    async def looked_into(self, zones: Iterable[Zone], *, homes: Iterable[ArmId] = ()) -> tuple[Zone, ...]:
        """The same for zones that others made, whose content many runs share for seconds."""
        kept = tuple(homes)

        async def look(zone: Zone) -> tuple[Zone, ...]:
            async def ask() -> Zone:
                return next(iter(await self.filled((zone,), homes=kept)), _UNSEEN)

            found = await self.others.get(zone.id.key, ask, lambda _: OTHERS_SECONDS)
            return () if found is _UNSEEN else (replace(found, marker=zone.marker, other_records=zone.other_records),)

        return tuple(zone for found in await asyncio.gather(*map(look, zones)) for zone in found)

    def unread_beside(self, zone: ArmId) -> int:
        """How many other zones of the name there are, by the last listing, whose content is not shared just now."""
        listed = self.lists.peek(zone.subscription_id.lower())
        names = [one.id for one in listed.zones if one.name.lower() == zone.name.lower()] if listed else []
        return sum(one.key != zone.key and self.others.peek(one.key) is None for one in names)

    async def zone(self, zone_id: ArmId) -> Zone | None:
        """A zone known by its id, with links and record but without its marker; None when it is gone."""
        zone = Zone(zone_id)
        try:
            return await self._filled(zone)
        except NotFound:
            return None

    async def one(self, resource: ArmId) -> Zone | Link | WildcardRecord | None:
        """A zone without what is in it, a link, or a `*` record, in one read; None when it is gone.

        The role that reads may list a zone's record sets, and not get one.
        """
        group, zone, path = resource.resource_group, resource.name, resource.children.split("/")
        try:
            if path[1:2] in (["A"], ["a"]):
                return (await self._records(parse_arm_id(resource.parent)))[0]
            client = await self.clients.dns(resource.subscription_id)
            with arm_read_errors("read what changed in private DNS", resource.text):
                if not resource.children:
                    return zone_of({"id": resource.text} | dict(body_of(await client.private_zones.get(group, zone))))
                return link_of(body_of(await client.virtual_network_links.get(group, zone, path[2])))
        except NotFound:
            return None

    async def whole_zone(self, zone_id: ArmId) -> Zone | None:
        """A zone known by its id with all of it, its marker and the number of other records too; None when gone."""
        client = await self.clients.dns(zone_id.subscription_id)
        try:
            with arm_read_errors("read the private DNS zone", zone_id.text):
                answer = await client.private_zones.get(zone_id.resource_group, zone_id.name)
            found = zone_of({"id": zone_id.text} | dict(body_of(answer)))
            filled = await self._filled(found)
        except NotFound:
            return None
        counted = found.other_records
        wildcard = filled.record is not None
        return replace(filled, other_records=None if counted is None else max(0, counted - wildcard))

    async def _listed(self, zone: Zone, *, must: bool, partly: bool) -> Zone | None:
        try:
            return await self._filled(zone)
        except UnusableAnswer as error:
            if not partly:
                raise
            log.warning("zone left out: %s", error)
            return None
        except Forbidden:
            if must:
                raise
            return None
        except NotFound as error:
            # Listed, but what is below it is not there: just made, or just being deleted.
            if partly:
                return None
            raise NotVisibleYet(error.what, on=error.on) from error

    async def _visible(self, subscription_id: str, *, must: bool, anew: bool) -> ZoneList | None:
        """The listing of a subscription; None where it may not be listed, and need not be."""
        ask = self.lists.anew if anew else self.lists.get
        key = subscription_id.lower()
        try:
            found = await ask(key, lambda: self._list(subscription_id), _list_seconds)
        except Blocked as error:
            if error.reason in _UNUSABLE:
                self.unseen[key] = error.explanation
            elif must or not isinstance(error, Forbidden):
                raise
            self.unlisted.add(key)
            return None
        self.unseen.pop(key, None)
        self.unlisted.discard(key)
        return found

    async def _list(self, subscription_id: str) -> ZoneList:
        client = await self.clients.dns(subscription_id)
        found, count = [], 0
        with arm_errors("list private DNS zones", f"/subscriptions/{subscription_id}"):
            async for answer in client.private_zones.list():
                count += 1
                with suppress(InvalidInput):  # without an id: what is made in its place Azure refuses, and says so
                    found.append(zone_of(body_of(answer)))
        return ZoneList(tuple(found), count)

    async def _filled(self, zone: Zone) -> Zone:
        links, (record, names) = await asyncio.gather(self._links(zone.id), self._records(zone.id))
        return replace(zone, links=links, record=record, names=names)

    async def _links(self, zone: ArmId) -> tuple[Link, ...]:
        client = await self.clients.dns(zone.subscription_id)
        with arm_read_errors("list the zone's virtual network links", zone.text):
            answers = client.virtual_network_links.list(zone.resource_group, zone.name)
            return tuple([link_of(body_of(answer)) async for answer in answers])

    async def _records(self, zone: ArmId) -> tuple[WildcardRecord | None, tuple[NamedRecords, ...]]:
        """The `*` A record set, and every other name that has records, out of one listing.

        A list that has no `*` is an answer, where a 404 could mean other things; and what else there is hides it.
        """
        client = await self.clients.dns(zone.subscription_id)
        record, names = None, dict[str, tuple[str, ...]]()
        with arm_read_errors("list the zone's records", zone.text):
            async for answer in client.record_sets.list(zone.resource_group, zone.name):
                body = body_of(answer)
                name, of_type = text(body.get("name")), text(body.get("id")).split("/")[-2:-1]
                if name == WILDCARD and of_type == ["A"]:
                    record = record_of(body)
                elif name != APEX:  # one without a name counts as a record of others
                    addresses = (_addresses(mapping(body.get("properties"))) or ()) if of_type == ["A"] else ()
                    names[name.lower()] = names.get(name.lower(), ()) + addresses
        return record, tuple(NamedRecords(name, addresses) for name, addresses in sorted(names.items()))
