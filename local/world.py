"""All simulators put together, and what they start with. Used by `local.cli.stack` (served) and the fast tests.

The estate at the start: two virtual networks in each of three Azure regions, all peered with each other, and in every
region of Elastic Cloud Hosted one deployment without any policy (`search-<region>`) and one with an IP policy
(`logs-<region>`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import httpx

from local.arm import DEFAULT_SUBSCRIPTION, ArmCloud, ArmSettings
from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.elastic import ElasticCloud, ElasticSettings
from local.elastic.front import Front
from local.network import CertificateAuthority, Network, NetworkSettings
from shared.core.model.services import Family, Services
from shared.settings.services import shipped_services

API_KEY = "bG9jYWwtZWxhc3RpYy1jbG91ZC1hcGkta2V5"
SECOND_API_KEY = "c2Vjb25kLWxvY2FsLW9yZ2FuaXphdGlvbi1rZXk"
VNET_REGIONS = ("eastus2", "westeurope", "japaneast")
VNET_ROLES = ("apps", "hub")
NETWORK_API = "2024-05-01"


def vnet_id(region: str, role: str = "apps", subscription: str = DEFAULT_SUBSCRIPTION) -> str:
    """The id of a seeded virtual network."""
    group = f"/subscriptions/{subscription}/resourceGroups/rg-network-{region}"
    return f"{group}/providers/Microsoft.Network/virtualNetworks/vnet-{region}-{role}"


SEEDED = tuple(vnet_id(region, role) for region in VNET_REGIONS for role in VNET_ROLES)
"""Every network of the start, each peered with all others."""
HUB_VNET = vnet_id("eastus2", "hub")
"""The network that the function app is in unless a world is asked for another: its tests see the world from there."""
OWN_VNET = vnet_id("eastus2", "app")
"""A network for the function app alone: not there unless asked for, and then peered, routed and linked to none."""
_OWN_PREFIX = "10.8"


class World:
    """Azure, Elastic Cloud and the network between them."""

    def __init__(
        self,
        clock: LoopClock,
        *,
        arm_settings: ArmSettings | None = None,
        elastic_settings: ElasticSettings | None = None,
        check_token: Callable[[str], bool] | None = None,
        ca: CertificateAuthority | None = None,
        loopback_prefix: str = "127.77.0.0/16",
        seed: int = 0,
        second_organization: bool = False,
        services: Services | None = None,
        app_vnet: str = HUB_VNET,
        network_settings: NetworkSettings | None = None,
    ) -> None:
        """`services`: Elastic's services, where they are not those that come with the product.

        `app_vnet`: the network that the function app is in; one that is not seeded, as `OWN_VNET`, is made with no way
        to any other: peerings and `network.settings` give it some.
        """
        self.app_vnet = app_vnet
        self.services = services or shipped_services()
        hosted = self.services.of_family(Family.HOSTED)
        regions = frozenset(service.region for service in hosted)
        self.clock = clock
        self.arm = ArmCloud(clock, settings=arm_settings, check_token=check_token, random=Random(seed))
        self.elastic = ElasticCloud(
            clock,
            endpoints=self.arm,
            regions=regions,
            settings=elastic_settings,
            api_key=API_KEY,
            random=Random(seed),
        )
        self.second: ElasticCloud | None = None
        """Another organization of Elastic Cloud, behind the same address."""
        organizations = {API_KEY: self.elastic}
        if second_organization:
            self.second = ElasticCloud(
                clock, endpoints=self.arm, regions=regions, api_key=SECOND_API_KEY, random=Random(seed + 1)
            )
            organizations[SECOND_API_KEY] = self.second
        self.front = Front(organizations)
        self.network = Network(
            clock,
            arm=self.arm,
            elastic=self.front,
            ca=ca or CertificateAuthority(),
            zones=[service.zone for service in hosted],
            loopback_prefix=loopback_prefix,
            app_vnet_id=app_vnet,
            settings=network_settings,
        )

    async def seed(self, token: str = "local") -> None:
        """Make what an estate has before the first private endpoint."""
        async with self.azure(token) as azure:
            for region_number, region in enumerate(VNET_REGIONS):
                for role_number, role in enumerate(VNET_ROLES):
                    prefix = f"10.{10 * (region_number + 1) + role_number}"
                    vnet = vnet_id(region, role)
                    body = vnet_body(region, prefix, peers=[other for other in SEEDED if other != vnet])
                    answer = await azure.put(f"{vnet}?api-version={NETWORK_API}", json=body)
                    answer.raise_for_status()
            if self.app_vnet not in SEEDED:
                body = vnet_body("eastus2", _OWN_PREFIX)
                (await azure.put(f"{self.app_vnet}?api-version={NETWORK_API}", json=body)).raise_for_status()
        self.seed_deployments()

    def seed_deployments(self) -> None:
        """One deployment open to the internet and one with an IP policy, in every hosted region.

        A second organization has one with an IP policy too, of the same name as the first one's.
        """
        for service in self.services.of_family(Family.HOSTED):
            self.elastic.add_deployment(f"search-{service.region}", service.region)
            self.elastic.add_deployment(f"logs-{service.region}", service.region, ip_policy=True)
            if self.second is not None:
                self.second.add_deployment(f"logs-{service.region}", service.region, ip_policy=True)

    def azure(self, token: str = "local") -> httpx.AsyncClient:
        """A client that speaks ARM to this world in-process, as a user with `token` does."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=AsgiTransport(self.arm.app), base_url=self.arm.base_url, headers=headers)


def vnet_body(region: str, prefix: str, peers: Sequence[str] = ()) -> dict[str, Any]:
    """The PUT body of a virtual network with one subnet for endpoints; `prefix` is its first two numbers."""
    subnet = {"name": "endpoints", "properties": {"addressPrefix": f"{prefix}.1.0/24"}}
    space = {"addressPrefixes": [f"{prefix}.0.0/16"]}
    peerings = [
        {"name": f"to-{peer.rsplit('/', 1)[-1]}", "properties": {"remoteVirtualNetwork": {"id": peer}}}
        for peer in peers
    ]
    properties = {"addressSpace": space, "subnets": [subnet], "virtualNetworkPeerings": peerings}
    return {"location": region, "properties": properties}


def peering_body(remote: str) -> dict[str, Any]:
    """The PUT body of one side of a peering."""
    return {"properties": {"remoteVirtualNetwork": {"id": remote}, "allowVirtualNetworkAccess": True}}


def endpoint_body(region: str, vnet: str, alias: str, tags: dict[str, str] | None = None) -> dict[str, Any]:
    """The PUT body of a private endpoint that asks for the service behind `alias`."""
    connection = {
        "name": "elastic",
        "properties": {"privateLinkServiceId": alias, "requestMessage": "Private connection to Elastic Cloud"},
    }
    return {
        "location": region,
        "tags": tags or {},
        "properties": {
            "subnet": {"id": f"{vnet}/subnets/endpoints"},
            "manualPrivateLinkServiceConnections": [connection],
        },
    }
