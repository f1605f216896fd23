"""The resources the simulated Azure holds, as plain values. Handlers change them; other simulators read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from local.arm.ids import ResourcePath

if TYPE_CHECKING:
    from datetime import datetime

IpVersion = Literal["IPv4", "IPv6", "DualStack"]


@dataclass(kw_only=True)
class Resource:
    """What every tracked resource has."""

    path: ResourcePath
    etag: str
    location: str = "global"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The ARM id as spelled when the resource was created."""
        return self.path.id

    @property
    def name(self) -> str:
        """The name as spelled when the resource was created."""
        return self.path.name


@dataclass
class Subnet:
    """A subnet of a virtual network."""

    name: str
    address_prefix: str
    further_prefixes: tuple[str, ...] = ()
    """Beside the first: of a subnet with both kinds of addresses the other one."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """All of them, in the order in which they were given."""
        return (self.address_prefix, *self.further_prefixes)


@dataclass(kw_only=True)
class VirtualNetwork(Resource):
    """A virtual network with its subnets."""

    resource_guid: str
    address_prefixes: list[str]
    subnets: list[Subnet]
    dns_servers: list[str] = field(default_factory=list)
    peerings: dict[str, str] = field(default_factory=dict)
    """Name of each peering and the id of the network on its other side; traffic flows once both sides have one."""
    provisioning_state: str = "Succeeded"

    def names_as_peer(self, vnet_id: str) -> bool:
        """Whether this side of a peering with that network is there."""
        return vnet_id.lower() in {remote.lower() for remote in self.peerings.values()}

    def peering(self, name: str) -> str:
        """The name of a peering as it was first spelled, compared without case; one that is new as it is."""
        return next((known for known in self.peerings if known.lower() == name.lower()), name)

    def subnet(self, name: str) -> Subnet | None:
        """The subnet of that name, compared without case."""
        return next((s for s in self.subnets if s.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Addresses:
    """The addresses of an endpoint's interface, and how they were asked for."""

    version: IpVersion = "IPv4"
    ipv4: str = ""
    """Empty: it has none, as with version IPv6."""
    ipv6: str = ""
    configurations: tuple[dict[str, Any], ...] = ()
    """The body's `ipConfigurations`: each gives a static address."""


@dataclass
class Connection:
    """The private link service connection of an endpoint: what it asks for and how it was answered."""

    name: str
    service: str
    manual: bool
    group_ids: list[str]
    request_message: str
    status: str
    description: str
    actions_required: str = "None"


@dataclass(kw_only=True)
class PrivateEndpoint(Resource):
    """A private endpoint together with its network interface."""

    resource_guid: str
    subnet: ResourcePath
    connection: Connection
    nic: ResourcePath
    nic_guid: str
    nic_etag: str
    custom_nic_name: str
    has_nic: bool
    reserved: Addresses
    """What its interface will have."""
    application_security_groups: list[str] = field(default_factory=list)
    address: str | None = None
    """Its IPv4 address, once the interface has it; an endpoint of version IPv6 never gets one."""
    address6: str | None = None
    provisioning_state: str = "Updating"

    @property
    def alias(self) -> str:
        """The private link service's alias (or, for a connection by resource id, its id)."""
        return self.connection.service

    @property
    def status(self) -> str:
        """Pending, Approved, Rejected, Disconnected, or another word that Azure says; empty: none."""
        return self.connection.status

    @property
    def vnet_id(self) -> str:
        """The virtual network of the endpoint's subnet."""
        return self.subnet.parent.id


@dataclass(kw_only=True)
class RecordSet:
    """All records of one name and type; `properties` holds the type's own field, e.g. `aRecords`."""

    type: str
    name: str
    etag: str
    ttl: int
    records: dict[str, Any]
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class PrivateDnsZone(Resource):
    """A private DNS zone with its record sets, by (type, lower-case name)."""

    record_sets: dict[tuple[str, str], RecordSet] = field(default_factory=dict)
    provisioning_state: str = "Succeeded"

    def a_record(self, label: str) -> list[str] | None:
        """The addresses of the A record set of that name (`*` is a name like any other), None if there is none."""
        found = self.record_sets.get(("A", label.lower()))
        return None if found is None else [record["ipv4Address"] for record in found.records["aRecords"]]


@dataclass(kw_only=True)
class VirtualNetworkLink(Resource):
    """What makes a zone visible in a virtual network."""

    vnet: ResourcePath
    registration_enabled: bool
    resolution_policy: str | None
    state: str = "InProgress"
    provisioning_state: str = "Creating"
    completed_at: datetime | None = None
    phantom: bool = False
    """Could not be made; no read shows it, and the zone still has it."""
    network_guid: str = ""
    """Which network it was completed for: another one may get its id."""
