"""What people do in Azure during a random walk: endpoints, their tags, and DNS by hand."""

from __future__ import annotations

from random import Random
from typing import Any

from local.world import HUB_VNET, endpoint_body
from tests.walk.scene import DEPLOYMENTS, DNS_API, PLACES, Deed, Place, Scene, marked

STRANGER = "10.99.0.4"
"""Where a person's record points."""


def _tags(drawn: Random, place: Place) -> dict[str, str]:
    of_region = [one for one in DEPLOYMENTS if place.region in one or (one == "extra" and place.region == "eastus2")]
    names = DEPLOYMENTS if drawn.random() < 0.1 else of_region
    asked = drawn.sample(names, drawn.choice([0, 1, 1, 2]))
    tags = {"elastic-deployments": ", ".join(asked)} if asked else {}
    if drawn.random() < 0.15:
        tags["elastic-privatelink-on-delete"] = drawn.choice(["retain", "cleanup"])
    if drawn.random() < 0.15:
        tags["elastic-privatelink-claim"] = drawn.choice(["true", "false"])
    if drawn.random() < 0.1:
        tags["elastic-privatelink"] = drawn.choice(["observe", "ignore", "enforce"])
    return tags


async def _put(scene: Scene, place: Place, tags: dict[str, str]) -> None:
    location = place.vnet.rpartition("vnet-")[2].split("-")[0]
    alias = scene.estate.service_of(place.region).alias
    await scene.azure("PUT", place.id, endpoint_body(location, place.vnet, alias, tags))
    found = scene.endpoint(place.name)
    assert found is not None
    if place.name in scene.gone_at and place.name not in scene.alive:
        scene.unseen.add(place.name)
    scene.alive[place.name] = place
    scene.connection_guids.setdefault(place.name, set()).add(found.resource_guid.lower())


async def make_endpoint(scene: Scene, drawn: Random) -> str | None:
    free = [place for place in PLACES if place.name not in scene.alive and scene.endpoint(place.name) is None]
    if not free:
        return None
    place = drawn.choice(free)
    tags = _tags(drawn, place)
    await _put(scene, place, tags)
    return f"endpoint {place.name} is made with {tags}"


async def delete_endpoint(scene: Scene, drawn: Random) -> str | None:
    if not scene.alive:
        return None
    return f"endpoint {await _delete(scene, drawn.choice(sorted(scene.alive)))} is deleted"


async def _delete(scene: Scene, name: str) -> str:
    await scene.azure("DELETE", scene.alive[name].id)
    if name not in scene.unseen:
        scene.gone_at[name] = scene.estate.clock.now()
    del scene.alive[name]
    await scene.estate.clock.sleep(10)
    return name


async def delete_all_endpoints(scene: Scene, drawn: Random) -> str | None:
    if len(scene.alive) < 2:
        return None
    names = [await _delete(scene, name) for name in sorted(scene.alive)]
    return f"endpoints {', '.join(names)} are deleted"


async def make_endpoint_anew(scene: Scene, drawn: Random) -> str | None:
    if not scene.alive:
        return None
    name = drawn.choice(sorted(scene.alive))
    found, place = scene.endpoint(name), scene.alive[name]
    assert found is not None
    tags = dict(found.tags)
    await scene.azure("DELETE", place.id)
    await scene.estate.clock.sleep(drawn.choice([10, 30, 300]))
    await _put(scene, place, tags)
    return f"endpoint {name} is deleted and made anew"


async def edit_tags(scene: Scene, drawn: Random) -> str | None:
    if not scene.alive:
        return None
    place = scene.alive[drawn.choice(sorted(scene.alive))]
    tags = _tags(drawn, place)
    await _put(scene, place, tags)
    return f"endpoint {place.name} is tagged {tags}"


async def change_address(scene: Scene, drawn: Random) -> str | None:
    found = [one for name in sorted(scene.alive) if (one := scene.endpoint(name)) is not None and one.address]
    if not found:
        return None
    endpoint = drawn.choice(found)
    endpoint.address = f"127.77.200.{drawn.randrange(1, 250)}"
    return f"endpoint {endpoint.name} has the address {endpoint.address} now"


# -- DNS -----------------------------------------------------------------------------------------------------------


async def edit_record(scene: Scene, drawn: Random) -> str | None:
    """Point it elsewhere, with or without our marker, or delete it."""
    zones = [zone for zone in scene.zones() if ("A", "*") in zone.record_sets]
    if not zones:
        return None
    zone = drawn.choice(zones)
    how = drawn.choice(["delete", "edit", "take over"])
    if how == "delete":
        await scene.azure("DELETE", f"{zone.id}/A/*", api=DNS_API)
        return f"the record of {zone.id} is deleted by hand"
    metadata = zone.record_sets["A", "*"].metadata if how == "edit" else {}
    await _put_record(scene, zone.id, metadata)
    return f"the record of {zone.id} is pointed elsewhere by hand ({how})"


async def _put_record(scene: Scene, zone: str, metadata: dict[str, str]) -> None:
    body: dict[str, Any] = {"ttl": 60, "aRecords": [{"ipv4Address": STRANGER}], "metadata": metadata}
    await scene.azure("PUT", f"{zone}/A/*", {"properties": body}, api=DNS_API)


async def delete_link(scene: Scene, drawn: Random) -> str | None:
    links = [link for link in scene.links() if link.state == "Completed"]
    if not links:
        return None
    link = drawn.choice(links)
    await scene.azure("DELETE", link.id, api=DNS_API)
    await scene.estate.clock.sleep(10)
    return f"link {link.id} is deleted by hand"


async def delete_zone(scene: Scene, drawn: Random) -> str | None:
    if not scene.zones():
        return None
    zone = drawn.choice(scene.zones())
    for link in scene.estate.links_of(zone):
        await scene.azure("DELETE", link.id, api=DNS_API)
    await scene.estate.clock.sleep(10)
    await scene.azure("DELETE", zone.id, api=DNS_API)
    await scene.estate.clock.sleep(10)
    return f"zone {zone.id} is deleted by hand"


async def make_zone(scene: Scene, drawn: Random) -> str | None:
    """A zone of a person's own, for a network that has none or for the hub; its record points elsewhere, or is none."""
    place = drawn.choice(PLACES)
    vnet = drawn.choice([place.vnet, HUB_VNET])
    name = f"privatelink.{place.region}.azure.elastic-cloud.com"
    group = drawn.choice([place.group, "rg-dns", "rg-hub-team"])
    zone = place.id.split("/resourceGroups/")[0] + f"/resourceGroups/{group}"
    zone += f"/providers/Microsoft.Network/privateDnsZones/{name}"
    linked = {link.vnet.id.lower() for link in scene.links() if link.path.parent.name == name}
    if vnet.lower() in linked or any(one.id.lower() == zone.lower() for one in scene.zones()):
        return None
    await scene.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await scene.estate.clock.sleep(60)
    properties = {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}
    body = {"location": "global", "properties": properties}
    await scene.azure("PUT", f"{zone}/virtualNetworkLinks/by-hand", body, api=DNS_API)
    await scene.estate.clock.sleep(60)
    found = scene.endpoint(place.name)
    address = drawn.choice(["", STRANGER, (found.address if found else None) or ""])
    if address:
        record = {"ttl": 60, "aRecords": [{"ipv4Address": address}]}
        await scene.azure("PUT", f"{zone}/A/*", {"properties": record}, api=DNS_API)
    return f"zone {zone} is made by hand for {vnet.rpartition('/')[2]}, its record {address or 'missing'}"


async def add_record(scene: Scene, drawn: Random) -> str | None:
    """A record of another name in a zone of ours: the zone is no longer empty without us."""
    zones = [zone for zone in scene.zones() if marked(zone.tags)]
    if not zones:
        return None
    zone = drawn.choice(zones)
    record = {"ttl": 60, "aRecords": [{"ipv4Address": "10.99.0.5"}]}
    await scene.azure("PUT", f"{zone.id}/A/extra", {"properties": record}, api=DNS_API)
    return f"record extra is added to {zone.id} by hand"


DEEDS: tuple[tuple[int, Deed], ...] = (
    (9, make_endpoint),
    (4, delete_endpoint),
    (1, delete_all_endpoints),
    (3, make_endpoint_anew),
    (5, edit_tags),
    (2, change_address),
    (3, edit_record),
    (2, delete_link),
    (1, delete_zone),
    (2, make_zone),
    (1, add_record),
)
"""How often each is done."""
