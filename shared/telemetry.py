"""The log lines that alerts and the workbook read: one JSON object each, `event` first.

Called by `run`, `sweep` and `reconcile`. JSON in the message, because the Functions host drops what Python's `extra`
holds (https://github.com/Azure/azure-functions-python-worker/issues/788): a query finds a line by its beginning and
reads it with `parse_json(Message)`. Tests hold the queries in `infra/` to the fields that are written here.
Identifiers, reasons and durations only; never a key, a token or an event's claims.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.model import conditions as c
from shared.core.model.messages import Cause, CheckMessage
from shared.core.model.reasons import Reason
from shared.core.model.record import Connection, VerdictMemory
from shared.correlation import Service, Stage, present_id, take_spent

log = logging.getLogger("privatelink.telemetry")
_TALKATIVE = ("azure", "httpx")
"""Libraries that write lines about every request at the level that the worker sets for all: INFO."""
_TEXT = 500
"""Characters of a free text that are logged; the journal has all of it."""


def quiet_libraries() -> None:
    """Let the libraries speak of trouble only. Called when the app is loaded.

    The worker logs everything from INFO on, and host.json keeps every line: two of the Azure SDK and one of httpx for
    each request would be most of the log and of its cost, and say nothing that the lines of this module do not.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class Event(StrEnum):
    """Every kind of line."""

    SWEEP_COMPLETED = "SweepCompleted"
    """The timer has looked at everything once; `errorCount` is 0 when it could read all. Says what it cost."""
    REMOVALS_STOPPED = "RemovalsStopped"
    """A sweep found more to remove than `REMOVAL_LIMIT`; nothing is removed until a person confirms."""
    SUBSCRIPTION_CHECKED = "SubscriptionChecked"
    """The connections of one subscription were tested beside their sweep."""
    CONNECTION_CHECKED = "ConnectionChecked"
    """One connection as a sweep saw it; verdict and latencies are empty when it was not tested."""
    RECONCILE_COMPLETED = "ReconcileCompleted"
    """One run over one endpoint, with the phase before and after, the steps it took, and what it cost."""
    JOURNAL_WRITTEN = "JournalWritten"
    """One change or decision, as in the connection's journal."""
    NOTIFICATIONS_SENT = "NotificationsSent"
    """One request to the topic of notifications; with `error` nothing was taken and it is sent again."""


def emit(event: Event, fields: dict[str, Any]) -> None:
    """Write one line."""
    # Compact and in a fixed order: queries find a line by how it begins.
    text = json.dumps({"event": event, **fields}, separators=(",", ":"), default=str, ensure_ascii=False)
    log.info("%s", text)


def removals_stopped(correlation_id: str, stop: str, steps: int, connections: Sequence[str]) -> None:
    """A sweep has stopped all removals."""
    fields = {"correlationId": correlation_id, "stop": stop, "steps": steps, "connections": ", ".join(connections)}
    emit(Event.REMOVALS_STOPPED, fields)


def subscription_checked(message: CheckMessage, probed: int, unhealthy: int, enqueued: int, duration_ms: int) -> None:
    """A part of a sweep has ended."""
    fields = {
        "correlationId": message.correlation_id,
        "subscription": message.subscription_id,
        "probed": probed,
        "unhealthy": unhealthy,
        "enqueued": enqueued,
        "durationMs": duration_ms,
    }
    emit(Event.SUBSCRIPTION_CHECKED, fields)


def connection_checked(
    connection: Connection, verdicts: Sequence[VerdictMemory], now: datetime, correlation_id: str
) -> None:
    """A connection as a sweep saw it; of several tests the slowest is told, or the first that failed."""
    verdicts = [verdict for verdict in verdicts if verdict.associated]
    bad = [verdict for verdict in verdicts if verdict.status != "healthy"]
    told = max(bad[:1] or verdicts, key=_total, default=None)
    stages = dict(told.stages) if told else {}
    ready = connection.condition(c.READY)
    since = ready.since if ready is not None and not ready.true else None
    fields = {
        "correlationId": correlation_id,
        **_who(connection),
        "waitingSeconds": 0 if since is None else round((now - since).total_seconds()),
        "verdict": told.status if told else "",
        "verdictReason": told.reason if told else "",
        "resolveMs": stages.get("resolve"),
        "connectMs": stages.get("connect"),
        "tlsMs": stages.get("tls"),
        "httpMs": stages.get("http"),
        "totalMs": round(_total(told), 1) if told else None,
    }
    emit(Event.CONNECTION_CHECKED, fields)


def reconcile_completed(
    before: Connection, after: Connection, *, cause: Cause, run_id: str, correlation_id: str, duration_ms: int,
    steps: Mapping[str, int],
) -> None:  # fmt: skip
    """A run over an endpoint has ended; `steps` counts its steps by their outcome."""
    waits = [condition.reason for condition in after.conditions if not condition.true]
    fields = {
        "correlationId": correlation_id,
        "run": run_id,
        "cause": cause,
        **_who(after),
        "phaseBefore": str(before.phase) if before.generation else "",
        "throttled": Reason.THROTTLED in waits,
        "stepsDone": steps.get("done", 0),
        "stepsFailed": steps.get("failed", 0),
        "stepsWaiting": steps.get("waiting", 0),
        "durationMs": duration_ms,
        **_cost(_RUN_STAGES),
    }
    emit(Event.RECONCILE_COMPLETED, fields)


def sweep_completed(correlation_id: str, fields: Mapping[str, Any], duration_ms: int) -> dict[str, Any]:
    """A sweep has ended; returns what is told."""
    line = {"correlationId": correlation_id, **fields, "durationMs": duration_ms, **_cost(_SWEEP_STAGES)}
    emit(Event.SWEEP_COMPLETED, line)
    return line


def notifications_sent(count: int, error: str, duration_ms: int) -> None:
    """Notifications were sent to the topic, or it did not take them and they wait."""
    fields = {"correlationId": present_id(), "count": count, "error": error[:_TEXT], "durationMs": duration_ms}
    emit(Event.NOTIFICATIONS_SENT, fields)


def journal_written(
    connection: Connection, *, cause: Cause, run_id: str, correlation_id: str, step: str, outcome: str,
    duration_ms: int, message: str,
) -> None:  # fmt: skip
    """A change that was tried, or a decision."""
    fields = {
        "correlationId": correlation_id,
        "run": run_id,
        "cause": cause,
        "connection": connection.id,
        "name": connection.name,
        "step": step,
        "outcome": outcome,
        "durationMs": duration_ms,
        "message": message[:_TEXT],
    }
    emit(Event.JOURNAL_WRITTEN, fields)


_RUN_STAGES = (Stage.OBSERVE_DNS, Stage.OBSERVE_ELASTIC, Stage.APPLY_DNS, Stage.APPLY_ELASTIC, Stage.TEST)
_SWEEP_STAGES = (Stage.READ_RECORDS, Stage.LIST_ENDPOINTS, Stage.READ_CLOUDS, Stage.TEST)


def _cost(stages: Sequence[Stage]) -> dict[str, int]:
    """What the work has cost since its last line: calls by service, and milliseconds by stage."""
    spent = take_spent()
    calls = {f"{service}Calls": spent.calls[service] for service in Service}
    return calls | {f"{stage}Ms": round(spent.seconds.get(stage, 0.0) * 1000) for stage in stages}


def _who(connection: Connection) -> dict[str, Any]:
    """Which connection, and how it stands."""
    ready = connection.condition(c.READY)
    return {
        "connection": connection.id,
        "endpoint": connection.endpoint_id,
        "name": connection.name,
        "region": connection.region,
        "phase": str(connection.phase),
        "reason": ready.reason if ready else "",
        "nextStep": ready.next_step[:_TEXT] if ready else "",
    }


def _total(verdict: VerdictMemory) -> float:
    return sum(milliseconds for _, milliseconds in verdict.stages)
