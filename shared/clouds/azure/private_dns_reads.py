"""Private DNS zones, virtual network links and the `*` record, read from ARM. Used through `private_dns`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from shared.clouds.azure.arm import ArmClients, body_of
from shared.clouds.azure.errors import arm_errors, arm_read_errors
from shared.core.model.arm_ids import ArmId, parse_arm_id
from shared.core.model.errors import Forbidden, InvalidInput, NotFound, NotVisibleYet, UnusableAnswer
from shared.core.model.json_values import entries, mapping, text, whole_number
from shared.core.model.markers import marker_from_tags, record_marker
from shared.core.model.resources import Link, NamedRecords, WildcardRecord, Zone

log = logging.getLogger("privatelink")
WILDCARD = "*"
APEX = "@"
"""The zone's own name, which has its SOA."""


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


class PrivateDnsReads:
    """Reads what DNS has."""

    def __init__(self, clients: ArmClients) -> None:
        self.clients = clients

    async def zones_named(
        self, names: Iterable[str], subscription_ids: Iterable[str], *, homes: Iterable[ArmId] = ()
    ) -> tuple[Zone, ...]:
        """Every zone of these names that the app can see in these subscriptions, with links and `*` record.

        A subscription or zone that the app may not read shows nothing, unless it is among the `homes`, where zones are
        made: a right that is missing elsewhere is no reason to stop.
        """
        return await self._zones_named(names, subscription_ids, homes, {})

    async def _zones_named(
        self,
        names: Iterable[str],
        subscription_ids: Iterable[str],
        homes: Iterable[ArmId],
        counts: dict[str, int],
        *,
        partly: bool = False,
    ) -> tuple[Zone, ...]:
        wanted = {name.lower() for name in names}
        kept = tuple(homes)
        required = {home.subscription_id for home in kept} | {home.key for home in kept}
        listings = await asyncio.gather(
            *(self._visible_zones(s, wanted, counts, must=s in required) for s in dict.fromkeys(subscription_ids))
        )
        zones = [zone for listing in listings for zone in listing]
        filled = await asyncio.gather(
            *(self._listed(zone, must=zone.id.key in required, partly=partly) for zone in zones)
        )
        return tuple(zone for zone in filled if zone is not None)

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
        counts: dict[str, int] = {}
        zones = await self._zones_named(names, subscription_ids, homes, counts, partly=partly)
        return zones, counts

    async def zone(self, zone_id: ArmId) -> Zone | None:
        """A zone known by its id, with links and record but without its marker; None when it is gone."""
        zone = Zone(zone_id)
        try:
            return await self._filled(zone)
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

    async def _visible_zones(
        self, subscription_id: str, wanted: set[str], counts: dict[str, int], *, must: bool
    ) -> list[Zone]:
        try:
            return await self._zones(subscription_id, wanted, counts)
        except Forbidden:
            if must:
                raise
            return []

    async def _zones(self, subscription_id: str, wanted: set[str], counts: dict[str, int]) -> list[Zone]:
        client = await self.clients.dns(subscription_id)
        found, count = [], 0
        with arm_errors("list private DNS zones", f"/subscriptions/{subscription_id}"):
            async for answer in client.private_zones.list():
                body, count = body_of(answer), count + 1
                if text(body.get("name")).lower() in wanted:
                    with suppress(InvalidInput):  # without an id: what is made in its place Azure refuses, and says so
                        found.append(zone_of(body))
        counts[subscription_id.lower()] = count
        return found

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
