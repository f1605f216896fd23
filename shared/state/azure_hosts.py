"""Table `hosts` on Azure Table Storage. Loaded by `connect` when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.data.tables import TableTransactionError, UpdateMode

from shared.state import codec
from shared.state.azure_errors import error_code, storage_errors
from shared.state.azure_tables import ROLE, AzureTable
from shared.state.rows import HostRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from azure.data.tables.aio import TableClient

_LOST = frozenset({"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound", "EntityNotFound"})


class AzureHostTable:
    """`ports.HostTable` on Table Storage."""

    def __init__(self, client: TableClient) -> None:
        self._table = AzureTable(client)

    async def list(self, connection_id: str) -> AsyncIterator[HostRow]:
        """Every row of a connection."""
        condition, parameters = "PartitionKey eq @key", {"key": connection_id}
        async for entity in self._table.query(condition, parameters, results_per_page=codec.PAGE):
            yield codec.host_row(entity, entity.metadata["etag"])

    async def write(self, connection_id: str, rows: Sequence[HostRow], gone: Sequence[HostRow] = ()) -> int:
        """One transaction for each hundred."""
        changes = [_stored(codec.host_entity(connection_id, row), row.etag) for row in rows if not row.newer]
        changes += [_deleted(codec.host_entity(connection_id, row), row.etag) for row in gone if not row.newer]
        left = 0
        for batch in codec.batches(changes):
            left += 0 if await self._written(batch) else len(batch)
        return left

    async def _written(self, batch: Sequence[Any]) -> bool:
        with storage_errors(self._table.on, ROLE):
            try:
                await self._table.write(lambda: self._table.client.submit_transaction(batch))
            except TableTransactionError as error:
                if error_code(error) not in _LOST:
                    raise
                return False
        return True


def _stored(entity: codec.Entity, etag: str | None) -> tuple[Any, ...]:
    if etag is None:
        return ("create", entity)
    return ("update", entity, {"mode": UpdateMode.REPLACE, **_version(etag)})


def _deleted(key: codec.Entity, etag: str | None) -> tuple[Any, ...]:
    return ("delete", key, _version(etag or ""))


def _version(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}
