"""Random estates, random people and other managers, random order, losses and crashes: never any harm, and then rest.

Each walk is told on virtual time with the real loop, the real SDKs and the simulators. `watch` looks on at every write
of a worker, `ending` judges the end. A walk that fails prints all that happened; `python -m tests.walk` tells it again,
and as short as it can be. `make walks` runs many; WALKS_FROM begins elsewhere.
"""

from __future__ import annotations

import os

import pytest

from tests.walk.story import Story

WALKS = int(os.environ.get("WALKS", "20"))
FIRST = int(os.environ.get("WALKS_FROM", "0"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_every_walk_does_no_harm_and_comes_to_rest(seed: int) -> None:
    Story(seed).tell()


def test_a_walk_is_the_same_whenever_it_is_told() -> None:
    one, again = Story(3), Story(3)
    one.tell()
    again.tell()
    assert one.lines == again.lines
    assert (one.phases, one.calls) == (again.phases, again.calls)
