"""Event Grid trigger: an event about an endpoint or its private DNS becomes a message of the work queue, at once.

It calls neither Azure nor Elastic and never fails because of an event: a handler that fails makes Event Grid delay all
later events, for hours. The event is taken as raw JSON, because that works for both schemas; the typed binding takes
only one and refuses times that Azure really sends.
"""

from __future__ import annotations

import logging
import os
import uuid
from typing import Any

import azure.functions as func

from shared.core.model.errors import InvalidInput
from shared.core.model.messages import QUEUE, Cause, WorkMessage, message_of, parse_events

log = logging.getLogger("privatelink.events")
blueprint = func.Blueprint()


@blueprint.function_name("endpoint_events")
@blueprint.event_grid_trigger(arg_name="event")
@blueprint.queue_output(arg_name="messages", queue_name=QUEUE, connection="AzureWebJobsStorage")
def endpoint_events(event: str, messages: func.Out[str]) -> None:
    """Enqueue what the event names; anything else is dropped with one line that says why."""
    found = [message for message in map(_message_text, _events(event)) if message is not None]
    if found:
        messages.set(found if len(found) > 1 else found[0])  # type: ignore[arg-type]  # the binding takes both


def _events(raw: str) -> list[dict[str, Any]]:
    try:
        return parse_events(raw)
    except InvalidInput as error:
        log.info("event dropped: %s", error.what)
        return []


def _message_text(event: dict[str, Any]) -> str | None:
    try:
        own_client = os.environ.get("AZURE_CLIENT_ID", "")
        message = message_of(event, new_correlation_id=str(uuid.uuid4()), own_client=own_client)
    except InvalidInput as error:
        # Only our own words: what the event holds may be personal.
        log.info("event dropped: %s", error.what)
        return None
    about = message.endpoint if isinstance(message, WorkMessage) else message.resource
    cause = message.cause if isinstance(message, WorkMessage) else Cause.DRIFT
    log.info("event taken: %s of %s correlation=%s", cause, about.text, message.correlation_id)
    return message.encode()
