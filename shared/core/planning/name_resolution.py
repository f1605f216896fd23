"""Which networks answer an endpoint's clients for names: these decide what a private name leads to. Pure.

Called by `reconciler.observe` for one endpoint and by the sweep's snapshot for all.

A network without name servers of its own asks Azure's, which answers by the zones that this network is linked to. With
name servers of its own (`dhcpOptions.dnsServers`) it asks these; a hub's resolver or firewall answers by the zones that
the hub is linked to. So the network that contains a server's address decides, whichever network asks.
https://learn.microsoft.com/azure/dns/private-resolver-architecture
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from shared.core.model.arm_ids import lower_case
from shared.core.model.resources import Listing, NameResolution, VirtualNetwork


def resolution_of(
    vnet_id: str, network: VirtualNetwork | None, others: Collection[VirtualNetwork] = ()
) -> NameResolution:
    """Who answers the clients in `vnet_id`; `network` is what was read of it, None where it cannot be read.

    `others` are the networks besides those that it is peered with in which a name server may be. Where several of
    these contain an address, which they may, as unconnected networks often have the same prefixes, none of them is
    taken for the one that answers.
    """
    if network is None:
        return NameResolution((vnet_id,), read=False)
    servers = network.own_dns_servers
    if not servers:
        return NameResolution((vnet_id,))
    further = Listing.of(others)
    found = {server: _network_of(server, network, further) for server in servers}
    answering = {lower_case(one): one for one in found.values() if one is not None}
    unknown = tuple(server for server, one in found.items() if one is None)
    return NameResolution(tuple(answering.values()), servers, unknown)


def unexplained(network: VirtualNetwork) -> bool:
    """Whether it takes more than the network itself and its peerings to tell who answers."""
    return any(_network_of(server, network, Listing()) is None for server in network.own_dns_servers)


def _network_of(server: str, network: VirtualNetwork, others: Listing[VirtualNetwork]) -> str | None:
    if _contains(network.prefixes, server):
        return network.id
    # Azure lets no two networks with overlapping prefixes be peered with one: what is found among the peers is it.
    for peering in network.peerings:
        if _contains(peering.prefixes, server):
            return peering.network_id
    return others.once(_only_one_with, server)


def _only_one_with(networks: Iterable[VirtualNetwork], server: str) -> str | None:
    containing = {lower_case(one.id): one.id for one in networks if _contains(one.prefixes, server)}
    return next(iter(containing.values())) if len(containing) == 1 else None


def _contains(prefixes: Iterable[str], address: str) -> bool:
    try:
        wanted = ipaddress.ip_address(address)
        return any(wanted in ipaddress.ip_network(prefix, strict=False) for prefix in prefixes)
    except ValueError:  # no address, as a person may write anything; or a prefix of a form that is not known
        return False
