"""The event subscription lets through exactly what `endpoint_events` makes something of."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any

import pytest

from shared.core.errors import InvalidInput
from shared.core.events import hint_of
from tests.infra.shipped import ROOT, bicep

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe"
TYPES = [
    f"Microsoft.Resources.Resource{what}"
    for what in ("WriteSuccess", "DeleteSuccess", "ActionSuccess", "WriteFailure", "DeleteFailure", "WriteCancel")
]
OPERATIONS = [
    f"Microsoft.Network/{what}"
    for what in (
        "privateEndpoints/write",
        "privateEndpoints/delete",
        "privateEndpoints/read",
        "virtualNetworks/write",
        "privateEndpoints/privateDnsZoneGroups/write",
    )
]


def shipped_filter() -> tuple[list[str], list[str]]:
    """Event types and operation names of the shipped filter."""
    text = bicep("app/event-subscription.bicep")
    types = re.search(r"includedEventTypes: \[(.*?)\]", text, re.DOTALL)
    operations = re.search(r"key: 'data\.operationName'\s+values: \[(.*?)\]", text, re.DOTALL)
    assert types is not None
    assert operations is not None
    return re.findall(r"'(.+?)'", types[1]), re.findall(r"'(.+?)'", operations[1])


def passes(event_type: str, operation: str | None) -> bool:
    """As Event Grid filters: types and strings without regard to case, a missing key matches nothing."""
    types, operations = shipped_filter()
    return event_type.lower() in {t.lower() for t in types} and (operation or "").lower() in {
        o.lower() for o in operations
    }


def accepted(event: dict[str, Any]) -> bool:
    """Whether the trigger makes a message of it."""
    try:
        hint_of(event)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize(("event_type", "operation"), list(product(TYPES, OPERATIONS)))
def test_the_filter_and_the_trigger_agree(event_type: str, operation: str) -> None:
    event = {"eventType": event_type, "subject": ENDPOINT, "data": {"operationName": operation}}
    contradictory = (
        event_type.removeprefix("Microsoft.Resources.Resource").removesuffix("Success").lower() not in operation
    )
    if contradictory:
        assert not accepted(event)
    else:
        assert passes(event_type, operation) == accepted(event)


def test_recorded_events_that_pass_the_filter_are_understood() -> None:
    files = sorted((ROOT / "tests" / "events").glob("*.json"))
    events = [e for f in files for e in _events(json.loads(f.read_text(encoding="utf-8")))]
    let_through = [e for e in events if passes(str(e.get("eventType") or e.get("type")), _operation(e))]
    assert let_through
    assert [e for e in let_through if not accepted(e)] == []


def test_the_local_stack_subscribes_with_the_same_filter() -> None:
    types, operations = shipped_filter()
    text = (ROOT / "local" / "stack.py").read_text(encoding="utf-8")
    assert [entry for entry in (*types, *operations) if f'"{entry}"' not in text] == []


def test_the_schema_is_one_that_the_trigger_reads_and_deliveries_are_not_given_up_early() -> None:
    text = bicep("app/event-subscription.bicep")
    assert "eventDeliverySchema: 'EventGridSchema'" in text
    assert "maxDeliveryAttempts: 30" in text
    assert "eventTimeToLiveInMinutes: 1440" in text


def _events(body: Any) -> list[dict[str, Any]]:
    return [e for e in (body if isinstance(body, list) else [body]) if isinstance(e, dict)]


def _operation(event: dict[str, Any]) -> str | None:
    data = event.get("data")
    operation = data.get("operationName") if isinstance(data, dict) else None
    return operation if isinstance(operation, str) else None
