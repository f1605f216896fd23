"""A project's list: nothing of others is lost, none is opened, and no lost PATCH comes back, however things fail."""

from __future__ import annotations

import pytest

from tests.harness.outcome import EVERY_FAULT
from tests.models.exploring import bad_ends, search
from tests.models.project_list import ID_P, ID_X, ID_Y, Bounds, Model, Rules, Wrong

SCENES = {
    "Terraform writes three times": Bounds(start=ID_X, terraform=3),
    "O stops being wanted": Bounds(start=ID_X | ID_Y, unwanted=1, terraform=0),
    "a young one of others stays": Bounds(effect=2, young=ID_X, terraform=0, jobs=(ID_P, ID_P)),
    "an answer is short": Bounds(start=ID_X | ID_Y, short=1, lag=0, terraform=0),
}
WIDE = {
    "two answers are short": Bounds(start=ID_X | ID_Y | ID_P, short=2, lag=0, terraform=0),
    "one comes, one goes, Terraform writes": Bounds(),
    "one comes, Terraform writes, a person adds one": Bounds(start=ID_X, person=1),
    "one goes, a person adds one": Bounds(jobs=(ID_P, ID_P), terraform=0, person=1),
    "one comes, one goes, a slower cloud": Bounds(late=2, lag=2, terraform=0),
    "one comes, one goes, a young one of others stays": Bounds(effect=2, young=ID_X, terraform=0),
}
"""A minute: searched where every fault is tried."""

WEAKER = {
    "another ETag ends a lost PATCH": (Rules(ends="etag"), Bounds(start=ID_X | ID_Y, unwanted=1), Wrong.COMES_LATE),
    "any read ends a lost PATCH": (Rules(ends="read"), Bounds(start=ID_X, terraform=0, unwanted=1), Wrong.COMES_LATE),
    "an id counts at any age": (Rules(need_age=False), Bounds(effect=2, young=ID_X, terraform=0), Wrong.OPENS),
    "a short answer is believed": (
        Rules(confirm=False),
        Bounds(start=ID_X | ID_Y, short=1, lag=0, terraform=0),
        Wrong.DROPS_OTHERS,
    ),
    "If-Match is ignored": (Rules(if_match=False), Bounds(terraform=0, person=1), Wrong.DROPS_OTHERS),
}


@pytest.mark.parametrize("scene", [*SCENES, *(WIDE if EVERY_FAULT else ())])
def test_nothing_is_lost_or_opened_and_nothing_waits_for_ever(scene: str) -> None:
    model = Model((SCENES | WIDE)[scene])
    states, way = search(model.initial(), model.successors, lambda state: state.wrong is not Wrong.NOTHING)
    assert way is None, "\n".join(way or ())
    assert len(states) > 400
    assert bad_ends(states, model.quiet_step, model.ended_well) == []


@pytest.mark.parametrize("weaker", WEAKER)
def test_each_weaker_rule_breaks(weaker: str) -> None:
    rules, bounds, wrong = WEAKER[weaker]
    model = Model(bounds, rules)
    _, way = search(model.initial(), model.successors, lambda state: state.wrong is wrong)
    assert way
