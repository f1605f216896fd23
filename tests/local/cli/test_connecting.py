"""`connect`: which endpoints are asked for, and when there is no use in waiting any longer."""

from __future__ import annotations

from typing import Any

import pytest

from local.__main__ import parse
from local.cli.connecting import endpoint_name
from local.cli.story import explained, waits_for_a_person_alone


def condition(type_: str, status: str, needs: str | None, reason: str = "Reason") -> dict[str, Any]:
    return {"type": type_, "status": status, "needs": needs, "reason": reason, "message": "m.", "nextStep": "n."}


@pytest.mark.parametrize(
    ("others", "alone"),
    [
        ([], True),
        ([("Associated", "True", None), ("Reachable", "Unknown", "work")], True),
        ([("Approved", "False", "time")], False),
        ([("ZoneReady", "False", "work")], False),
    ],
)
def test_a_degraded_connection_is_given_up_when_only_a_person_can_change_it(
    others: list[tuple[str, str, str | None]], alone: bool
) -> None:
    conditions = [condition("Linked", "False", "person"), *(condition(*one) for one in others)]
    assert waits_for_a_person_alone({"conditions": conditions}) is alone


def test_what_keeps_it_from_being_ready_is_said_with_what_to_do() -> None:
    conditions = [
        condition("Linked", "False", "person", "AnsweredByAnotherZone"),
        condition("Ready", "False", "person"),
    ]
    assert explained({"phase": "Degraded", "conditions": conditions}).splitlines() == [
        "the connection is Degraded:",
        "  Linked AnsweredByAnotherZone: m.",
        "    next: n.",
    ]


def test_endpoints_of_several_regions_in_several_networks_have_names_of_their_own() -> None:
    asked = parse(["connect", "uksouth", "eastus2", "--network", "vnet-one", "--network", "two"])
    assert (asked.region, asked.network) == (["uksouth", "eastus2"], ["vnet-one", "two"])
    pairs = [(region, network) for network in asked.network for region in asked.region]
    assert [endpoint_name(*pair) for pair in pairs] == [
        "pe-one-uksouth",
        "pe-one-eastus2",
        "pe-two-uksouth",
        "pe-two-eastus2",
    ]
    assert endpoint_name("uksouth", None) == "pe-uksouth"
