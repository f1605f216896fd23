"""What the local world starts with, by name, and the bodies of what people make in it.

The estate at the start: two virtual networks in each of three Azure regions, all peered with each other; in every
region of Elastic Cloud Hosted one deployment without any policy (`search-<region>`) and one with an IP policy
(`logs-<region>`); in every region of Serverless a project of each type (`elasticsearch-<region>`, `security-<region>`
and, with an IP filter, `observability-<region>`). `local.simulators` makes it; commands and tests use the names. Only
Azure's simulator is imported here, so that commands start at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.arm.settings import DEFAULT_SUBSCRIPTION

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
OWN_PREFIX = "10.8"


VAULT_ID = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/local"
"""The key vault, as roles name it."""


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
