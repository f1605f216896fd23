"""Names as a virtual network sees them: pure answers; served over sockets by `local.network.name_server`.

Called by `Network`. A private zone that is linked to the network wins over the public DNS, also where it has no such
name. Where a network has custom name servers, the network that contains their address answers in its place, with the
zones that are linked to that one, as a hub's resolver or firewall does; one outside of all networks knows public names
only. `168.63.129.16`, Azure's own, stands for the network itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from local.network.azure import Azure, ZoneView
    from local.network.settings import NetworkSettings, ResolverFailure

AZURE_NAME_SERVER = "168.63.129.16"
Public = Callable[[str], list[str] | None]


PUBLIC_TTL = 60
_LONGEST_CHAIN = 8

Rcode = Literal["NOERROR", "NXDOMAIN", "SERVFAIL", "TIMEOUT"]
"""The name server's word; a timeout is none, but is what a client meets."""
_FAILURES: dict[ResolverFailure, Rcode] = {"timeout": "TIMEOUT", "servfail": "SERVFAIL"}


class Record(NamedTuple):
    """One record of an answer, its data as a zone file would have it."""

    name: str
    kind: str
    ttl: int
    text: str


class Found(NamedTuple):
    """Result of a question; NOERROR without records is a name that has other records only."""

    rcode: Rcode
    records: tuple[Record, ...] = ()


class Answer(NamedTuple):
    """Result of a question for addresses."""

    rcode: Rcode
    addresses: tuple[str, ...] = ()


class Resolver:
    """Answers for every virtual network."""

    def __init__(
        self, arm: Azure, public: Public, settings: NetworkSettings, network_of: Callable[[str, str], str | None]
    ) -> None:
        """`network_of`: from a name server's address, and the network that asks, to the network that contains it."""
        self._arm, self._settings = arm, settings
        self._public = public
        self._network_of = network_of

    def resolve(self, vnet_id: str | None, name: str) -> Answer:
        """The addresses of a name inside a virtual network; None asks on the internet."""
        found = self.lookup(vnet_id, name, "A")
        return Answer(found.rcode, tuple(record.text for record in found.records if record.kind == "A"))

    def lookup(self, vnet_id: str | None, name: str, kind: str, chain: int = 0) -> Found:
        """The records of one type; an alias is followed as far as the same network sees it."""
        name = name.lower().rstrip(".")
        view, failure = self._view(vnet_id)
        if failure is not None:
            return Found(failure)
        zone = _zone_of(name, self._arm.zones_linked_to(view)) if view else None
        if zone is None:
            return self._on_the_internet(name, kind)
        owner = _owner(zone, name)
        if owner is None:
            return Found("NXDOMAIN")
        records = _records(zone, owner, kind, name)
        alias = () if records or kind == "CNAME" else _records(zone, owner, "CNAME", name)
        if not alias or chain == _LONGEST_CHAIN:
            return Found("NOERROR", records)
        target = self.lookup(vnet_id, alias[0].text, kind, chain + 1)
        return Found(target.rcode, (*alias, *target.records))

    def _on_the_internet(self, name: str, kind: str) -> Found:
        addresses = self._public(name)
        if addresses is None:
            return Found("NXDOMAIN")
        shown = addresses if kind == "A" else []
        return Found("NOERROR", tuple(Record(name, "A", PUBLIC_TTL, address) for address in shown))

    def _view(self, vnet_id: str | None) -> tuple[str | None, Rcode | None]:
        """The network whose private zones count (None: none, only public names), or how all its name servers fail."""
        failure: Rcode | None = None
        for answering in self._answering(vnet_id):
            failure = self._failure(answering)
            if failure is None:
                return answering, None
        return None, failure

    def _answering(self, vnet_id: str | None) -> list[str | None]:
        """The networks that answer a client, in the order in which it asks: the next one where one fails."""
        vnet = self._arm.virtual_network(vnet_id) if vnet_id else None
        if vnet is None:
            return [None]
        if not vnet.dns_servers or AZURE_NAME_SERVER in vnet.dns_servers:
            return [vnet.id]
        return [self._network_of(server, vnet.id) for server in vnet.dns_servers]

    def _failure(self, answering: str | None) -> Rcode | None:
        for vnet_id, failure in self._settings.resolvers.items():
            if answering is not None and vnet_id.lower() == answering.lower():
                return _FAILURES[failure]
        return None


def public_names(zones: Iterable[str]) -> Public:
    """The public DNS as far as it matters here: Elastic's hosts have addresses, their private names do not exist."""
    private = {zone.lower() for zone in zones}
    public = sorted(zone.partition(".")[2] for zone in private)

    def resolve(name: str) -> list[str] | None:
        if any(name == zone or name.endswith(f".{zone}") for zone in private):
            return None
        for number, ending in enumerate(public):
            if name.endswith(f".{ending}"):
                return [f"203.0.113.{10 + number}"]
        return None

    return resolve


def _zone_of(name: str, zones: Iterable[ZoneView]) -> ZoneView | None:
    """The longest zone that the name is in."""
    fitting = [zone for zone in zones if f".{name}".endswith(f".{zone.name.lower()}")]
    return max(fitting, key=lambda zone: len(zone.name), default=None)


def _owner(zone: ZoneView, name: str) -> str | None:
    """Whose records answer: those of the name itself, or of the wildcard that stands for it; None: none does."""
    label = name.removesuffix(zone.name.lower()).rstrip(".") or "@"
    nodes = {owner for _, owner in zone.record_sets}
    if label == "@" or _exists(label, nodes):
        return label
    wildcard = _wildcard(label, nodes)
    return wildcard if wildcard in nodes else None


def _records(zone: ZoneView, owner: str, kind: str, name: str) -> tuple[Record, ...]:
    record_set = zone.record_sets.get((kind, owner))
    if record_set is None or kind not in _TEXTS:
        return ()
    return tuple(Record(name, kind, record_set.ttl, text) for text in _TEXTS[kind](record_set.records))


def _host(name: str) -> str:
    """A name inside a record; Azure takes it with or without the last dot."""
    return name.rstrip(".") + "."


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _soa(soa: dict[str, Any]) -> str:
    times = (soa["serialNumber"], soa["refreshTime"], soa["retryTime"], soa["expireTime"], soa["minimumTtl"])
    return " ".join((_host(soa["host"]), _host(soa["email"]), *map(str, times)))


# What Azure keeps of each type, as a zone file would have it.
_TEXTS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "A": lambda kept: [one["ipv4Address"] for one in kept.get("aRecords", ())],
    "AAAA": lambda kept: [one["ipv6Address"] for one in kept.get("aaaaRecords", ())],
    "CNAME": lambda kept: [_host(kept["cnameRecord"]["cname"])] if kept.get("cnameRecord") else [],
    "MX": lambda kept: [f"{one['preference']} {_host(one['exchange'])}" for one in kept.get("mxRecords", ())],
    "PTR": lambda kept: [_host(one["ptrdname"]) for one in kept.get("ptrRecords", ())],
    "SOA": lambda kept: [_soa(kept["soaRecord"])],
    "SRV": lambda kept: [
        f"{one['priority']} {one['weight']} {one['port']} {_host(one['target'])}" for one in kept.get("srvRecords", ())
    ],
    "TXT": lambda kept: [" ".join(map(_quoted, one["value"])) for one in kept.get("txtRecords", ())],
}


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
