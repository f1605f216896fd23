"""There is never a second policy; at the end one that is on record, and none where the endpoint is gone."""

from __future__ import annotations

import pytest

from tests.harness.outcome import EVERY_FAULT
from tests.models.exploring import bad_ends, search
from tests.models.policy_post import Bounds, Model, Rules, State, ended_well, quiet_step

ENDS = Bounds(ends=True, workers=1)
SCENES = {
    "two workers": Bounds(),
    "a person deletes the policy": Bounds(person=True),
    "the endpoint is deleted": ENDS,
}
WIDE = {
    "a slower cloud": Bounds(late=2, lag=2, patience=2),
    "the endpoint is deleted, two workers": Bounds(ends=True),
    "both, slower lists": Bounds(person=True, ends=True, lag=2, workers=1),
}
"""Minutes: searched where every fault is tried."""


def explored(model: Model) -> tuple[set[State], list[str] | None]:
    return search(model.initial(), model.successors, model.is_wrong)


def badly_ended(model: Model, states: set[State]) -> list[State]:
    return bad_ends(states, lambda state: quiet_step(model, state), ended_well)


@pytest.mark.parametrize("scene", [*SCENES, *(WIDE if EVERY_FAULT else ())])
def test_there_is_never_a_second_policy_and_none_is_left(scene: str) -> None:
    model = Model((SCENES | WIDE)[scene])
    states, wrong = explored(model)
    assert wrong is None, "\n".join(wrong or ())
    assert len(states) > 500
    assert badly_ended(model, states) == []


WITHOUT = {
    "whole_search": Bounds(),
    "own_intent": Bounds(person=True),
    "stop_at_deadline": Bounds(),
    "found_keeps_window": Bounds(person=True),
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_each_rule_is_needed(missing: str) -> None:
    """Without it there is a way to a second policy, which the search finds: so the search can fail."""
    _, wrong = explored(Model(WITHOUT[missing], Rules(**{missing: False})))
    assert wrong, f"without {missing} nothing goes wrong: the model does not see what it is for"


@pytest.mark.parametrize("missing", ["removal_waits", "answered_may_lag"])
def test_each_rule_of_a_removal_is_needed(missing: str) -> None:
    """Without it a policy of ours stays for ever."""
    model = Model(ENDS, Rules(**{missing: False}))
    states, wrong = explored(model)
    assert wrong is None
    left = badly_ended(model, states)
    assert any(one.removed and any(here for here, _ in one.policies) for one in left)
