"""Anything may stand in an answer of either cloud: it is read, or it is an error of the product, and costs itself only.

A sample; `make hostile` plays one of each kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from shared.core.model.errors import AutopilotError
from tests.damaged.mutations import HUGE, MISSING
from tests.damaged.operations import Operation, recorded_reads
from tests.damaged.parts import EVERYTHING, one_of_each, part_of
from tests.damaged.tape import Wrong

SAMPLE = 40
"""Of each read."""
LISTS = {
    "all endpoints",
    "all addresses",
    "all networks",
    "all zones",
    "all policies",
    "deployments",
    "all claims",
    "all filters of projects",
    "projects",
}


async def test_no_answer_raises_anything_but_an_error_of_the_product_and_a_bad_entry_costs_itself() -> None:
    problems, played = [], 0
    for operation in await recorded_reads():
        wrongs = list(operation.wrongs())
        for service, wrong in _sampled(operation, wrongs):
            played += 1
            found = await judged(operation, service, wrong)
            if found:
                problems.append(f"{operation.name}, {wrong}: {found}")
    assert played > (100 if EVERYTHING else 700)
    assert problems == []


def _sampled(operation: Operation, wrongs: list[tuple[str, Wrong]]) -> Sequence[tuple[str, Wrong]]:
    """Those that are played: some, or one of each kind."""
    if not EVERYTHING:
        return Random(7).sample(wrongs, min(SAMPLE, len(wrongs)))
    return part_of(one_of_each(wrongs, operation.kind))


async def judged(operation: Operation, service: str, wrong: Wrong) -> str:
    """What is wrong with how the app takes this answer; empty: nothing."""
    inside = operation.name in LISTS and _inside_an_entry(wrong)
    try:
        found = await operation.play(service, wrong)
    except AutopilotError as error:
        return f"one entry fails the list: {error}" if inside else ""
    except Exception as error:  # noqa: BLE001 - what is searched for
        return f"raised {error!r:.200}"
    if not inside:
        return ""
    lost = [one for one in _entries(operation.whole) if one not in _entries(found)]
    return f"one entry costs others: {len(lost)}" if len(lost) > 1 else ""


def _inside_an_entry(wrong: Wrong) -> bool:
    """Whether the wrong value stands in one entry of a list, and leaves the answer JSON."""
    mutation = wrong.mutation
    if mutation is None or mutation.name in {name for name in HUGE if name != "a huge text"}:
        return False
    place = mutation.place
    return len(place) > 1 and isinstance(place[1], int) and not (len(place) == 2 and mutation.name == MISSING)


def _entries(found: Any) -> list[Any]:
    return list(found.items()) if isinstance(found, dict) else list(found)
