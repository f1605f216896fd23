"""Names as a virtual network sees them: pure answers; served over sockets by `local.network.name_server`.

Called by `Network`. A private zone that is linked to the network wins over the public DNS, also where it has no such
name; custom name servers of a network pass its private zones by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from local.network.azure import Azure, ZoneView

AZURE_NAME_SERVER = "168.63.129.16"
_ELASTIC = ".azure.elastic-cloud.com"
Public = Callable[[str], list[str] | None]


PUBLIC_TTL = 60
_LONGEST_CHAIN = 8

Rcode = Literal["NOERROR", "NXDOMAIN"]


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
        self, arm: Azure, public: Public, vnet_of_name_server: Callable[[str], str | None] = lambda _address: None
    ) -> None:
        self._arm = arm
        self._public = public
        self._vnet_of_name_server = vnet_of_name_server

    def resolve(self, vnet_id: str | None, name: str) -> Answer:
        """The addresses of a name inside a virtual network; None asks on the internet."""
        found = self.lookup(vnet_id, name, "A")
        return Answer(found.rcode, tuple(record.text for record in found.records if record.kind == "A"))

    def lookup(self, vnet_id: str | None, name: str, kind: str, chain: int = 0) -> Found:
        """The records of one type; an alias is followed as far as the same network sees it."""
        name = name.lower().rstrip(".")
        view = self._view(vnet_id)
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
