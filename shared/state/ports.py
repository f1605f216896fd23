"""What the product asks of its storage. Implemented by `azure_tables`/`azure_queue` and by the double in `local/`.

Every method may raise `RetryLater` (throttled, unavailable, no answer), `Forbidden` (a role is missing), `Permanent`.
Tables and the queue need not exist beforehand: reading what is not there finds nothing, writing creates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from shared.state.rows import CheckEntry, E, JournalEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from shared.core.model.record_parts import QueuedMessage
    from shared.state.rows import (
        ConnectionRow,
        ControlLook,
        ControlRow,
        DiaryPage,
        HostRow,
        ListedConnection,
        QueueLook,
        ThingRow,
    )


class ConnectionTable(Protocol):
    """Table `connections`, addressed by connection id alone. Every write is conditional on the row's ETag."""

    async def get(self, connection_id: str) -> ConnectionRow | None:
        """One row, or None: one request."""
        ...

    def list(self, subscription_id: str | None = None) -> AsyncIterator[ConnectionRow]:
        """All rows whole, or those of one subscription, page by page, in the order of their ids."""
        ...

    def list_columns(self) -> AsyncIterator[ListedConnection]:
        """All connections in short: one request for each page of at most 1,000 rows, which reads columns only."""
        ...

    async def insert(self, row: ConnectionRow) -> ConnectionRow:
        """Store a new row and return it with its ETag; `LostRace` if it is there already."""
        ...

    async def replace(self, row: ConnectionRow) -> ConnectionRow:
        """Overwrite the version that `row.etag` names; `LostRace` if that is not the present one, or there is none."""
        ...

    async def delete(self, row: ConnectionRow) -> None:
        """Delete the version that `row.etag` names; `LostRace` if it changed. A row that is gone is no error."""
        ...


class DiaryTable(Protocol[E]):
    """A table of connection id / newest first. Append-only, but for the pruning."""

    async def append(self, connection_id: str, entries: Sequence[E]) -> None:
        """Add entries, oldest first; up to 100 of them are all there or none."""
        ...

    async def newest(self, connection_id: str, limit: int = 50, before: str | None = None) -> DiaryPage[E]:
        """The newest entries, or the newest ones older than a page's `continuation`; `InvalidInput` if that is none."""
        ...

    def across(self, since: datetime, before: str | None = None) -> AsyncIterator[tuple[str, str, E]]:
        """Entries of all connections since then, each with its connection and its key; in no order.

        `before`: only those older than this key. `InvalidInput` for a key that is none, and where it takes too many
        requests.
        """
        ...

    async def prune(self, connection_id: str, before: datetime) -> int:
        """Delete the entries older than `before`; how many there were."""
        ...


JournalTable: TypeAlias = DiaryTable[JournalEntry]
"""Table `journal`: every change and every decision."""
ChecksTable: TypeAlias = DiaryTable[CheckEntry]
"""Table `checks`: every health check."""


class HostTable(Protocol):
    """Table `hosts`: the last check of each name that is tested, by connection id / name."""

    def list(self, connection_id: str) -> AsyncIterator[HostRow]:
        """Every row of a connection: one request for each 1,000."""
        ...

    async def write(self, connection_id: str, rows: Sequence[HostRow], gone: Sequence[HostRow] = ()) -> int:
        """Store the rows over the versions that their ETags name, or create; delete those that are gone.

        A hundred are written or none: where another worker wrote one of them meanwhile, its test counts as well as
        ours, and that hundred is left. How many rows were left.
        """
        ...


class ControlTable(Protocol):
    """Table `control`: one partition of small documents of the whole installation, each by its name."""

    async def get(self, name: str) -> ControlRow | None:
        """One document, or None."""
        ...

    async def look(self, name: str) -> ControlLook:
        """One document or None, with the service's time; `RetryLater` where the answer does not tell it."""
        ...

    def list(self, beginning: str) -> AsyncIterator[ControlRow]:
        """All documents whose names begin so, page by page, in the order of their names."""
        ...

    async def put(self, row: ControlRow) -> ControlRow:
        """Store over the version that `row.etag` names, or create where it is None; `LostRace` if that is not so."""
        ...

    async def delete(self, row: ControlRow) -> None:
        """Delete the version that `row.etag` names; `LostRace` if it changed. A document that is gone is no error."""
        ...


class ThingTable(Protocol):
    """Table `things`: one row for each thing that the app makes, by its scope and its id. Ids in any letter case."""

    async def get(self, scope: str, resource_id: str) -> ThingRow | None:
        """One row, or None."""
        ...

    def list(self, scope: str | None = None) -> AsyncIterator[ThingRow]:
        """All rows of a scope, or of all, page by page."""
        ...

    async def put(self, row: ThingRow) -> ThingRow:
        """Store over the version that `row.etag` names, or create where it is None; `LostRace` if that is not so."""
        ...

    async def delete(self, row: ThingRow) -> None:
        """Delete the version that `row.etag` names; `LostRace` if it changed. A row that is gone is no error."""
        ...


class WorkQueue(Protocol):
    """The queue that `reconcile` is triggered by."""

    async def send(self, text: str, delay: float = 0.0) -> QueuedMessage:
        """Add a message that becomes visible after `delay` seconds (rounded up to whole ones; 7 days at most)."""
        ...

    async def replace(self, message: QueuedMessage, text: str, delay: float = 0.0) -> QueuedMessage | None:
        """Put another text and another time in a message's place; None: it was taken, replaced or deleted meanwhile."""
        ...

    async def withdraw(self, message: QueuedMessage) -> None:
        """Delete a message; one that was taken, replaced or deleted meanwhile is no error."""
        ...

    async def look(self) -> QueueLook:
        """How much waits, and since when the next message does; takes nothing out."""
        ...

    async def poisoned(self) -> int:
        """About how many messages the platform has moved to the poison queue."""
        ...

    async def replay_poison(self, limit: int) -> int:
        """Send up to `limit` messages of the poison queue again, as they lie there; how many it was.

        Each is sent first and deleted after: a crash between the two leaves it in both queues, never in none.
        """
        ...


class Storage(Protocol):
    """All of them together, as `connect.storage_from_environment` returns them."""

    @property
    def connections(self) -> ConnectionTable:
        """Table `connections`."""
        ...

    @property
    def journal(self) -> JournalTable:
        """Table `journal`."""
        ...

    @property
    def checks(self) -> ChecksTable:
        """Table `checks`."""
        ...

    @property
    def hosts(self) -> HostTable:
        """Table `hosts`."""
        ...

    @property
    def control(self) -> ControlTable:
        """Table `control`."""
        ...

    @property
    def things(self) -> ThingTable:
        """Table `things`."""
        ...

    @property
    def queue(self) -> WorkQueue:
        """The work queue."""
        ...

    async def aclose(self) -> None:
        """Close what was opened."""
        ...
