"""In-memory double of table `hosts`; used by `memory`, which has the other tables."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from shared.state import codec
from shared.state.rows import HostRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

Stored = tuple[codec.Entity, str]


class MemoryHostTable:
    """`HostTable` in a dictionary."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Stored]] = {}
        self._etags = itertools.count(1)
        self.requests = Counter[str]()
        """How many the real table would have got: a list is one for each page, a write one for each hundred."""

    def clear(self) -> None:
        """Lose every row, as when the table was deleted."""
        self.stored.clear()

    def rows(self) -> dict[str, Any]:
        """A copy of every row."""
        return deepcopy(self.stored)

    async def list(self, connection_id: str) -> AsyncIterator[HostRow]:
        """Every row of a connection."""
        partition = self.stored.get(connection_id, {})
        self.requests["list"] += max(1, math.ceil(len(partition) / codec.PAGE))
        await asyncio.sleep(0)
        for _, (entity, etag) in sorted(partition.items()):
            yield codec.host_row(entity, etag)

    async def write(self, connection_id: str, rows: Sequence[HostRow], gone: Sequence[HostRow] = ()) -> int:
        """A hundred at a time, each all or none."""
        changes = [(codec.host_entity(connection_id, row), row.etag, True) for row in rows if not row.newer]
        changes += [(codec.host_entity(connection_id, row), row.etag, False) for row in gone if not row.newer]
        left = 0
        for batch in codec.batches(changes):
            self.requests["write"] += 1
            await asyncio.sleep(0)
            left += 0 if self._written(connection_id, batch) else len(batch)
        return left

    def _written(self, connection_id: str, batch: Sequence[tuple[codec.Entity, str | None, bool]]) -> bool:
        partition = self.stored.setdefault(connection_id, {})
        present = {key: etag for key, (_, etag) in partition.items()}
        if any(present.get(entity["RowKey"]) != etag for entity, etag, _ in batch):
            return False
        for entity, _, kept in batch:
            if kept:
                partition[entity["RowKey"]] = (deepcopy(entity), f'W/"{next(self._etags)}"')
            else:
                del partition[entity["RowKey"]]
        return True
