"""In-memory double of the product's storage, for tests on virtual time; `tests/state` holds it to Azurite's answers.

Entities are kept as `shared.state.codec` makes them, so what does not survive a table does not survive here. Nothing
awaits inside an operation: each is atomic, as a single request to the service is. The service has a clock of its own:
give its users another one to see what they do when clocks differ.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from local.storage.memory_hosts import MemoryHostTable
from local.storage.memory_queue import MemoryQueue
from local.storage.memory_things import MemoryThingTable
from shared.core.model.errors import LostRace
from shared.state import codec
from shared.state import codec as diary_codec
from shared.state.rows import ConnectionRow, ControlLook, ControlRow, DiaryPage, E, ListedConnection

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
        self.stored: dict[str, _Stored] = {}
        """Every row; a test may change them as another process, or a restored backup, would."""
        self._etags = itertools.count(1)
        self.requests = Counter[str]()
        """How many the real table would have got, by kind: a list is one for each page."""

    def clear(self) -> None:
        """Lose every row, as when the table was deleted."""
        self.stored.clear()

    def rows(self) -> dict[Any, Any]:
        """A copy of every row with its ETag."""
        return deepcopy(self.stored)

    def damage(self, connection_id: str, **columns: object) -> None:
        """Write into a row what no version of the product would."""
        self.stored[connection_id].entity.update(columns)

    async def get(self, connection_id: str) -> ConnectionRow | None:
        """One row, or None."""
        self.requests["get"] += 1
        await asyncio.sleep(0)
        stored = self.stored.get(connection_id)
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
            left = sorted(key for key in self.stored if key > last)
            for stored in [self.stored[key] for key in left[: codec.PAGE]]:
                yield stored
            if len(left) <= codec.PAGE:
                return
            last = left[codec.PAGE - 1]

    async def insert(self, row: ConnectionRow) -> ConnectionRow:
        """Create only."""
        entity = codec.connection_entity(row)
        await asyncio.sleep(0)
        if row.connection_id in self.stored:
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
        if row.etag is None or row.connection_id in self.stored:
            self._check(row)
            del self.stored[row.connection_id]

    def _check(self, row: ConnectionRow) -> None:
        stored = self.stored.get(row.connection_id)
        if row.etag is None or stored is None or stored.etag != row.etag:
            raise LostRace("The row changed since it was read.", on=row.connection_id, after=1.0)

    def _store(self, row: ConnectionRow, entity: codec.Entity) -> ConnectionRow:
        etag = f'W/"{next(self._etags)}"'
        self.stored[row.connection_id] = _Stored(entity, etag, self._clock.now())
        return replace(row, etag=etag, read_at=_date(self._clock), written_at=None)


class MemoryDiaryTable(Generic[E]):
    """`DiaryTable` in a dictionary."""

    def __init__(self, diary: DiaryCodec[E], rng: random.Random | None = None) -> None:
        self._codec = diary
        self._keys = diary_codec.DiaryKeys(rng)
        self.stored: dict[str, dict[str, codec.Entity]] = {}
        self.requests = Counter[str]()

    def clear(self) -> None:
        """Lose every entry, as when the table was deleted."""
        self.stored.clear()

    def rows(self) -> dict[str, Any]:
        """A copy of every entry."""
        return deepcopy(self.stored)

    async def append(self, connection_id: str, entries: Sequence[E]) -> None:
        """Add entries, oldest first."""
        entities = [self._codec.entity(connection_id, self._keys.next(entry.at), entry) for entry in entries]
        await asyncio.sleep(0)
        self.stored.setdefault(connection_id, {}).update({entity["RowKey"]: entity for entity in entities})

    async def newest(self, connection_id: str, limit: int = 50, before: str | None = None) -> DiaryPage[E]:
        """One page."""
        start = "" if before is None else diary_codec.checked_key(before)
        await asyncio.sleep(0)
        partition = self.stored.get(connection_id, {})
        keys = sorted(key for key in partition if key > start)
        entries = tuple(self._codec.read(partition[key]) for key in keys[:limit])
        return DiaryPage(entries, keys[limit - 1] if len(keys) > limit else None)

    async def across(self, since: datetime, before: str | None = None) -> AsyncIterator[tuple[str, str, E]]:
        """Entries of all connections."""
        start, end = "" if before is None else diary_codec.checked_key(before), diary_codec.first_key_older_than(since)
        await asyncio.sleep(0)
        found = [(one, key) for one, keys in sorted(self.stored.items()) for key in sorted(keys) if start < key < end]
        self.requests["across"] += max(1, min(diary_codec.ACROSS, math.ceil(len(found) / codec.PAGE)))
        for number, (one, key) in enumerate(found):
            if number == diary_codec.ACROSS * codec.PAGE:
                raise diary_codec.too_many_across()
            yield one, key, self._codec.read(self.stored[one][key])

    async def prune(self, connection_id: str, before: datetime) -> int:
        """Delete old entries."""
        await asyncio.sleep(0)
        partition = self.stored.get(connection_id, {})
        old = [key for key in partition if key >= diary_codec.first_key_older_than(before)]
        for key in old:
            del partition[key]
        return len(old)


class MemoryControlTable:
    """`ControlTable` in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stored: dict[str, _Stored] = {}
        self._etags = itertools.count(1)
        self.requests = Counter[str]()

    def clear(self) -> None:
        """Lose every row, as when the table was deleted."""
        self.stored.clear()

    def rows(self) -> dict[Any, Any]:
        """A copy of every row with its ETag."""
        return deepcopy(self.stored)

    async def get(self, name: str) -> ControlRow | None:
        """One document, or None."""
        return (await self.look(name)).row

    async def look(self, name: str) -> ControlLook:
        """One document or None, with the service's time."""
        self.requests["get"] += 1
        await asyncio.sleep(0)
        stored = self.stored.get(name)
        return ControlLook(None if stored is None else self._row(stored), _date(self._clock))

    def _row(self, stored: _Stored) -> ControlRow:
        row = codec.control_row(stored.entity, stored.etag)
        return replace(row, read_at=_date(self._clock), written_at=stored.written_at)

    async def list(self, beginning: str) -> AsyncIterator[ControlRow]:
        """All documents whose names begin so."""
        self.requests["list"] += 1
        await asyncio.sleep(0)
        for name, stored in sorted(self.stored.items()):
            if name.startswith(beginning):
                yield self._row(stored)

    async def put(self, row: ControlRow) -> ControlRow:
        """Create, or replace the version that was read."""
        entity = codec.control_entity(row)
        await asyncio.sleep(0)
        self._check(row)
        etag = f'W/"{next(self._etags)}"'
        self.stored[row.name] = _Stored(entity, etag, self._clock.now())
        return replace(row, etag=etag, read_at=_date(self._clock), written_at=None)

    async def delete(self, row: ControlRow) -> None:
        """Delete the version that was read."""
        await asyncio.sleep(0)
        if row.etag is None:
            raise LostRace("The row was never stored.", on=row.name, after=1.0)
        if row.name in self.stored:
            self._check(row)
            del self.stored[row.name]

    def _check(self, row: ControlRow) -> None:
        stored = self.stored.get(row.name)
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
        self.hosts = MemoryHostTable()
        self.control = MemoryControlTable(clock)
        self.things = MemoryThingTable(clock)


class MemoryStorage:
    """`Storage` in memory, with the service's clock; pass the parts of an earlier one to let state outlive a worker."""

    def __init__(self, clock: Clock, tables: MemoryTables | None = None, queue: MemoryQueue | None = None) -> None:
        tables = tables or MemoryTables(clock)
        self.connections = tables.connections
        self.journal = tables.journal
        self.control = tables.control
        self.checks = tables.checks
        self.hosts = tables.hosts
        self.things = tables.things
        self.queue = queue or MemoryQueue(clock)

    def rows(self) -> dict[str, Any]:
        """A copy of every row of every table, to be compared with a later one."""
        return {
            "connections": self.connections.rows(),
            "journal": self.journal.rows(),
            "checks": self.checks.rows(),
            "hosts": self.hosts.rows(),
            "control": self.control.rows(),
            "things": self.things.rows(),
        }

    async def aclose(self) -> None:
        """Nothing is open."""
