"""How many of its cases a search plays: a sample, all of them (`make hostile`), or a part of all (`PART=3/20`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

EVERYTHING = bool(os.environ.get("HOSTILE"))
_Case = TypeVar("_Case")


def part_of(cases: Sequence[_Case]) -> Sequence[_Case]:
    """Those of all cases that are this run's: every 20th from the third on with `HOSTILE_PART=3/20`, else all."""
    number, _, parts = (os.environ.get("HOSTILE_PART") or "1/1").partition("/")
    return cases[int(number) - 1 :: int(parts)]
