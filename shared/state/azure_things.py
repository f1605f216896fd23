"""Table `things` on Azure Table Storage. Loaded by `connect` when it is first used.

Each answer's `Date` comes with its row: workers compare the service's time only, never their own clocks'.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from shared.state import codec
from shared.state.azure_tables import AzureTable
from shared.state.rows import ThingRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from azure.data.tables import TableEntity
    from azure.data.tables.aio import TableClient


class AzureThingTable:
    """`ports.ThingTable` on Table Storage."""

    def __init__(self, client: TableClient) -> None:
        self._table = AzureTable(client)

    async def get(self, scope: str, resource_id: str) -> ThingRow | None:
        """One row, or None."""
        dates = _Dates()
        entity = await self._table.get(codec.thing_key(scope), codec.thing_key(resource_id), raw_response_hook=dates)
        return None if entity is None else _row(entity, dates)

    async def list(self, scope: str | None = None) -> AsyncIterator[ThingRow]:
        """All rows of a scope, or of all."""
        dates = _Dates()
        condition, parameters = ("", {}) if scope is None else ("PartitionKey eq @key", {"key": codec.thing_key(scope)})
        async for entity in self._table.query(condition, parameters, raw_response_hook=dates):
            yield _row(entity, dates)

    async def put(self, row: ThingRow) -> ThingRow:
        """Create, or replace the version that was read."""
        entity, dates = codec.thing_entity(row), _Dates()
        if row.etag is None:
            etag = await self._table.insert(entity, raw_response_hook=dates)
        else:
            etag = await self._table.replace(entity, row.etag, raw_response_hook=dates)
        return replace(row, etag=etag, at=dates.last)

    async def delete(self, row: ThingRow) -> None:
        """Delete the version that was read."""
        await self._table.delete(codec.thing_key(row.scope), codec.thing_key(row.resource_id), row.etag)


def _row(entity: TableEntity, dates: _Dates) -> ThingRow:
    return codec.thing_row(entity, entity.metadata["etag"], dates.last, entity.metadata["timestamp"])


class _Dates:
    """The `Date` of the last answer, as an SDK's `raw_response_hook`; None: it had none that can be read."""

    def __init__(self) -> None:
        self.last: datetime | None = None

    def __call__(self, answer: Any) -> None:
        try:
            self.last = parsedate_to_datetime(answer.http_response.headers["Date"])
        except (KeyError, ValueError, OverflowError):
            self.last = None
