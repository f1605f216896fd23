"""Names as a virtual network sees them: pure answers; served over sockets by `local.network.name_server`.

Called by `Network`. A private zone that is linked to the network wins over the public DNS, also where it has no such
name; custom name servers of a network pass its private zones by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from local.network.azure import Azure, ZoneView

AZURE_NAME_SERVER = "168.63.129.16"
_ELASTIC = ".azure.elastic-cloud.com"
Public = Callable[[str], list[str] | None]


class Answer(NamedTuple):
    """Result of a question for A records; NOERROR without addresses is a name that has other records only."""

    rcode: Literal["NOERROR", "NXDOMAIN"]
    addresses: tuple[str, ...] = ()


NO_SUCH_NAME = Answer("NXDOMAIN")


class Resolver:
    """Answers for every virtual network."""

    def __init__(
        self, arm: Azure, public: Public, vnet_of_name_server: Callable[[str], str | None] = lambda _address: None
    ) -> None:
        self._arm = arm
        self._public = public
        self._vnet_of_name_server = vnet_of_name_server

    def resolve(self, vnet_id: str | None, name: str) -> Answer:
        """A records of a name inside a virtual network; None asks on the internet."""
        name = name.lower().rstrip(".")
        view = self._view(vnet_id)
        zone = _zone_of(name, self._arm.zones_linked_to(view)) if view else None
        if zone is not None:
            return _answer(zone, name)
        addresses = self._public(name)
        return NO_SUCH_NAME if addresses is None else Answer("NOERROR", tuple(addresses))

    def _view(self, vnet_id: str | None) -> str | None:
        """The network whose private zones count: its own, or that of the custom name server it uses, or none."""
        seen: set[str] = set()
        while vnet_id is not None and vnet_id.lower() not in seen:
            seen.add(vnet_id.lower())
            vnet = self._arm.virtual_network(vnet_id)
            if vnet is None:
                return None
            if not vnet.dns_servers or AZURE_NAME_SERVER in vnet.dns_servers:
                return vnet_id
            vnet_id = self._vnet_of_name_server(vnet.dns_servers[0])
        return None


def public_names(zones: Iterable[str]) -> Public:
    """The public DNS as far as it matters here: Elastic's hosts have addresses, their private names do not exist."""
    private = {zone.lower() for zone in zones}
    regions = sorted(zone.removeprefix("privatelink.").removesuffix(_ELASTIC) for zone in private)

    def resolve(name: str) -> list[str] | None:
        if any(name == zone or name.endswith(f".{zone}") for zone in private):
            return None
        for number, region in enumerate(regions):
            if name.endswith(f".{region}{_ELASTIC}"):
                return [f"203.0.113.{10 + number}"]
        return None

    return resolve


def _zone_of(name: str, zones: Iterable[ZoneView]) -> ZoneView | None:
    """The longest zone that the name is in."""
    fitting = [zone for zone in zones if f".{name}".endswith(f".{zone.name.lower()}")]
    return max(fitting, key=lambda zone: len(zone.name), default=None)


def _answer(zone: ZoneView, name: str) -> Answer:
    label = name.removesuffix(zone.name.lower()).rstrip(".") or "@"
    nodes = {owner for _, owner in zone.record_sets}
    if label == "@" or _exists(label, nodes):
        return Answer("NOERROR", tuple(zone.a_record(label) or ()))
    wildcard = _wildcard(label, nodes)
    if wildcard in nodes:
        return Answer("NOERROR", tuple(zone.a_record(wildcard) or ()))
    return NO_SUCH_NAME


def _exists(label: str, nodes: set[str]) -> bool:
    """A node is there when it has records or when something below it has (RFC 4592, empty non-terminals)."""
    return any(node == label or node.endswith(f".{label}") for node in nodes)


def _wildcard(label: str, nodes: set[str]) -> str:
    """The only wildcard that may answer: the one just below the closest ancestor that exists (RFC 4592)."""
    parts = label.split(".")
    for cut in range(1, len(parts)):
        ancestor = ".".join(parts[cut:])
        if _exists(ancestor, nodes):
            return f"*.{ancestor}"
    return "*"
