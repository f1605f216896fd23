"""What tests of the network do to Azure and Elastic, in a word each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from local.arm import ArmCloud, PrivateEndpoint
    from local.elastic import Deployment, ElasticCloud
    from local.network import Network

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network"
ZONE = "privatelink.eastus2.azure.elastic-cloud.com"
ALIASES = {
    "eastus2": "eastus2-prod-002-privatelink-service."
    "64359fdd-7893-4215-9929-ece3287e1371.eastus2.azure.privatelinkservice",
    "uksouth": "uksouth-prod-007-privatelink-service."
    "98758729-06f7-438d-baaa-0cb63e737cdf.uksouth.azure.privatelinkservice",
}


PROJECTS = "private.eastus2.azure.elastic.cloud"
"""The zone of projects, and the alias that leads to them."""
TO_PROJECTS = (
    "eastus2-prod-privatelink-serverless.46552e7f-8404-48e2-8c79-66801ef74a76.eastus2.azure.privatelinkservice"
)


@dataclass
class Clouds:
    arm: ArmCloud
    elastic: ElasticCloud
    network: Network
    client: httpx.AsyncClient

    async def put(self, path: str, version: str, body: dict[str, Any]) -> None:
        response = await self.client.put(f"{GROUP}/{path}", params={"api-version": version}, json=body)
        assert response.is_success, response.text
        # Operations end in the loop's next rounds, although they take no time.
        await asyncio.sleep(0.01)

    async def delete(self, path: str, version: str) -> None:
        response = await self.client.delete(f"{GROUP}/{path}", params={"api-version": version})
        assert response.is_success, response.text
        await asyncio.sleep(0.01)

    async def vnet(self, name: str, dns_servers: list[str] | None = None, *, prefix: str = "10.1") -> str:
        properties = {
            "addressSpace": {"addressPrefixes": [f"{prefix}.0.0/16"]},
            "subnets": [{"name": "pe", "properties": {"addressPrefix": f"{prefix}.0.0/24"}}],
            "dhcpOptions": {"dnsServers": dns_servers or []},
        }
        await self.put(f"virtualNetworks/{name}", "2024-05-01", {"location": "eastus2", "properties": properties})
        return f"{GROUP}/virtualNetworks/{name}"

    async def peer(self, one: str, other: str) -> None:
        """One side of a peering."""
        body = {"properties": {"remoteVirtualNetwork": {"id": other}}}
        name = f"virtualNetworks/{one.rsplit('/', 1)[-1]}/virtualNetworkPeerings/to-{other.rsplit('/', 1)[-1]}"
        await self.put(name, "2024-05-01", body)

    async def link(self, name: str, vnet: str) -> None:
        """Link the zone to a further network."""
        body = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
        await self.put(f"privateDnsZones/{ZONE}/virtualNetworkLinks/{name}", "2024-06-01", body)

    async def endpoint(self, name: str, vnet: str, region: str = "eastus2", *, alias: str = "") -> PrivateEndpoint:
        asked = {"privateLinkServiceId": alias or ALIASES[region], "requestMessage": "please"}
        connection = {"name": "c", "properties": asked}
        properties = {"subnet": {"id": f"{vnet}/subnets/pe"}, "manualPrivateLinkServiceConnections": [connection]}
        await self.put(f"privateEndpoints/{name}", "2024-05-01", {"location": "eastus2", "properties": properties})
        made = self.arm.private_endpoint(f"{GROUP}/privateEndpoints/{name}")
        assert made is not None
        return made

    async def zone(self, vnet: str, records: dict[str, list[str]], name: str = ZONE) -> None:
        await self.put(f"privateDnsZones/{name}", "2024-06-01", {"location": "global"})
        link = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
        await self.put(f"privateDnsZones/{name}/virtualNetworkLinks/l", "2024-06-01", link)
        for label, addresses in records.items():
            await self.record(label, addresses, name)

    async def record(self, label: str, addresses: list[str], zone: str = ZONE) -> None:
        body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address} for address in addresses]}}
        await self.put(f"privateDnsZones/{zone}/A/{label}", "2024-06-01", body)

    async def connected(self, name: str, vnet: str) -> tuple[PrivateEndpoint, Deployment]:
        """An approved endpoint whose policy is associated with a deployment."""
        endpoint = await self.endpoint(name, vnet)
        self.arm.set_connection(endpoint.id, "Approved")
        deployment = self.elastic.add_deployment("search", "eastus2", alias=f"search-{name}")
        rule = {"azure_endpoint_name": endpoint.name, "azure_endpoint_guid": endpoint.resource_guid}
        self.elastic.add_endpoint_policy(name, "eastus2", [rule], deployment.id)
        return endpoint, deployment
