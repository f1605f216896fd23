"""Messages of the work queue: which endpoint to look at, why, and how to follow it in the logs.

Written by the triggers, the sweep and the loop itself; read by the queue trigger. Also accepts a raw Event Grid event,
because an event subscription can deliver straight to the queue. A message holds nothing personal.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.model.arm_ids import ArmId, parse_endpoint_id
from shared.core.model.errors import InvalidInput
from shared.core.model.events import correlation_of, hint_of, parse_events

QUEUE = "reconcile"
"""Name of the work queue; the platform moves what failed too often to `reconcile-poison`."""

VERSION = 1
_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """One request to reconcile an endpoint."""

    endpoint: ArmId
    cause: str
    """Why: `event-write`, `event-delete`, `timer`, `manual`, `check`, `wait`, `lease`, `pending`."""
    correlation_id: str
    wake_at: datetime | None = None
    """Set on a message that continues a wait: it is stale when the record has another wake-up time."""

    def encode(self) -> str:
        """The message as JSON text."""
        body: dict[str, Any] = {
            "v": VERSION,
            "endpoint": self.endpoint.text,
            "cause": self.cause,
            "correlationId": self.correlation_id,
        }
        if self.wake_at is not None:
            body["wakeAt"] = self.wake_at.isoformat()
        return json.dumps(body, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class CheckMessage:
    """A sweep's request to test the connections of one subscription: the part of a sweep that others can share."""

    subscription_id: str
    correlation_id: str
    since: datetime
    """When the sweep began: what was tested after that is not tested again."""

    def encode(self) -> str:
        """The message as JSON text."""
        body = {
            "v": VERSION,
            "check": self.subscription_id,
            "correlationId": self.correlation_id,
            "since": self.since.isoformat(),
        }
        return json.dumps(body, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a queue message asks for, and why some of it was dropped."""

    work: tuple[WorkMessage, ...]
    dropped: tuple[str, ...] = ()
    raw: bool = False
    """Whether there were events in it, which hold more than we may keep."""
    checks: tuple[CheckMessage, ...] = ()


def decode_all(text: str | bytes, *, new_correlation_id: str) -> Decoded:
    """Read a message of ours, or raw events as an event subscription delivers them straight to the queue.

    Events that are not for us are dropped, as the Event Grid trigger drops them. What is neither raises InvalidInput.
    """
    try:
        entries = parse_events(text)
    except InvalidInput as error:
        raise InvalidInput("The queue message is no JSON object.") from error
    work, dropped, checks, raw = [], [], [], False
    for entry in entries:
        if entry.get("v") == VERSION and "check" in entry:
            checks.append(_check_of(entry, new_correlation_id))
            continue
        if "v" in entry or not {"eventType", "type"} & entry.keys():
            work.append(decode(json.dumps(entry), new_correlation_id=new_correlation_id))
            continue
        raw = True
        try:
            hint = hint_of(entry)
        except InvalidInput as error:
            dropped.append(error.what)
        else:
            work.append(WorkMessage(hint.endpoint, f"event-{hint.change}", hint.correlation_id or new_correlation_id))
    return Decoded(tuple(work), tuple(dropped), raw, tuple(checks))


def _check_of(body: dict[str, Any], new_correlation_id: str) -> CheckMessage:
    subscription, since = body["check"], _time(body.get("since"))
    if not isinstance(subscription, str) or not _SUBSCRIPTION.fullmatch(subscription) or since is None:
        raise InvalidInput("The queue message asks for checks of no subscription.", on=str(subscription)[:60])
    return CheckMessage(subscription, correlation_of(body) or new_correlation_id, since)


def decode(text: str | bytes, *, new_correlation_id: str) -> WorkMessage:
    """Read a message or a raw event; `new_correlation_id` is used when it brings none. Raises InvalidInput."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The queue message is no JSON.") from error
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not isinstance(body, dict):
        raise InvalidInput("The queue message is no JSON object.")
    if "v" not in body:
        hint = hint_of(body)
        return WorkMessage(hint.endpoint, f"event-{hint.change}", hint.correlation_id or new_correlation_id)
    if body["v"] != VERSION:
        raise InvalidInput(
            "The queue message is of a version that this app does not know.",
            on=str(body["v"])[:20],
            next_step="Deploy the version that wrote it, or delete the message.",
        )
    return WorkMessage(
        endpoint=parse_endpoint_id(body.get("endpoint")),
        cause=str(body.get("cause") or "unknown")[:40],
        correlation_id=correlation_of(body) or new_correlation_id,
        wake_at=_time(body.get("wakeAt")),
    )


def _time(text: object) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise InvalidInput("The queue message has a wake-up time that is none.", on=str(text)[:40]) from error
    if moment.tzinfo is None:
        raise InvalidInput("The queue message has a wake-up time without a time zone.", on=str(text)[:40])
    return moment
