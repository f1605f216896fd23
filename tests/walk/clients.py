"""What an endpoint's clients get for its names, asked of the local network itself. Used by `causes`, `ending`, `watch`.

It shares no code with the product: which networks answer is told from their name servers and address spaces, and what
they answer is what a client in the endpoint's network is told there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

from local.arm.model import PrivateDnsZone, VirtualNetwork
from tests.walk.scene import Place, Scene

AZURE = "168.63.129.16"
"""Azure's own name server: it answers as the network that asks."""


def network(scene: Scene, vnet_id: str) -> VirtualNetwork:
    """One virtual network."""
    found = scene.estate.arm.virtual_network(vnet_id)
    assert found is not None, vnet_id
    return found


def answering(scene: Scene, place: Place) -> dict[str, str]:
    """By each name server that is known, the network that it answers for; where none is known, the endpoint's own."""
    servers = network(scene, place.vnet).dns_servers
    if not servers or AZURE in servers or not scene.networks_readable:
        return {AZURE: place.vnet}
    found = {server: vnet for server in servers if (vnet := _holder(scene, server))}
    return found or {AZURE: place.vnet}


def _holder(scene: Scene, server: str) -> str:
    holders = [
        one.id
        for one in scene.estate.arm.virtual_networks()
        if any(ip_address(server) in ip_network(prefix) for prefix in one.address_prefixes)
    ]
    return holders[0] if holders else ""


def clients_get(scene: Scene, place: Place) -> dict[str, tuple[str, ...]]:
    """What each name server that is known tells a client beside the endpoint, by the network that it answers for."""
    found = {}
    for server, answers_for in answering(scene, place).items():
        with _asking(network(scene, place.vnet), server):
            name = f"any.es.privatelink.{place.region}.azure.elastic-cloud.com"
            found[answers_for] = scene.estate.network.resolve(place.vnet, name).addresses
    return found


@contextmanager
def _asking(own: VirtualNetwork, server: str) -> Iterator[None]:
    """The network, as if it had this name server alone: each is asked, not only the first."""
    before, own.dns_servers = own.dns_servers, [server]
    try:
        yield
    finally:
        own.dns_servers = before


def zone_of(scene: Scene, place: Place, vnet_id: str) -> PrivateDnsZone | None:
    """The zone of the endpoint's region that a network is linked to."""
    zones = scene.estate.arm.zones_linked_to(vnet_id)
    return next((one for one in zones if one.name == f"privatelink.{place.region}.azure.elastic-cloud.com"), None)


def find_it(scene: Scene, place: Place) -> bool:
    """Whether all its clients get the endpoint's address, as far as their name servers are known."""
    found = scene.endpoint(place.name)
    return found is not None and all(found.address in addresses for addresses in clients_get(scene, place).values())
