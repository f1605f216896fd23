"""Every switch of the ARM simulator, with its unit and default.

`ArmCloud.settings` is one mutable instance: tests change it while the cloud runs, and so does `python -m local switch`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.model import VirtualNetwork
    from local.arm.roles import RoleAssignment

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
DEFAULT_TENANT = "00000000-0000-0000-0000-00000000000a"


@dataclass
class SystemTopic:
    """A topic, whose events are those of its subscription unless another type is given."""

    id: str
    identity: dict[str, Any] | None = None
    event_subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name -> properties."""
    topic_type: str = "Microsoft.Resources.Subscriptions"


@dataclass
class ArmSettings:
    """What can be changed about the simulated Azure. Durations are seconds of the injected clock."""

    subscriptions: list[str] = field(default_factory=lambda: [DEFAULT_SUBSCRIPTION])
    tenant_id: str = DEFAULT_TENANT
    system_topics: list[SystemTopic] = field(default_factory=list)
    """Event Grid's topics of subscriptions, with their event subscriptions."""
    assigned: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Object id of an identity -> scope and role (GUID) of each assignment that lists show."""
    management_groups: dict[str, list[str]] = field(default_factory=dict)
    """Name -> what is right below it: ids of subscriptions, names of management groups."""
    missing_resource_groups: set[str] = field(default_factory=set)
    """Any resource group exists, except these (compared without case)."""
    other_tenants: dict[str, str] = field(default_factory=dict)
    """Subscription (lower case) -> the tenant that it belongs to, where that is another one than the token's."""
    disabled_subscriptions: set[str] = field(default_factory=set)
    """Subscriptions that are read-only, as after their credit has run out; what is there can be read and deleted."""
    unregistered_subscriptions: set[str] = field(default_factory=set)
    """Subscriptions in which Microsoft.Network is not registered yet: POST .../Microsoft.Network/register does it."""
    registration_seconds: float = 60
    """How long a registration takes."""
    group_delete_seconds: float = 60
    """How long a resource group takes to go; hours are seen. Meanwhile nothing in it can be written."""
    move_seconds: float = 60
    """How long resources take to be moved to another group."""
    moved_network: Literal["stale", "followed"] = "stale"
    """What a link names after its network was moved. "stale": the old id, and while it does, no other link can be made
    because the network's identity is "already in use" (Azure/azure-powershell#9537); "followed": the new one."""

    # How long each kind of operation takes. 0: it has ended when the request is answered.
    zone_seconds: float = 3
    link_seconds: float = 3
    endpoint_seconds: float = 2
    endpoint_delete_seconds: float = 2
    nic_seconds: float = 0
    """A private endpoint names no network interface before; counted from the PUT. 0: its answer has it, as recorded.
    Clients have met endpoints without one."""
    nic_address_seconds: float = 1
    """A private endpoint's interface has no privateIPAddress before; counted from the PUT."""
    network_seconds: float = 0
    """Virtual networks. Polls of network operations carry Retry-After only if `network_retry_after` is set."""
    network_retry_after: int | None = None
    dns_retry_after: int | None = None
    """The live private DNS service sends no Retry-After; a number makes it send one."""

    # Private endpoints
    endpoint_event_at: Literal["accepted", "completed"] = "accepted"
    """When the write event is emitted: "accepted" shows the app an endpoint in state Updating."""
    failing_endpoints: dict[str, str] = field(default_factory=dict)
    """Endpoint name (lower case) -> error code with which its provisioning fails."""
    endpoints_without_subnet: set[str] = field(default_factory=set)
    """Endpoint names (lower case) that are shown with neither subnet nor interface: seen where creation broke off."""
    expand_network_interfaces: bool = True
    """Whether `$expand=networkInterfaces` puts whole interfaces in the answer (not known of the live service)."""
    allocate_address: Callable[[VirtualNetwork], str] | None = None
    """Chooses an endpoint's address; None: the first free one of its subnet, from the fifth on, as Azure does."""

    # Consistency
    not_found_after_create_seconds: float = 0
    """So long after a zone's or link's creation Succeeded, reads, lists and writes below it still answer 404."""
    failed_links_stay: bool = False
    """Whether a link that could not be made stays, in state Failed, until it is deleted or made again."""
    parent_not_found_on_reads: bool = False
    """Whether a read below a missing zone answers ParentResourceNotFound too; recorded is the write."""
    link_effect_seconds: float = 0
    """So long after a link is Completed its network does not see the zone yet: reported by users of it."""
    recreated_network: Literal["works", "refused"] = "works"
    """A network made again under its old id. "refused": links of the old one have no effect for it, and new ones fail,
    because its identity is "already in use" (Azure/azure-powershell#9537). So it is in any case where a lock on the
    zone keeps Azure from deleting the old link: reported by support."""
    phantom_links: bool = False
    """Whether a link that could not be made stays behind unseen: its zone cannot be deleted before a person deletes
    the link by its name (Azure/azure-cli#15010)."""
    stale_list_seconds: float = 0
    """Lists show what existed this long ago (single reads are up to date)."""
    accept_quoted_etags: bool = True
    """Whether `If-Match: "guid"` matches the bare etag of a zone or record set, as the Python SDK sends it."""
    busy_zone_status: Literal[409, 429] | None = None
    """Answer to a link's PUT or DELETE while another link of that zone is being changed; None: both go ahead."""

    # Rights: "Microsoft.Network/privateDnsZones/A/write", or "<action>@<scope prefix>" to deny it in one place only
    denied_actions: set[str] = field(default_factory=set)
    role_assignments: dict[str, list[RoleAssignment]] = field(default_factory=dict)
    """Principal -> its roles. A principal that is not named here may do everything."""
    principal_of: Callable[[str], str] = str
    """From a bearer token to its principal; by default each token is one."""
    client_ids: dict[str, str] = field(default_factory=dict)
    """Principal -> the application id that events name it by. One that is not named here is a person with Azure CLI."""

    # Throttling. None switches a limit off. Numbers as Microsoft documents them.
    private_dns_reads_per_5_minutes: int | None = 500
    private_dns_writes_per_hour: int | None = 12000
    private_dns_limits: Literal["older", "newer"] = "older"
    """Which of Microsoft's pages holds: reads and writes of a subscription, as above; or figures for each zone and
    minute, and 40 changes of zones in a minute (azure-docs `includes/dns-limits.md` of 2024-10), without a header."""
    throttle_shape: Literal["arm", "rule", "private DNS"] = "arm"
    """What a 429 says: as ARM does; as ARM does for a provider's own rule; or as private DNS does, whose body is a text
    of JSON and whose Retry-After is 10."""
    network_reads_per_5_minutes: int | None = 10000
    network_writes_per_5_minutes: int | None = 1000
    arm_bucket: dict[str, tuple[float, float]] | None = field(
        default_factory=lambda: {"reads": (250.0, 25.0), "writes": (200.0, 10.0), "deletes": (200.0, 10.0)}
    )
    """ARM's token buckets per subscription and principal: kind -> (size, refill per second)."""
    throttle_retry_after: Literal["reset"] | int | None = "reset"
    """Retry-After of a 429: "reset" = until the limit allows a request again, a number of seconds, or None = absent."""

    page_size: int = 50
    urls_with_port: bool = False
    """Whether URLs in answers name port 443, as some recorded ones do, where the request's own did not."""
    outage: int | None = None
    """A status, e.g. 503, that every request is answered with instead; nothing changes meanwhile."""
