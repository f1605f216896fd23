"""What the network has to know of Azure and Elastic; `local.arm.ArmCloud` and `local.elastic.ElasticCloud` fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from local.elastic import ProxyAnswer


class VirtualNetworkView(Protocol):
    """A virtual network."""

    @property
    def id(self) -> str:
        """ARM id."""

    @property
    def address_prefixes(self) -> Sequence[str]:
        """Its address space."""

    @property
    def dns_servers(self) -> Sequence[str]:
        """Custom name servers; none means Azure's own."""

    def names_as_peer(self, vnet_id: str) -> bool:
        """Whether this side of a peering with that network is there."""


class ZoneView(Protocol):
    """A private DNS zone."""

    @property
    def name(self) -> str:
        """Name of the zone."""

    @property
    def record_sets(self) -> Mapping[tuple[str, str], Any]:
        """Record sets by type and lower-case name."""

    def a_record(self, label: str) -> list[str] | None:
        """Addresses of an A record set, or None."""


class EndpointView(Protocol):
    """A private endpoint."""

    @property
    def id(self) -> str:
        """ARM id."""

    @property
    def resource_guid(self) -> str:
        """What the service sees of the endpoint's traffic."""

    @property
    def alias(self) -> str | None:
        """Alias of the service."""

    @property
    def status(self) -> str:
        """State of the connection."""

    @property
    def vnet_id(self) -> str:
        """The virtual network it is in."""

    @property
    def address(self) -> str | None:
        """Private address, once there is one."""


class Azure(Protocol):
    """The part of ARM that the network follows."""

    @property
    def settings(self) -> Any:
        """Its switches; the network sets `allocate_address`."""

    @property
    def listeners(self) -> list[Callable[[Any], None]]:
        """Told of each resource event."""

    @property
    def changes(self) -> list[Callable[[], None]]:
        """Told of each change of an endpoint."""

    def virtual_network(self, vnet_id: str) -> VirtualNetworkView | None:
        """One network."""

    def virtual_networks(self) -> Iterable[VirtualNetworkView]:
        """All networks."""

    def private_endpoints(self) -> Iterable[EndpointView]:
        """All endpoints."""

    def zones_linked_to(self, vnet_id: str) -> Iterable[ZoneView]:
        """The zones a network sees."""


class Elastic(Protocol):
    """The part of Elastic that answers requests."""

    def decide(self, host: str, endpoint_guid: str, path: str = "/") -> ProxyAnswer:
        """Answer to a request for a private host through an endpoint."""
