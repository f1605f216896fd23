"""Writes the log lines that alerts and the workbook read, one JSON object each, `event` first; and the metrics.

Called by `run`, `sweep` and `reconcile`. JSON in the message, because the Functions host drops what Python's `extra`
holds (https://github.com/Azure/azure-functions-python-worker/issues/788): a query finds a line by its beginning and
reads it with `parse_json(Message)`. The lines are types in `core.model.log_lines`; tests hold the queries to these.
Identifiers, reasons and durations only; never a key, a token or an event's claims.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any

from shared.core.model import conditions as c
from shared.core.model.json_names import camel
from shared.core.model.log_lines import (
    CALLS,
    LINES,
    METRICS,
    QUEUE_AGE,
    SWEEPS,
    THROTTLED,
    ConnectionChecked,
    JournalWritten,
    Line,
    Metric,
    MetricType,
    NotificationsSent,
    ReconcileCompleted,
    RemovalsStopped,
    SubscriptionChecked,
    SweepCompleted,
    measured,
)
from shared.core.model.messages import Cause, CheckMessage
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import HostCheck
from shared.requests import Service, Spent, Stage, present_id, take_spent
from shared.version import VERSION

log = logging.getLogger("privatelink.telemetry")
INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
_TEXT = 500
"""Characters of a free text that are logged; the journal has all of it."""


_NAMES: dict[type[Line], tuple[tuple[str, str], ...]] = {
    kind: tuple((field.name, camel(field.name)) for field in dataclasses.fields(kind)) for kind in LINES.values()
}
"""Each field of a line and its name in JSON."""


def emit(line: Line) -> Mapping[str, Any]:
    """Write one line; returns its fields as they are spelled in it."""
    fields = {name: getattr(line, attribute) for attribute, name in _NAMES[type(line)]}
    # Compact, and the event first: queries find a line by how it begins.
    text = json.dumps({"event": line.event, **fields}, separators=(",", ":"), default=str, ensure_ascii=False)
    log.info("%s", text)
    for metric, value, attributes in measured(line) if _reader is not None else ():
        add(metric, value, attributes)
    return fields


# -- metrics -----------------------------------------------------------------------------------------------------------

_reader: Callable[[], Any] | None = None
_instruments: dict[str, Any] = {}


def measure(reader: Callable[[], Any] | None) -> None:
    """From now on metrics go to this reader of OpenTelemetry's, which is made with the first value; None: nowhere."""
    global _reader  # noqa: PLW0603 - one process has one set of metrics, as it has one log
    _reader = reader
    _instruments.clear()


def azure_monitor(environ: MutableMapping[str, str]) -> Any:
    """The reader that sends to Azure Monitor once a minute, with what the settings say of it; loads its libraries."""
    # It would tell its maker how it fares, over hosts that a closed network does not let through.
    environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    environ.setdefault("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "true")
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter  # noqa: PLC0415 - when first used
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415 - as above

    exporter = AzureMonitorMetricExporter.from_connection_string(environ[INSIGHTS], disable_offline_storage=True)
    return PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)


def add(metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
    """Add a value to a metric, where a reader is set. Never fails the work that it is about."""
    if _reader is None or (metric.kind is MetricType.COUNTER and value == 0):
        return
    try:
        if not _instruments:
            _instruments.update(_made(_reader()))
        instrument = _instruments[metric.name]
        (instrument.add if metric.kind is MetricType.COUNTER else instrument.record)(value, dict(attributes))
    except Exception:
        log.exception("metrics are not kept from now on")
        measure(None)


def _made(reader: Any) -> dict[str, Any]:
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - when first used
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above

    resource = Resource({"service.name": "privatelink-autopilot", "service.version": VERSION})
    meter = MeterProvider([reader], resource).get_meter("privatelink", VERSION)
    make: dict[MetricType, Callable[..., Any]]
    make = {MetricType.COUNTER: meter.create_counter, MetricType.HISTOGRAM: meter.create_histogram}
    return {one.name: make[one.kind](one.name, unit=one.unit, description=one.about) for one in METRICS}


def waited(inserted: datetime | None, wake_at: datetime | None, now: datetime) -> None:
    """A message was taken from the queue: how long it was due. A continued wait was due when it ended, not before."""
    if inserted is not None:
        due = inserted if wake_at is None else max(inserted, wake_at)
        add(QUEUE_AGE, max(0.0, (now - due).total_seconds()), {})


def sweep_failed() -> None:
    """A sweep has ended with an error, and has no line."""
    add(SWEEPS, 1, {"outcome": "failed"})


# -- the lines ---------------------------------------------------------------------------------------------------------


def removals_stopped(correlation_id: str, stop: str, total: int, connections: Sequence[str]) -> None:
    """All removals are stopped; told by each sweep, until they go on."""
    emit(RemovalsStopped(correlation_id=correlation_id, stop=stop, total=total, connections=", ".join(connections)))


def subscription_checked(message: CheckMessage, probed: int, unhealthy: int, enqueued: int, duration_ms: int) -> None:
    """A part of a sweep has ended."""
    emit(
        SubscriptionChecked(
            correlation_id=message.correlation_id,
            subscription=message.subscription_id,
            probed=probed,
            unhealthy=unhealthy,
            enqueued=enqueued,
            duration_ms=duration_ms,
        )
    )


def connection_checked(
    connection: ConnectionRecord, verdicts: Sequence[HostCheck], now: datetime, correlation_id: str
) -> None:
    """A connection as a sweep saw it; of several tests the slowest is told, or the first that failed."""
    verdicts = [verdict for verdict in verdicts if verdict.associated]
    bad = [verdict for verdict in verdicts if verdict.status != "healthy"]
    told = max(bad[:1] or verdicts, key=_total, default=None)
    stages = dict(told.stages) if told else {}
    ready = connection.condition(c.READY)
    since = ready.since if ready is not None and not ready.true else None
    emit(
        ConnectionChecked(
            correlation_id=correlation_id,
            **_who(connection),
            waiting_seconds=0 if since is None else round((now - since).total_seconds()),
            verdict=told.status if told else "",
            verdict_reason=told.reason if told else "",
            resolve_ms=stages.get("resolve"),
            connect_ms=stages.get("connect"),
            tls_ms=stages.get("tls"),
            http_ms=stages.get("http"),
            total_ms=round(_total(told), 1) if told else None,
        )
    )


def reconcile_completed(
    before: ConnectionRecord, after: ConnectionRecord, *, cause: Cause, run_id: str, correlation_id: str,
    duration_ms: int, steps: Mapping[str, int], throttled: bool, repairs: int = 0,
) -> None:  # fmt: skip
    """A run over an endpoint has ended; `steps` counts its steps by their outcome.

    `throttled`: a service refused a read, though what was known before may stand.
    """
    waits = [condition.reason for condition in after.status.conditions if not condition.true]
    spent = take_spent()
    emit(
        ReconcileCompleted(
            correlation_id=correlation_id,
            run=run_id,
            cause=cause,
            **_who(after),
            phase_before=str(before.status.phase) if before.status.generation else "",
            throttled=throttled or Reason.THROTTLED in waits,
            repairs=repairs,
            steps_done=steps.get("done", 0),
            steps_failed=steps.get("failed", 0),
            steps_waiting=steps.get("waiting", 0),
            duration_ms=duration_ms,
            observe_dns_ms=spent.milliseconds(Stage.OBSERVE_DNS),
            observe_elastic_ms=spent.milliseconds(Stage.OBSERVE_ELASTIC),
            apply_dns_ms=spent.milliseconds(Stage.APPLY_DNS),
            apply_elastic_ms=spent.milliseconds(Stage.APPLY_ELASTIC),
            test_ms=spent.milliseconds(Stage.TEST),
            **_calls(spent),
        )
    )


def sweep_completed(correlation_id: str, stats: Mapping[str, Any], duration_ms: int) -> Mapping[str, Any]:
    """A sweep has ended; `stats` are the line's own fields. Returns what the line says."""
    spent = take_spent()
    return emit(
        SweepCompleted(
            correlation_id=correlation_id,
            **stats,
            duration_ms=duration_ms,
            read_records_ms=spent.milliseconds(Stage.READ_RECORDS),
            list_endpoints_ms=spent.milliseconds(Stage.LIST_ENDPOINTS),
            read_clouds_ms=spent.milliseconds(Stage.READ_CLOUDS),
            test_ms=spent.milliseconds(Stage.TEST),
            **_calls(spent),
        )
    )


def notifications_sent(count: int, error: str, duration_ms: int) -> None:
    """Notifications were sent to the topic, or it did not take them and they wait."""
    emit(NotificationsSent(correlation_id=present_id(), count=count, error=error[:_TEXT], duration_ms=duration_ms))


def journal_written(
    connection: ConnectionRecord, *, cause: Cause, run_id: str, correlation_id: str, step: str, outcome: str,
    duration_ms: int, message: str,
) -> None:  # fmt: skip
    """A change that was tried, or a decision."""
    emit(
        JournalWritten(
            correlation_id=correlation_id,
            run=run_id,
            cause=cause,
            connection=connection.id,
            name=connection.identity.name,
            step=step,
            outcome=outcome,
            duration_ms=duration_ms,
            message=message[:_TEXT],
        )
    )


def _calls(spent: Spent) -> dict[str, Any]:
    for service in Service:
        add(CALLS, spent.calls[service], {"service": service})
        add(THROTTLED, spent.throttled[service], {"service": service})
    return {f"{service}_calls": spent.calls[service] for service in Service}


def _who(connection: ConnectionRecord) -> dict[str, Any]:
    """Which connection, and how it stands."""
    ready = connection.condition(c.READY)
    return {
        "connection": connection.id,
        "endpoint": connection.endpoint_id,
        "name": connection.identity.name,
        "region": connection.identity.region,
        "phase": str(connection.status.phase),
        "reason": ready.reason if ready else "",
        "next_step": ready.next_step[:_TEXT] if ready else "",
    }


def _total(verdict: HostCheck) -> float:
    return sum(milliseconds for _, milliseconds in verdict.stages)
