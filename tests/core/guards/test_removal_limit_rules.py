"""S6: connections that stand for removal are counted before the first goes, and a stop ends by a word or by fewer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.core.guards.removal_limit import CONFIRMED_FOR, DAY, Removals, Stop, Swept, limit_for
from tests.core.core_parts import NOW

LIMIT = 3


def names(count: int, beginning: str = "c") -> tuple[str, ...]:
    return tuple(f"{beginning}{number:02}" for number in range(count))


def swept(
    known: Removals, unwanted: Collection[str], unread: Collection[str] = (), *, stop: str = "s-1", limit: int = LIMIT
) -> Removals:
    return known.swept(Swept(unwanted, unread), stop, limit, NOW)


def torn_down(known: Removals, *ids: str, after: timedelta = timedelta(), gone: bool = True) -> tuple[Removals, str]:
    """The removals after these were tried one after the other, and which of them went."""
    went = []
    for one in ids:
        known, may = known.tear_down(one, "r-1", NOW + after, gone=gone)
        went += [one] if may else []
    return known, " ".join(went)


@pytest.mark.parametrize(
    ("setting", "on_record", "expected"),
    [(None, 0, 10), (None, 200, 10), (None, 219, 10), (None, 220, 11), (None, 4000, 200), (0, 4000, 0), (7, 4000, 7)],
)
def test_the_limit_is_what_is_set_or_the_larger_of_ten_and_five_percent(
    setting: int | None, on_record: int, expected: int
) -> None:
    assert limit_for(setting, on_record) == expected


def test_so_many_may_go_and_with_one_more_none() -> None:
    assert torn_down(swept(Removals(), names(LIMIT)), *names(LIMIT))[1] == " ".join(names(LIMIT))
    stopped = swept(Removals(), names(LIMIT + 1))
    assert stopped.stopped == Stop("s-1", NOW, LIMIT + 1, names(LIMIT + 1))
    assert torn_down(stopped, *names(LIMIT + 1))[1] == ""


def test_they_are_counted_before_the_first_goes_also_without_a_sweep() -> None:
    known = replace(Removals(), limit=LIMIT)
    for one in names(LIMIT + 1):
        known = known.stand(one, f"r-{one}", NOW)
    assert known.stopped == Stop("r-c03", NOW, LIMIT + 1, names(LIMIT + 1))
    assert torn_down(known, *names(LIMIT + 1))[1] == ""


def test_one_connection_counts_once_however_often_it_is_tried() -> None:
    known, went = torn_down(swept(Removals(), names(1)), *["c00"] * 20, "x", "y")
    assert went.split() == ["c00"] * 20 + ["x", "y"]
    assert torn_down(known, "z")[1] == ""


def test_what_was_torn_down_counts_for_a_day_so_that_no_pace_gets_past_the_limit() -> None:
    known, gone = Removals(), 0
    for hour in range(23):
        known = known.swept(Swept([f"h{hour}"]), f"s-{hour}", LIMIT, NOW + timedelta(hours=hour))
        known, went = torn_down(known, f"h{hour}", after=timedelta(hours=hour))
        gone += bool(went)
    assert gone == LIMIT
    later = known.swept(Swept(["next"]), "s-99", LIMIT, NOW + DAY + timedelta(hours=3))
    assert torn_down(later, "next", after=DAY + timedelta(hours=3))[1] == "next"


def test_what_living_endpoints_lose_counts_until_the_next_sweep() -> None:
    known, went = torn_down(swept(Removals(), ()), *names(LIMIT + 1), gone=False)
    assert went == " ".join(names(LIMIT))
    _, went = torn_down(swept(known, ()), *names(LIMIT, "d"), gone=False)
    assert went == " ".join(names(LIMIT, "d"))


def test_a_stop_keeps_its_id_while_nothing_changes_so_that_a_person_confirms_what_they_saw() -> None:
    first = swept(Removals(), names(5))
    assert swept(first, names(5), stop="s-2").stopped == first.stopped
    assert swept(first, names(6), stop="s-3").stopped == Stop("s-3", NOW, 6, names(6))


def test_of_all_splits_a_stop_ends_exactly_when_missing_and_unread_are_no_more_than_the_limit() -> None:
    named = names(6)
    for back, missing in product(range(7), repeat=2):
        if back + missing > len(named):
            continue
        unread = named[back + missing :]
        known = swept(swept(Removals(), named), named[back : back + missing], unread, stop="s-2")
        assert (known.stopped is None) == (missing + len(unread) <= LIMIT), (back, missing, unread)


def test_what_stood_and_cannot_be_read_now_goes_on_counting_but_nothing_is_made_to_stand_by_that() -> None:
    assert swept(Removals(), (), names(50)).standing == frozenset()
    assert swept(swept(Removals(), names(2)), (), names(50)).standing == frozenset(names(2))


def test_a_confirmation_allows_exactly_the_connections_that_were_named() -> None:
    confirmed = swept(Removals(), names(6)).confirm("s-1", NOW)
    assert confirmed is not None
    assert torn_down(confirmed, *names(6))[1] == " ".join(names(6))
    assert torn_down(confirmed, *names(LIMIT + 1, "x"))[1] == " ".join(names(LIMIT, "x")), "past it the limit holds"
    assert torn_down(confirmed, *names(6), after=CONFIRMED_FOR)[1] == "", "it expires, and all six stand again"


def test_a_sweep_meanwhile_keeps_the_confirmation_and_stops_only_for_what_is_beyond_it() -> None:
    confirmed = swept(Removals(), names(6)).confirm("s-1", NOW)
    assert confirmed is not None
    assert swept(confirmed, names(6), stop="s-2").stopped is None
    beyond = swept(confirmed, [*names(6), *names(LIMIT + 1, "x")], stop="s-2")
    assert beyond.stopped == Stop("s-2", NOW, LIMIT + 1, names(LIMIT + 1, "x"))
    assert torn_down(beyond, "c00", "x00")[1] == "c00"


@pytest.mark.parametrize("stop_id", ["", "s-0", "S-1"])
def test_only_the_present_stop_can_be_confirmed_and_only_once(stop_id: str) -> None:
    stopped = swept(Removals(), names(6))
    assert stopped.confirm(stop_id, NOW) is None
    confirmed = stopped.confirm("s-1", NOW)
    assert confirmed is not None
    assert confirmed.confirm("s-1", NOW) is None


def test_with_a_limit_of_zero_every_removal_waits_for_a_word() -> None:
    known = swept(Removals(), (), limit=0)
    assert known.stopped is None
    assert torn_down(known, "c00")[1] == ""
