"""Private endpoints as their network sees them: who answers on an address, with which certificate and with what.

Called by `Network`. `dial` is the whole decision; `local.network.listeners` puts it behind real sockets. An endpoint
answers exactly while its connection is Approved: before and after there is no route. Nor is there one from a network
that is neither the endpoint's own nor peered with it; peerings do not add up, as in Azure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.elastic.model import service_region
from local.network.addresses import DATA_PLANE_PORT
from local.network.ca import zone_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.elastic import ProxyAnswer
    from local.network.azure import Azure, Elastic, EndpointView

PORTS = (DATA_PLANE_PORT, 443)


@dataclass(frozen=True, slots=True)
class Dial:
    """An open way to Elastic's proxy through one private endpoint."""

    plane: DataPlane
    endpoint_id: str
    guid: str
    zone: str
    address: str = ""

    def certificate_names(self, _sni: str | None = None) -> list[str]:
        """Names of the certificate that is served: the region's, for every name that a client asks for."""
        return self.plane.intercepted.get(self.address) or zone_names(self.zone)

    def request(self, host: str, path: str = "/") -> ProxyAnswer:
        """The proxy's answer to a request with this Host; a connection that was lost meanwhile is reset."""
        if self.endpoint_id not in {endpoint.id for endpoint in self.plane.open_endpoints()}:
            raise ConnectionResetError(f"{self.endpoint_id}: the connection is no longer approved")
        return self.plane.elastic.decide(host_without_port(host), self.guid, path)


class DataPlane:
    """Which endpoint answers where."""

    def __init__(self, arm: Azure, elastic: Elastic, zones: Iterable[str]) -> None:
        self.elastic = elastic
        self._arm = arm
        self._zones = {zone.split(".")[1]: zone for zone in zones}
        self.broken: set[str] = set()
        """Addresses that do not answer though the endpoint is approved, as when something between is broken."""
        self.intercepted: dict[str, list[str]] = {}
        """Addresses where something in between answers, and the names of its certificate; without sockets only."""

    def dial(self, address: str, port: int, *, from_vnet: str | None = None) -> Dial | None:
        """Connect to an address, out of one network or (None) wherever it can be reached; None is "no route"."""
        if port not in PORTS:
            return None
        for endpoint in self.open_endpoints(from_vnet):
            zone = self._zone(endpoint)
            if endpoint.address == address and zone:
                return Dial(self, endpoint.id, endpoint.resource_guid, zone, address)
        return None

    def open_endpoints(self, from_vnet: str | None = None) -> list[EndpointView]:
        """Endpoints of Elastic's services that have an address, are approved, and have a route from that network."""
        every = self._arm.private_endpoints()
        answering = [e for e in every if self._answers(e)]
        return [e for e in answering if from_vnet is None or self._routed(from_vnet, e.vnet_id)]

    def _answers(self, endpoint: EndpointView) -> bool:
        there = endpoint.address and endpoint.address not in self.broken
        return bool(there and endpoint.status == "Approved" and self._zone(endpoint))

    def _routed(self, one: str, other: str) -> bool:
        if one.lower() == other.lower():
            return True
        sides = self._arm.virtual_network(one), self._arm.virtual_network(other)
        if sides[0] is None or sides[1] is None:
            return False
        return sides[0].names_as_peer(other) and sides[1].names_as_peer(one)

    def _zone(self, endpoint: EndpointView) -> str | None:
        return self._zones.get(service_region(endpoint.alias) or "")


def host_without_port(host: str) -> str:
    """The name in a Host header."""
    return host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
