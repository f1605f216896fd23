"""The `*` record is never taken from a living endpoint that is Ready; a gone holder's goes to the one that waits."""

from __future__ import annotations

import pytest

from tests.models.exploring import bad_ends, search
from tests.models.record_handover import Bounds, Model, Rules, State, ended_well, quiet_step


def explored(model: Model) -> tuple[set[State], list[str] | None]:
    return search(model.initial(), model.successors, lambda state: state.bad)


def test_every_order_of_steps_faults_and_lags_leaves_a_living_endpoint_its_record() -> None:
    model = Model()
    states, wrong = explored(model)
    assert wrong is None, "\n".join(wrong or ())
    assert len(states) > 50_000
    assert bad_ends(states, lambda state: quiet_step(model, state), ended_well) == []


@pytest.mark.parametrize("missing", ["record_first", "guid_in_marker", "young_stays"])
def test_each_rule_is_needed(missing: str) -> None:
    """Without it there is a way to harm, which the search finds: so the search can fail."""
    _, wrong = explored(Model(Rules(**{missing: False}), Bounds()))
    assert wrong, f"without {missing} nothing goes wrong: the model does not see what it is for"
    assert "E1 is made anew, with the same address." in wrong
