"""The log lines and metrics that alerts and the workbook read: each name that a query may use stands here. Pure.

`shared.telemetry` makes and writes them; most metrics are what lines come to. Tests hold queries, pages and the doctor
to these names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from shared.core.model.conditions import Phase
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
    repairs: int
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


# -- metrics -----------------------------------------------------------------------------------------------------------


class MetricType(StrEnum):
    """What a metric's values come to."""

    COUNTER = "Counter"
    HISTOGRAM = "Histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, as docs/metrics.md describes it."""

    name: str
    kind: MetricType
    unit: str
    attributes: tuple[str, ...]
    about: str


SWEEPS = Metric(
    "privatelink.sweeps", MetricType.COUNTER, "", ("outcome",), "Sweeps that ended: complete, incomplete, failed."
)
SWEEP_DURATION = Metric("privatelink.sweep.duration", MetricType.HISTOGRAM, "ms", (), "How long a sweep took.")
RUNS = Metric("privatelink.runs", MetricType.COUNTER, "", ("cause",), "Runs over an endpoint, by what caused them.")
RUN_DURATION = Metric("privatelink.run.duration", MetricType.HISTOGRAM, "ms", ("cause",), "How long a run took.")
STEPS = Metric("privatelink.steps", MetricType.COUNTER, "", ("outcome",), "Steps of runs: done, failed, waiting.")
CONNECTIONS = Metric(
    "privatelink.connections", MetricType.COUNTER, "", ("phase",),
    "Connections that sweeps saw: divided by the sweeps, how many are in each phase.",
)  # fmt: skip
PHASE_CHANGES = Metric(
    "privatelink.phase.changes", MetricType.COUNTER, "", ("phase",), "Connections that came to a phase."
)
VERDICTS = Metric(
    "privatelink.verdicts", MetricType.COUNTER, "", ("verdict",), "Health checks of connections, by verdict."
)
LATENCY = Metric(
    "privatelink.latency", MetricType.HISTOGRAM, "ms", ("region",), "All stages of a healthy check of the slowest host."
)
CALLS = Metric("privatelink.calls", MetricType.COUNTER, "", ("service",), "Requests sent to each cloud and service.")
THROTTLED = Metric("privatelink.throttled", MetricType.COUNTER, "", ("service",), "Of them, those answered 429.")
QUEUE_AGE = Metric(
    "privatelink.queue.age", MetricType.HISTOGRAM, "s", (), "How long a message was due before it was taken."
)
REPAIRS = Metric("privatelink.repairs", MetricType.COUNTER, "", (), "What others changed and the app has put right.")
REMOVALS = Metric("privatelink.removals", MetricType.COUNTER, "", (), "Connections whose removal has ended.")
NOTIFICATIONS = Metric(
    "privatelink.notifications",
    MetricType.COUNTER,
    "",
    ("outcome",),
    "Events sent to the topic: taken, or refused and kept.",
)
METRICS = (
    SWEEPS, SWEEP_DURATION, RUNS, RUN_DURATION, STEPS, CONNECTIONS, PHASE_CHANGES, VERDICTS, LATENCY, CALLS, THROTTLED,
    QUEUE_AGE, REPAIRS, REMOVALS, NOTIFICATIONS,
)  # fmt: skip
Measured = tuple[Metric, float, Mapping[str, str]]


def measured(line: Line) -> Iterator[Measured]:
    """What a line adds to the metrics."""
    if isinstance(line, SweepCompleted):
        yield SWEEPS, 1, {"outcome": "incomplete" if line.error_count else "complete"}
        yield SWEEP_DURATION, line.duration_ms, {}
    elif isinstance(line, ReconcileCompleted):
        cause = {"cause": str(line.cause)}
        yield RUNS, 1, cause
        yield RUN_DURATION, line.duration_ms, cause
        yield STEPS, line.steps_done, {"outcome": "done"}
        yield STEPS, line.steps_failed, {"outcome": "failed"}
        yield STEPS, line.steps_waiting, {"outcome": "waiting"}
        yield REPAIRS, line.repairs, {}
        if line.phase != line.phase_before:
            yield PHASE_CHANGES, 1, {"phase": line.phase}
            yield REMOVALS, int(line.phase == Phase.REMOVED), {}
    elif isinstance(line, ConnectionChecked):
        yield CONNECTIONS, 1, {"phase": line.phase}
        if line.verdict:
            yield VERDICTS, 1, {"verdict": line.verdict}
        if line.verdict == "healthy" and line.total_ms is not None:
            yield LATENCY, line.total_ms, {"region": line.region}
    elif isinstance(line, NotificationsSent):
        yield NOTIFICATIONS, line.count, {"outcome": "refused" if line.error else "taken"}
