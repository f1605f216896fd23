"""The log lines that alerts and the workbook read, as types: each field that a query may name stands here. Pure.

`shared.telemetry` makes and writes them. Tests hold queries, pages and the doctor to these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from shared.core.model.messages import Cause


class Event(StrEnum):
    """Every kind of line."""

    SWEEP_COMPLETED = "SweepCompleted"
    REMOVALS_STOPPED = "RemovalsStopped"
    SUBSCRIPTION_CHECKED = "SubscriptionChecked"
    CONNECTION_CHECKED = "ConnectionChecked"
    RECONCILE_COMPLETED = "ReconcileCompleted"
    JOURNAL_WRITTEN = "JournalWritten"
    NOTIFICATIONS_SENT = "NotificationsSent"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line; its fields are spelled as in JSON (`duration_ms` is `durationMs`)."""

    event: ClassVar[Event]
    correlation_id: str


@dataclass(frozen=True, kw_only=True)
class _OfConnection(Line):
    """What a line about a connection says of it."""

    connection: str
    endpoint: str
    name: str
    region: str
    phase: str
    reason: str
    next_step: str


@dataclass(frozen=True, kw_only=True)
class _Calls(Line):
    """How many requests the work has sent, by service."""

    arm_calls: int
    elastic_calls: int
    storage_calls: int
    topic_calls: int
    vault_calls: int


@dataclass(frozen=True, kw_only=True)
class SweepCompleted(_Calls):
    """The timer has looked at everything once; `error_count` is 0 when it could read all. Says what it cost."""

    event = Event.SWEEP_COMPLETED
    endpoints: int
    enqueued: int
    held_back: int
    probed: int
    shared: int
    unhealthy: int
    throttled: int
    poisoned: int
    removals: int
    removals_stopped: bool
    error_count: int
    errors: str
    key_expires_at: datetime | None
    key_days_left: float | None
    duration_ms: int
    read_records_ms: int
    list_endpoints_ms: int
    read_clouds_ms: int
    test_ms: int


@dataclass(frozen=True, kw_only=True)
class RemovalsStopped(Line):
    """More connections stand for removal than `REMOVAL_LIMIT`; none is torn down until a person confirms."""

    event = Event.REMOVALS_STOPPED
    stop: str
    total: int
    connections: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionChecked(Line):
    """The connections of one subscription were tested beside their sweep."""

    event = Event.SUBSCRIPTION_CHECKED
    subscription: str
    probed: int
    unhealthy: int
    enqueued: int
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class ConnectionChecked(_OfConnection):
    """One connection as a sweep saw it; verdict and latencies are empty when it was not tested."""

    event = Event.CONNECTION_CHECKED
    waiting_seconds: int
    verdict: str
    verdict_reason: str
    resolve_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    http_ms: float | None
    total_ms: float | None


@dataclass(frozen=True, kw_only=True)
class ReconcileCompleted(_OfConnection, _Calls):
    """One run over one endpoint, with the phase before and after, the steps it took, and what it cost."""

    event = Event.RECONCILE_COMPLETED
    run: str
    cause: Cause
    phase_before: str
    throttled: bool
    steps_done: int
    steps_failed: int
    steps_waiting: int
    duration_ms: int
    observe_dns_ms: int
    observe_elastic_ms: int
    apply_dns_ms: int
    apply_elastic_ms: int
    test_ms: int


@dataclass(frozen=True, kw_only=True)
class JournalWritten(Line):
    """One change or decision, as in the connection's journal."""

    event = Event.JOURNAL_WRITTEN
    run: str
    cause: Cause
    connection: str
    name: str
    step: str
    outcome: str
    duration_ms: int
    message: str


@dataclass(frozen=True, kw_only=True)
class NotificationsSent(Line):
    """One request to the topic of notifications; with `error` nothing was taken and it is sent again."""

    event = Event.NOTIFICATIONS_SENT
    count: int
    error: str
    duration_ms: int


LINES: Mapping[Event, type[Line]] = {
    line.event: line
    for line in (
        SweepCompleted,
        RemovalsStopped,
        SubscriptionChecked,
        ConnectionChecked,
        ReconcileCompleted,
        JournalWritten,
        NotificationsSent,
    )
}
