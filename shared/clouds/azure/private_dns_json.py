"""ARM's JSON of private DNS, turned into the product's values. Pure; used by `private_dns` and its changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.markers import marker_from_tags, record_marker
from shared.core.model.resources import Link, WildcardRecord, Zone

WILDCARD = "*"


def zone_of(body: Mapping[str, Any]) -> Zone:
    """A zone from ARM's JSON, without links and record; `other_records` still counts the `*` record too."""
    sets = (body.get("properties") or {}).get("numberOfRecordSets")
    return Zone(
        id=parse_arm_id(body.get("id")),
        marker=marker_from_tags(body.get("tags")),
        other_records=max(0, sets - 1) if isinstance(sets, int) else None,  # one is the zone's own SOA
        etag=str(body.get("etag") or ""),
    )


def link_of(body: Mapping[str, Any]) -> Link:
    """A link from ARM's JSON."""
    properties = body.get("properties") or {}
    completed = str(properties.get("virtualNetworkLinkState") or "").lower() in {"completed", "done"}
    ended_badly = str(properties.get("provisioningState") or "").lower() in {"failed", "canceled"}
    return Link(
        id=str(body.get("id") or ""),
        name=str(body.get("name") or ""),
        vnet_id=str((properties.get("virtualNetwork") or {}).get("id") or ""),
        completed=completed,
        marker=marker_from_tags(body.get("tags")),
        etag=str(body.get("etag") or ""),
        failed=ended_badly and not completed,
    )


def record_of(body: Mapping[str, Any]) -> WildcardRecord:
    """The `*` record set from ARM's JSON."""
    properties = body.get("properties") or {}
    records = properties.get("aRecords") or []
    return WildcardRecord(
        addresses=tuple(str(record.get("ipv4Address")) for record in records),
        etag=str(body.get("etag") or ""),
        marker=record_marker(properties.get("metadata")),
    )
