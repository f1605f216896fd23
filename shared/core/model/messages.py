"""Messages of the work queue: which endpoint to look at, why, and how to follow it in the logs.

The triggers, the sweep and the loop write them; the queue trigger reads them. It also accepts raw Event Grid events, in
both schemas, because an event subscription can deliver straight to the queue. An event is a hint, "look at this
endpoint", or at a zone, a link or a `*` record: it is never believed beyond the id it names, and nothing else of it is
kept, because `claims` holds a person's name and IP address. Schemas:
https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions and CloudEvents 1.0.

A change of tags in the portal, by `az tag` or by a policy writes a resource of its own,
`<endpoint>/providers/Microsoft.Resources/tags/default`: that is what the event is about, and no write of the endpoint
is reported.

What the app writes to private DNS comes back as events too. They are dropped here, by the application id that the event
says wrote it, so that they cost nothing; where an event does not say, `reconciler.drift` compares with what is noted.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.model.arm_ids import ArmId, parse_arm_id, parse_endpoint_id
from shared.core.model.errors import InvalidInput, Permanent
from shared.core.model.services import ENDINGS

QUEUE = "reconcile"
"""Name of the work queue; the platform moves what failed too often to `reconcile-poison`."""

MAX_DELAY = 7 * 24 * 3600  # seconds a queue message can stay invisible
MAX_MESSAGE = 64 * 1024  # bytes of a queue message, encoded

VERSION = 1
"""Of a message's form. A change that an older version would misread has the next number."""
PUT_BACKS_MAX = 1_440
"""How often what a newer version wrote is put back: a day of minutes. While one version takes another's place there are
both; what comes after that stays for a person to see, as all that cannot be understood."""
_PUT_BACKS = "putBacks"
_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_CORRELATION = re.compile(r"[0-9A-Za-z-]{1,64}")


def visibility_timeout(delay: float) -> int:
    """A delay as the queue takes it: whole seconds, never less than asked for, 7 days at most."""
    return min(MAX_DELAY, max(0, math.ceil(delay)))


def checked_message(text: str) -> str:
    """`text` if it fits a queue message once it is base64, as `messageEncoding` in host.json says."""
    size = len(base64.b64encode(text.encode()))
    if size > MAX_MESSAGE:
        raise Permanent(f"A queue message holds {MAX_MESSAGE} bytes in base64; this one has {size}.", on="work queue")
    return text


class Cause(StrEnum):
    """Why an endpoint is looked at."""

    EVENT_WRITE = "event-write"
    EVENT_DELETE = "event-delete"
    DRIFT = "drift"
    """Others changed a zone, a link or a `*` record that its connection uses."""
    TIMER = "timer"
    """A sweep found it due, or changed."""
    ORPHAN = "orphan"
    """A sweep found what was made for an endpoint without a record."""
    MANUAL = "manual"
    CHECK = "check"
    """A person asked for a test."""
    WAIT = "wait"
    """What the last run waited for may have come."""
    LEASE = "lease"
    """Another worker held the lease, and may have died with it."""
    PENDING = "pending"
    """Another message came during the last run."""
    UNKNOWN = "unknown"
    """The message names none that this version knows."""

    @classmethod
    def _missing_(cls, value: object) -> Cause:
        del value
        return cls.UNKNOWN


ASKED_FOR = (Cause.MANUAL, Cause.CHECK)
"""Causes of messages that a person waits for (`core.model.operations`)."""
_SEPARATOR = ":"


def told_of(cause: Cause, correlation_id: str) -> str:
    """What a busy worker is told of a message, so that its next run also answers what a person waits for."""
    return f"{cause}{_SEPARATOR}{correlation_id}" if cause in ASKED_FOR else str(cause)


def told_cause(told: str) -> str:
    """The cause in what was told."""
    return told.partition(_SEPARATOR)[0]


def told_operations(told: Iterable[str]) -> tuple[str, ...]:
    """The correlation ids in what was told."""
    return tuple(sorted(one.partition(_SEPARATOR)[2] for one in told if _SEPARATOR in one))


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """One request to reconcile an endpoint."""

    endpoint: ArmId
    cause: Cause
    correlation_id: str
    wake_at: datetime | None = None
    """Set on a message that continues a wait: it is stale when the record has another wake-up time."""
    put_backs: int = 0
    """How often it was put back because a newer version of the app wrote the record."""

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
        if self.put_backs:
            body[_PUT_BACKS] = self.put_backs
        return json.dumps(body, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class DriftMessage:
    """A zone, a link or a `*` record was written or deleted, and not by the app."""

    resource: ArmId
    correlation_id: str
    put_backs: int = 0
    """How often it was put back because nothing could be read."""

    def encode(self) -> str:
        """The message as JSON text."""
        body: dict[str, Any] = {"v": VERSION, "changed": self.resource.text, "correlationId": self.correlation_id}
        if self.put_backs:
            body[_PUT_BACKS] = self.put_backs
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
    newer: tuple[str, ...] = ()
    """Messages of a newer version of the app, as they are to be put back."""
    drift: tuple[DriftMessage, ...] = ()


def decode(text: str | bytes, *, new_correlation_id: str, own_client: str = "") -> Decoded:
    """Read a message of ours, or raw events as an event subscription delivers them straight to the queue.

    Events that are not for us are dropped, as the Event Grid trigger drops them. What is neither raises InvalidInput.
    `new_correlation_id` is used for what brings none; `own_client` is the app's own application id, as in `message_of`.
    """
    try:
        entries = parse_events(text)
    except InvalidInput as error:
        raise InvalidInput("The queue message is no JSON object.") from error
    asked: list[WorkMessage | DriftMessage] = []
    dropped, checks, newer, raw = [], [], [], False
    for entry in entries:
        if "v" in entry:
            if _is_newer(entry):
                newer.append(json.dumps(entry | {_PUT_BACKS: _put_backs(entry) + 1}, separators=(",", ":")))
            elif entry["v"] == VERSION and "check" in entry:
                checks.append(_check_of(entry, new_correlation_id))
            elif entry["v"] == VERSION and "changed" in entry:
                asked.append(_drift_of(entry, new_correlation_id))
            else:
                asked.append(_work_of(entry, new_correlation_id))
            continue
        if not {"eventType", "type"} & entry.keys():
            raise InvalidInput("The event has no type.")
        raw = True
        try:
            asked.append(message_of(entry, new_correlation_id=new_correlation_id, own_client=own_client))
        except InvalidInput as error:
            dropped.append(error.what)
    work = tuple(one for one in asked if isinstance(one, WorkMessage))
    drift = tuple(one for one in asked if isinstance(one, DriftMessage))
    return Decoded(work, tuple(dropped), raw, tuple(checks), tuple(newer), drift)


def _is_newer(body: Mapping[str, Any]) -> bool:
    """Whether another instance understands it, which will take this one's place."""
    return type(body["v"]) is int and body["v"] > VERSION and _put_backs(body) < PUT_BACKS_MAX


def _put_backs(body: Mapping[str, Any]) -> int:
    found = body.get(_PUT_BACKS)
    return found if type(found) is int and found > 0 else 0


def _check_of(body: Mapping[str, Any], new_correlation_id: str) -> CheckMessage:
    subscription, since = body["check"], _time(body.get("since"))
    if not isinstance(subscription, str) or not _SUBSCRIPTION.fullmatch(subscription) or since is None:
        raise InvalidInput("The queue message asks for checks of no subscription.", on=str(subscription)[:60])
    return CheckMessage(subscription, _correlation_of(body) or new_correlation_id, since)


def _drift_of(body: Mapping[str, Any], new_correlation_id: str) -> DriftMessage:
    resource = _dns_resource(body["changed"])
    if resource is None:
        raise InvalidInput("The queue message names nothing of private DNS.", on=str(body["changed"])[:120])
    return DriftMessage(resource, _correlation_of(body) or new_correlation_id, _put_backs(body))


def _work_of(body: Mapping[str, Any], new_correlation_id: str) -> WorkMessage:
    if body["v"] != VERSION:
        raise InvalidInput(
            "The queue message is of a version that this app does not know.",
            on=str(body["v"])[:20],
            next_step="Deploy the version that wrote it, or delete the message.",
        )
    return WorkMessage(
        endpoint=parse_endpoint_id(body.get("endpoint")),
        cause=Cause(str(body.get("cause"))),
        correlation_id=_correlation_of(body) or new_correlation_id,
        wake_at=_time(body.get("wakeAt")),
        put_backs=_put_backs(body),
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


def _correlation_of(body: Mapping[str, Any]) -> str:
    """The `correlationId` of an event's data or a message; empty when it is none that can stand in a header."""
    found = body.get("correlationId")
    return found if isinstance(found, str) and _CORRELATION.fullmatch(found) else ""


# -- events ------------------------------------------------------------------------------------------------------

_CAUSES = {
    "microsoft.resources.resourcewritesuccess": Cause.EVENT_WRITE,
    "microsoft.resources.resourcedeletesuccess": Cause.EVENT_DELETE,
    "microsoft.resourcenotifications.resources.createdorupdated": Cause.EVENT_WRITE,
    "microsoft.resourcenotifications.resources.deleted": Cause.EVENT_DELETE,
}
_CHANGES = {Cause.EVENT_WRITE: "write", Cause.EVENT_DELETE: "delete"}
_ENDPOINTS = "microsoft.network/privateendpoints"
_PROXIES = f"{_ENDPOINTS}/privatelinkserviceproxies"
"""What a private link service may write below an endpoint when it approves its connection."""
_TAGS = "microsoft.resources/tags"
_BELOW = {
    _TAGS: re.compile(r"/providers/microsoft\.resources/tags/default$", re.IGNORECASE),
    _PROXIES: re.compile(r"/privatelinkserviceproxies/[^/]+$", re.IGNORECASE),
}
"""By the type that an event is about: what follows the id of the resource to look at."""
_ZONES = "microsoft.network/privatednszones"
_DNS = {
    _ZONES: re.compile(r""),
    f"{_ZONES}/virtualnetworklinks": re.compile(r"/virtualnetworklinks/[^/]+", re.IGNORECASE),
    f"{_ZONES}/a": re.compile(r"/a/\*", re.IGNORECASE),
}
"""Zones, links and `*` records: the type, and what follows the zone's name."""


def parse_events(raw: str | bytes) -> list[dict[str, Any]]:
    """The objects in a request or message: one, or a batch. Raises InvalidInput for anything else."""
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The event is no JSON.") from error
    events = decoded if isinstance(decoded, list) else [decoded]
    if not events or not all(isinstance(event, dict) for event in events):
        raise InvalidInput("The event is no JSON object.")
    return events


def message_of(
    event: Mapping[str, Any], *, new_correlation_id: str, own_client: str = ""
) -> WorkMessage | DriftMessage:
    """The message that one event leads to; raises InvalidInput that says why the event is not for us.

    `own_client`: the application id of the app's identity, whose own changes of private DNS are no news.
    """
    # Either schema: `eventType` is Event Grid's, `type` is CloudEvents'. Some documented samples omit `specversion`.
    event_type = event.get("eventType") or event.get("type")
    if not isinstance(event_type, str):
        raise InvalidInput("The event has no type.")
    cause = _CAUSES.get(event_type.lower())
    if cause is None:
        raise InvalidInput("The event is no successful write or delete of a resource.", on=event_type[:100])
    data = event.get("data")
    data = data if isinstance(data, dict) else {}
    correlation_id = _correlation_of(data) or new_correlation_id
    expected, operation = f"{_ENDPOINTS}/{_CHANGES[cause]}", data.get("operationName")
    operation = operation.lower() if isinstance(operation, str) else expected
    about = operation.removesuffix(f"/{_CHANGES[cause]}") if operation.endswith(f"/{_CHANGES[cause]}") else ""
    if about in _DNS or about == _TAGS:
        resource = _dns_resource(_named(event, data, _BELOW.get(about)), about)
        if resource is not None:
            if _same_guid(own_client, _client_of(data)):
                raise InvalidInput("The app itself made this change.", on=resource.text)
            return DriftMessage(resource, correlation_id)
    if about in _BELOW:  # also where the tags are deleted, the endpoint is still there
        return WorkMessage(parse_endpoint_id(_named(event, data, _BELOW[about])), Cause.EVENT_WRITE, correlation_id)
    if about in _DNS:
        raise InvalidInput("The event is about no zone, link or * record of Elastic's.")
    if operation != expected:
        raise InvalidInput("The event is about another operation.", on=operation[:100])
    return WorkMessage(parse_endpoint_id(_named(event, data)), cause, correlation_id)


def _named(event: Mapping[str, Any], data: Mapping[str, Any], below: re.Pattern[str] | None = None) -> str:
    """The id of the resource to look at; `below` is what the event's own is followed by."""
    info = data.get("resourceInfo")
    candidates = (event.get("subject"), data.get("resourceUri"), info.get("id") if isinstance(info, dict) else None)
    for candidate in candidates:
        if isinstance(candidate, str) and candidate:
            return below.sub("", candidate) if below else candidate
    raise InvalidInput("The event names no resource.")


def _dns_resource(named: object, about: str = _TAGS) -> ArmId | None:
    """The zone, link or `*` record of a zone of either family; None: it is none, or not what it is about."""
    try:
        found = parse_arm_id(named.replace("/%2A", "/*").replace("/%2a", "/*") if isinstance(named, str) else named)
    except InvalidInput:
        return None
    kinds = _DNS.values() if about == _TAGS else (_DNS[about],)
    elastic = found.name.lower().endswith(tuple(ending for _, ending in ENDINGS.values()))
    return found if found.type == _ZONES and elastic and any(one.fullmatch(found.children) for one in kinds) else None


def _client_of(data: Mapping[str, Any]) -> str:
    """The application that made a change, as the event tells it; of a person it is that of the tool."""
    claims = data.get("claims")
    found = claims.get("appid") or claims.get("azp") if isinstance(claims, dict) else None
    return found if isinstance(found, str) else ""


def _same_guid(one: str, other: str) -> bool:
    """Whether two ids are one, with or without dashes; an empty one is none."""
    return bool(one) and one.replace("-", "").lower() == other.replace("-", "").lower()
