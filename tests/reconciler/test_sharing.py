"""Several endpoints, networks and subscriptions: who shares a zone, a link and a record, and who must not."""

from __future__ import annotations

import asyncio

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import HUB_VNET, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.planning.dns_record import MAX_RECORDS
from tests.harness.estate import Estate

SUBSCRIPTIONS = tuple(f"00000000-0000-0000-0000-0000000000{number:02}" for number in range(2, 5))
HUB_GROUP = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-dns-hub"


def zones(estate: Estate) -> list[str]:
    return sorted(zone.id.partition("/resourceGroups/")[2].split("/")[0] for zone in estate.arm.private_dns_zones())


async def test_endpoints_of_one_region_in_different_networks_get_a_zone_each() -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": ""}).open()
    endpoints = [
        await estate.put_endpoint(f"pe-{place}", location=place, vnet=vnet_id(place), group=f"rg-{place}")
        for place in ("eastus2", "westeurope", "japaneast")
    ]
    await estate.settle()
    found = [await estate.connection(endpoint) for endpoint in endpoints]
    assert [connection.dns.zone is not None for connection in found] == [True] * 3
    assert zones(estate) == ["rg-eastus2", "rg-japaneast", "rg-westeurope"]
    for connection in found:
        assert connection.dns.record_addresses == (connection.identity.address,), "never another network's address"
    assert len({policy.id for endpoint in endpoints for policy in estate.policies_of(endpoint)}) == 3


async def test_endpoints_of_several_regions_in_one_network_each_have_their_zone_and_policy(estate: Estate) -> None:
    regions = ("eastus2", "westeurope", "uksouth", "brazilsouth")
    endpoints = [
        await estate.put_endpoint(f"pe-{region}", region=region, location="eastus2", vnet=vnet_id("eastus2"))
        for region in regions
    ]
    await estate.settle()
    for endpoint, region in zip(endpoints, regions, strict=True):
        connection = await estate.ready(endpoint)
        assert estate.zone(region).a_record("*") == [connection.identity.address]
        assert {link.vnet.id for link in estate.links_of(estate.zone(region))} == {vnet_id("eastus2"), HUB_VNET}


async def test_endpoints_of_many_subscriptions_have_their_zones_in_a_hub_of_another_subscription() -> None:
    settings = {"AZURE_SUBSCRIPTIONS": ",".join(SUBSCRIPTIONS), "DNS_ZONE_RESOURCE_GROUPS": HUB_GROUP}
    estate = await Estate(settings=settings).open()
    estate.arm_settings.subscriptions = (DEFAULT_SUBSCRIPTION, *SUBSCRIPTIONS)
    endpoints = []
    for number, (subscription, region) in enumerate(zip(SUBSCRIPTIONS, ("eastus2", "uksouth", "westus2"), strict=True)):
        vnet = vnet_id("eastus2").replace(DEFAULT_SUBSCRIPTION, subscription)
        endpoints.append(await estate.put_endpoint_in(subscription, region, vnet, f"10.{120 + number}"))
    await estate.settle()
    for endpoint in endpoints:
        connection = await estate.ready(endpoint)
        assert connection.dns.zone is not None
        assert connection.dns.zone.id.startswith(HUB_GROUP)
    assert set(zones(estate)) == {"rg-dns-hub"}
    estate.worker = estate.new_worker()
    assert (await estate.sweep()).enqueued == 0


async def test_in_one_group_a_second_network_of_a_region_is_blocked_and_told_how_it_gets_its_own_zone() -> None:
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": HUB_GROUP}).open()
    first = await estate.put_endpoint("pe-1")
    await estate.settle()
    second = await estate.put_endpoint("pe-2", location="westeurope", vnet=vnet_id("westeurope"))
    await estate.settle()
    connection = await estate.ready(first)
    assert estate.zone().a_record("*") == [connection.identity.address]
    condition = (await estate.connection(second)).condition("ZoneReady")
    assert condition is not None
    assert condition.reason == "NoPlaceForZone"
    assert first in condition.message
    assert "Add a resource group to DNS_ZONE_RESOURCE_GROUPS" in condition.next_step
    prefix = HUB_GROUP.replace("rg-dns-hub", "rg-own")
    zone = f"{prefix}/providers/Microsoft.Network/privateDnsZones/{estate.zone().name}"
    await estate.azure("PUT", zone, {"location": "global"}, api="2024-06-01")
    await estate.clock.sleep(60)
    link = {"location": "global", "properties": {"virtualNetwork": {"id": vnet_id("westeurope")}}}
    await estate.azure("PUT", f"{zone}/virtualNetworkLinks/own", link, api="2024-06-01")
    await estate.clock.sleep(3700)
    await estate.sweep()
    await estate.settle()
    followed = await estate.connection(second)
    assert followed.dns.zone is not None
    assert followed.dns.zone.id.lower() == zone.lower(), "what the next step said is what helps"
    assert followed.dns.record_addresses == (followed.identity.address,)


async def test_union_holds_as_many_as_azure_allows_and_the_next_one_waits_for_a_place() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    endpoints = [await estate.put_endpoint(f"pe-{number:02}", tags={}) for number in range(MAX_RECORDS + 1)]
    await estate.settle()
    reasons = [await estate.reason(endpoint, "RecordReady") for endpoint in endpoints]
    assert reasons.count("RecordFull") == 1
    assert len(estate.zone().a_record("*") or []) == MAX_RECORDS
    left_out = endpoints[reasons.index("RecordFull")]
    metadata = estate.zone().record_sets["A", "*"].metadata
    assert len(metadata) == 15, "as many as Azure allows: some endpoints share an entry, without their ids"
    gone = next(one for one in endpoints if f"elastic-privatelink-holder-{connection_id(one)}" not in metadata)
    assert gone != left_out
    await estate.delete(gone)
    await estate.settle(60)
    await estate.clock.sleep(700)
    await estate.settle()
    await estate.clock.sleep(3600)
    await estate.sweep()
    await estate.settle()
    await estate.ready(left_out)
    assert len(estate.zone().a_record("*") or []) == MAX_RECORDS


async def test_union_two_workers_at_once_lose_neither_address() -> None:
    """Both read the record before either writes it: the later one is refused (412), reads again, and adds its own."""
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    first = await estate.put_endpoint("pe-1", tags={})
    await estate.settle()
    estate.events.settings.drop = True
    others = [await estate.put_endpoint(f"pe-{number}", tags={}) for number in (2, 3)]
    await estate.clock.sleep(60)
    for endpoint in others:
        await estate.send(endpoint)
    messages = [estate.queue.receive(), estate.queue.receive()]
    await asyncio.gather(*(estate.handle(message, estate.new_worker()) for message in messages))
    await estate.settle()
    addresses = {(await estate.ready(endpoint)).identity.address for endpoint in (first, *others)}
    assert set(estate.zone().a_record("*") or []) == addresses
    assert len(addresses) == 3
