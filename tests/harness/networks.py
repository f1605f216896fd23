"""Several networks with private endpoints, with or without a hub that answers for them. Used by the network tests.

What is judged is asked of the local network: what a client in each network gets for a private name. It shares no code
with the product.
"""

from __future__ import annotations

from dataclasses import dataclass

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import NETWORK_API, OWN_VNET, vnet_body
from tests.harness.estate import Estate

RESOLVER = "10.200.0.4"


def network_id(name: str) -> str:
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-{name}"
    return f"{group}/providers/Microsoft.Network/virtualNetworks/vnet-{name}"


HUB = network_id("hub")


@dataclass(frozen=True)
class Spoke:
    """A network and its endpoints, by region."""

    name: str
    endpoints: dict[str, str]

    @property
    def vnet(self) -> str:
        return network_id(self.name)


async def add_network(estate: Estate, name: str, prefix: str, *, servers: tuple[str, ...] = ()) -> str:
    """Make a network that is peered with none."""
    body = vnet_body("eastus2", prefix)
    if servers:
        body["properties"]["dhcpOptions"] = {"dnsServers": list(servers)}
    await estate.azure("PUT", network_id(name), body, api=NETWORK_API)
    return network_id(name)


async def add_hub(estate: Estate) -> str:
    """A hub with a resolver at `RESOLVER`."""
    return await add_network(estate, "hub", "10.200")


async def add_spoke(
    estate: Estate, name: str, number: int, regions: tuple[str, ...], *, servers: tuple[str, ...] = (), group: str = ""
) -> Spoke:
    """A network of its own with an endpoint for each region; `group`: where they are, else a group of its own."""
    vnet = await add_network(estate, name, f"10.{100 + number}", servers=servers)
    if servers:
        await estate.peer(vnet, HUB, connected=True)
    endpoints = {
        region: await estate.put_endpoint(f"pe-{name}-{region}", region=region, vnet=vnet, group=group or f"rg-{name}")
        for region in regions
    }
    return Spoke(name, endpoints)


async def three_networks(estate: Estate, regions: tuple[str, ...], *, servers: tuple[str, ...] = ()) -> list[Spoke]:
    """One is peered with the app's network, one is routed to it without a peering, one is neither."""
    names = ("peered", "routed", "apart")
    spokes = [await add_spoke(estate, name, number, regions, servers=servers) for number, name in enumerate(names)]
    await estate.peer(OWN_VNET, network_id("peered"), connected=True)
    estate.network.settings.routed = [[OWN_VNET, network_id("routed")]]
    return spokes


def answers(estate: Estate, vnet: str, region: str) -> tuple[str, ...]:
    """What a client in the network gets for a private name of the region."""
    return estate.network.resolve(vnet, f"any.es.privatelink.{region}.azure.elastic-cloud.com").addresses


async def expect_ready_only_where_clients_get_the_address(estate: Estate) -> None:
    """Of every endpoint, whose clients are asked themselves; with `union` their own is among the addresses."""
    for endpoint in estate.arm.private_endpoints():
        record = await estate.connection(endpoint.id)
        if record.status.phase != "Ready":
            continue
        resolution = record.dns.resolution
        assert resolution is not None
        if resolution.unknown:
            continue
        found = answers(estate, endpoint.vnet_id, record.identity.region)
        assert endpoint.address in found, f"{endpoint.id} is Ready, and its clients get {found}"
