"""Ownership markers: how the app recognises, in Azure and in Elastic Cloud, what it made itself.

Written by `plan` into zones and links (tags), records (metadata) and policies (description); read by `clouds` when they
turn answers into values. A thing without our marker is never changed and never deleted. The markers also let the state
tables be rebuilt from nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.core.model.arm_ids import connection_id, lower_case
from shared.core.model.json_values import mapping, text

INSTANCE = "elastic-privatelink-instance"
"""Tag and metadata name: which installation of the app made the thing."""
CONNECTION = "elastic-privatelink-connection"
ENDPOINT = "elastic-privatelink-endpoint"
HOLDER = "elastic-privatelink-holder-"
"""Metadata name before a connection id; the value is the address, the resource GUID and the endpoint's id."""
HOLDERS = "elastic-privatelink-holders-"
"""Metadata name before a number, where a record has more holders than Azure allows names: several in one value."""

# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
MAX_TAG_VALUE = 256
MAX_TAGS = 15
"""Of a private DNS zone, a link and (as metadata) a record set."""
_MOST_NAMED = MAX_TAGS - 1
"""Holders with a name of their own: one name is the installation's."""
_PACKED = 3
"""Holders in one value, each with connection id, address and GUID; its record says which endpoint it is."""
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ARM_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_GUID})/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Network/privateEndpoints/(?P<name>[^/]+)",
    re.IGNORECASE | re.ASCII,
)
_SHORT_ID = re.compile(r"(?P<subscription>[0-9a-fA-F]{32})/(?P<group>[^/]+)/(?P<name>[^/]+)")
_DESCRIPTION = re.compile(r"\[elastic-privatelink instance=(?P<instance>\S+) connection=(?P<connection>[0-9a-f]{16})\]")

_ENDPOINT = re.compile(r"Azure private endpoint (?P<endpoint>/subscriptions/\S+)\. ")


def _shortened(endpoint_id: str) -> str:
    """An endpoint's id without what all ids have, which with any names fits a tag; as it is if it is no such id."""
    found = _ARM_ID.fullmatch(endpoint_id)
    return f"{_undashed(found['subscription'])}/{found['group']}/{found['name']}" if found else endpoint_id


def _whole(endpoint_id: str) -> str:
    """The id that was shortened."""
    found = _SHORT_ID.fullmatch(endpoint_id)
    if found is None:
        return endpoint_id
    group = f"/subscriptions/{_dashed(found['subscription'])}/resourceGroups/{found['group']}"
    return f"{group}/providers/Microsoft.Network/privateEndpoints/{found['name']}"


def _undashed(guid: str) -> str:
    return guid.replace("-", "") if re.fullmatch(_GUID, guid) else guid


def _dashed(guid: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", guid):
        return guid
    return "-".join((guid[:8], guid[8:12], guid[12:16], guid[16:20], guid[20:]))


@dataclass(frozen=True, slots=True)
class Marker:
    """Which installation made a thing, for which connection."""

    instance: str
    connection_id: str
    endpoint_id: str = ""

    def tags(self) -> dict[str, str]:
        """The marker as Azure tags; an id too long for a tag value is shortened."""
        tags = {INSTANCE: self.instance, CONNECTION: self.connection_id}
        told = (one for one in (self.endpoint_id, _shortened(self.endpoint_id)) if 0 < len(one) <= MAX_TAG_VALUE)
        if endpoint := next(told, ""):
            tags[ENDPOINT] = endpoint
        return tags

    def description(self) -> str:
        """The marker as the description of an Elastic Cloud policy."""
        sentence = f"Azure private endpoint {self.endpoint_id}. Made and kept by Private Link Autopilot."
        return f"{sentence} [elastic-privatelink instance={self.instance} connection={self.connection_id}]"

    def described_in(self, description: str) -> bool:
        """Whether a policy's description says all of this; a person may have written more around it."""
        return self.description() in description

    def same_maker(self, other: Marker | None) -> bool:
        """Whether `other` was made by the same installation."""
        return other is not None and other.instance == self.instance


def maker_of(marker: Marker | RecordMarker | None) -> str:
    """Who made a thing, for people, as far as its marker tells."""
    if marker is None:
        return "others"
    whose = f" for connection {marker.connection_id}" if isinstance(marker, Marker) else ""
    return f"installation {marker.instance}{whose}"


def marker_from_tags(tags: object) -> Marker | None:
    """The marker in a resource's tags, or None."""
    found = _texts_of(tags)
    if INSTANCE not in found or CONNECTION not in found:
        return None
    return Marker(found[INSTANCE], found[CONNECTION], _whole(found.get(ENDPOINT, "")))


def marker_from_description(description: object) -> Marker | None:
    """The marker in a policy's description, or None."""
    found = _DESCRIPTION.search(text(description))
    if found is None:
        return None
    named = _ENDPOINT.search(text(description))
    # Only as good as its hash: a person who edits the text must not make us look at another endpoint.
    endpoint = named["endpoint"] if named and connection_id(named["endpoint"]) == found["connection"] else ""
    return Marker(found["instance"], found["connection"], endpoint)


def updated_description(current: str, marker: Marker) -> str:
    """The description with this marker in it: as it is if it has it; a person's words are lost only with an old one."""
    return current if marker.described_in(current) else marker.description()


@dataclass(frozen=True, slots=True)
class Holder:
    """An endpoint whose address stands in a record of ours."""

    connection_id: str
    address: str
    endpoint_id: str
    guid: str = ""
    """Which of the endpoints that had this id wrote it: one that was made anew has another."""

    @property
    def value(self) -> str:
        """The entry as metadata holds it: with long names its ids are shortened."""
        short = (self.address, _undashed(self.guid), _shortened(self.endpoint_id))
        forms = (" ".join(filter(None, parts)) for parts in ((self.address, self.guid, self.endpoint_id), short))
        return next((one for one in forms if len(one) <= MAX_TAG_VALUE), " ".join(filter(None, short[:2])))

    @property
    def packed(self) -> str:
        """The entry among others in one value: without the endpoint's id."""
        return f"{self.connection_id}={self.address},{_undashed(self.guid)}"


@dataclass(frozen=True, slots=True)
class RecordMarker:
    """Which installation made a record, and whose addresses stand in it."""

    instance: str
    holders: tuple[Holder, ...]

    def holder(self, connection_id: str) -> Holder | None:
        """The entry of one connection."""
        return next((holder for holder in self.holders if holder.connection_id == connection_id), None)

    def without(self, connection_id: str) -> RecordMarker:
        """The same marker without one connection's entry."""
        return RecordMarker(self.instance, tuple(h for h in self.holders if h.connection_id != connection_id))

    def metadata(self) -> dict[str, str]:
        """The marker as the metadata of a record set, which has `MAX_TAGS` names at most."""
        holders = sorted(self.holders, key=lambda holder: holder.connection_id)
        together = max(0, -(-(len(holders) - _MOST_NAMED) // (_PACKED - 1)))
        named, rest = holders[: _MOST_NAMED - together], holders[_MOST_NAMED - together :]
        entries = {f"{HOLDER}{one.connection_id}": one.value for one in named}
        for number, start in enumerate(range(0, len(rest), _PACKED)):
            entries[f"{HOLDERS}{number}"] = " ".join(one.packed for one in rest[start : start + _PACKED])
        return {INSTANCE: self.instance, **entries}


def _texts_of(tags: object) -> dict[str, str]:
    """Tags or metadata by their lower-cased names; a value that is no text is left out."""
    return {lower_case(name): value for name, value in mapping(tags).items() if value and text(value)}


def record_marker(metadata: object) -> RecordMarker | None:
    """The marker in a record set's metadata, or None."""
    found = _texts_of(metadata)
    if INSTANCE not in found:
        return None
    holders = []
    for name, value in sorted(found.items()):
        if name.startswith(HOLDER):
            holders.append(_holder(name.removeprefix(HOLDER), value))
        elif name.startswith(HOLDERS):
            holders += _packed_holders(value)
    return RecordMarker(found[INSTANCE], tuple(holders))


def _holder(connection: str, value: str) -> Holder:
    """An entry's parts; an endpoint's id has slashes, and may hold blanks where a person wrote it."""
    address, _, rest = value.partition(" ")
    guid, _, endpoint_id = ("", "", rest) if "/" in rest.partition(" ")[0] else rest.partition(" ")
    return Holder(connection, address, _whole(endpoint_id), _dashed(guid))


def _packed_holders(value: str) -> list[Holder]:
    """Several entries of one value; what is none is left out."""
    found = (re.fullmatch(r"([0-9a-f]{16})=([^,=\s]+),([^,=\s]*)", one) for one in value.split())
    return [Holder(one[1], one[2], "", _dashed(one[3])) for one in found if one is not None]
