"""Private DNS zones, virtual network links and the `*` record, read from ARM. Used through `private_dns`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.clouds.azure.arm import ArmClients
from shared.clouds.azure.errors import arm_errors, arm_read_errors
from shared.core.model.arm_ids import ArmId, parse_arm_id
from shared.core.model.errors import Forbidden, NotFound, NotVisibleYet
from shared.core.model.markers import marker_from_tags, record_marker
from shared.core.model.resources import Link, NamedRecords, WildcardRecord, Zone

WILDCARD = "*"
APEX = "@"
"""The zone's own name, which has its SOA."""


def zone_of(body: Mapping[str, Any]) -> Zone:
    """A zone from ARM's JSON, without links and record; `other_records` still counts the `*` record too."""
    sets = (body.get("properties") or {}).get("numberOfRecordSets")
    return Zone(
        id=parse_arm_id(body.get("id")),
        marker=marker_from_tags(body.get("tags")),
        other_records=max(0, sets - 1) if isinstance(sets, int) else None,  # one is the zone's own SOA
        etag=str(body.get("etag") or ""),
    )


def link_of(body: Mapping[str, Any]) -> Link:
    """A link from ARM's JSON."""
    properties = body.get("properties") or {}
    completed = str(properties.get("virtualNetworkLinkState") or "").lower() in {"completed", "done"}
    ended_badly = str(properties.get("provisioningState") or "").lower() in {"failed", "canceled"}
    return Link(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        vnet_id=str((properties.get("virtualNetwork") or {}).get("id") or ""),
        completed=completed,
        marker=marker_from_tags(body.get("tags")),
        etag=str(body.get("etag") or ""),
        failed=ended_badly and not completed,
    )


def record_of(body: Mapping[str, Any]) -> WildcardRecord:
    """The `*` record set from ARM's JSON."""
    properties = body.get("properties") or {}
    records = properties.get("aRecords") or []
    return WildcardRecord(
        addresses=tuple(str(record.get("ipv4Address")) for record in records),
        etag=str(body.get("etag") or ""),
        marker=record_marker(properties.get("metadata")),
    )


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
        self, names: Iterable[str], subscription_ids: Iterable[str], homes: Iterable[ArmId], counts: dict[str, int]
    ) -> tuple[Zone, ...]:
        wanted = {name.lower() for name in names}
        kept = tuple(homes)
        required = {home.subscription_id for home in kept} | {home.key for home in kept}
        listings = await asyncio.gather(
            *(self._visible_zones(s, wanted, counts, must=s in required) for s in dict.fromkeys(subscription_ids))
        )
        zones = [zone for listing in listings for zone in listing]
        filled = await asyncio.gather(*(self._listed(zone, must=zone.id.key in required) for zone in zones))
        return tuple(zone for zone in filled if zone is not None)

    async def zones_and_counts(
        self, names: Iterable[str], subscription_ids: Iterable[str], *, homes: Iterable[ArmId] = ()
    ) -> tuple[tuple[Zone, ...], dict[str, int]]:
        """As `zones_named`, and how many zones of any name there are in each subscription that may be listed."""
        counts: dict[str, int] = {}
        zones = await self._zones_named(names, subscription_ids, homes, counts)
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
            found = zone_of(answer.as_dict())
            filled = await self._filled(found)
        except NotFound:
            return None
        counted = found.other_records
        wildcard = filled.record is not None
        return replace(filled, other_records=None if counted is None else max(0, counted - wildcard))

    async def _listed(self, zone: Zone, *, must: bool) -> Zone | None:
        try:
            return await self._filled(zone)
        except Forbidden:
            if must:
                raise
            return None
        except NotFound as error:
            # Listed, but what is below it is not there: just made, or just being deleted.
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
                body, count = answer.as_dict(), count + 1
                if str(body.get("name") or "").lower() in wanted:
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
            return tuple([link_of(answer.as_dict()) async for answer in answers])

    async def _records(self, zone: ArmId) -> tuple[WildcardRecord | None, tuple[NamedRecords, ...]]:
        """The `*` A record set, and every other name that has records, out of one listing.

        A list that has no `*` is an answer, where a 404 could mean other things; and what else there is hides it.
        """
        client = await self.clients.dns(zone.subscription_id)
        record, names = None, dict[str, tuple[str, ...]]()
        with arm_read_errors("list the zone's records", zone.text):
            async for answer in client.record_sets.list(zone.resource_group, zone.name):
                body = answer.as_dict()
                name, of_type = str(body.get("name") or ""), str(body.get("id") or "").split("/")[-2:-1]
                if name == WILDCARD and of_type == ["A"]:
                    record = record_of(body)
                elif name != APEX:
                    addresses = record_of(body).addresses if of_type == ["A"] else ()
                    names[name.lower()] = names.get(name.lower(), ()) + addresses
        return record, tuple(NamedRecords(name, addresses) for name, addresses in sorted(names.items()))
