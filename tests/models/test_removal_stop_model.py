"""No pace of removals passes under the limit, and a stop ends by itself as soon as it may."""

from __future__ import annotations

import pytest

from tests.models.exploring import bad_ends, search
from tests.models.removal_stop import Model, Rules, ended_well, quiet_step


def test_no_more_go_unasked_within_a_day_than_the_limit_and_none_waits_without_need() -> None:
    model = Model()
    states, wrong = search(model.initial(), model.successors, lambda state: state.bad)
    assert wrong is None, "\n".join(wrong or ())
    assert len(states) > 1000
    assert bad_ends(states, lambda state: quiet_step(model, state), ended_well) == []


@pytest.mark.parametrize("missing", ["unread_count", "day_counts", "word_by_name"])
def test_each_rule_is_needed(missing: str) -> None:
    """Without it there is a way past the limit, which the search finds: so the search can fail."""
    model = Model(rules=Rules(**{missing: False}))
    _, wrong = search(model.initial(), model.successors, lambda state: state.bad)
    assert wrong, f"without {missing} nothing goes wrong: the model does not see what it is for"
