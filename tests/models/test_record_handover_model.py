"""The `*` record is never taken from a living endpoint that is Ready; a gone holder's goes to the one that waits."""

from __future__ import annotations

from collections import deque

import pytest

from tests.models.record_handover import Bounds, Model, Rules, State, ended_well, quiet_step

TICKS = 40


def search(model: Model) -> tuple[set[State], list[str] | None]:
    """Every state that can be reached, or the shortest way to a wrong one."""
    parent: dict[State, tuple[State, str] | None] = {model.initial(): None}
    queue = deque(parent)
    while queue:
        state = queue.popleft()
        for sentence, after in model.successors(state):
            if after in parent:
                continue
            parent[after] = (state, sentence)
            if after.bad:
                return set(), _way(parent, after)
            queue.append(after)
    return set(parent), None


def _way(parent: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    sentences: list[str] = []
    while (before := parent[state]) is not None:
        state = before[0]
        sentences.append(before[1])
    return sentences[::-1]


def bad_ends(model: Model, states: set[State]) -> list[State]:
    """The states from which a quiet world does not come to rest as it should."""
    known: dict[State, bool] = {}
    for first in states:
        path, state, ticks = [], first, 0
        while state not in known and ticks <= TICKS:
            path.append(state)
            after, ticked = quiet_step(model, state)
            ticks += ticked
            if after == state:
                known[state] = ended_well(state)
            state = after
        verdict = known.get(state, False)
        known |= dict.fromkeys(path, verdict)
    return [state for state in states if not known[state]]


def test_every_order_of_steps_faults_and_lags_leaves_a_living_endpoint_its_record() -> None:
    model = Model()
    states, wrong = search(model)
    assert wrong is None, "\n".join(wrong or ())
    assert len(states) > 50_000
    assert bad_ends(model, states) == []


@pytest.mark.parametrize("missing", ["record_first", "guid_in_marker", "young_stays"])
def test_each_rule_is_needed(missing: str) -> None:
    """Without it there is a way to harm, which the search finds: so the search can fail."""
    _, wrong = search(Model(Rules(**{missing: False}), Bounds()))
    assert wrong, f"without {missing} nothing goes wrong: the model does not see what it is for"
    assert "E1 is made anew, with the same address." in wrong
