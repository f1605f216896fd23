"""The event subscription lets through exactly what `endpoint_events` makes something of."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any

import pytest

from shared.core.model.errors import InvalidInput
from shared.core.model.event_filter import WANTED, left_out
from shared.core.model.messages import decode, message_of
from shared.settings.services import shipped_services
from tests.infra.shipped import ROOT, bicep

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe"
TAGS = "/providers/Microsoft.Resources/tags/default"
ZONES = [
    f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{name}"
    for name in ("privatelink.eastus2.azure.elastic-cloud.com", "private.eastus2.azure.elastic.cloud")
]
FOREIGN_ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
SUBJECTS = [
    ENDPOINT,
    f"{ENDPOINT}{TAGS}",
    f"{ENDPOINT}/privateLinkServiceProxies/pls",
    *(f"{zone}{below}" for zone in (*ZONES, FOREIGN_ZONE) for below in ("", "/virtualNetworkLinks/one", "/A/*", TAGS)),
    f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet",
    f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet{TAGS}",
    f"{GROUP}{TAGS}",
]
PROBE_GROUP = "rg-production-events"
PROBE = f"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/{PROBE_GROUP}{TAGS}"
"""Whose change of tags the hook postdeploy waits to see delivered."""
TYPES = [
    f"Microsoft.Resources.Resource{what}"
    for what in ("WriteSuccess", "DeleteSuccess", "ActionSuccess", "WriteFailure", "DeleteFailure", "WriteCancel")
]
OPERATIONS = [
    "Microsoft.Network/privateEndpoints/write",
    "Microsoft.Network/privateEndpoints/delete",
    "Microsoft.Network/privateEndpoints/read",
    "Microsoft.Network/virtualNetworks/write",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/write",
    "Microsoft.Resources/tags/write",
    "Microsoft.Resources/tags/delete",
    *(
        f"Microsoft.Network/{kind}/{change}"
        for kind in (
            "privateEndpoints/privateLinkServiceProxies",
            "privateDnsZones",
            "privateDnsZones/virtualNetworkLinks",
            "privateDnsZones/A",
            "privateDnsZones/AAAA",
        )
        for change in ("write", "delete")
    ),
]
BELOW = {
    "tags": TAGS,
    "privateLinkServiceProxies": "/privateLinkServiceProxies/pls",
    "virtualNetworkLinks": "/virtualNetworkLinks/one",
    "A": "/A/*",
}
"""What the id of a resource of this kind ends in."""


def shipped_filter() -> tuple[list[str], list[str], list[str]]:
    """Event types, operation names, and parts of the subject of the shipped filter."""
    text = bicep("app/event-subscription.bicep")
    lists = (
        r"includedEventTypes: \[(.*?)\]",
        r"operatorType: 'StringIn'\s+key: 'data\.operationName'\s+values: \[(.*?)\]",
        r"operatorType: 'StringContains'\s+key: 'subject'\s+values: \[(.*?)\]",
    )
    types, operations, parts = (re.findall(r"'(.+?)'", re.findall(one, text, re.DOTALL)[0]) for one in lists)
    return types, operations, [part.replace("${probeGroupName}", PROBE_GROUP) for part in parts]


def passes(event_type: str, operation: str | None, subject: str) -> bool:
    """As Event Grid filters: types and strings without regard to case, a missing key matches nothing."""
    types, operations, parts = ([entry.lower() for entry in one] for one in shipped_filter())
    contained = any(part in subject.lower() for part in parts)
    return event_type.lower() in types and (operation or "").lower() in operations and contained


def accepted(event: dict[str, Any]) -> bool:
    """Whether the trigger makes a message of it."""
    try:
        message_of(event, new_correlation_id="new")
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize(("event_type", "operation", "subject"), list(product(TYPES, OPERATIONS, SUBJECTS)))
def test_the_filter_and_the_trigger_agree(event_type: str, operation: str, subject: str) -> None:
    event = {"eventType": event_type, "subject": subject, "data": {"operationName": operation}}
    below = [kind for kind, end in BELOW.items() if f"/{kind}/" in operation or subject.endswith(end)]
    contradictory = event_type.removeprefix("Microsoft.Resources.Resource").removesuffix(
        "Success"
    ).lower() not in operation or any(
        f"/{kind}/" not in operation or not subject.endswith(BELOW[kind]) for kind in below
    )
    zone = "privateDnsZones" in subject and not below
    contradictory = contradictory or ("privateDnsZones" in operation and not below) != (
        zone and "tags" not in operation
    )
    if contradictory:
        # An event about what stands below an endpoint or in DNS is taken, however it names that.
        assert not accepted(event) or "/tags/" in operation or "Proxies" in operation
    else:
        assert passes(event_type, operation, subject) == accepted(event)


def test_the_filter_lets_tags_of_endpoints_and_zones_through_and_of_nothing_else() -> None:
    operation, write = "Microsoft.Resources/tags/write", "Microsoft.Resources.ResourceWriteSuccess"
    assert [s for s in SUBJECTS if s.endswith(TAGS) and passes(write, operation, s)] == [
        f"{ENDPOINT}{TAGS}",
        *(f"{zone}{TAGS}" for zone in ZONES),
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_records_of_other_names_are_dropped_by_the_trigger_alone(zone: str) -> None:
    """Event Grid has no filter for the `*` among records that leaves zones and links in."""
    operation, write = "Microsoft.Network/privateDnsZones/A/write", "Microsoft.Resources.ResourceWriteSuccess"
    event = {"eventType": write, "subject": f"{zone}/A/es", "data": {"operationName": operation}}
    assert passes(write, operation, f"{zone}/A/es")
    assert not accepted(event)


def test_event_grid_takes_the_filter() -> None:
    """25 values in all advanced filters of a subscription."""
    _, operations, parts = shipped_filter()
    assert len(operations) + len(parts) <= 25


def test_the_filter_lets_the_zones_of_every_known_service_through() -> None:
    operation, write = "Microsoft.Network/privateDnsZones/delete", "Microsoft.Resources.ResourceDeleteSuccess"
    for service in shipped_services():
        assert passes(write, operation, f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{service.zone}"), service


def test_the_event_that_proves_the_delivery_passes_the_filter_and_is_dropped_by_the_app() -> None:
    operation, write = "Microsoft.Resources/tags/write", "Microsoft.Resources.ResourceWriteSuccess"
    event = {
        "id": "1",
        "eventType": write,
        "subject": PROBE,
        "data": {"operationName": operation, "resourceUri": PROBE},
    }
    assert passes(write, operation, PROBE)
    assert not accepted(event)
    decoded = decode(json.dumps(event), new_correlation_id="new")
    assert (decoded.work, len(decoded.dropped)) == ((), 1), "from the queue it is dropped too, and poisons nothing"


def test_recorded_events_that_pass_the_filter_are_understood() -> None:
    files = sorted((ROOT / "tests" / "events").glob("*.json"))
    events = [e for f in files for e in _events(json.loads(f.read_text(encoding="utf-8")))]
    let_through = [
        e for e in events if passes(str(e.get("eventType") or e.get("type")), _operation(e), str(e.get("subject")))
    ]
    assert let_through
    assert [e for e in let_through if not accepted(e)] == []


def test_the_doctor_misses_what_the_shipped_filter_lets_through_and_nothing_else() -> None:
    types, operations, parts = shipped_filter()

    def filtered(operations: list[str], parts: list[str]) -> dict[str, Any]:
        by_operation = {"operatorType": "StringIn", "key": "data.operationName", "values": operations}
        by_subject = {"operatorType": "StringContains", "key": "subject", "values": parts}
        return {"includedEventTypes": types, "advancedFilters": [by_operation, by_subject]}

    assert left_out(filtered(operations, parts)) == ()
    assert left_out({}) == (), "without a filter all come"
    for operation in operations:
        assert left_out(filtered([one for one in operations if one != operation], parts)) == (operation,)
    for part in (one for one in parts if PROBE_GROUP not in one):
        assert left_out(filtered(operations, [one for one in parts if one != part])) != ()
    assert len(left_out({"includedEventTypes": types[:1]})) == len(operations) / 2
    assert set(operations) == set(WANTED)
    for operation, subjects in WANTED.items():
        change = "Write" if operation.endswith("/write") else "Delete"
        for subject in subjects:
            event = {"eventType": f"Microsoft.Resources.Resource{change}Success", "subject": f"{GROUP}{subject}"}
            assert accepted(event | {"data": {"operationName": operation}}), (operation, subject)


def test_the_local_stack_subscribes_with_the_same_filter() -> None:
    text = (ROOT / "local" / "cli" / "events.py").read_text(encoding="utf-8")
    entries = [entry for one in shipped_filter() for entry in one if PROBE_GROUP not in entry]
    assert [entry for entry in entries if f'"{entry}"' not in text] == [], (
        "but for the probe, which no deployment needs"
    )


def test_the_schema_is_one_that_the_trigger_reads_and_deliveries_are_not_given_up_early() -> None:
    text = bicep("app/event-subscription.bicep")
    assert "eventDeliverySchema: 'EventGridSchema'" in text
    assert "maxDeliveryAttempts: 30" in text
    assert "eventTimeToLiveInMinutes: 1440" in text
    assert "queueMessageTimeToLiveInSeconds: -1" in text, "as long as the app is away"


def test_two_installations_on_one_topic_do_not_overwrite_each_others_subscription_or_alerts() -> None:
    text = bicep("app/event-subscription.bicep")
    names = re.findall(r"^  name: (.+)$", text.split("resource endpointEvents")[1], re.MULTILINE)
    assert names == ["subscriptionName", "'${topicName}-${subscriptionName}-${metric}'"]
    assert "subscriptionName: 'privatelink-${environmentName}'" in bicep("app/topic.bicep")


def _events(body: Any) -> list[dict[str, Any]]:
    return [e for e in (body if isinstance(body, list) else [body]) if isinstance(e, dict)]


def _operation(event: dict[str, Any]) -> str | None:
    data = event.get("data")
    operation = data.get("operationName") if isinstance(data, dict) else None
    return operation if isinstance(operation, str) else None
