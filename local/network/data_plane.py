"""Private endpoints as their network sees them: who answers on an address, with which certificate and with what.

Called by `Network`. `dial` is the whole decision; `local.network.listeners` puts it behind real sockets. An endpoint
answers exactly while its connection is Approved: before and after there is no route. Nor is there one from a network
that `local.network.routes` has no open way from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from local.elastic.model import serverless_region, service_region
from local.network.addresses import DATA_PLANE_PORT, HTTPS_PORT
from local.network.ca import is_of_projects, zone_names
from local.network.settings import NetworkSettings, NoRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.elastic import ProxyAnswer
    from local.network.azure import Azure, Elastic, EndpointView
    from local.network.routes import Routes


Closed = NoRoute | Literal["reset"]
"""What a client meets in place of an endpoint."""


@dataclass(frozen=True, slots=True)
class Dial:
    """An open way to Elastic's proxy through one private endpoint."""

    plane: DataPlane
    endpoint_id: str
    guid: str
    zone: str
    address: str = ""

    def certificate_names(self, sni: str | None = None) -> list[str]:
        """Names of the certificate that is served: the region's, in front of projects the asked product's alone."""
        return self.plane.intercepted.get(self.address) or zone_names(self.zone, sni)

    def request(self, host: str, path: str = "/") -> ProxyAnswer:
        """The proxy's answer to a request with this Host; a connection that was lost meanwhile is reset."""
        if not self.plane.is_open(self.endpoint_id):
            raise ConnectionResetError(f"{self.endpoint_id}: the connection is no longer approved")
        return self.plane.elastic.decide(host_without_port(host), self.guid, path)


class DataPlane:
    """Which endpoint answers where."""

    def __init__(
        self, arm: Azure, elastic: Elastic, zones: Iterable[str], routes: Routes, settings: NetworkSettings
    ) -> None:
        self.elastic = elastic
        self._arm, self._routes, self._settings = arm, routes, settings
        self._zones = {tuple(zone.split(".")[:2]): zone for zone in zones}
        self.broken: set[str] = set()
        """Addresses that do not answer though the endpoint is approved, as when something between is broken."""
        self.intercepted: dict[str, list[str]] = {}
        """Addresses where something in between answers, and the names of its certificate; without sockets only."""

    def dial(self, address: str, port: int, *, from_vnet: str | None = None) -> Dial | Closed:
        """Connect to an address, out of one network or (None) wherever it can be reached; or why that fails."""
        endpoint = next((e for e in self._arm.private_endpoints() if e.address == address), None)
        if endpoint is None or port not in self.ports(endpoint):
            return self._settings.no_route
        return self.enter(endpoint, from_vnet)

    def enter(self, endpoint: EndpointView, from_vnet: str | None) -> Dial | Closed:
        """The way to an endpoint; a firewall speaks whether the endpoint answers or not."""
        way = "open" if from_vnet is None else self._routes.way(from_vnet, endpoint.vnet_id)
        zone = self._zone(endpoint)
        if way == "drop":
            return "timeout"
        if way == "refuse":
            return "refused"
        if way == "reset":
            return "reset"
        if way == "none" or zone is None or not self._answers(endpoint):
            return self._settings.no_route
        return Dial(self, endpoint.id, endpoint.resource_guid, zone, endpoint.address or "")

    def endpoints(self) -> list[EndpointView]:
        """Endpoints of Elastic's services that have an address, approved or not."""
        return [e for e in self._arm.private_endpoints() if e.address and self._zone(e)]

    def ports(self, endpoint: EndpointView) -> tuple[int, ...]:
        """The ports that an endpoint answers on, of which real sockets open the first; projects have one."""
        return (HTTPS_PORT,) if is_of_projects(self._zone(endpoint) or "") else (DATA_PLANE_PORT, HTTPS_PORT)

    def is_open(self, endpoint_id: str) -> bool:
        """Whether the endpoint answers, wherever it can be reached from."""
        return any(e.id == endpoint_id and self._answers(e) for e in self.endpoints())

    def _answers(self, endpoint: EndpointView) -> bool:
        return bool(endpoint.address) and endpoint.address not in self.broken and endpoint.status == "Approved"

    def _zone(self, endpoint: EndpointView) -> str | None:
        hosted, projects = service_region(endpoint.alias), serverless_region(endpoint.alias)
        return self._zones.get(("private", projects) if projects else ("privatelink", hosted or ""))


def host_without_port(host: str) -> str:
    """The name in a Host header."""
    return host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
