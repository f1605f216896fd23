"""A Log Analytics workspace that holds what the app logs, and answers its queries: KQL, run by DuckDB.

The translation (duckdb-kql) refuses what it does not know instead of guessing; that the queries are Kusto at all is for
Microsoft's own language service to say (language_service.py).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb_kql
from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader

from shared import telemetry

LOGGER = "privatelink.telemetry"
METRIC_COLUMNS = {
    "TimeGenerated": "TIMESTAMP", "Name": "VARCHAR", "Sum": "DOUBLE", "Min": "DOUBLE", "Max": "DOUBLE",
    "ItemCount": "INTEGER", "Properties": "VARCHAR",
}  # fmt: skip


class Workspace(logging.Handler):
    """The table AppTraces: time, and message as Azure's Python worker hands it on (`%(message)s`).

    And AppMetrics: what OpenTelemetry's reader has got since the line before, as Azure's exporter hands it on.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(logging.INFO)
        self._now = now
        self.lines: list[tuple[datetime, str]] = []
        self._loaded = 0
        self._reader = InMemoryMetricReader(dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA))
        self._metrics: list[tuple[Any, ...]] = []
        self._database = duckdb_kql.connect()
        for table in ("Measured", "AppMetrics"):  # the same for metrics
            self._database.execute(f"CREATE TABLE {table} ({', '.join(f'{a} {b}' for a, b in METRIC_COLUMNS.items())})")
        for table in ("Lines", "AppTraces"):  # all that was logged, and what a query looks at
            self._database.execute(f"CREATE TABLE {table} (TimeGenerated TIMESTAMP, Message VARCHAR)")

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the app's."""
        self.lines.append((self._now(), record.getMessage()))
        self._collect()

    def _collect(self) -> None:
        data, now = self._reader.get_metrics_data(), _utc(self._now())
        for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else ():
            for point in metric.data.data_points:
                whole = getattr(point, "sum", None) if hasattr(point, "sum") else point.value
                least, most = getattr(point, "min", whole), getattr(point, "max", whole)
                about = json.dumps(dict(point.attributes))
                self._metrics.append((now, metric.name, whole, least, most, getattr(point, "count", 1), about))

    @contextmanager
    def listening(self) -> Iterator[Workspace]:
        """Take what is logged meanwhile."""
        logger = logging.getLogger(LOGGER)
        level = logger.level
        logger.addHandler(self)
        logger.setLevel(logging.INFO)
        telemetry.measure(lambda: self._reader)
        try:
            yield self
        finally:
            telemetry.measure(None)
            logger.removeHandler(self)
            logger.setLevel(level)

    def rows(self, query: str, since: datetime | None = None, until: datetime | None = None) -> list[dict[str, Any]]:
        """What the query answers over the lines of a time (since, until]."""
        self._load()
        since, until = since or datetime.min.replace(tzinfo=UTC), until or datetime.max.replace(tzinfo=UTC)
        for shown, kept in (("AppTraces", "Lines"), ("AppMetrics", "Measured")):
            self._database.execute(f"DELETE FROM {shown}")  # noqa: S608 - fixed
            self._database.execute(
                f"INSERT INTO {shown} SELECT * FROM {kept} WHERE ? < TimeGenerated AND TimeGenerated <= ?",  # noqa: S608 - fixed
                [_utc(since), _utc(until)],
            )
        answer = self._database.execute(_sql(query))
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _load(self) -> None:
        """Hand the database what was logged since it was last asked."""
        fresh = self.lines[self._loaded :]
        self._loaded += len(fresh)
        if fresh:
            self._database.executemany("INSERT INTO Lines VALUES (?, ?)", [(_utc(time), text) for time, text in fresh])
        self._collect()
        if self._metrics:
            self._database.executemany("INSERT INTO Measured VALUES (?, ?, ?, ?, ?, ?, ?)", self._metrics)
            self._metrics = []


@cache
def _sql(query: str) -> str:
    """The query in DuckDB's language; translating takes longer than answering."""
    return str(duckdb_kql.to_sql(query, {"AppTraces": ["TimeGenerated", "Message"], "AppMetrics": [*METRIC_COLUMNS]}))


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)
