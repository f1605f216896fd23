"""What Azure and Elastic answered, as plain values. Made by `clouds`, read by `plan`; nothing here calls anything.

A value that could not be learnt is None where that can happen, never an empty collection: "no policies are attached"
and "we do not know" lead to opposite decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from shared.core.model.arm_ids import ArmId, lower_case
from shared.core.model.markers import Marker, RecordMarker
from shared.core.model.services import Family, PrivateUrl

POLICY_TYPE = "azure_private_endpoint"
"""Type of a private connection policy among Elastic Cloud's traffic filters."""

NO_TAGS: Mapping[str, str] = MappingProxyType({})

_T = TypeVar("_T")
_R = TypeVar("_R")


class Listing(tuple[_T, ...]):  # noqa: SLOT001 - what was found is kept beside what was listed
    """What a list answered, with what is asked of it: a sweep asks one list about each of its endpoints.

    Each question is answered for all endpoints in one pass, when it is first asked.
    """

    @classmethod
    def of(cls, things: Iterable[_T]) -> Listing[_T]:
        """These, as they are if they are a listing already."""
        return things if isinstance(things, cls) else cls(things)

    def once(self, find: Callable[..., _R], *about: Hashable) -> _R:
        """What `find` finds in the listing about these; it is called once for the same."""
        if not self:
            return find(self, *about)
        key = (find, *about)
        if key not in self._answers:
            self._answers[key] = find(self, *about)
        found: _R = self._answers[key]
        return found

    def where(self, keys_of: Callable[[_T], Iterable[Hashable]], key: Hashable) -> Listing[_T]:
        """All that have this key, in their order."""
        return self.once(_by_key, keys_of).get(key, _NOTHING) if self else self

    def among(self, keys_of: Callable[[_T], Iterable[Hashable]], keys: Iterable[Hashable]) -> tuple[_T, ...]:
        """All that have any of these keys, each once, in their order."""
        found = {id(one): one for key in keys for one in self.where(keys_of, key)}
        if len(found) < 2:  # noqa: PLR2004 - nothing to sort
            return tuple(found.values())
        places = self.once(_places)
        return tuple(found[one] for one in sorted(found, key=lambda one: places[one]))

    @cached_property
    def _answers(self) -> dict[Any, Any]:
        return {}


_NOTHING: Listing[Any] = Listing()


def _by_key(things: Listing[_T], keys_of: Callable[[_T], Iterable[Hashable]]) -> dict[Hashable, Listing[_T]]:
    found: dict[Hashable, list[_T]] = {}
    for one in things:
        for key in dict.fromkeys(keys_of(one)):
            found.setdefault(key, []).append(one)
    return {key: Listing(some) for key, some in found.items()}


def _places(things: Listing[Any]) -> dict[int, int]:
    return {id(one): place for place, one in enumerate(things)}


def id_of(thing: Policy | Target) -> tuple[str]:
    """What a policy or a target is looked for by."""
    return (thing.id,)


def zone_key(zone: Zone) -> tuple[str]:
    """What a zone is looked for by."""
    return (zone.id.key,)


class ConnectionStatus(StrEnum):
    """State of a private link connection: https://learn.microsoft.com/azure/private-link/private-endpoint-overview."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    DISCONNECTED = "Disconnected"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A private endpoint, as ARM answered it."""

    id: ArmId
    name: str
    """Verbatim: Elastic approves only an exact match of name and GUID."""
    guid: str
    """`properties.resourceGuid`, verbatim; Elastic's console calls it the resource ID. Empty: not there yet."""
    location: str
    provisioning_state: str
    alias: str
    """What its connection names: an alias, or a resource id for a service of one's own tenant."""
    status: ConnectionStatus
    status_description: str
    vnet_id: str
    """Empty: Azure shows no subnet of it."""
    nic_ids: tuple[str, ...] = ()
    address: str | None = None
    """Private IPv4 address of its network interface; None: not there yet."""
    ipv6: str = ""
    """The same of version 6, to which no name leads; only a read by id fills it in."""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    status_word: str = ""
    """`status` as Azure spells it, which may be none of those that it documents; empty: it names none."""

    def tag(self, name: str) -> str:
        """A tag's value without blanks around it, empty if there is none; Azure compares tag names without case."""
        return next((value.strip() for tag, value in self.tags.items() if lower_case(tag) == name), "")


AZURE_NAME_SERVER = "168.63.129.16"
"""Azure's own name server, the only one that knows private zones: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16."""


@dataclass(frozen=True, slots=True)
class Peering:
    """The network on the other side of a peering that both sides agree on."""

    network_id: str
    prefixes: tuple[str, ...] = ()
    """Its address prefixes, as this side knows them: also of a network that the app cannot read."""


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A virtual network, as far as it explains what a client in it sees."""

    id: str
    dns_servers: tuple[str, ...] = ()
    """What its machines ask for names; empty: Azure's name server."""
    peerings: tuple[Peering, ...] = ()
    prefixes: tuple[str, ...] = ()
    """Its address prefixes, in CIDR notation."""

    @property
    def peers(self) -> tuple[str, ...]:
        """Ids of the networks that it is connected with, both sides agreeing."""
        return tuple(peering.network_id for peering in self.peerings)

    @property
    def own_dns_servers(self) -> tuple[str, ...]:
        """Name servers that are not Azure's; none when Azure's is among them, for then it answers in the end."""
        return () if AZURE_NAME_SERVER in self.dns_servers else self.dns_servers

    def reaches(self, other: str) -> bool:
        """Whether there is a direct route to another network (or it is the same)."""
        return lower_case(other) in {lower_case(self.id), *(lower_case(peer) for peer in self.peers)}


@dataclass(frozen=True, slots=True)
class NameResolution:
    """Which networks answer the clients of an endpoint's network for names (`planning.name_resolution`)."""

    networks: tuple[str, ...]
    """Ids of the networks whose linked zones the clients see: their own, or those that contain their name servers."""
    servers: tuple[str, ...] = ()
    """The clients' own name servers; empty: Azure's."""
    unknown: tuple[str, ...] = ()
    """Those of `servers` that no network contains that the app can read: what they answer is not known."""
    read: bool = True
    """False: the endpoint's network could not be read, so all of this is assumed."""
    read_at: datetime | None = field(default=None, compare=False)
    """When it was read; two that say the same are equal."""

    @property
    def complete(self) -> bool:
        """Whether it is known of every name server which network it is in."""
        return self.read and not self.unknown

    def says_as(self, other: NameResolution | None) -> bool:
        """Whether both tell the same; Azure spells an id now so, now so, in a list and where it reads one thing."""
        return other is not None and _lower_case(self) == _lower_case(other)

    def answered_by(self, vnet_id: str) -> bool:
        """Whether this network is among those that answer."""
        return lower_case(vnet_id) in {lower_case(one) for one in self.networks}


def _lower_case(found: NameResolution) -> NameResolution:
    return replace(found, networks=tuple(lower_case(one) for one in found.networks))


@dataclass(frozen=True, slots=True)
class Link:
    """A virtual network link of a private DNS zone."""

    id: str
    name: str
    vnet_id: str
    completed: bool
    marker: Marker | None = None
    etag: str = ""
    failed: bool = False
    """Azure tried to make it and could not: it serves no client, even if its other fields look well."""


@dataclass(frozen=True, slots=True)
class WildcardRecord:
    """The `*` A record set of a zone."""

    addresses: tuple[str, ...]
    etag: str
    marker: RecordMarker | None = None


@dataclass(frozen=True, slots=True)
class NamedRecords:
    """What a zone has under a name of its own: there the `*` record does not answer, nor below it."""

    name: str
    """Relative to the zone, such as `es` or `my-cluster.es`."""
    addresses: tuple[str, ...] = ()
    """Its A records; empty: it has records of other types only."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A private DNS zone with what of it matters to us."""

    id: ArmId
    marker: Marker | None = None
    links: tuple[Link, ...] = ()
    record: WildcardRecord | None = None
    """None: there is no `*` A record set."""
    other_records: int | None = None
    """Record sets besides `*` and the zone's own SOA; None: not looked at."""
    names: tuple[NamedRecords, ...] = ()
    """The names besides `*` that have records, without the zone's own."""
    etag: str = ""

    @property
    def name(self) -> str:
        """The zone's DNS name."""
        return self.id.name

    @property
    def has_other_records(self) -> bool | None:
        """Whether others have record sets in it; None: not looked at."""
        return True if self.names else None if self.other_records is None else self.other_records > 0

    def link_to(self, vnet_id: str) -> Link | None:
        """The link to a virtual network, if there is one that serves it or is being made."""
        return next((link for link in self._links_to(vnet_id) if not link.failed), None)

    def failed_link_to(self, vnet_id: str) -> Link | None:
        """What is left of an attempt to link a virtual network, if Azure keeps it."""
        return next((link for link in self._links_to(vnet_id) if link.failed), None)

    def _links_to(self, vnet_id: str) -> list[Link]:
        return [link for link in self.links if lower_case(link.vnet_id) == lower_case(vnet_id)]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a private connection policy: the endpoint that it lets in."""

    endpoint_name: str
    endpoint_guid: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A traffic filter ruleset of Elastic Cloud, of any type."""

    id: str
    name: str
    type: str
    region: str
    include_by_default: bool
    description: str
    rules: tuple[Rule, ...]
    associations: tuple[str, ...] = ()
    """Ids of the targets that it is associated with, those that our key may see."""
    marker: Marker | None = None
    other_rules: int = 0
    """Rules that name no Azure endpoint."""
    hidden_associations: int = 0
    """Associations with targets that our key may not see."""
    counted: bool = True
    """Whether the service says how many there are; else there may be hidden ones too."""
    unreadable: bool = False
    """Whether a rule of it could not be read; it counts as one of others."""

    @property
    def rule_count(self) -> int:
        """All its rules, of any kind."""
        return len(self.rules) + self.other_rules

    @property
    def used(self) -> bool:
        """Whether any target is associated with it, seen by our key or not."""
        return bool(self.associations) or self.hidden_associations > 0

    def is_as(self, other: Policy) -> bool:
        """Whether the same come in by both, and both are the same maker's: labels and associations may differ."""
        rules = (frozenset(self.rules), self.other_rules, self.marker, self.type)
        return rules == (frozenset(other.rules), other.other_rules, other.marker, other.type)

    def admits_only(self, guid: str) -> bool:
        """Whether nothing but this endpoint comes in by it."""
        return not self.other_rules and all(rule.endpoint_guid.lower() == guid.lower() for rule in self.rules)


def policies_made_for(connection_id: str, policies: Collection[Policy], instance_id: str) -> Listing[Policy]:
    """The policies that this installation made for a connection, by their markers."""
    return Listing.of(policies).where(_made_for, (instance_id, connection_id))


def _made_for(policy: Policy) -> tuple[tuple[str, str], ...]:
    marker = policy.marker if policy.type == POLICY_TYPE else None
    return () if marker is None else ((marker.instance, marker.connection_id),)


def in_region(policies: Collection[Policy], region: str) -> Listing[Policy]:
    """Those of a region, as Elastic names it: no other can let its endpoints in."""
    return Listing.of(policies).where(_region, region)


def _region(policy: Policy) -> tuple[str]:
    return (policy.region,)


def types_of(policies: Iterable[Policy]) -> dict[str, str]:
    """The type of each policy, by its id."""
    return {policy.id: policy.type for policy in policies}


def policies_admitting(guid: str, policies: Collection[Policy]) -> Listing[Policy]:
    """The private connection policies that let an endpoint in, however the letters of its GUID are spelled."""
    return Listing.of(policies).where(_admitted, guid.lower())


def _admitted(policy: Policy) -> list[str]:
    return [rule.endpoint_guid.lower() for rule in policy.rules] if policy.type == POLICY_TYPE else []


class Attached(NamedTuple):
    """The policies attached to a target, as one read showed them."""

    policies: tuple[str, ...]
    """Their ids."""
    version: str = ""
    """What tells this list from any other, where the family's writes are conditional on it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An endpoint that this organization has claimed: no other organization can name it in a policy."""

    region: str
    endpoint_name: str
    endpoint_guid: str


@dataclass(frozen=True, slots=True)
class Target:
    """What an endpoint is connected to in Elastic Cloud: a hosted deployment or a Serverless project."""

    id: str
    name: str
    region: str
    """Region of its Elasticsearch, as Elastic names it: `azure-eastus2`. Empty: unknown."""
    running: bool
    """False for hidden, stopped and shut-down ones: they stay listed for a while."""
    attached: tuple[str, ...] | None
    """Ids of the policies attached to it; None: unknown."""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    urls: tuple[PrivateUrl, ...] = ()
    state: str = ""
    """What Elastic Cloud says that it does, where it does not simply run: `initializing`, `reconfiguring`."""
    project_type: str = ""
    """`elasticsearch`, `observability` or `security`; empty of a deployment."""
    family: Family = Family.HOSTED
