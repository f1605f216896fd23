"""A sweep plans each of its endpoints, and what it looks at grows with the estate, not with its square.

Counted are the looks at what the clouds listed, which are the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

from shared.core.planning.triage import triage
from tests.core.core_parts import NOW
from tests.core.planning.large_snapshot import KINDS, large_snapshot

FEW, MANY = 8 * KINDS, 32 * KINDS
KINDS_OF_THINGS = {"Claim", "Policy", "Target", "VirtualNetwork", "Zone"}


class Looks:
    """What the planning reads of listed things, by their kinds."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self._kinds: dict[type, type] = {}

    def watch(self, thing: Any) -> Any:
        """The same thing, every look at which counts."""
        kind = type(thing)
        watched = self._kinds.setdefault(kind, self._watched(kind))
        return watched(**{one.name: getattr(thing, one.name) for one in fields(kind)})

    def _watched(self, kind: type) -> type:
        counted = self.counted

        def look(thing: Any, name: str) -> Any:
            counted[kind.__name__] += 1
            return object.__getattribute__(thing, name)

        return type(kind.__name__, (kind,), {"__slots__": (), "__getattribute__": look})


def looks(endpoints: int) -> Counter[str]:
    """The looks of a sweep's planning of so many."""
    found = Looks()
    snapshot, options = large_snapshot(endpoints, in_subscription=endpoints, watch=found.watch)
    found.counted.clear()
    sorted_out = triage(snapshot, options, NOW)
    assert len(sorted_out.work) + len(sorted_out.to_test) == endpoints
    return found.counted


def test_four_times_as_many_endpoints_take_four_times_as_many_looks_at_things() -> None:
    few, many = looks(FEW), looks(MANY)
    assert set(few) == KINDS_OF_THINGS
    assert {kind: many[kind] / few[kind] for kind in few if many[kind] > 4.1 * few[kind]} == {}
