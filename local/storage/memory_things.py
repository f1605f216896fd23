"""In-memory double of table `things`; used by `memory`, which has the other tables."""

from __future__ import annotations

import asyncio
import itertools
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.core.model.errors import LostRace
from shared.state import codec
from shared.state.rows import ThingRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from shared.clock import Clock

Key = tuple[str, str]


class MemoryThingTable:
    """`ThingTable` in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stored: dict[Key, tuple[codec.Entity, str, datetime]] = {}
        self._etags = itertools.count(1)

    def clear(self) -> None:
        """Lose every row, as when the table was deleted."""
        self.stored.clear()

    def rows(self) -> dict[Any, Any]:
        """A copy of every row with its ETag."""
        return deepcopy(self.stored)

    def damage(self, scope: str, resource_id: str, columns: codec.Entity) -> None:
        """Write into a row what no version of the product would."""
        self.stored[_key(scope, resource_id)][0].update(columns)

    async def get(self, scope: str, resource_id: str) -> ThingRow | None:
        """One row, or None."""
        await asyncio.sleep(0)
        stored = self.stored.get(_key(scope, resource_id))
        return None if stored is None else self._row(*stored)

    async def list(self, scope: str | None = None) -> AsyncIterator[ThingRow]:
        """All rows of a scope, or of all."""
        await asyncio.sleep(0)
        wanted = None if scope is None else codec.thing_key(scope)
        for key, stored in sorted(self.stored.items()):
            if wanted in {None, key[0]}:
                yield self._row(*stored)

    async def put(self, row: ThingRow) -> ThingRow:
        """Create, or replace the version that was read."""
        entity = codec.thing_entity(row)
        await asyncio.sleep(0)
        self._check(row)
        etag = f'W/"{next(self._etags)}"'
        self.stored[_key(row.scope, row.resource_id)] = (entity, etag, self._clock.now())
        return replace(row, etag=etag, at=self._date())

    async def delete(self, row: ThingRow) -> None:
        """Delete the version that was read."""
        await asyncio.sleep(0)
        if row.etag is None:
            raise LostRace("The row was never stored.", on=row.resource_id, after=1.0)
        if codec.thing_keys(row) in self.stored:
            self._check(row)
            del self.stored[codec.thing_keys(row)]

    def _row(self, entity: codec.Entity, etag: str, stored_at: datetime) -> ThingRow:
        return codec.thing_row(entity, etag, self._date(), stored_at)

    def _check(self, row: ThingRow) -> None:
        stored = self.stored.get(codec.thing_keys(row))
        if (stored[1] if stored else None) != row.etag:
            raise LostRace("The row changed since it was read.", on=row.resource_id, after=1.0)

    def _date(self) -> datetime:
        """What the `Date` of an answer says: whole seconds."""
        return self._clock.now().replace(microsecond=0)


def _key(scope: str, resource_id: str) -> Key:
    return codec.thing_key(scope), codec.thing_key(resource_id)
