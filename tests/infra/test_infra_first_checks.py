"""The first checks: they only read unless told, change back what they changed, and name in the report what they saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import function_app
from tests.infra.az_that_records import ROOT, Recorded
from tests.infra.shipped import load

ID = "00000000-0000-0000-0000-0000000000a1"
APP = f"/subscriptions/{ID}/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x"
TOPIC = f"/subscriptions/{ID}/resourceGroups/rg-x-events/providers/Microsoft.EventGrid/systemTopics/ours"
NETWORK = f"/subscriptions/{ID}/resourceGroups/rg-x/providers/Microsoft.Network/virtualNetworks/v"


@pytest.fixture
def az(tmp_path: Path) -> Recorded:
    """An installation that works."""
    recorded = Recorded(tmp_path)
    recorded.environment = {
        "AZURE_ENV_NAME": "x",
        "AZURE_SUBSCRIPTION_ID": ID,
        "AUTOPILOT_APP_ID": APP,
        "AUTOPILOT_APP_NAME": "func-x",
        "AUTOPILOT_HOST_NAME": "app.invalid",
        "AUTOPILOT_EVENT_DELIVERY": "queue",
    }
    names = [{"name": f"func-x/{one}"} for one in triggers()]
    recorded.answer("functionapp function list", names)
    recorded.answer("identity list", [{"principalId": "app"}])
    roles = [
        {"roleDefinitionName": f"Private Link Autopilot {one['title']} (x)"} for one in load("roles.json").values()
    ]
    recorded.answer("role assignment list", roles)
    recorded.answer("eventgrid system-topic list", [{"id": TOPIC, "identity": {"type": "SystemAssigned"}}])
    subscription = {"name": "privatelink-x", "provisioningState": "Succeeded"}
    recorded.answer("event-subscription list", [subscription])
    recorded.answer("monitor metrics list", {"value": [{"timeseries": [{"data": [{"total": 2.0}, {}]}]}]})
    recorded.answer("resource show --ids", {"properties": {"virtualNetworkSubnetId": f"{NETWORK}/subnets/app"}})
    recorded.answer("rest --method post", {"data": [{"resourceGuid": ID}], "tables": [{"rows": [["func-x", 7]]}]})
    recorded.answer("functionapp scale config show", {"maximumInstanceCount": 100})
    return recorded


def triggers() -> set[str]:
    function_app.app.functions_bindings = None
    listed: list[Any] = function_app.app.get_functions()
    return {
        str(one.get_function_name()) for one in listed if one.get_trigger().get_dict_repr()["type"] != "httpTrigger"
    }


def checks(az: Recorded, *words: str) -> dict[str, str]:
    """The report as what was seen by check."""
    answer = az.run_script("sh", str(ROOT / "scripts" / "first_checks.sh"), *words)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert ID not in answer.stdout, "it will be public"
    rows = [line.split(" | ", 1) for line in answer.stdout.splitlines() if line.startswith("| ")]
    return {title.removeprefix("| "): seen.removesuffix(" |") for title, seen in rows[1:]}


def test_without_being_told_they_only_read(az: Recorded) -> None:
    checks(az)
    assert [call for call in az.changes if " rest --method " not in call] == []
    posted = az.called("rest --method post --url")
    assert [one for one in posted if "ResourceGraph" not in one and "/query" not in one] == []


def test_the_report_says_what_was_seen(az: Recorded) -> None:
    az.answer("monitor log-analytics workspace list", [{"id": "/workspace"}])
    seen = checks(az)
    assert seen["functions that Azure lists"] == "3 functions"
    assert seen["topics"] == "identity SystemAssigned, subscription Succeeded"
    assert "DroppedEventCount 2" in seen["events in a day"]
    assert seen["roles of the identities"].count(" x Private Link Autopilot ") == 4
    assert seen["logs that arrive"] == "rows by app: [['func-x', 7]]"
    assert "<id>" in seen["endpoint in Resource Graph"]
    assert az.called(f"rest --method get --url {NETWORK}/privateDnsZoneLinks?api-version=2020-06-01")


def test_a_function_that_is_missing_is_named(az: Recorded) -> None:
    az.answer("functionapp function list", [{"name": "func-x/reconcile"}])
    missing = ", ".join(sorted(triggers() - {"reconcile"}))
    assert checks(az)["functions that Azure lists"] == f"1 functions; MISSING: {missing}"


def test_what_could_not_be_seen_says_why_and_the_others_go_on(az: Recorded) -> None:
    az.refuse("functionapp function list", "(AuthorizationFailed) no | right")
    az.answer("eventgrid system-topic list", [{"name": "without an id"}])
    seen = checks(az)
    assert seen["functions that Azure lists"] == "not seen: ERROR: (AuthorizationFailed) no \\| right"
    assert seen["topics"] == "not seen: an answer without KeyError('id')"
    assert seen["doctor"].startswith("not seen:")
    assert "3 functions" not in seen.values()
    assert seen["properties of the site"]


def test_what_is_changed_is_changed_back_also_when_the_check_fails(az: Recorded) -> None:
    az.refuse("functionapp scale config set --maximum-instance-count 20", "(BadRequest) at least 40")
    az.refuse("monitor activity-log list", "(AuthorizationFailed)")
    seen = checks(az, "--change")
    assert seen["fewer than 40 instances"] == "not seen: ERROR: (BadRequest) at least 40"
    assert len(az.called("functionapp scale config set --maximum-instance-count 100")) == 1
    made, deleted = (
        az.called("private-dns zone create"),
        az.called("private-dns zone delete --name first-checks.private"),
    )
    assert (len(made), len(deleted)) == (1, 1)
    assert "--resource-group rg-x-events" in made[0], "in a group of the installation's own"


def test_it_waits_for_the_record_in_the_activity_log_and_no_longer_than_five_minutes(az: Recorded) -> None:
    az.answer("monitor activity-log list --resource-group", [])
    assert checks(az, "--change")["what a zone and a record report"] == "{}"
    assert len(az.called("monitor activity-log list --resource-group")) == 30


def test_subscriptions_below_management_groups_are_counted(az: Recorded) -> None:
    below = [
        {"name": ID, "type": "/subscriptions"},
        {"name": "online", "type": "Microsoft.Management/managementGroups"},
    ]
    az.answer("rest --method get", {"value": below})
    assert checks(az)["subscriptions below management groups"] == "no management groups"
    az.environment["AZURE_MANAGEMENT_GROUPS"] = "landing-zones"
    assert checks(az)["subscriptions below management groups"] == "1 below 1 management groups"
