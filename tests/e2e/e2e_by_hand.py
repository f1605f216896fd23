"""An estate as a person makes it by Elastic's guide, over the wire, for the app to be switched on over it."""

from __future__ import annotations

from typing import Any

from e2e_instance import ALIASES, eventually

from local.cli.client import LocalClient
from local.world import HUB_VNET, endpoint_body, vnet_id

RULESETS = "/deployments/traffic-filter/rulesets"
PRIVATE_DNS = "Microsoft.Network/privateDnsZones"


async def connection_by_hand(client: LocalClient, name: str, region: str) -> str:
    """All steps of the guide for one endpoint, in its order; returns the endpoint's id."""
    group = f"/subscriptions/{client.endpoints['subscription_id']}/resourceGroups/rg-{name}/providers"
    endpoint, deployment = f"{group}/Microsoft.Network/privateEndpoints/{name}", await deployment_id(client, region)
    network = vnet_id("eastus2")
    body = endpoint_body("eastus2", network, ALIASES[region], {"elastic-deployments": f"logs-{region}"})
    await client.azure("PUT", endpoint, body)
    zone = zone_id(client, name, region)
    await client.azure("PUT", zone, {"location": "global", "tags": {"owner": "another-team"}})
    for number, vnet in enumerate((network, HUB_VNET)):
        link = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
        await client.azure("PUT", f"{zone}/virtualNetworkLinks/by-hand-{number}", link)
    found = await client.azure("GET", endpoint)
    nic = await client.azure("GET", found["properties"]["networkInterfaces"][0]["id"])
    address = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    record = {"properties": {"ttl": 3600, "aRecords": [{"ipv4Address": address}]}}
    await client.azure("PUT", f"{zone}/A/*", record)
    policy = await policy_by_hand(client, found, region)
    await eventually(lambda: client.azure("GET", endpoint), lambda answer: status_of(answer) == "Approved")
    await client.elastic("POST", f"{RULESETS}/{policy}/associations", {"id": deployment, "entity_type": "deployment"})
    return endpoint


async def policy_by_hand(client: LocalClient, endpoint: dict[str, Any], region: str) -> str:
    """A private connection policy for an endpoint, as the console makes it; returns its id."""
    guid = endpoint["properties"]["resourceGuid"]
    body = {
        "name": f"by hand: {endpoint['name']}",
        "type": "azure_private_endpoint",
        "region": f"azure-{region}",
        "include_by_default": False,
        "rules": [{"azure_endpoint_name": endpoint["name"], "azure_endpoint_guid": guid}],
    }
    return str((await client.elastic("POST", RULESETS, body))["id"])


def status_of(endpoint: dict[str, Any]) -> str:
    """The state of an endpoint's connection."""
    asked = endpoint["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    return str(asked["privateLinkServiceConnectionState"]["status"])


async def deployment_id(client: LocalClient, region: str) -> str:
    """Of the region's deployment that has an IP policy."""
    listed = (await client.elastic("GET", "/deployments"))["deployments"]
    return next(str(one["id"]) for one in listed if one["name"] == f"logs-{region}")


def zone_id(client: LocalClient, name: str, region: str) -> str:
    """Of the region's zone in the endpoint's own resource group."""
    group = f"/subscriptions/{client.endpoints['subscription_id']}/resourceGroups/rg-{name}/providers"
    return f"{group}/{PRIVATE_DNS}/privatelink.{region}.azure.elastic-cloud.com"


async def everything_of(client: LocalClient, name: str, region: str) -> dict[str, Any]:
    """What the clouds have of a connection, in full, etags and all: to be compared with what they have later."""
    zone = zone_id(client, name, region)
    rulesets = (await client.elastic("GET", f"{RULESETS}?include_associations=true"))["rulesets"]
    return {
        "zone": await client.azure("GET", zone),
        "links": await client.azure("GET", f"{zone}/virtualNetworkLinks"),
        "records": await client.azure("GET", f"{zone}/ALL"),
        "policies": [one for one in rulesets if one["region"] == f"azure-{region}"],
    }
