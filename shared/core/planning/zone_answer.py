"""What a private zone answers for a name, by RFC 4592's rules for `*`. Pure; called by `health.check`.

A zone's `*` record stands for every name that does not exist. A name that exists, because it or one below it has a
record of its own, hides the `*` for itself and for all that is below it: a record at `neighbour.es` makes `es` exist.
https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.model.resources import NamedRecords

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class ZoneAnswer:
    """What those who are served by the zone get for a name."""

    addresses: tuple[str, ...] = ()
    """A records; empty: there is none."""
    hidden_by: str = ""
    """The name in the zone that keeps its `*` from answering; empty: none does."""


def authoritative(
    host: str, zone_name: str, record_addresses: tuple[str, ...], names: Iterable[NamedRecords]
) -> ZoneAnswer:
    """The zone's answer for `host`, out of its `*` record and the names besides it."""
    name, zone = host.lower().rstrip("."), zone_name.lower().rstrip(".")
    if not zone or not name.endswith(f".{zone}"):
        return ZoneAnswer()
    wanted = name.removesuffix(f".{zone}")
    known = {one.name.lower(): one.addresses for one in names}
    if wanted in known:
        return ZoneAnswer(known[wanted], wanted)
    # What is above a name exists as well, though it has no records.
    existing = {above for one in known for above in _with_ancestors(one)}
    closest = next((above for above in _with_ancestors(wanted) if above in existing), "")
    if not closest:
        return ZoneAnswer(record_addresses)
    below = "" if closest == wanted else f"{WILDCARD}.{closest}"
    return ZoneAnswer(known.get(below, ()), closest)


def _with_ancestors(name: str) -> Iterable[str]:
    """The name and those above it, up to the zone's own; the longest first."""
    while name:
        yield name
        name = name.partition(".")[2]
