"""`connect`: which endpoints are asked for, and when there is no use in waiting any longer."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import httpx
import pytest

from local.__main__ import parse
from local.cli.client import LocalClient
from local.cli.connecting import connect, endpoint_name
from local.cli.story import StoryFailed, explained, follow, mark, waits_for_a_person_alone


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


@pytest.mark.parametrize("arguments", [["eastus2", "eastus99"], ["eastus2", "--network", "vnet-none"]])
async def test_nothing_is_made_where_one_region_or_network_is_not_there(arguments: list[str]) -> None:
    class Client:
        endpoints: ClassVar = {"subscription_id": "s", "arm": "https://arm", "app_network": "/vnet"}

        async def azure(self, method: str, path: str, body: object = None) -> dict[str, Any]:
            del path, body
            assert method == "GET", "something was made"
            return {"value": []}

    with pytest.raises((StoryFailed, RuntimeError), match=r"eastus99|vnet-none"):
        await connect(cast("LocalClient", Client()), parse(["connect", *arguments]))


@pytest.mark.parametrize(
    ("status", "needs", "shown"),
    [("False", "person", "✗"), ("False", "time", "…"), ("False", "work", "…"), ("True", None, "✓")],
)
def test_what_only_a_person_can_change_is_shown_as_refused(status: str, needs: str | None, shown: str) -> None:
    assert mark(condition("Associated", status, needs)) == shown


async def test_a_message_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    long = "word " * 60 + "end."

    class Client:
        async def app(self, method: str, path: str) -> httpx.Response:
            found = {"phase": "Ready", "conditions": [condition("Ready", "True", None) | {"message": long}]}
            return httpx.Response(200, json=found, request=httpx.Request(method, f"http://app{path}"))

    await follow(cast("LocalClient", Client()), "/endpoint", 0.0)
    assert long in capsys.readouterr().out
