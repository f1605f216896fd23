"""What happened to all connections, newest first, from their journals. Called by the HTTP trigger of `GET /api/events`.

The table's rows stand by connection, so a page looks through all entries of a time that the caller bounds; the storage
does so within `state.codec.ACROSS` requests, or says that the time is too long. Only the page's entries are kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.api.views import as_json
from shared.context import Context
from shared.core.model.errors import InvalidInput
from shared.core.model.record_document import Columns
from shared.state.rows import JournalEntry

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView(JournalEntry):
    """An entry of a journal, and whose it is."""

    connection: str
    name: str
    """The endpoint's; empty where no connection of this id is left."""
    region: str
    subscription: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which entries are meant; what is empty leaves none out."""

    outcome: str = ""
    region: str = ""
    subscription: str = ""
    q: str = ""
    """Words, each of which stands in the connection's name or id, the step, the cause, or the message."""

    def matches(self, connection: str, columns: Columns, entry: JournalEntry) -> bool:
        """Whether an entry is meant."""
        exact = (
            (self.outcome, entry.outcome),
            (self.region, columns.region),
            (self.subscription, columns.subscription),
        )
        if any(wanted and wanted.lower() != value.lower() for wanted, value in exact):
            return False
        text = f"{connection} {columns.name} {entry.step} {entry.cause} {entry.message}".lower()
        return all(word in text for word in self.q.lower().split())


async def list_events(
    context: Context, wanted: EventFilter, *, since: str | None = None, limit: int = 50, cursor: str | None = None
) -> dict[str, Any]:
    """A page of the newest entries since then, or of those before a cursor; raises InvalidInput."""
    oldest = context.clock.now() - DAY if since is None else _moment(since)
    known = {row.connection_id: row.columns async for row in context.storage.connections.list_columns()}
    found: list[tuple[str, str, JournalEntry]] = []
    async for connection, key, entry in context.storage.journal.across(oldest, cursor):
        if wanted.matches(connection, known.get(connection) or Columns(), entry):
            found.append((key, connection, entry))
        if len(found) > 4 * limit:
            found = _newest(found, limit)
    shown = _newest(found, limit)
    items = [_shown(one, known.get(one) or Columns(), entry) for _, one, entry in shown[:limit]]
    return {"items": items, "since": oldest.isoformat(), "next": shown[limit - 1][0] if len(shown) > limit else None}


def _newest(found: list[tuple[str, str, JournalEntry]], limit: int) -> list[tuple[str, str, JournalEntry]]:
    """A page, and one more where there is one; keys sort the newest first."""
    return sorted(found, key=lambda one: one[:2])[: limit + 1]


def _shown(connection: str, columns: Columns, entry: JournalEntry) -> dict[str, Any]:
    whose = EventView(
        **{field.name: getattr(entry, field.name) for field in fields(JournalEntry)},
        connection=connection,
        name=columns.name,
        region=columns.region,
        subscription=columns.subscription,
    )
    return dict(as_json({**asdict(whose), "at": entry.at.isoformat()}))


def _moment(text: str) -> datetime:
    """A time of a query, in which a plus sign may have become a space."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidInput("since is no time with a zone.", on=text[:40], next_step="Send for example 2026-01-31T08:00Z.")
