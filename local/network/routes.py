"""Whether connections out of one network get into another one, and which network a name server's address is in.

Called by `data_plane` and `dns`. Peerings count once both sides are there, and do not add up, as in Azure.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Literal

from local.network.settings import EVERY_OTHER, FirewallAnswer, NetworkSettings

if TYPE_CHECKING:
    from local.network.azure import Azure, VirtualNetworkView

Way = Literal["open", "none"] | FirewallAnswer


class Routes:
    """The ways between networks."""

    def __init__(self, arm: Azure, settings: NetworkSettings) -> None:
        self._arm = arm
        self._settings = settings

    def way(self, one: str, other: str) -> Way:
        """What connections from `one` meet on their way into `other`; a firewall comes before any route."""
        one, other = one.lower(), other.lower()
        if one == other:
            return "open"
        found = self._peered(one, other) or self._routed(one, other)
        return self._firewall(one, other) or ("open" if found else "none")

    def network_of(self, address: str, asking: str) -> str | None:
        """The network that contains an address, as `asking` finds it: address spaces of strangers may overlap.

        Its own counts first, then those that it reaches.
        """
        holders = [vnet.id for vnet in self._arm.virtual_networks() if _contains(vnet, address)]
        return min(holders, key=lambda vnet: self._distance(asking, vnet), default=None)

    def _distance(self, asking: str, vnet: str) -> int:
        if asking.lower() == vnet.lower():
            return 0
        return 1 if self.way(asking, vnet) == "open" else 2

    def _firewall(self, one: str, other: str) -> FirewallAnswer | None:
        for vnet, rules in self._settings.firewalls.items():
            if vnet.lower() == other:
                named = {source.lower(): answer for source, answer in rules.items()}
                return named.get(one) or named.get(EVERY_OTHER)
        return None

    def _peered(self, one: str, other: str) -> bool:
        sides = self._arm.virtual_network(one), self._arm.virtual_network(other)
        if sides[0] is None or sides[1] is None:
            return False
        return sides[0].names_as_peer(other) and sides[1].names_as_peer(one)

    def _routed(self, one: str, other: str) -> bool:
        return any({one, other} <= {vnet.lower() for vnet in group} for group in self._settings.routed)


def _contains(vnet: VirtualNetworkView, address: str) -> bool:
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:  # ARM keeps texts that are no address
        return False
    return any(wanted in ipaddress.ip_network(prefix) for prefix in vnet.address_prefixes)
