"""Notifications as values: an event on its way, and what a connection's record remembers of them.

An event is made and stored in the same write as what it tells, and sent from there by `shared.notifications`; so
it is the same however often it is sent, and none is lost with a process. `core.notifications` says what is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.model.json_values import stored_instant


class Type(StrEnum):
    """Every type of event."""

    READY = "ElasticPrivateLink.ConnectionReady"
    DEGRADED = "ElasticPrivateLink.ConnectionDegraded"
    BLOCKED = "ElasticPrivateLink.ConnectionBlocked"
    REMOVING = "ElasticPrivateLink.ConnectionRemoving"
    REMOVED = "ElasticPrivateLink.ConnectionRemoved"
    REPAIRED = "ElasticPrivateLink.ConnectionRepaired"
    KEY_EXPIRING = "ElasticPrivateLink.KeyExpiring"
    KEY_REFUSED = "ElasticPrivateLink.KeyRefused"
    SWEEP_FAILED = "ElasticPrivateLink.SweepFailed"
    SWEEP_INCOMPLETE = "ElasticPrivateLink.SweepIncomplete"
    SWEEP_LATE = "ElasticPrivateLink.SweepLate"
    REMOVALS_STOPPED = "ElasticPrivateLink.RemovalsStopped"
    RECOVERED_UNCONFIRMED = "ElasticPrivateLink.RecoveredUnconfirmed"
    MESSAGES_POISONED = "ElasticPrivateLink.MessagesPoisoned"
    EVENTS_LOST = "ElasticPrivateLink.EventsLost"
    SETTINGS_WRONG = "ElasticPrivateLink.SettingsWrong"
    PAUSED = "ElasticPrivateLink.Paused"
    APP_RECOVERED = "ElasticPrivateLink.AppRecovered"

    @classmethod
    def of_app(cls, problem: str) -> Type:
        """The type of the event that tells a problem of the app itself, by its code."""
        return cls(f"ElasticPrivateLink.{problem}")


@dataclass(frozen=True, slots=True)
class ConnectionData:
    """What an event tells of a connection, spelled as in JSON: docs/notifications.schema.json describes each field."""

    connection: str
    endpoint: str
    name: str
    family: str
    region: str
    phase: str
    previous_phase: str | None
    reason: str
    message: str
    next_step: str
    sequence: int
    correlation_id: str


@dataclass(frozen=True, slots=True)
class KeyData:
    """What an event tells of an API key."""

    organization: str
    expires_at: str
    days_left: int
    next_step: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class AppData:
    """What an event tells of the app itself."""

    problem: str
    message: str
    next_step: str
    since: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Notice:
    """An event as it is sent: the attributes of a CloudEvent, but for its source, which is the installation."""

    id: str
    """The same at every attempt: receivers drop what they have seen."""
    type: Type
    subject: str
    time: datetime
    """When it happened, not when it was sent."""
    data: Mapping[str, Any]
    """JSON values, of `ConnectionData`, `KeyData` or `AppData`."""


@dataclass(frozen=True, slots=True)
class NotificationState:
    """What was sent to a connection's receivers, and what waits to be."""

    last_sent: str = ""
    """The state that the last event told; empty: none yet."""
    pending: str = ""
    """A state that differs from the last one sent, and has not lasted long enough to be sent."""
    pending_since: datetime | None = None
    number: int = 0
    """Of the last event; each of a connection's events has the next one."""
    outbox: tuple[Notice, ...] = ()
    """Oldest first."""


def notice_id(*parts: object) -> str:
    """The id of the event that these parts tell: always the same one."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def notice_document(notice: Notice) -> dict[str, Any]:
    """An event that waits, as JSON values."""
    data = dict(notice.data)
    return {
        "id": notice.id,
        "type": str(notice.type),
        "subject": notice.subject,
        "time": notice.time.isoformat(),
        "data": data,
    }


def stored_notice(entry: Mapping[str, Any]) -> Notice:
    """Read it back; raises KeyError, TypeError or ValueError for a damaged one."""
    return Notice(entry["id"], Type(entry["type"]), entry["subject"], stored_instant(entry["time"]), entry["data"])
