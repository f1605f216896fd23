"""Table `things` on Azure Table Storage. Loaded by `connect` when it is first used.

Each answer's `Date` comes with its row: workers compare the service's time only, never their own clocks'.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shared.state import codec
from shared.state.azure_tables import AzureTable, ServiceTime
from shared.state.rows import ThingRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azure.data.tables import TableEntity
    from azure.data.tables.aio import TableClient


class AzureThingTable:
    """`ports.ThingTable` on Table Storage."""

    def __init__(self, client: TableClient) -> None:
        self._table = AzureTable(client)

    async def get(self, scope: str, resource_id: str) -> ThingRow | None:
        """One row, or None."""
        time = ServiceTime()
        entity = await self._table.get(codec.thing_key(scope), codec.thing_key(resource_id), raw_response_hook=time)
        return None if entity is None else _row(entity, time)

    async def list(self, scope: str | None = None) -> AsyncIterator[ThingRow]:
        """All rows of a scope, or of all."""
        time = ServiceTime()
        condition, parameters = ("", {}) if scope is None else ("PartitionKey eq @key", {"key": codec.thing_key(scope)})
        async for entity in self._table.query(condition, parameters, raw_response_hook=time):
            yield _row(entity, time)

    async def put(self, row: ThingRow) -> ThingRow:
        """Create, or replace the version that was read."""
        entity, time = codec.thing_entity(row), ServiceTime()
        if row.etag is None:
            etag = await self._table.insert(entity, raw_response_hook=time)
        else:
            etag = await self._table.replace(entity, row.etag, raw_response_hook=time)
        return replace(row, etag=etag, at=time.date)

    async def delete(self, row: ThingRow) -> None:
        """Delete the version that was read."""
        await self._table.delete(*codec.thing_keys(row), row.etag)


def _row(entity: TableEntity, time: ServiceTime) -> ThingRow:
    return codec.thing_row(entity, entity.metadata["etag"], time.date, entity.metadata["timestamp"])
