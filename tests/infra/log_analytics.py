"""A Log Analytics workspace that holds what the app logs, and answers its queries: KQL, run by DuckDB.

The translation (duckdb-kql) refuses what it does not know instead of guessing; that the queries are Kusto at all is for
Microsoft's own language service to say (language_service.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb_kql

LOGGER = "privatelink.telemetry"


class Workspace(logging.Handler):
    """The table AppTraces: time, and message as Azure's Python worker hands it on (`%(message)s`)."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(logging.INFO)
        self._now = now
        self.lines: list[tuple[datetime, str]] = []
        self._loaded = 0
        self._database = duckdb_kql.connect()
        for table in ("Lines", "AppTraces"):  # all that was logged, and what a query looks at
            self._database.execute(f"CREATE TABLE {table} (TimeGenerated TIMESTAMP, Message VARCHAR)")

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the app's."""
        self.lines.append((self._now(), record.getMessage()))

    @contextmanager
    def listening(self) -> Iterator[Workspace]:
        """Take what is logged meanwhile."""
        logger = logging.getLogger(LOGGER)
        level = logger.level
        logger.addHandler(self)
        logger.setLevel(logging.INFO)
        try:
            yield self
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)

    def rows(self, query: str, since: datetime | None = None, until: datetime | None = None) -> list[dict[str, Any]]:
        """What the query answers over the lines of a time (since, until]."""
        self._load()
        since, until = since or datetime.min.replace(tzinfo=UTC), until or datetime.max.replace(tzinfo=UTC)
        self._database.execute("DELETE FROM AppTraces")
        self._database.execute(
            "INSERT INTO AppTraces SELECT * FROM Lines WHERE ? < TimeGenerated AND TimeGenerated <= ?",
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


@cache
def _sql(query: str) -> str:
    """The query in DuckDB's language; translating takes longer than answering."""
    return str(duckdb_kql.to_sql(query, {"AppTraces": ["TimeGenerated", "Message"]}))


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)
