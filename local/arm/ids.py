"""ARM resource ids: parsed without regard to case, written with Azure's spelling. Used by `app` and every handler."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

SPELLINGS = {
    name.lower(): name
    for name in (
        "virtualNetworks",
        "subnets",
        "virtualNetworkPeerings",
        "privateEndpoints",
        "networkInterfaces",
        "privateDnsZones",
        "virtualNetworkLinks",
        "privateDnsOperationStatuses",
        "privateDnsOperationResults",
        "locations",
        "operations",
        "operationResults",
        "ALL",
        "A",
        "AAAA",
        "CNAME",
        "MX",
        "PTR",
        "SOA",
        "SRV",
        "TXT",
    )
}

TAGS = "Microsoft.Resources/tags"
_PATH = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?"
    r"/providers/Microsoft\.Network(?P<rest>(?:/[^/]+)+)/?",
    re.IGNORECASE,
)
_TAGS_PATH = re.compile(r"(?P<resource>.+)/providers/Microsoft\.Resources/tags/default/?", re.IGNORECASE)


@dataclass(frozen=True)
class ResourcePath:
    """Where a URL points: a resource (as many names as types) or a collection (one type more)."""

    subscription_id: str
    resource_group: str | None
    types: tuple[str, ...]
    names: tuple[str, ...]
    tags: bool = False
    """Whether it points to the tags of that resource, which are a resource of their own."""

    @property
    def is_collection(self) -> bool:
        """Whether the path ends with a type."""
        return len(self.types) > len(self.names)

    @property
    def kind(self) -> str:
        """The type without its namespace, e.g. `privateDnsZones/A`."""
        return "tags" if self.tags else "/".join(self.types)

    @property
    def type(self) -> str:
        """The type as answers carry it."""
        return TAGS if self.tags else f"Microsoft.Network/{self.kind}"

    @property
    def name(self) -> str:
        """The last name in the path."""
        return self.names[-1]

    # Kept, as the parent is: each answer of a zone asks all links for theirs.
    @cached_property
    def id(self) -> str:
        """The path with Azure's spelling of the fixed parts and the caller's spelling of the names."""
        group = f"/resourceGroups/{self.resource_group}" if self.resource_group is not None else ""
        pairs = [part for n, kind in enumerate(self.types) for part in (kind, *self.names[n : n + 1])]
        tags = [f"providers/{TAGS}/default"] if self.tags else []
        return "/".join([f"/subscriptions/{self.subscription_id}{group}/providers/Microsoft.Network", *pairs, *tags])

    @property
    def tagged(self) -> ResourcePath:
        """The resource whose tags these are."""
        return replace(self, tags=False)

    @cached_property
    def parent(self) -> ResourcePath:
        """The resource one level up."""
        return ResourcePath(
            self.subscription_id, self.resource_group, self.types[:-1], self.names[: len(self.types) - 1]
        )


def parse(path: str) -> ResourcePath | None:
    """The Microsoft.Network resource or collection that `path` names, or None."""
    if tags := _TAGS_PATH.fullmatch(path):
        owner = parse(tags["resource"])
        return None if owner is None or owner.is_collection or owner.tags else replace(owner, tags=True)
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    parts = match["rest"].strip("/").split("/")
    types = tuple(SPELLINGS.get(part.lower(), part) for part in parts[::2])
    return ResourcePath(match["subscription"], match["group"], types, tuple(parts[1::2]))


def parse_resource(text: object, kind: str) -> ResourcePath | None:
    """`text` as the id of a resource of type `kind`, or None if it is anything else."""
    found = parse(text) if isinstance(text, str) else None
    if found is None or found.is_collection or found.resource_group is None or found.kind != kind:
        return None
    return found
