"""An estate as a person makes it by Elastic's guide, without the app: zone, link, record, policy, association."""

from __future__ import annotations

from typing import Any

from local.elastic.model import Ruleset
from local.world import HUB_VNET, vnet_id
from tests.harness.estate import Estate

DNS_API = "2024-06-01"


async def zone_by_hand(estate: Estate, region: str, address: str, *vnets: str, group: str = "rg-dns") -> str:
    """A private DNS zone with links and the `*` record; returns its id."""
    prefix = f"/subscriptions/{vnet_id('eastus2').split('/')[2]}/resourceGroups/{group}"
    zone = f"{prefix}/providers/Microsoft.Network/privateDnsZones/{estate.service_of(region).zone}"
    await estate.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(60)
    for number, vnet in enumerate(vnets):
        body = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
        await estate.azure("PUT", f"{zone}/virtualNetworkLinks/by-hand-{number}", body, api=DNS_API)
        await estate.clock.sleep(60)
    record = {"properties": {"ttl": 3600, "aRecords": [{"ipv4Address": address}]}}
    await estate.azure("PUT", f"{zone}/A/*", record, api=DNS_API)
    return zone


def policy_by_hand(estate: Estate, endpoint: str, region: str, *deployments: str, name: str = "by hand") -> Ruleset:
    """A private connection policy for the endpoint, associated with deployments by their names."""
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    rule = {"azure_endpoint_name": found.name, "azure_endpoint_guid": found.resource_guid}
    ids = {deployment.name: deployment.id for deployment in estate.elastic.deployments()}
    return estate.elastic.add_endpoint_policy(name, region, [rule], *(ids[one] for one in deployments))


async def connection_by_hand(estate: Estate, name: str, region: str = "eastus2", **options: Any) -> str:
    """All of the guide for one endpoint; no event of it reaches the app."""
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint(name, region=region, **options)
    await estate.clock.sleep(60)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    vnet = found.subnet.id.rpartition("/subnets/")[0]
    await zone_by_hand(estate, region, str(found.address), vnet, HUB_VNET)
    policy_by_hand(estate, endpoint, region, f"logs-{region}")
    await estate.clock.sleep(600)
    estate.events.settings.drop = False
    return endpoint
