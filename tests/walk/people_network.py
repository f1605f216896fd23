"""What people do to virtual networks during a random walk: name servers, peerings, and the hub's link by hand."""

from __future__ import annotations

from random import Random

from local.world import HUB_VNET, peering_body, vnet_id
from tests.walk.clients import AZURE, network
from tests.walk.scene import DNS_API, PLACES, Deed, Scene

OTHER_HUB = vnet_id("westeurope", "hub")
HUBS = (HUB_VNET, OTHER_HUB)
OUTSIDE = "203.0.113.53"
"""A name server that no network contains."""


def _resolver(scene: Scene, hub: str) -> str:
    """An address in the hub, as its resolver or firewall has."""
    prefix = network(scene, hub).address_prefixes[0]
    return f"{prefix.rpartition('.')[0]}.4"


async def change_name_servers(scene: Scene, drawn: Random) -> str | None:
    vnet = drawn.choice(sorted({place.vnet for place in scene.alive.values() or PLACES}))
    hub, other = (_resolver(scene, one) for one in HUBS)
    choices = [[], [AZURE], [hub], [hub], [hub], [other], [OUTSIDE], [hub, OUTSIDE], [OUTSIDE, hub], [hub, other]]
    servers = drawn.choice([*choices, [hub, AZURE], [_resolver(scene, vnet), hub]])
    network(scene, vnet).dns_servers = servers
    return f"{vnet.rpartition('/')[2]} asks {', '.join(servers) or 'Azure'} for names"


async def link_hub(scene: Scene, drawn: Random) -> str | None:
    """To a zone that is there, as a hub team does; or take its link away, also one that the app made."""
    if not scene.zones():
        return None
    hub, zone = drawn.choice([HUB_VNET, HUB_VNET, OTHER_HUB]), drawn.choice(scene.zones())
    there = [one for one in scene.links() if one.vnet.id == hub and one.path.parent.name == zone.name]
    if there:
        await scene.azure("DELETE", there[0].id, api=DNS_API)
        told = f"{hub.rpartition('/')[2]} is unlinked from {there[0].path.parent.id} by hand"
    else:
        properties = {"virtualNetwork": {"id": hub}, "registrationEnabled": False}
        body = {"location": "global", "properties": properties}
        await scene.azure("PUT", f"{zone.id}/virtualNetworkLinks/hub-by-hand", body, api=DNS_API)
        told = f"{hub.rpartition('/')[2]} is linked to {zone.id} by hand"
    await scene.estate.clock.sleep(60)
    return told


async def peer_or_unpeer(scene: Scene, drawn: Random) -> str | None:
    """An endpoint's network and a hub; now and then one side only."""
    vnet, hub = drawn.choice(sorted({place.vnet for place in PLACES})), drawn.choice(HUBS)
    sides = [(vnet, hub), (hub, vnet)][: drawn.choice([1, 2, 2])]
    peered = network(scene, vnet).names_as_peer(hub)
    for one, other in sides:
        peering = f"{one}/virtualNetworkPeerings/to-{other.rpartition('/')[2]}"
        if peered:
            await scene.azure("DELETE", peering)
        else:
            await scene.azure("PUT", peering, peering_body(other))
    await scene.estate.clock.sleep(10)
    names = f"{vnet.rpartition('/')[2]} and {hub.rpartition('/')[2]}"
    return f"{names} are {'peered no more' if peered else 'peered'}, {len(sides)} side(s)"


DEEDS: tuple[tuple[int, Deed], ...] = (
    (6, change_name_servers),
    (3, link_hub),
    (1, peer_or_unpeer),
)
"""How often each is done."""
