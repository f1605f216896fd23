"""No target is opened, nor closed unasked, at any pace, with any answer lost, any list behind and any worker killed."""

from __future__ import annotations

import pytest

from tests.harness.outcome import EVERY_FAULT
from tests.models.exploring import bad_ends, search
from tests.models.target_requests import Model, ended_well, quiet_step
from tests.models.target_state import A, B, Bounds, C, Kind, Rules, State

LEAVE = ((Kind.DELETE, A), (Kind.DELETE, B))
LEAVE_TWICE = (*LEAVE, (Kind.DELETE, A))
COMES = ((Kind.POST, A), (Kind.DELETE, B))
TAKES_ITS_PLACE = Bounds(COMES, here=(B,), may_reopen=True)
"""A comes and B goes; it is not allowed that A is the first policy, but that the last one goes."""
YOUNG = Bounds(LEAVE[:1], here=(A, C), young=(C,), effect=2)
"""A goes; another policy was associated by a person a moment ago, and is not in force yet."""
SCENES = {
    "two leave": Bounds(),
    "two leave, one of them is wanted again": Bounds(again=True),
    "one takes the other's place": TAKES_ITS_PLACE,
    "one leaves, a young one of others stays": YOUNG,
}
WIDE = {
    "two leave, the queue repeats one": Bounds(LEAVE_TWICE),
    "two leave, a slower cloud": Bounds(late=2, lag=2, patience=2),
    "two leave, a young one of others stays": Bounds(here=(A, B, C), young=(C,), effect=2),
    "one takes the other's place, one of others stays": Bounds(COMES, here=(B, C), may_reopen=True),
}
"""Minutes: searched where every fault is tried."""


def explored(model: Model) -> tuple[set[State], list[str] | None]:
    return search(model.initial(), model.successors, model.is_wrong)


@pytest.mark.parametrize("scene", [*SCENES, *(WIDE if EVERY_FAULT else ())])
def test_no_target_is_opened_nor_closed_unasked_and_none_waits_for_ever(scene: str) -> None:
    model = Model((SCENES | WIDE)[scene])
    states, wrong = explored(model)
    assert wrong is None, "\n".join(wrong or ())
    assert len(states) > 400
    assert bad_ends(states, lambda state: quiet_step(model, state), lambda state: ended_well(model, state)) == []


WITHOUT = {
    "note_with_etag": Bounds(patience=2),
    "answer_keeps_note": Bounds(),
    "whole_lag": Bounds(),
    "refusal_needs_sole": Bounds(),
    "count_from_read": Bounds(),
    "stop_at_deadline": Bounds(),
    "need_age": YOUNG,
    "note_posts": TAKES_ITS_PLACE,
    "reopening_waits": TAKES_ITS_PLACE,
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_each_rule_is_needed(missing: str) -> None:
    """Without it there is a way to harm, which the search finds: so the search can fail."""
    _, wrong = explored(Model(WITHOUT[missing], Rules(**{missing: False})))
    assert wrong, f"without {missing} nothing goes wrong: the model does not see what it is for"
