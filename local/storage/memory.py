"""In-memory double of the product's storage, for tests on virtual time; `tests/state` holds it to Azurite's answers.

Entities are kept as `shared.state.codec` makes them, so what does not survive a table does not survive here. Nothing
awaits inside an operation: each is atomic, as a single request to the service is. The service has a clock of its own:
give its users another one to see what they do when clocks differ.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from local.storage.memory_things import MemoryThingTable
from shared.core.model.errors import LostRace
from shared.core.model.record_parts import QueuedMessage
from shared.state import codec
from shared.state import codec as diary_codec
from shared.state.rows import ConnectionRow, ControlLook, ControlRow, DiaryPage, E, ListedConnection, QueueLook

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from shared.clock import Clock
    from shared.state.codec import DiaryCodec


class _Stored(NamedTuple):
    entity: codec.Entity
    etag: str
    written_at: datetime


class MemoryConnectionTable:
    """`ConnectionTable` in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[str, _Stored] = {}
        self._etags = itertools.count(1)
        self.requests = Counter[str]()
        """How many the real table would have got, by kind: a list is one for each page."""

    def clear(self) -> None:
        """Lose every row, as when the table was deleted."""
        self._rows.clear()

    def rows(self) -> dict[Any, Any]:
        """A copy of every row with its ETag."""
        return deepcopy(self._rows)

    def damage(self, connection_id: str, **columns: object) -> None:
        """Write into a row what no version of the product would."""
        self._rows[connection_id].entity.update(columns)

    async def get(self, connection_id: str) -> ConnectionRow | None:
        """One row, or None."""
        self.requests["get"] += 1
        await asyncio.sleep(0)
        stored = self._rows.get(connection_id)
        return None if stored is None else self._row(stored)

    async def list(self, subscription_id: str | None = None) -> AsyncIterator[ConnectionRow]:
        """All rows in the order of their ids, or those of one subscription."""
        async for stored in self._pages():
            if subscription_id is None or stored.entity.get("subscription") == subscription_id.lower():
                yield self._row(stored)

    async def list_columns(self) -> AsyncIterator[ListedConnection]:
        """All connections in short."""
        async for stored in self._pages():
            yield codec.listed_connection({name: stored.entity.get(name) for name in codec.LISTED})

    def _row(self, stored: _Stored) -> ConnectionRow:
        row = codec.connection_row(stored.entity, stored.etag)
        return replace(row, read_at=_date(self._clock), written_at=stored.written_at)

    async def _pages(self) -> AsyncIterator[_Stored]:
        """Row after row; between two pages others may write, as with the real table."""
        last = ""
        while True:
            self.requests["list"] += 1
            await asyncio.sleep(0)
            left = sorted(key for key in self._rows if key > last)
            for stored in [self._rows[key] for key in left[: codec.PAGE]]:
                yield stored
            if len(left) <= codec.PAGE:
                return
            last = left[codec.PAGE - 1]

    async def insert(self, row: ConnectionRow) -> ConnectionRow:
        """Create only."""
        entity = codec.connection_entity(row)
        await asyncio.sleep(0)
        if row.connection_id in self._rows:
            raise LostRace("The row was made by another run.", on=row.connection_id, after=1.0)
        return self._store(row, entity)

    async def replace(self, row: ConnectionRow) -> ConnectionRow:
        """Replace the version that was read."""
        entity = codec.connection_entity(row)
        await asyncio.sleep(0)
        self._check(row)
        return self._store(row, entity)

    async def delete(self, row: ConnectionRow) -> None:
        """Delete the version that was read."""
        await asyncio.sleep(0)
        if row.etag is None or row.connection_id in self._rows:
            self._check(row)
            del self._rows[row.connection_id]

    def _check(self, row: ConnectionRow) -> None:
        stored = self._rows.get(row.connection_id)
        if row.etag is None or stored is None or stored.etag != row.etag:
            raise LostRace("The row changed since it was read.", on=row.connection_id, after=1.0)

    def _store(self, row: ConnectionRow, entity: codec.Entity) -> ConnectionRow:
        etag = f'W/"{next(self._etags)}"'
        self._rows[row.connection_id] = _Stored(entity, etag, self._clock.now())
        return replace(row, etag=etag, read_at=_date(self._clock), written_at=None)


class MemoryDiaryTable(Generic[E]):
    """`DiaryTable` in a dictionary."""

    def __init__(self, diary: DiaryCodec[E], rng: random.Random | None = None) -> None:
        self._codec = diary
        self._keys = diary_codec.DiaryKeys(rng)
        self._partitions: dict[str, dict[str, codec.Entity]] = {}

    def clear(self) -> None:
        """Lose every entry, as when the table was deleted."""
        self._partitions.clear()

    def rows(self) -> dict[str, Any]:
        """A copy of every entry."""
        return deepcopy(self._partitions)

    async def append(self, connection_id: str, entries: Sequence[E]) -> None:
        """Add entries, oldest first."""
        entities = [self._codec.entity(connection_id, self._keys.next(entry.at), entry) for entry in entries]
        await asyncio.sleep(0)
        self._partitions.setdefault(connection_id, {}).update({entity["RowKey"]: entity for entity in entities})

    async def newest(self, connection_id: str, limit: int = 50, before: str | None = None) -> DiaryPage[E]:
        """One page."""
        start = "" if before is None else diary_codec.checked_key(before)
        await asyncio.sleep(0)
        partition = self._partitions.get(connection_id, {})
        keys = sorted(key for key in partition if key > start)
        entries = tuple(self._codec.read(partition[key]) for key in keys[:limit])
        return DiaryPage(entries, keys[limit - 1] if len(keys) > limit else None)

    async def prune(self, connection_id: str, before: datetime) -> int:
        """Delete old entries."""
        await asyncio.sleep(0)
        partition = self._partitions.get(connection_id, {})
        old = [key for key in partition if key >= diary_codec.first_key_older_than(before)]
        for key in old:
            del partition[key]
        return len(old)


class MemoryControlTable:
    """`ControlTable` in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[str, _Stored] = {}
        self._etags = itertools.count(1)
        self.requests = Counter[str]()

    def clear(self) -> None:
        """Lose every row, as when the table was deleted."""
        self._rows.clear()

    def rows(self) -> dict[Any, Any]:
        """A copy of every row with its ETag."""
        return deepcopy(self._rows)

    async def get(self, name: str) -> ControlRow | None:
        """One document, or None."""
        return (await self.look(name)).row

    async def look(self, name: str) -> ControlLook:
        """One document or None, with the service's time."""
        self.requests["get"] += 1
        await asyncio.sleep(0)
        stored = self._rows.get(name)
        return ControlLook(None if stored is None else self._row(stored), _date(self._clock))

    def _row(self, stored: _Stored) -> ControlRow:
        row = codec.control_row(stored.entity, stored.etag)
        return replace(row, read_at=_date(self._clock), written_at=stored.written_at)

    async def list(self, beginning: str) -> AsyncIterator[ControlRow]:
        """All documents whose names begin so."""
        self.requests["list"] += 1
        await asyncio.sleep(0)
        for name, stored in sorted(self._rows.items()):
            if name.startswith(beginning):
                yield self._row(stored)

    async def put(self, row: ControlRow) -> ControlRow:
        """Create, or replace the version that was read."""
        entity = codec.control_entity(row)
        await asyncio.sleep(0)
        self._check(row)
        etag = f'W/"{next(self._etags)}"'
        self._rows[row.name] = _Stored(entity, etag, self._clock.now())
        return replace(row, etag=etag, read_at=_date(self._clock), written_at=None)

    async def delete(self, row: ControlRow) -> None:
        """Delete the version that was read."""
        await asyncio.sleep(0)
        if row.etag is None:
            raise LostRace("The row was never stored.", on=row.name, after=1.0)
        if row.name in self._rows:
            self._check(row)
            del self._rows[row.name]

    def _check(self, row: ControlRow) -> None:
        stored = self._rows.get(row.name)
        if (stored.etag if stored else None) != row.etag:
            raise LostRace("The row changed since it was read.", on=row.name, after=1.0)


def _date(clock: Clock) -> datetime:
    """The `Date` of an answer: HTTP knows whole seconds only."""
    return clock.now().replace(microsecond=0)


class MemoryTables:
    """All tables."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self.connections = MemoryConnectionTable(clock)
        self.journal = MemoryDiaryTable(diary_codec.JOURNAL, rng)
        self.checks = MemoryDiaryTable(diary_codec.CHECKS, rng)
        self.control = MemoryControlTable(clock)
        self.things = MemoryThingTable(clock)


@dataclass(slots=True)
class Message:
    """A queue message. `receipt` changes with every delivery and update: who has an old one has no say any more."""

    number: int
    text: str
    visible_at: datetime
    sent_at: datetime
    dequeue_count: int = 0
    receipt: int = 0


class MemoryQueue:
    """`WorkQueue`, and the side of it that the Functions host sees: delivery, retry, poison."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_dequeue: int = 8,
        retry_visibility: float = 30.0,
        processing_visibility: float = 600.0,
    ) -> None:
        self._clock = clock
        self._max_dequeue = max_dequeue
        self._retry_visibility = timedelta(seconds=retry_visibility)
        self._processing_visibility = timedelta(seconds=processing_visibility)
        self._numbers = itertools.count(1)
        self.messages: list[Message] = []
        self.poison: list[Message] = []

    async def send(self, text: str, delay: float = 0.0) -> QueuedMessage:
        """Add a message."""
        codec.checked_message(text)
        await asyncio.sleep(0)
        message = Message(next(self._numbers), text, self._after(delay), sent_at=self._clock.now())
        self.messages.append(message)
        return QueuedMessage(str(message.number), str(message.receipt))

    async def replace(self, message: QueuedMessage, text: str, delay: float = 0.0) -> QueuedMessage | None:
        """Put another text and another time in a message's place."""
        codec.checked_message(text)
        await asyncio.sleep(0)
        stored = self._stored(message)
        if stored is None:
            return None
        stored.text, stored.visible_at = text, self._after(delay)
        stored.receipt += 1
        return QueuedMessage(message.id, str(stored.receipt))

    async def withdraw(self, message: QueuedMessage) -> None:
        """Delete a message that no worker has taken."""
        await asyncio.sleep(0)
        stored = self._stored(message)
        if stored is not None:
            self.messages.remove(stored)

    def receive(self) -> Message | None:
        """Deliver the message that has been visible longest; it hides for the time of its processing."""
        message = self._next()
        if message is None:
            return None
        message.dequeue_count += 1
        message.receipt += 1
        message.visible_at = self._clock.now() + self._processing_visibility
        return replace(message)

    async def look(self) -> QueueLook:
        """All that is there, and when the message that is next was sent."""
        await asyncio.sleep(0)
        coming = self._next()
        waiting = len(self.messages)
        return QueueLook(waiting, coming.sent_at, coming.text) if coming else QueueLook(waiting, None)

    def delete(self, delivered: Message) -> None:
        """Done with it."""
        stored = self._delivered(delivered)
        if stored is not None:
            self.messages.remove(stored)

    async def poisoned(self) -> int:
        """How many messages were put aside."""
        await asyncio.sleep(0)
        return len(self.poison)

    async def replay_poison(self, limit: int) -> int:
        """Move messages back, one after the other."""
        messages = self.poison[:limit]
        for message in messages:
            await self.send(message.text)
            self.poison.remove(message)
        return len(messages)

    def abandon(self, delivered: Message) -> None:
        """Processing failed: deliver it again after a while, or put it aside as poison."""
        stored = self._delivered(delivered)
        if stored is None:
            return
        if stored.dequeue_count >= self._max_dequeue:
            self.messages.remove(stored)
            self.poison.append(stored)
        else:
            stored.visible_at = self._clock.now() + self._retry_visibility

    def next_visible_at(self) -> datetime | None:
        """When the next message can be received; None if there is none."""
        return min((message.visible_at for message in self.messages), default=None)

    def _next(self) -> Message | None:
        """The message that has been visible longest."""
        visible = [message for message in self.messages if message.visible_at <= self._clock.now()]
        return min(visible, key=lambda one: (one.visible_at, one.number), default=None)

    def _after(self, delay: float) -> datetime:
        return self._clock.now() + timedelta(seconds=codec.visibility_timeout(delay))

    def _stored(self, message: QueuedMessage) -> Message | None:
        same = (message.id, message.receipt)
        return next((one for one in self.messages if (str(one.number), str(one.receipt)) == same), None)

    def _delivered(self, delivered: Message) -> Message | None:
        same = (delivered.number, delivered.receipt)
        return next((one for one in self.messages if (one.number, one.receipt) == same), None)


class MemoryStorage:
    """`Storage` in memory, with the service's clock; pass the parts of an earlier one to let state outlive a worker."""

    def __init__(self, clock: Clock, tables: MemoryTables | None = None, queue: MemoryQueue | None = None) -> None:
        tables = tables or MemoryTables(clock)
        self.connections = tables.connections
        self.journal = tables.journal
        self.control = tables.control
        self.checks = tables.checks
        self.things = tables.things
        self.queue = queue or MemoryQueue(clock)

    def rows(self) -> dict[str, Any]:
        """A copy of every row of every table, to be compared with a later one."""
        return {
            "connections": self.connections.rows(),
            "journal": self.journal.rows(),
            "checks": self.checks.rows(),
            "control": self.control.rows(),
            "things": self.things.rows(),
        }

    async def aclose(self) -> None:
        """Nothing is open."""
