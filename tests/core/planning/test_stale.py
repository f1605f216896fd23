"""What stands while the service cannot be read, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Explanation, WaitingFor
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    Blocked,
    Forbidden,
    LeaseLost,
    LostRace,
    NotFound,
    NotVisibleYet,
    RetryLater,
    Throttled,
    Waiting,
)
from shared.core.model.reasons import Reason
from shared.core.planning.stale import STANDS_FOR, carry_over, is_passing
from tests.core.core_parts import NOW

BUSY = Throttled("Azure is busy.")


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (Throttled("x"), True),
        (RetryLater("x"), True),
        (AnswerLost("x"), True),
        (NotVisibleYet("x"), False),
        (LostRace("x"), False),
        (LeaseLost("x"), False),
        (Waiting("x"), False),
        (Forbidden(Explanation(Reason.SCOPE_LOCKED, "x")), False),
        (Blocked(Explanation(Reason.SCOPE_LOCKED, "x")), False),
        (NotFound("x"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_an_error_that_tells_nothing_lets_what_was_known_stand(error: AutopilotError, *, passing: bool) -> None:
    assert is_passing(error) is passing


@pytest.mark.parametrize(
    ("before", "stands"),
    [
        (c.satisfied(c.LINKED, Reason.LINKED, "2 networks."), True),
        (c.blocked(c.LINKED, Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, "By hand.", "Unlink it."), True),
        (c.resting(c.RECOGNISED, Reason.ENDPOINT_NOT_FOUND, "Gone."), True),
        (replace(c.unknown(c.REACHABLE, Reason.NO_ROUTE_FROM_APP, "Far away."), needs=WaitingFor.NONE), True),
        (c.waiting(c.LINKED, Reason.IN_PROGRESS, "Soon."), False),
        (c.waiting(c.LINKED, Reason.THROTTLED, "Later.", WaitingFor.WORK), False),
        (None, False),
    ],
    ids=lambda value: value.reason if isinstance(value, Condition) else str(value),
)
def test_a_verdict_stands_and_what_was_under_way_does_not(before: Condition | None, *, stands: bool) -> None:
    found = carry_over(before, BUSY, NOW, NOW)
    assert (found is not None) is stands
    if found is not None and before is not None:
        assert (found.status, found.reason, found.next_step) == (before.status, before.reason, before.next_step)
        assert found.message == f"{before.message} It could not be read again: Azure is busy."


def test_it_stands_for_its_time_and_the_last_error_is_told_once() -> None:
    first = carry_over(c.satisfied(c.LINKED, Reason.LINKED, "2 networks."), Throttled("First."), NOW, NOW)
    last = carry_over(first, BUSY, NOW, NOW + STANDS_FOR - timedelta(seconds=1))
    assert last is not None
    assert last.message == "2 networks. It could not be read again: Azure is busy."
    assert carry_over(last, BUSY, NOW, NOW + STANDS_FOR) is None
