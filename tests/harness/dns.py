"""Zones, links and records that other people made, and what became of the app's. Used by the tests of the DNS rules."""

from __future__ import annotations

from typing import Any

from local.arm import DEFAULT_SUBSCRIPTION, PrivateDnsZone
from local.world import vnet_id
from shared.core.model.services import zone_name
from tests.harness.estate import Estate
from tests.harness.projects import CHOSEN

DNS_API = "2024-06-01"
ZONE = "privatelink.eastus2.azure.elastic-cloud.com"
APPS = vnet_id("eastus2")
OTHER_SUBSCRIPTION = "00000000-0000-0000-0000-000000000002"


def zone_id(group: str, subscription: str = DEFAULT_SUBSCRIPTION) -> str:
    """A zone of the family of the test's estates."""
    zones = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones"
    return f"{zones}/{zone_name(CHOSEN['family'], 'eastus2')}"


async def a_zone_of_others(estate: Estate, zone: str, *vnets: str, address: str | None = None) -> PrivateDnsZone:
    """A zone with links and perhaps a record, made by a person."""
    await estate.azure("PUT", zone, {"location": "global", "tags": {"owner": "network team"}}, api=DNS_API)
    await estate.clock.sleep(10)
    for number, vnet in enumerate(vnets):
        body = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
        await estate.azure("PUT", f"{zone}/virtualNetworkLinks/link-{number}", body, api=DNS_API)
    if address:
        records = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}}
        await estate.azure("PUT", f"{zone}/A/*", records, api=DNS_API)
    await estate.clock.sleep(10)
    return next(known for known in estate.arm.private_dns_zones() if known.id == zone)


async def an_unheard_endpoint(estate: Estate, name: str = "pe-1", **options: Any) -> str:
    """An endpoint with its address, whose events were lost."""
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint(name, **options)
    await estate.clock.sleep(10)
    estate.events.settings.drop = False
    return endpoint


async def bring(estate: Estate, endpoint: str) -> None:
    await estate.send(endpoint)
    await estate.settle()


def address_of(estate: Estate, endpoint: str) -> str:
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert found.address is not None
    return found.address


def linked(estate: Estate, zone: PrivateDnsZone) -> list[str]:
    return sorted(link.vnet.id for link in estate.links_of(zone))


def record_etag(zone: PrivateDnsZone) -> str:
    return zone.record_sets["A", "*"].etag
