"""Whole lives of a connection while an answer is wrong, once or for 20 minutes: no harm, and the same end.

A sample; `make hostile` plays 600, others with each seed. A number plays the same life again.
"""

from __future__ import annotations

import pytest

from tests.damaged.parts import EVERYTHING, SEED, part_of
from tests.damaged.works import Life

LIVES = 600 if EVERYTHING else 3
FIRST = LIVES * int(SEED)
PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_wrong_answer_does_no_harm_and_what_is_wanted_comes_true(part: int) -> None:
    failed = []
    for number in part_of(range(FIRST + part, FIRST + LIVES, PARTS)) if EVERYTHING else (part,):
        life = Life(number)
        problems = await life.play()
        assert life.spoiler is not None
        failed += [f"life {number}, {life.spoiler.wrong}: {problem}" for problem in problems]
    assert failed == []
