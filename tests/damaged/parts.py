"""How many of its cases a search plays: a sample, all of them (`make hostile`), or a part of all (`PART=3/20`)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from random import Random
from typing import TypeVar

EVERYTHING = bool(os.environ.get("HOSTILE"))
SEED = os.environ.get("HOSTILE_SEED") or "0"
_Case = TypeVar("_Case")


def one_of_each(cases: Iterable[_Case], kind: Callable[[_Case], Hashable]) -> list[_Case]:
    """Of cases of one kind one, which the seed draws: the third entry of a list is read as the first one is."""
    alike = defaultdict(list)
    for case in cases:
        alike[kind(case)].append(case)
    return [Random(f"{SEED} {name}").choice(found) for name, found in alike.items()]


def part_of(cases: Sequence[_Case]) -> Sequence[_Case]:
    """Those of all cases that are this run's: every 20th from the third on with `HOSTILE_PART=3/20`, else all."""
    number, _, parts = (os.environ.get("HOSTILE_PART") or "1/1").partition("/")
    return cases[int(number) - 1 :: int(parts)]
