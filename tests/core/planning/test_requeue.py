"""From an error to a condition, and from conditions to the next look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Explanation, Status, WaitingFor
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    Blocked,
    Forbidden,
    InvalidInput,
    LeaseLost,
    LostRace,
    NotFound,
    NotVisibleYet,
    RetryLater,
    Throttled,
    Waiting,
)
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.planning.requeue import PATIENCE, condition_of, fingerprint, next_delay
from tests.core.core_parts import ENDPOINT_ID, NOW

VISIBILITY = 600.0
FRESH = ConnectionRecord(ENDPOINT_ID)


def made_of(error: AutopilotError, before: Condition | None = None) -> Condition:
    return condition_of(c.LINKED, error, before, NOW, VISIBILITY)


@pytest.mark.parametrize(
    ("error", "reason", "needs"),
    [
        (Waiting("still busy"), "OperationRunning", WaitingFor.TIME),
        (Throttled("slow down"), "Throttled", WaitingFor.WORK),
        (NotVisibleYet("not there"), "NotVisibleYet", WaitingFor.TIME),
        (LostRace("changed"), "ChangedMeanwhile", WaitingFor.WORK),
        (AnswerLost("gone"), "AnswerLost", WaitingFor.WORK),
        (LeaseLost("taken"), "TemporaryFailure", WaitingFor.WORK),
        (RetryLater("down"), "TemporaryFailure", WaitingFor.WORK),
        (Blocked(Explanation(Reason.AZURE_REFUSED, "no", "ask")), "AzureRefused", WaitingFor.PERSON),
        (
            Forbidden(Explanation(Reason.AZURE_RIGHTS_MISSING, "no", "grant")),
            "AzureRightsMissing",
            WaitingFor.PERSON,
        ),
        (NotFound("none"), "NotFound", WaitingFor.PERSON),
        (InvalidInput("what"), "InvalidInput", WaitingFor.PERSON),
    ],
)
def test_every_error_is_a_false_condition_that_says_who_must_act(
    error: AutopilotError, reason: str, needs: WaitingFor
) -> None:
    condition = made_of(error)
    assert (condition.type, condition.status, condition.reason, condition.needs) == (
        c.LINKED,
        Status.FALSE,
        reason,
        needs,
    )
    assert error.what in condition.message
    assert bool(condition.next_step) == (needs is WaitingFor.PERSON)


def test_the_thing_it_happened_on_is_named() -> None:
    assert made_of(Throttled("slow down", on="/subscriptions/x")).message == "slow down [/subscriptions/x]"
    refused = made_of(Blocked(Explanation(Reason.SCOPE_LOCKED, "no", "ask"), on="zone z"))
    assert (refused.message, refused.next_step) == ("no [zone z]", "ask")


def before(reason: Reason, age: float) -> Condition:
    return replace(c.waiting(c.LINKED, reason, ""), since=NOW - timedelta(seconds=age))


@pytest.mark.parametrize(
    ("old", "reason", "needs"),
    [
        (None, "NotVisibleYet", WaitingFor.TIME),
        (before(Reason.NOT_VISIBLE_YET, VISIBILITY), "NotVisibleYet", WaitingFor.TIME),
        (before(Reason.NOT_VISIBLE_YET, VISIBILITY + 1), "StillNotVisible", WaitingFor.PERSON),
        (before(Reason.STILL_NOT_VISIBLE, VISIBILITY + 1), "StillNotVisible", WaitingFor.PERSON),
        (before(Reason.MISSING, VISIBILITY * 9), "NotVisibleYet", WaitingFor.TIME),
        (replace(before(Reason.NOT_VISIBLE_YET, 0), since=None), "NotVisibleYet", WaitingFor.TIME),
    ],
)
def test_what_stays_invisible_for_too_long_needs_a_person(
    old: Condition | None, reason: str, needs: WaitingFor
) -> None:
    condition = made_of(NotVisibleYet("not there"), old)
    assert (condition.reason, condition.needs) == (reason, needs)


def look(
    *conditions: Condition, attempts: int = 0, first: float = 10, longest: float = 60, **waits: float
) -> float | None:
    standing = {condition.type: condition for condition in conditions}
    return next_delay(FRESH.with_schedule(attempts=attempts), standing, first=first, longest=longest, waits=waits)


AWAITED = c.waiting(c.APPROVED, Reason.AWAITING_APPROVAL, "")
TO_ASSOCIATE = c.waiting(c.ASSOCIATED, Reason.AWAITING_APPROVAL, "")
TO_LINK = c.waiting(c.LINKED, Reason.MISSING, "", WaitingFor.WORK)
TO_WRITE = c.waiting(c.RECORD_READY, Reason.MISSING, "", WaitingFor.WORK)
REJECTED = c.blocked(c.APPROVED, Reason.REJECTED, "", "make it anew")
NOT_TESTED = c.unknown(c.REACHABLE, Reason.NOT_TESTED, "")
UNREACHABLE = c.waiting(c.REACHABLE, Reason.NO_ROUTE, "", WaitingFor.WORK)


@pytest.mark.parametrize(
    "standing",
    [
        (),
        (c.satisfied(c.LINKED, Reason.LINKED),),
        (REJECTED,),
        (REJECTED, TO_ASSOCIATE, NOT_TESTED),
        (c.blocked(c.RECORD_READY, Reason.RECORD_HELD_BY_OTHERS, "", "ask"), NOT_TESTED),
        (c.blocked(c.ZONE_READY, Reason.SCOPE_LOCKED, "", "unlock"), TO_LINK, TO_WRITE),
        (c.blocked(c.RECORD_READY, Reason.SCOPE_LOCKED, "", "unlock"), TO_LINK),
        (c.blocked(c.ADDRESSED, Reason.ENDPOINT_FAILED, "", "make it anew"), TO_LINK, TO_WRITE),
        (c.blocked(c.POLICY_READY, Reason.POLICY_DUPLICATED, "", "decide"), TO_ASSOCIATE),
        (c.resting(c.RECOGNISED, Reason.NOT_ELASTIC, ""),),
        (replace(AWAITED, type=c.READY),),
    ],
)
def test_the_loop_does_not_look_by_itself_for_what_only_a_person_or_an_event_changes(
    standing: tuple[Condition, ...],
) -> None:
    assert look(*standing) is None


@pytest.mark.parametrize("reason", [Reason.AZURE_RIGHTS_MISSING, Reason.AZURE_SIGN_IN_FAILED, Reason.ELASTIC_REFUSED])
def test_a_refusal_is_looked_at_once_more_because_one_may_be_a_role_or_a_token_that_is_not_known_yet(
    reason: Reason,
) -> None:
    refused = c.blocked(c.ZONE_READY, reason, "", "grant")
    assert [look(refused, TO_LINK, TO_WRITE, attempts=attempts) for attempts in range(3)] == [60, None, None]


@pytest.mark.parametrize(
    "standing",
    [
        (AWAITED,),
        (AWAITED, TO_ASSOCIATE, NOT_TESTED),
        (REJECTED, c.waiting(c.LINKED, Reason.IN_PROGRESS, "")),
        (c.blocked(c.RECORD_READY, Reason.RECORD_HELD_BY_OTHERS, "", "ask"), AWAITED),
        (c.blocked(c.ZONE_READY, Reason.AZURE_RIGHTS_MISSING, "", "grant"), TO_LINK, AWAITED),
        (c.blocked(c.POLICY_READY, Reason.ELASTIC_KEY_REFUSED, "", "renew"), TO_WRITE),
        (c.blocked(c.POLICY_READY, Reason.ELASTIC_KEY_REFUSED, "", "renew"), AWAITED),
        (c.blocked(c.LINKED, Reason.NETWORK_LINKED_TO_ANOTHER_ZONE, "", "ask"), TO_WRITE),
        (UNREACHABLE,),
    ],
)
def test_the_loop_looks_again_for_what_time_or_work_changes(standing: tuple[Condition, ...]) -> None:
    assert look(*standing) == 10


def test_the_loop_looks_again_for_what_stands_only_because_it_could_not_be_read() -> None:
    standing = {c.LINKED: c.satisfied(c.LINKED, Reason.LINKED)}
    waits = {c.ZONE_READY: 40.0}
    assert next_delay(FRESH, standing, first=10, longest=60, waits=waits, unread=[c.LINKED]) == 40
    assert next_delay(FRESH, standing, first=10, longest=60, waits={}, unread=[c.LINKED]) == 10


def test_the_delays_grow_up_to_the_longest_and_never_overflow() -> None:
    delays = [look(AWAITED, attempts=attempts) for attempts in (0, 1, 2, 3, 4, 5, 40, 10**9)]
    assert delays == [10, 15, 22.5, 33.75, 50.625, 60, 60, 60]


def test_the_approval_is_not_looked_at_before_what_holds_its_policy_up_has_passed() -> None:
    throttled = c.waiting(c.POLICY_READY, Reason.THROTTLED, "", WaitingFor.WORK)
    assert look(throttled, AWAITED, PolicyReady=97) == 97
    assert look(throttled, AWAITED, TO_LINK, PolicyReady=97) == 10


@pytest.mark.parametrize(
    ("awaited", "policy", "delay"),
    [(0, 0, 2), (10, 10, 2), (100, 100, 8), (900, 900, 60), (900, 100, 8), (900, 0, 2), (100, 900, 8)],
)
def test_looks_at_the_approval_follow_the_time_waited_since_a_policy_asks_for_it(
    awaited: float, policy: float, delay: float
) -> None:
    standing = {
        c.APPROVED: replace(AWAITED, since=NOW - timedelta(seconds=awaited)),
        c.POLICY_READY: replace(c.satisfied(c.POLICY_READY, Reason.EXISTS, ""), since=NOW - timedelta(seconds=policy)),
    }
    found = next_delay(FRESH, standing, first=10, longest=60, waits={}, looked_at=NOW, now=NOW)
    assert found == pytest.approx(delay)


def test_a_wait_that_the_service_asked_for_is_kept_even_past_the_longest() -> None:
    assert look(AWAITED, Approved=120) == 120
    assert look(AWAITED, Approved=3) == 10


def test_one_branch_does_not_wait_for_what_the_other_was_asked_to_wait() -> None:
    zone = c.waiting(c.ZONE_READY, Reason.OPERATION_RUNNING, "")
    policy = c.waiting(c.POLICY_READY, Reason.THROTTLED, "", WaitingFor.WORK)
    assert look(zone, policy, TO_ASSOCIATE, PolicyReady=3600) == 10
    assert look(policy, TO_ASSOCIATE, PolicyReady=3600) == 3600, "what follows in a branch waits with it"


def test_a_failing_test_alone_is_left_to_the_timer_after_a_while() -> None:
    assert look(UNREACHABLE, attempts=PATIENCE - 1) == 60
    assert look(UNREACHABLE, attempts=PATIENCE) is None
    assert look(UNREACHABLE, AWAITED, attempts=PATIENCE) == 60


def test_the_fingerprint_is_what_is_waited_for_and_not_the_messages() -> None:
    pending = (c.satisfied(c.LINKED, Reason.LINKED), c.waiting(c.APPROVED, AWAITED.reason, "for 1 min"))
    later = (c.satisfied(c.LINKED, "Other"), c.waiting(c.APPROVED, AWAITED.reason, "for 2 min"))
    assert fingerprint(pending) == fingerprint(later) == {(c.APPROVED, "AwaitingApproval")}
    assert fingerprint((REJECTED,)) != fingerprint(pending)
