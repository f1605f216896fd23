"""S6: so many destructive steps between two sweeps, no more without a person, and never more than that person saw."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.core.guards.removal_limit import CONFIRMED_FOR, SHOWN, Allowance, Stop
from tests.core.core_parts import NOW

LIMIT = 10


def taken(allowance: Allowance, *portions: int, limit: int = LIMIT, after: timedelta = timedelta(0)) -> list[bool]:
    """Which of these could be taken one after the other."""
    found = []
    for steps in portions:
        then = allowance.consume(steps, limit, NOW + after)
        found.append(then is not None)
        allowance = then or allowance
    return found


def swept(allowance: Allowance, stop_id: str = "s-1", limit: int = LIMIT, **wanted: int) -> Allowance:
    return allowance.swept(stop_id, wanted, limit, NOW)


def confirmed(**wanted: int) -> Allowance:
    allowance = swept(Allowance(), **wanted).confirm("s-1", NOW)
    assert allowance is not None
    return allowance


@pytest.mark.parametrize(
    ("portions", "expected"),
    [
        ((10,), [True]),
        ((11,), [False]),
        ((5, 5, 1), [True, True, False]),
        ((5, 6, 5, 1), [True, False, True, False]),
        ((0, 10, 0), [True, True, True]),
    ],
)
def test_between_two_sweeps_no_more_than_the_limit_is_taken(portions: tuple[int, ...], expected: list[bool]) -> None:
    assert taken(Allowance(), *portions) == expected


def test_with_a_limit_of_zero_nothing_is_ever_taken() -> None:
    assert taken(Allowance(), 1, 0, limit=0) == [False, True]
    assert swept(Allowance(), limit=0, a=1).stopped is not None
    assert swept(Allowance(), limit=0).stopped is None


def test_a_sweep_that_wants_no_more_than_the_limit_begins_the_count_anew() -> None:
    used_up = Allowance(used=LIMIT)
    assert taken(used_up, 1) == [False]
    assert taken(swept(used_up, a=5, b=5), 10) == [True]


def test_a_sweep_that_wants_more_stops_everything_and_says_how_much_and_for_whom() -> None:
    stopped = swept(Allowance(), a=5, b=5, c=1)
    assert stopped.stopped == Stop("s-1", NOW, 11, ("a", "b", "c"))
    assert taken(stopped, 1, 10, 11) == [False, False, False]


def test_a_stop_names_so_many_connections_and_counts_all() -> None:
    stopped = swept(Allowance(), **{f"c{n:03}": 1 for n in range(200)})
    assert stopped.stopped is not None
    assert (stopped.stopped.steps, len(stopped.stopped.connections)) == (200, SHOWN)


def test_while_nothing_changes_the_stop_keeps_its_id_so_that_a_person_can_confirm_what_they_saw() -> None:
    first = swept(Allowance(), a=11)
    assert swept(first, "s-2", a=11) == first
    assert swept(first, "s-3", a=12).stopped == Stop("s-3", NOW, 12, ("a",))
    assert swept(first, "s-4", b=11).stopped == Stop("s-4", NOW, 11, ("b",))


def test_a_stop_ends_by_itself_when_there_is_less_to_take() -> None:
    assert swept(swept(Allowance(), a=11), a=10) == Allowance()


@pytest.mark.parametrize("stop_id", ["", "s-0", "S-1"])
def test_only_the_present_stop_can_be_confirmed(stop_id: str) -> None:
    assert swept(Allowance(), a=11).confirm(stop_id, NOW) is None
    assert Allowance().confirm(stop_id, NOW) is None


def test_a_confirmation_allows_exactly_what_the_person_saw() -> None:
    assert taken(confirmed(a=25), 20, 5) == [True, True]
    assert taken(confirmed(a=25), 20, 6, 5) == [True, True, True], "past it the usual limit holds"
    assert taken(confirmed(a=25), 25, 10, 1) == [True, True, False]
    assert taken(confirmed(a=25), 26) == [False]


@pytest.mark.parametrize(("after", "allowed"), [(-0.001, True), (0, False), (3600, False)])
def test_a_confirmation_expires(after: float, *, allowed: bool) -> None:
    assert taken(confirmed(a=25), 25, after=CONFIRMED_FOR + timedelta(seconds=after)) == [allowed]


def test_a_sweep_meanwhile_keeps_the_confirmation_and_stops_only_for_what_is_beyond_it() -> None:
    allowance = confirmed(a=25)
    going_on = swept(allowance, "s-2", a=20)
    assert (going_on.stopped, going_on.confirmed) == (None, 25)
    beyond = swept(allowance, "s-2", a=25, b=1)
    assert beyond.stopped == Stop("s-2", NOW, 26, ("a", "b"))
    assert taken(beyond, 1) == [False], "what was confirmed was something else"


def test_a_confirmed_stop_cannot_be_confirmed_twice() -> None:
    assert confirmed(a=25).confirm("s-1", NOW) is None
