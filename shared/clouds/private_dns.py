"""Private DNS zones, virtual network links and the `*` record, in ARM. Used by `observe`, `apply` and the sweep.

Every write is conditional: zones and links only if absent, records only if absent or unchanged since they were read.
Record sets are given a bare ETag, as recordings of the live service show it; the SDK's own parameter would quote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from shared.clouds.arm_errors import arm_errors, arm_read_errors
from shared.clouds.azure import ArmClients
from shared.core.arm_ids import ArmId, parse_arm_id
from shared.core.errors import Forbidden, LostRace, NotFound, NotVisibleYet, RetryLater, Waiting
from shared.core.markers import marker_from_tags, record_marker
from shared.core.model import Link, WildcardRecord, Zone
from shared.core.steps import CreateLink, CreateZone, PutWildcardRecord

WILDCARD = "*"


class PrivateDns:
    """Reads and makes what DNS needs."""

    def __init__(self, clients: ArmClients) -> None:
        self._clients = clients

    # -- reading ---------------------------------------------------------------------------------------------------

    async def zones_named(
        self, names: Iterable[str], subscription_ids: Iterable[str], *, homes: Iterable[ArmId] = ()
    ) -> tuple[Zone, ...]:
        """Every zone of these names that the app can see in these subscriptions, with links and `*` record.

        A subscription or zone that the app may not read shows nothing, unless it is among the `homes`, where zones are
        made: somebody else's closed door is no reason to stop.
        """
        wanted = {name.lower() for name in names}
        kept = tuple(homes)
        required = {home.subscription_id for home in kept} | {home.key for home in kept}
        listings = await asyncio.gather(
            *(self._visible_zones(s, wanted, must=s in required) for s in dict.fromkeys(subscription_ids))
        )
        zones = [zone for listing in listings for zone in listing]
        filled = await asyncio.gather(*(self._listed(zone, must=zone.id.key in required) for zone in zones))
        return tuple(zone for zone in filled if zone is not None)

    async def zone(self, zone_id: ArmId) -> Zone | None:
        """A zone known by its id, with links and record but without its marker; None when it is gone."""
        zone = Zone(zone_id)
        try:
            return await self._filled(zone)
        except NotFound:
            return None

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

    async def _visible_zones(self, subscription_id: str, wanted: set[str], *, must: bool) -> list[Zone]:
        try:
            return await self._zones(subscription_id, wanted)
        except Forbidden:
            if must:
                raise
            return []

    async def _zones(self, subscription_id: str, wanted: set[str]) -> list[Zone]:
        client = await self._clients.dns(subscription_id)
        found = []
        with arm_errors("list private DNS zones", f"/subscriptions/{subscription_id}"):
            async for answer in client.private_zones.list():
                body = answer.as_dict()
                if str(body.get("name") or "").lower() in wanted:
                    found.append(Zone(parse_arm_id(body.get("id")), marker_from_tags(body.get("tags"))))
        return found

    async def _filled(self, zone: Zone) -> Zone:
        links, record = await asyncio.gather(self._links(zone.id), self._record(zone.id))
        return Zone(zone.id, zone.marker, links, record)

    async def _links(self, zone: ArmId) -> tuple[Link, ...]:
        client = await self._clients.dns(zone.subscription_id)
        with arm_read_errors("list the zone's virtual network links", zone.text):
            answers = client.virtual_network_links.list(zone.resource_group, zone.name)
            return tuple([link_of(answer.as_dict()) async for answer in answers])

    async def _record(self, zone: ArmId) -> WildcardRecord | None:
        client = await self._clients.dns(zone.subscription_id)
        try:
            with arm_read_errors("read the zone's * record", zone.text):
                answer = await client.record_sets.get(zone.resource_group, zone.name, "A", WILDCARD)
        except NotFound:
            # A missing zone answers the same way; the listing of its links, read beside this, tells them apart.
            return None
        return record_of(answer.as_dict())

    # -- writing ---------------------------------------------------------------------------------------------------

    async def create_zone(self, step: CreateZone) -> Zone:
        """Make the zone. Raises NotVisibleYet when it exists unseen, Waiting when it takes long."""
        zone = step.zone
        client = await self._clients.dns(zone.subscription_id)
        body = _models().PrivateZone({"location": "global", "tags": step.marker.tags()})
        await self._operation(
            "create the private DNS zone",
            zone.text,
            lambda: client.private_zones.begin_create_or_update(
                zone.resource_group, zone.name, body, headers=dict(_IF_ABSENT)
            ),
        )
        return Zone(zone, step.marker)

    async def create_link(self, step: CreateLink) -> Link:
        """Link a network. Raises NotVisibleYet, Waiting, or Blocked when another zone of the name serves it."""
        zone = step.zone
        client = await self._clients.dns(zone.subscription_id)
        properties = {"virtualNetwork": {"id": step.vnet_id}, "registrationEnabled": False}
        body = _models().VirtualNetworkLink(
            {"location": "global", "tags": step.marker.tags(), "properties": properties}
        )
        answer = await self._operation(
            "link the private DNS zone",
            f"{zone.text} to {step.vnet_id}",
            lambda: client.virtual_network_links.begin_create_or_update(
                zone.resource_group, zone.name, step.name, body, headers=dict(_IF_ABSENT)
            ),
        )
        return link_of(answer.as_dict())

    async def put_record(self, step: PutWildcardRecord) -> WildcardRecord:
        """Write the `*` record; raises LostRace when it is not as it was read."""
        zone = step.zone
        client = await self._clients.dns(zone.subscription_id)
        addresses = [{"ipv4Address": address} for address in step.addresses]
        properties = {"ttl": step.ttl, "aRecords": addresses, "metadata": step.marker.metadata()}
        body = _models().RecordSet({"properties": properties})
        condition = dict(_IF_ABSENT) if step.etag is None else {"If-Match": step.etag}
        if step.etag == "":
            raise RetryLater(
                "Azure answered the * record without an ETag; it is not overwritten blindly.", on=zone.text
            )
        doing = "write the zone's * record"
        with _made_but_unseen(doing, zone.text), arm_errors(doing, zone.text):
            answer = await client.record_sets.create_or_update(
                zone.resource_group, zone.name, "A", WILDCARD, body, headers=condition
            )
        return record_of(answer.as_dict())

    async def _operation(self, doing: str, on: str, begin: Callable[[], Awaitable[Any]]) -> Any:
        wait = self._clients.options.operation_wait
        with _there_but_unseen(doing, on), _made_but_unseen(doing, on), arm_errors(doing, on):
            poller = await begin()
            try:
                async with asyncio.timeout(wait):
                    return await poller.result()
            except TimeoutError:
                message = f"Azure is still busy to {doing}; it was given {wait:.0f} s in this run."
                raise Waiting(message, on=on) from None


@contextmanager
def _made_but_unseen(doing: str, on: str) -> Iterator[None]:
    """A write that answers "not found" writes below, or reads back, what was made a moment ago: it will be seen."""
    try:
        yield
    except NotFound as error:
        raise NotVisibleYet(f"Azure does not show yet what was just made when asked to {doing}.", on=on) from error


@contextmanager
def _there_but_unseen(doing: str, on: str) -> Iterator[None]:
    """A create-only write that is refused because the thing exists: it was not in the listing, and will be."""
    try:
        yield
    except LostRace as error:
        message = f"It exists already, though Azure did not show it, when asked to {doing}."
        raise NotVisibleYet(message, on=on, after=error.after) from error


def _models() -> ModuleType:
    from azure.mgmt.privatedns import models  # noqa: PLC0415 - the SDK is imported when first used

    return models


_IF_ABSENT: Mapping[str, str] = {"If-None-Match": "*"}


def link_of(body: Mapping[str, Any]) -> Link:
    """A link from ARM's JSON."""
    properties = body.get("properties") or {}
    state = str(properties.get("virtualNetworkLinkState") or "")
    return Link(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        vnet_id=str((properties.get("virtualNetwork") or {}).get("id") or ""),
        completed=state.lower() in {"completed", "done"},
        marker=marker_from_tags(body.get("tags")),
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
