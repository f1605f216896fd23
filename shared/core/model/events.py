"""Event Grid events, in both schemas, turned into hints: "look at this endpoint".

Called by the Event Grid trigger and by `messages` (an event subscription can deliver straight to the work queue). An
event is never believed beyond the id it names, and nothing else of it is kept: `claims` holds a person's name and IP
address. Schemas: https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions and CloudEvents 1.0.

Whoever changes tags in the portal, with `az tag` or by a policy writes a resource of their own,
`<endpoint>/providers/Microsoft.Resources/tags/default`: that is what the event is about, and no write of the endpoint
is reported.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from shared.core.model.arm_ids import ArmId, parse_endpoint_id
from shared.core.model.errors import InvalidInput

_TYPES = {
    "microsoft.resources.resourcewritesuccess": "write",
    "microsoft.resources.resourcedeletesuccess": "delete",
    "microsoft.resources.resourceactionsuccess": "action",
    "microsoft.resourcenotifications.resources.createdorupdated": "write",
    "microsoft.resourcenotifications.resources.deleted": "delete",
}
_OPERATIONS = {
    "write": "microsoft.network/privateendpoints/write",
    "delete": "microsoft.network/privateendpoints/delete",
}
_TAGS = "microsoft.resources/tags"
_TAGS_PATH = re.compile(r"/providers/microsoft\.resources/tags/default$", re.IGNORECASE)
_CORRELATION = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened to a private endpoint; what, is for ARM to say."""

    endpoint: ArmId
    change: str
    """`write` or `delete`."""
    correlation_id: str
    """The ARM operation's correlation id; empty when the event had none."""


def parse_events(raw: str | bytes) -> list[dict[str, Any]]:
    """The event objects in a request or message: one, or a batch. Raises InvalidInput for anything else."""
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The event is no JSON.") from error
    events = decoded if isinstance(decoded, list) else [decoded]
    if not events or not all(isinstance(event, dict) for event in events):
        raise InvalidInput("The event is no JSON object.")
    return events


def hint_of(event: dict[str, Any]) -> Hint:
    """The hint in one event; raises InvalidInput that says why the event is not for us."""
    # Either schema: `eventType` is Event Grid's, `type` is CloudEvents'. Some documented samples omit `specversion`.
    event_type = event.get("eventType") or event.get("type")
    if not isinstance(event_type, str):
        raise InvalidInput("The event has no type.")
    change = _TYPES.get(event_type.lower())
    if change not in _OPERATIONS:
        raise InvalidInput("The event is no successful write or delete of a resource.", on=event_type[:100])
    data = event.get("data")
    data = data if isinstance(data, dict) else {}
    operation = data.get("operationName")
    operation = operation.lower() if isinstance(operation, str) else _OPERATIONS[change]
    if operation == f"{_TAGS}/{change}":  # whatever became of its tags, the endpoint is still there
        return Hint(_endpoint_of(event, data, below=_TAGS_PATH), "write", correlation_of(data))
    if operation != _OPERATIONS[change]:
        raise InvalidInput("The event is about another operation.", on=operation[:100])
    return Hint(_endpoint_of(event, data), change, correlation_of(data))


def correlation_of(body: dict[str, Any]) -> str:
    """The `correlationId` of an event's data or a message; empty when it is none that can stand in a header."""
    found = body.get("correlationId")
    return found if isinstance(found, str) and _CORRELATION.fullmatch(found) else ""


def _endpoint_of(event: dict[str, Any], data: dict[str, Any], below: re.Pattern[str] | None = None) -> ArmId:
    """The endpoint that the event is about; `below` is what its id is followed by."""
    info = data.get("resourceInfo")
    candidates = (event.get("subject"), data.get("resourceUri"), info.get("id") if isinstance(info, dict) else None)
    for candidate in candidates:
        if isinstance(candidate, str) and candidate:
            return parse_endpoint_id(below.sub("", candidate) if below else candidate)
    raise InvalidInput("The event names no resource.")
