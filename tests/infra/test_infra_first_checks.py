"""The first checks: they only read unless told, change back what they changed, and name in the report what they saw."""

from __future__ import annotations

import base64
import json
import re
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
    table = "/workspace/tables/AppTraces?api-version=2023-09-01"
    az.answer(f"rest --method get --url {table}", {"properties": {"totalRetentionInDays": 90}})
    seen = checks(az)
    assert seen["functions that Azure lists"] == "3 functions"
    assert seen["topics"] == "identity SystemAssigned, subscription Succeeded"
    assert "DroppedEventCount 2" in seen["events in a day"]
    assert seen["roles of the identities"].count(" x Private Link Autopilot ") == 4
    assert seen["logs that arrive"] == "rows by app: [['func-x', 7]]; kept for 90 days"
    assert "<id>" in seen["endpoint in Resource Graph"]
    assert az.called(f"rest --method get --url {NETWORK}/privateDnsZoneLinks?api-version=2020-06-01")


def test_a_function_that_is_missing_is_named(az: Recorded) -> None:
    az.answer("functionapp function list", [{"name": "func-x/reconcile"}])
    missing = ", ".join(sorted(triggers() - {"reconcile"}))
    assert checks(az)["functions that Azure lists"] == f"1 functions; MISSING: {missing}"


def test_the_first_line_says_that_the_code_is_missing_and_what_brings_it(az: Recorded) -> None:
    az.answer("functionapp function list", [])
    (title, seen), *_ = checks(az).items()
    assert title == "functions that Azure lists"
    assert seen.startswith("NO CODE IS THERE: run azd deploy, or once more the deployment")


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


STORAGE = f"/subscriptions/{ID}/resourceGroups/rg-x/providers/Microsoft.Storage/storageAccounts/stx"
SUBSCRIBED = f"{TOPIC}/eventSubscriptions/privatelink-x?api-version=2025-02-15"


def with_a_queue(az: Recorded) -> None:
    """Delivery to the queue in the app's own subscription, and an event about the record that came to ours."""
    az.environment["AUTOPILOT_STORAGE_ID"] = STORAGE
    az.environment["AUTOPILOT_NETWORK_ID"] = NETWORK
    destination = {"endpointType": "StorageQueue", "properties": {"resourceId": STORAGE, "queueName": "reconcile"}}
    delivery = {"identity": {"type": "SystemAssigned"}, "destination": destination}
    known = {"deliveryWithResourceIdentity": delivery, "eventDeliverySchema": "CloudEventSchemaV1_0"}
    az.answer(f"rest --method get --url {SUBSCRIBED}", {"properties": known})
    az.answer("ad signed-in-user show", {"id": "me"})
    operation = "Microsoft.Network/privateDnsZones/A/write"
    az.answer("monitor activity-log list --resource-group", [{"operationName": {"value": operation}}])
    subject = f"/subscriptions/{ID}/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/z/A/*"
    data = {"operationName": operation, "claims": {"name": "Ada Lovelace"}}
    event = {"type": "Microsoft.Resources.ResourceWriteSuccess", "subject": subject, "data": data}
    az.answer("storage message peek", [{"content": base64.b64encode(json.dumps(event).encode()).decode()}])


def test_the_form_of_an_event_about_dns_is_seen_in_a_queue_of_its_own_and_all_of_it_is_taken_back(az: Recorded) -> None:
    with_a_queue(az)
    seen = checks(az, "--change")["what a zone, a link and a record report"]
    assert "events {'Microsoft.Network/privateDnsZones/A/write': 1}" in seen
    assert "about Microsoft.Network/privateDnsZones/z/A/* with ['claims', 'operationName']" in seen
    assert "Ada" not in seen, "it will be public"
    (subscribed,) = az.called(f"rest --method put --url {TOPIC}/eventSubscriptions/first-checks?api-version=2025-02-15")
    assert '"queueName": "first-checks"' in subscribed
    assert '"values": ["first-checks.private"]' in subscribed, "no other event comes to it, and none to the app"
    made = [call for call in az.calls if re.search(r" (put|create|add-record|create) ", call)]
    gone = [call for call in az.calls if re.search(r" delete ", call)]
    kinds = (
        "queues/first-checks",
        "eventSubscriptions/first-checks",
        "role assignment",
        "private-dns zone",
        "link vnet",
    )
    assert [next(kind for kind in kinds if kind in call) for call in gone] == list(reversed(kinds))
    assert all(any(kind in call for call in made) for kind in kinds)


def test_no_network_of_others_is_linked(az: Recorded) -> None:
    with_a_queue(az)
    az.environment["AUTOPILOT_NETWORK_ID"] = NETWORK.replace("rg-x/", "rg-hub/")
    checks(az, "--change")
    assert az.called("private-dns link vnet create") == []


def test_who_may_not_read_the_queue_sees_the_rest(az: Recorded) -> None:
    with_a_queue(az)
    az.refuse("role assignment create", "(AuthorizationFailed) no right to assign")
    seen = checks(az, "--change")["what a zone, a link and a record report"]
    assert seen.startswith("activity log {'Microsoft.Network/privateDnsZones/A/write': 1}; no events were asked for: ")
    assert len(az.called("rest --method delete")) == 2


def test_it_waits_for_the_record_in_the_activity_log_and_no_longer_than_five_minutes(az: Recorded) -> None:
    az.answer("monitor activity-log list --resource-group", [])
    seen = checks(az, "--change")["what a zone, a link and a record report"]
    assert seen == "activity log {}; no events were asked for: they go to no queue in the app's subscription"
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
    assert '"managementGroups": ["landing-zones"]' in [call for call in az.calls if GRAPH in call][-1]
    assert f"--subscription {ID}" in az.called("monitor activity-log list --namespace")[-1]


def test_the_topic_of_a_hub_that_is_not_watched_is_looked_at_too(az: Recorded) -> None:
    az.environment["EXISTING_SYSTEM_TOPICS"] = TOPIC.replace(ID, "hub")
    assert checks(az)["topics"].count("subscription Succeeded") == 2


GRAPH = "rest --method post --url /providers/Microsoft.ResourceGraph/resources"
NOT_FROM_HERE = ""
"""In place of a call: the report says why it is not seen."""
DNS = "what a zone, a link and a record report"
LOOKED_AT = (
    # What no document tells of a first deployment.
    (
        "whether onedeploy reaches an app whose site for deployments is closed",
        "properties of the site",
        "extensions/onedeploy",
    ),
    (
        "whether Flex takes sshEnabled and endToEndEncryptionEnabled",
        "properties of the site",
        f"resource show --ids {APP}",
    ),
    ("whether Event Grid passes a network security perimeter", "storage without public access", NOT_FROM_HERE),
    # What is not known of Azure's events, tables and limits.
    ("events of records and links: form, and how many for one operation", DNS, "storage message peek"),
    ("the same in the activity log", DNS, "monitor activity-log list --resource-group"),
    (
        "approval: the event of privateLinkServiceProxies",
        "approval of an endpoint",
        "monitor activity-log list --namespace",
    ),
    ("approval: the row of resourcechanges", "approval of an endpoint", f"{GRAPH} ... resourcechanges"),
    ("approval: the event of Resource Notifications", "events of Resource Notifications", NOT_FROM_HERE),
    ("the row of a * record: name, metadata, time to live", "record in Resource Graph", f"{GRAPH} ... dnsresources"),
    ("the row of an endpoint: resourceGuid", "endpoint in Resource Graph", f"{GRAPH} ... resourceGuid"),
    ("whether the app's role sees rows", "Resource Graph with the app's own role", NOT_FROM_HERE),
    ("zone links of a network", "zone links of a network", "privateDnsZoneLinks?api-version=2020-06-01"),
    (
        "what a read of private DNS is counted as",
        "quota of private DNS",
        "Microsoft.Network/privateDnsZones?api-version",
    ),
    ("fewer than 40 instances", "fewer than 40 instances", "scale config set --maximum-instance-count 20"),
)
"""What is unknown, the line of the report that tells it, and parts of the call that it looks with."""

ASSUMED = {
    "a global system topic takes": "topics",
    "a topic delivers to the function": "topics",
    "remote build installs": "functions that Azure lists",
    "*selected networks: none*": "events in a day",
    "a new workspace has the tables": "logs that arrive",
    "a role assignment on the network is enough": "connections by phase and reason",
    "deleting a record, link or zone": "connections by phase and reason",
    "`deployment-editor` may also": "connections by phase and reason",
    "operations of private DNS are asked": "connections by phase and reason",
}
"""What docs/deploy-choices.md says that only Azure can confirm, by how it begins, and the line of the report."""
OF_THE_INSTALLATION = {"doctor", "roles of the identities", "subscriptions below management groups"}
"""Lines that tell how this installation stands."""


def test_each_unknown_and_each_assumption_has_its_line_in_the_report_and_each_line_its_cause(az: Recorded) -> None:
    with_a_queue(az)
    seen = checks(az, "--change")
    for unknown, line, call in LOOKED_AT:
        if call == NOT_FROM_HERE:
            assert seen[line].startswith("not seen: "), unknown
        else:
            assert any(all(part in one for part in call.split(" ... ")) for one in az.calls), unknown
            assert not seen[line].startswith("not seen: "), unknown
    page = (ROOT / "docs" / "deploy-choices.md").read_text(encoding="utf-8").split("## What is assumed")[1]
    assumed = re.findall(r"^\| (?!assumption|---)(.+?) \|", page, re.MULTILINE)
    assert {one: [begins for begins in ASSUMED if one.startswith(begins)] for one in assumed} == {
        one: [begins] for one, begins in zip(assumed, ASSUMED, strict=True)
    }
    assert {line for _, line, _ in LOOKED_AT} | set(ASSUMED.values()) | OF_THE_INSTALLATION == set(seen)
