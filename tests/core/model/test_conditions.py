"""Conditions, their summary, and the phase that they add up to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Phase, Status, WaitingFor, merge, phase_of, summary
from shared.core.model.reasons import Reason
from tests.core.core_parts import NOW

ALL_GOOD = {name: c.satisfied(name, "Fine") for name in c.ORDER if name != c.READY}
LATER = NOW + timedelta(minutes=3)


def standing(*changed: Condition) -> dict[str, Condition]:
    return ALL_GOOD | {condition.type: condition for condition in changed}


def waits(name: str) -> Condition:
    return c.waiting(name, "Waits", "it takes its time")


def stuck(name: str) -> Condition:
    return c.blocked(name, "Stuck", "a person must act", "act")


def test_a_false_condition_says_who_must_act() -> None:
    assert stuck(c.LINKED).needs is WaitingFor.PERSON
    assert waits(c.LINKED).needs is WaitingFor.TIME
    assert c.waiting(c.LINKED, "Todo", "", WaitingFor.WORK).needs is WaitingFor.WORK
    assert (c.unknown(c.LINKED, Reason.NOT_TESTED, "").status, c.satisfied(c.LINKED, "Ok").needs) == (
        Status.UNKNOWN,
        WaitingFor.NONE,
    )


def test_since_stays_while_status_and_reason_stay_even_when_the_message_changes() -> None:
    first = merge([], [waits(c.LINKED)], NOW)
    second = merge(first, [c.waiting(c.LINKED, "Waits", "still")], LATER)
    assert (second[0].since, second[0].message) == (NOW, "still")


@pytest.mark.parametrize(
    "new",
    [
        c.waiting(c.LINKED, "Other", "it"),
        c.satisfied(c.LINKED, "Waits"),
        c.unknown(c.LINKED, "Waits", ""),
    ],
)
def test_since_moves_when_status_or_reason_changes(new: Condition) -> None:
    first = merge([], [waits(c.LINKED)], NOW)
    assert merge(first, [new], LATER)[0].since == LATER


def test_conditions_stand_in_their_fixed_order_and_each_once() -> None:
    mixed = [c.satisfied(name, "Fine") for name in reversed(c.ORDER)]
    merged = merge([], [waits(c.LINKED), *mixed], NOW)
    assert [condition.type for condition in merged] == list(c.ORDER)
    assert all(condition.true for condition in merged)


def test_ready_is_true_only_when_every_condition_is() -> None:
    assert summary(ALL_GOOD).true
    assert summary(ALL_GOOD).reason == "AllConditionsTrue"
    for name in ALL_GOOD.keys() - c.BESIDE:
        told = summary(standing(waits(name)))
        assert not told.true
        assert (told.reason, told.message, told.needs) == ("Waits", f"{name}: it takes its time", WaitingFor.TIME)


@pytest.mark.parametrize("name", c.BESIDE)
def test_what_is_left_of_a_former_region_makes_neither_ready_false_nor_the_phase_another(name: str) -> None:
    for one in (waits(name), stuck(name)):
        assert summary(standing(one)) == summary(ALL_GOOD)
        assert phase_of(standing(one), was_ready=True) is phase_of(ALL_GOOD, was_ready=True)


def test_ready_does_not_look_at_its_own_old_self() -> None:
    assert summary({**ALL_GOOD, c.READY: stuck(c.READY)}).true


def test_the_summary_tells_a_persons_turn_before_anything_earlier_that_only_waits() -> None:
    told = summary(standing(waits(c.ADDRESSED), stuck(c.ASSOCIATED)))
    assert (told.reason, told.next_step, told.needs) == ("Stuck", "act", WaitingFor.PERSON)
    assert told.message == "Associated: a person must act"


def test_the_summary_tells_what_stops_a_connection_before_what_only_keeps_its_clients_away() -> None:
    away = c.blocked(c.LINKED, Reason.ANSWERING_NETWORK_NOT_LINKED, "The hub has no zone.", "Link it.")
    found = standing(away, stuck(c.ASSOCIATED))
    assert phase_of(found, was_ready=False) is Phase.BLOCKED
    assert summary(found).message.startswith("Associated"), "what makes it Blocked, not what would leave it Degraded"
    assert summary(standing(away)).reason == "AnsweringNetworkNotLinked"


def test_the_summary_of_several_waits_is_the_first_on_the_way() -> None:
    assert summary(standing(waits(c.REACHABLE), waits(c.ZONE_READY))).message.startswith("ZoneReady")


IGNORED = c.resting(c.RECOGNISED, Reason.NOT_ELASTIC, "")


@pytest.mark.parametrize(
    ("changed", "was_ready", "phase"),
    [
        ((), False, Phase.READY),
        ((), True, Phase.READY),
        ((IGNORED,), False, Phase.IGNORED),
        ((IGNORED, stuck(c.LINKED)), True, Phase.IGNORED),
        ((waits(c.RECOGNISED),), False, Phase.PROVISIONING),
        ((waits(c.ADDRESSED),), False, Phase.PROVISIONING),
        ((waits(c.ADDRESSED), waits(c.APPROVED)), False, Phase.PROVISIONING),
        ((waits(c.APPROVED),), False, Phase.AWAITING_APPROVAL),
        ((waits(c.APPROVED), waits(c.ASSOCIATED), c.unknown(c.REACHABLE, "N", "")), False, Phase.AWAITING_APPROVAL),
        ((waits(c.ASSOCIATED),), False, Phase.PROVISIONING),
        ((waits(c.LINKED),), True, Phase.DEGRADED),
        ((waits(c.APPROVED),), True, Phase.DEGRADED),
        ((stuck(c.LINKED),), True, Phase.BLOCKED),
        ((stuck(c.APPROVED), waits(c.LINKED)), False, Phase.BLOCKED),
    ],
)
def test_the_phase_sums_up(changed: tuple[Condition, ...], was_ready: bool, phase: Phase) -> None:
    assert phase_of(standing(*changed), was_ready=was_ready) is phase


def test_a_ready_condition_of_before_does_not_change_the_phase() -> None:
    assert phase_of({**ALL_GOOD, c.READY: stuck(c.READY)}, was_ready=False) is Phase.READY
