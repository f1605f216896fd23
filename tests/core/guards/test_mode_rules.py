"""Modes: which one holds, why, and how a plan reads that is not carried out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.guards.pause import Pause
from shared.core.guards.scope import MODE_TAG, EffectiveMode, asked_mode, effective_mode_of, not_carried_out, tag_note
from shared.core.model import conditions as c
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.markers import Marker
from shared.core.model.reasons import Reason
from shared.core.model.steps import CreatePolicy, CreateZone
from shared.core.options.installation import Mode
from tests.core.core_parts import NOW, endpoint, scope_of

PAUSE = Pause(NOW, NOW + timedelta(hours=1), "change freeze")
ZONE = parse_arm_id(
    "/subscriptions/0a1b2c3d-0000-4000-8000-00000000beef/resourceGroups/dns"
    "/providers/Microsoft.Network/privateDnsZones/zone.example"
)
STEPS = (
    CreateZone(ZONE, Marker("a", "b", "c")),
    CreatePolicy("pe", "azure-eastus2", "pe", "guid", Marker("a", "b", "c")),
)


@pytest.mark.parametrize("default", [Mode.ENFORCE, Mode.OBSERVE])
@pytest.mark.parametrize(
    ("asked", "paused", "mode"),
    [
        ("", None, None),
        ("enforce", None, Mode.ENFORCE),
        ("observe", None, Mode.OBSERVE),
        ("ignore", None, Mode.IGNORE),
        ("", PAUSE, Mode.OBSERVE),
        ("enforce", PAUSE, Mode.OBSERVE),
        ("observe", PAUSE, Mode.OBSERVE),
        ("ignore", PAUSE, Mode.IGNORE),
    ],
)
def test_a_pause_comes_first_then_the_tag_then_the_setting_and_who_is_ignored_stays_so(
    asked: str, paused: Pause | None, mode: Mode | None, default: Mode
) -> None:
    effective = effective_mode_of(asked, default, paused)
    assert effective.mode is (mode or default)
    assert effective.enforces is (effective.mode is Mode.ENFORCE)
    named = "paused until 2026-05-06T08:08:09+00:00 (change freeze)" if paused else MODE_TAG if asked else "MODE"
    if effective.mode is Mode.OBSERVE:
        assert named in effective.why
        assert effective.next_step


@pytest.mark.parametrize(
    ("tags", "asked", "note"),
    [
        ({}, "", ""),
        ({"elastic-privatelink": "enforce"}, "enforce", "asks for the mode enforce"),
        ({"Elastic-PrivateLink": " Observe "}, "observe", "asks for the mode observe"),
        ({"elastic-privatelink": "IGNORE"}, "ignore", "asks for the mode ignore"),
        ({"elastic-privatelink": "off"}, "observe", "'off', which is none of enforce, observe, ignore; that counts as"),
        ({"elastic-privatelink": ""}, "observe", "'', which is none of"),
        ({"elastic-privatelink": "x" * 256}, "observe", "which is none of"),
        ({"elastic-privatelinks": "ignore"}, "", ""),
    ],
)
def test_the_tag_asks_and_what_is_no_mode_counts_as_observe_and_is_explained(
    tags: dict[str, str], asked: str, note: str
) -> None:
    found = endpoint(tags=tags)
    assert asked_mode(found, scope_of()) == asked
    assert note in tag_note(found)
    assert bool(note) is bool(tag_note(found))
    assert len(tag_note(found)) < 200


@pytest.mark.parametrize("tags", [{}, {"elastic-privatelink": "enforce"}])
def test_out_of_scope_counts_as_ignore_with_any_tag(tags: dict[str, str]) -> None:
    assert asked_mode(endpoint(tags=tags), scope_of(locations_denied=frozenset({"eastus2"}))) == Mode.IGNORE


CONDITIONS = (
    c.satisfied(c.RECOGNISED, Reason.ELASTIC_SERVICE),
    c.waiting(c.ZONE_READY, Reason.MISSING, "To be created.", c.WaitingFor.WORK),
    c.waiting(c.RECORD_READY, Reason.NO_ADDRESS_YET, "No address."),
    c.blocked(c.POLICY_READY, Reason.POLICY_NAME_MISMATCH, "Wrong name.", "Correct it."),
)


def test_conditions_say_what_would_be_done_and_leave_alone_what_no_step_mends() -> None:
    effective = effective_mode_of("", Mode.OBSERVE, None)
    conditions, planned = not_carried_out(CONDITIONS, STEPS, effective)
    assert planned == tuple(map(str, STEPS))
    assert conditions[0] == CONDITIONS[0]
    assert conditions[2:] == CONDITIONS[2:]
    held = conditions[1]
    assert (held.status, held.reason, held.needs) == (c.Status.FALSE, Reason.OBSERVE_MODE, c.WaitingFor.EVENT)
    assert held.message == (
        "Not done, because the setting MODE is observe: create private DNS zone zone.example in resource group dns."
    )
    assert "MODE=enforce" in held.next_step


def test_a_step_for_a_condition_that_holds_is_planned_without_turning_it() -> None:
    """Something more is to be made though the condition is already good enough."""
    good = replace(CONDITIONS[1], status=c.Status.TRUE)
    assert not_carried_out((good,), STEPS[:1], effective_mode_of("observe", Mode.ENFORCE, None)) == (
        (good,),
        (str(STEPS[0]),),
    )


def test_in_a_mode_that_enforces_nothing_is_held_back() -> None:
    assert not_carried_out(CONDITIONS, STEPS, EffectiveMode(Mode.ENFORCE, "", "")) == (CONDITIONS, ())
