"""Who takes our association away is given in to, after a bounded number of times, and is told apart from a lag."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.guards.consent import OPT_OUT_TAG
from shared.core.model.ownership import Owner
from shared.core.model.record_elastic import AssociationMemory
from shared.core.model.record_parts import RESTORE_WINDOW
from shared.core.planning.associations import begin_restore, contested, reset_restores, taken_away
from tests.core.core_parts import KNOWN, NOW, plan_options, target

OURS = AssociationMemory("d1", Owner.OURS, seen=True)
OPTIONS = plan_options(association_restores=3)


def times(*days: float) -> AssociationMemory:
    return replace(OURS, taken=tuple(NOW - timedelta(days=day) for day in days))


@pytest.mark.parametrize(
    ("memory", "away"),
    [
        (None, False),
        (AssociationMemory("d1"), False),
        (AssociationMemory("d1", Owner.ADOPTED, seen=True), False),
        (OURS, True),
        (replace(OURS, seen=False), True),
    ],
    ids=["never", "begun", "others'", "ours", "ours, not seen to stand after the lag"],
)
def test_only_what_was_ours_is_taken_away_from_us(memory: AssociationMemory | None, away: bool) -> None:
    assert taken_away(memory) == away
    assert len(begin_restore(memory or AssociationMemory("d1"), NOW).taken) == away


@pytest.mark.parametrize("restores", [0, 1, 3])
def test_it_is_put_back_as_often_as_the_settings_say_and_then_left(restores: int) -> None:
    options, memory, made = plan_options(association_restores=restores), OURS, 0
    for day in range(6):
        now = NOW + timedelta(days=day)
        if contested(target(), memory, options, now) is None:
            memory = replace(begin_restore(memory, now), owner=Owner.OURS, seen=True)
            made += 1
    assert made == restores


@pytest.mark.parametrize(
    ("memory", "left"),
    [
        (times(1, 2), False),
        (times(1, 2, 3), True),
        (times(1, 2, RESTORE_WINDOW.days), False),
        (times(1, 2, RESTORE_WINDOW.days - 0.01), True),
        (times(8, 9, 10, 11), False),
    ],
)
def test_only_what_happened_within_the_window_counts(memory: AssociationMemory, left: bool) -> None:
    assert (contested(target(), memory, OPTIONS, NOW) is not None) == left


def test_what_is_past_the_window_is_forgotten_when_it_is_put_back() -> None:
    assert begin_restore(times(100, 1), NOW).taken == (NOW - timedelta(days=1), NOW)


def test_a_first_association_is_never_contested() -> None:
    for memory in (None, AssociationMemory("d1"), AssociationMemory("d1", Owner.ADOPTED, seen=True)):
        assert contested(target(), memory, plan_options(association_restores=0), NOW) is None


def test_while_it_is_being_put_back_its_end_is_unknown() -> None:
    begun = begin_restore(OURS, NOW)
    assert (begun.owner, begun.seen, begun.made_at) == (None, False, NOW)


def test_who_is_left_alone_is_told_when_how_and_how_to_opt_out() -> None:
    problem = contested(target(), times(1, 2, 3), OPTIONS, NOW)
    assert problem is not None
    assert problem.reason == "AssociationContested"
    assert "3 times" in problem.message
    assert "Terraform" in problem.message
    assert "orders (d1)" in problem.message
    assert f"{OPT_OUT_TAG}=ignore" in problem.next_step


def test_a_person_who_asks_for_a_run_settles_the_fight() -> None:
    record = reset_restores(KNOWN.with_elastic(associations=(times(1, 2, 3), AssociationMemory("d2", Owner.ADOPTED))))
    assert [memory.taken for memory in record.elastic.associations] == [(), ()]
    assert contested(target(), record.association("d1"), OPTIONS, NOW) is None
