"""Virtual networks by hand: what `python -m local network`, `firewall` and `resolver` do. Called by `local.__main__`.

What Azure has a property for goes over its API: address space, name servers, peerings. Routes that no peering shows,
firewalls and name servers that fail are switches of the simulated network (`local.network.settings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from local.cli.client import LocalClient
from local.world import peering_body, vnet_body

AZURE = "azure"
"""In place of name servers: Azure's own."""
_FIRST_FREE = 77
_LAST = 254
EVERY_OTHER = "*"


async def listed(client: LocalClient) -> list[dict[str, Any]]:
    """Every network, as ARM shows it."""
    path = f"/subscriptions/{client.endpoints['subscription_id']}/providers/Microsoft.Network/virtualNetworks"
    found: list[dict[str, Any]] = []
    while path:
        answer = await client.azure("GET", path)
        found += answer["value"]
        path = (answer.get("nextLink") or "").removeprefix(client.endpoints["arm"])
    return found


async def find(client: LocalClient, name: str) -> dict[str, Any]:
    """The network with this name, or id; raises RuntimeError when there is none, or more than one."""
    networks = await listed(client)
    found = [one for one in networks if name.lower() in (one["name"].lower(), one["id"].lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise RuntimeError(f"more than one network is called {name}: {', '.join(one['id'] for one in found)}")
    known = ", ".join(sorted(one["name"] for one in networks))
    raise RuntimeError(f"no network is called {name}; `python -m local network {name}` makes it; there are: {known}")


async def make(client: LocalClient, vnet: str, region: str, prefix: str | None = None) -> None:
    """A network with a subnet for endpoints, on addresses that no other one has; one that is there stays as it is."""
    async with client.making:
        networks = await listed(client)
        if vnet.lower() not in {one["id"].lower() for one in networks}:
            await client.azure("PUT", vnet, vnet_body(region, prefix or _free_prefix(networks)))


def _free_prefix(networks: Iterable[dict[str, Any]]) -> str:
    """The first two numbers of an address space that no network has."""
    taken = {tuple(prefix.split(".")[:2]) for one in networks for prefix in _prefixes(one)}
    order = [*range(_FIRST_FREE, _LAST + 1), *range(_FIRST_FREE)]
    number = next((number for number in order if ("10", str(number)) not in taken), None)
    if number is None:
        raise RuntimeError("all address spaces of 10.0.0.0/8 are taken: give one, as --prefix 172.16")
    return f"10.{number}"


async def set_name_servers(client: LocalClient, network: dict[str, Any], servers: Sequence[str]) -> None:
    """What clients of the network ask, from now on; no server is Azure's own."""
    properties = network["properties"]
    kept = {"addressSpace": properties["addressSpace"], "subnets": properties["subnets"]}
    body = {"location": network["location"], "tags": network.get("tags") or {}}
    await client.azure("PUT", network["id"], body | {"properties": kept | {"dhcpOptions": {"dnsServers": servers}}})


async def peer(client: LocalClient, one: str, other: str, *, connected: bool) -> None:
    """Peer two networks, or take their peering away, on both sides."""
    for near, far in ((one, other), (other, one)):
        network = await client.azure("GET", near)
        there = [side["id"] for side in _sides(network) if _remote(side) == far.lower()]
        if connected and not there:
            path = f"{near}/virtualNetworkPeerings/to-{far.rsplit('/', 1)[-1]}"
            await client.azure("PUT", path, peering_body(far))
        for side in () if connected else there:
            await client.azure("DELETE", side)


async def route(client: LocalClient, one: str, other: str, *, connected: bool) -> None:
    """Let two networks reach each other with no peering, as through a hub's firewall; or take that back."""
    groups = (await client.switches())["network.routed"]
    pair = {one.lower(), other.lower()}
    kept = [group for group in groups if not pair <= {vnet.lower() for vnet in group}]
    apart = [group for group in groups if group not in kept and len(group) > len(pair)]
    # Each of the two stays together with the rest of their group.
    kept += [[vnet for vnet in group if vnet.lower() != gone] for group in apart for gone in sorted(pair)]
    await client.backstage("switches", **{"network.routed": [*kept, [one, other]] if connected else kept})


async def set_firewall(client: LocalClient, network: str, source: str | None, answer: str | None) -> None:
    """What a firewall says to connections into a network, from one other or from all; None: it has no such rule."""
    firewalls = (await client.switches())["network.firewalls"]
    changed = {name: rules for name, rules in firewalls.items() if name.lower() != network.lower()}
    before: dict[str, str] = next((rules for name, rules in firewalls.items() if name.lower() == network.lower()), {})
    rules = {} if source is None else {name: one for name, one in before.items() if name.lower() != source.lower()}
    if answer is not None:
        rules[source or EVERY_OTHER] = answer
    await client.backstage("switches", **{"network.firewalls": changed | ({network: rules} if rules else {})})


async def set_resolver(client: LocalClient, network: str, failure: str | None) -> None:
    """How the name server of a network fails; None: it answers."""
    resolvers = (await client.switches())["network.resolvers"]
    changed = {name: kept for name, kept in resolvers.items() if name.lower() != network.lower()}
    await client.backstage("switches", **{"network.resolvers": changed | ({network: failure} if failure else {})})


async def lines(client: LocalClient, only: str | None = None) -> list[str]:
    """Each network in one line: addresses, name servers, and what it is connected with."""
    networks, switches = await listed(client), await client.switches()
    wanted = [one for one in networks if only is None or one["id"].lower() == only.lower()]
    return [_line(client, one, switches) for one in wanted]


def _line(client: LocalClient, network: dict[str, Any], switches: dict[str, Any]) -> str:
    vnet = network["id"].lower()
    peered = [_name(_remote(side)) for side in _sides(network) if side["properties"]["peeringState"] == "Connected"]
    groups = [group for group in switches["network.routed"] if vnet in {one.lower() for one in group}]
    said = {
        "name servers": (network["properties"].get("dhcpOptions") or {}).get("dnsServers") or [AZURE],
        "peered": peered,
        "routed": sorted({_name(one) for group in groups for one in group if one.lower() != vnet}),
        "firewall": [
            f"{answer} from {_name(source)}"
            for name, rules in switches["network.firewalls"].items()
            for source, answer in rules.items()
            if name.lower() == vnet
        ],
        "resolver": [how for name, how in switches["network.resolvers"].items() if name.lower() == vnet],
    }
    app = "  the app's own" if vnet == str(client.endpoints["app_network"]).lower() else ""
    parts = "".join(f"  {name}: {', '.join(values)}" for name, values in said.items() if values)
    return f"{network['name']:<24} {', '.join(_prefixes(network)):<14} {network['location']}{app}{parts}"


def _prefixes(network: dict[str, Any]) -> list[str]:
    return list(network["properties"]["addressSpace"]["addressPrefixes"])


def _sides(network: dict[str, Any]) -> list[dict[str, Any]]:
    return network["properties"].get("virtualNetworkPeerings") or []


def _remote(side: dict[str, Any]) -> str:
    return str(side["properties"]["remoteVirtualNetwork"]["id"]).lower()


def _name(vnet: str) -> str:
    return vnet.rsplit("/", 1)[-1]
