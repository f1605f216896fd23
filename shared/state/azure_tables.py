"""Tables `connections`, `control` and `journal` on Azure Table Storage. Loaded by `connect` when a table is first used.

A table is made when a write finds that it is missing; reading a missing table finds nothing. The SDK repeats a request
at most twice, quickly: anything longer is the work queue's business, which holds no instance while it waits.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.core.errors import LostRace
from shared.state import codec
from shared.state.azure_errors import error_code, storage_errors
from shared.state.rows import ConnectionRow, ControlRow, JournalEntry, JournalPage

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
    from datetime import datetime

    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables import TableEntity
    from azure.data.tables.aio import TableClient

T = TypeVar("T")

ROLE = "Storage Table Data Contributor"
_CLIENT: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.4,
    "retry_backoff_max": 2,
    "connection_timeout": 5,
    "read_timeout": 20,
}


def service_from_connection_string(connection_string: str) -> TableServiceClient:
    """The account's table service, by key or SAS."""
    return TableServiceClient.from_connection_string(connection_string, **_CLIENT)


def service_from_identity(endpoint: str, credential: AsyncTokenCredential) -> TableServiceClient:
    """The account's table service, by identity."""
    return TableServiceClient(endpoint, credential=credential, **_CLIENT)


class _Table:
    """One table: errors translated, made when a write needs it."""

    def __init__(self, client: TableClient) -> None:
        self.client = client
        self.on = f"table {client.table_name}"

    async def write(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run a write; make the table and run it once more if there is none yet."""
        try:
            return await operation()
        except HttpResponseError as error:
            if error_code(error) != "TableNotFound":
                raise
        with suppress(ResourceExistsError):
            await self.client.create_table()
        return await operation()

    async def get(self, partition: str, row: str) -> TableEntity | None:
        """One entity; None if it, or the table, is not there."""
        with storage_errors(self.on, ROLE):
            try:
                return await self.client.get_entity(partition, row)
            except ResourceNotFoundError:
                return None

    async def insert(self, entity: codec.Entity) -> str:
        """Create an entity; returns its ETag, raises LostRace if it is there."""
        with storage_errors(self.on, ROLE):
            try:
                answer = await self.write(lambda: self.client.create_entity(entity))
            except ResourceExistsError as error:
                if error_code(error) != "EntityAlreadyExists":
                    raise
                raise LostRace("The row was made by another run.", on=entity["RowKey"], after=1.0) from error
        return str(answer["etag"])

    async def replace(self, entity: codec.Entity, etag: str | None) -> str:
        """Replace that version of an entity; returns its new ETag, raises LostRace if there is another, or none."""
        if etag is None:
            raise LostRace("The row was never stored.", on=entity["RowKey"], after=1.0)
        with storage_errors(self.on, ROLE):
            try:
                answer = await self.client.update_entity(
                    entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                raise LostRace("The row changed since it was read.", on=entity["RowKey"], after=1.0) from error
        return str(answer["etag"])

    async def delete(self, partition: str, row: str, etag: str | None) -> None:
        """Delete that version of an entity; LostRace if there is another. One that is gone is no error."""
        if etag is None:
            raise LostRace("The row was never stored.", on=row, after=1.0)
        with storage_errors(self.on, ROLE):
            try:
                await self.client.delete_entity(
                    partition, row, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except ResourceModifiedError as error:
                raise LostRace("The row changed since it was read.", on=row, after=1.0) from error

    async def query(
        self, condition: str, parameters: dict[str, Any], **options: Any
    ) -> AsyncGenerator[TableEntity, None]:
        """All entities that fulfil `condition`; none if there is no table."""
        with storage_errors(self.on, ROLE), suppress(ResourceNotFoundError):
            async for entity in self.client.query_entities(condition, parameters=parameters, **options):
                yield entity


class AzureConnectionTable:
    """`ports.ConnectionTable` on Table Storage."""

    def __init__(self, client: TableClient) -> None:
        self._table = _Table(client)

    async def get(self, subscription_id: str, connection_id: str) -> ConnectionRow | None:
        """One row, or None."""
        entity = await self._table.get(codec.partition_of(subscription_id), connection_id)
        return None if entity is None else _row(entity)

    async def find(self, connection_id: str) -> ConnectionRow | None:
        """The row of this connection in whatever subscription."""
        async with aclosing(self._table.query("RowKey eq @row", {"row": connection_id})) as found:
            async for entity in found:
                return _row(entity)
        return None

    async def list(self, subscription_id: str | None = None) -> AsyncIterator[ConnectionRow]:
        """All rows, or those of one subscription."""
        if subscription_id is None:
            found = self._table.query("", {})
        else:
            found = self._table.query("PartitionKey eq @key", {"key": codec.partition_of(subscription_id)})
        async for entity in found:
            yield _row(entity)

    async def insert(self, row: ConnectionRow) -> ConnectionRow:
        """Create only."""
        return replace(row, etag=await self._table.insert(codec.connection_entity(row)))

    async def replace(self, row: ConnectionRow) -> ConnectionRow:
        """Replace the version that was read."""
        return replace(row, etag=await self._table.replace(codec.connection_entity(row), row.etag))

    async def delete(self, row: ConnectionRow) -> None:
        """Delete the version that was read."""
        await self._table.delete(codec.partition_of(row.subscription_id), row.connection_id, row.etag)


class AzureControlTable:
    """`ports.ControlTable` on Table Storage."""

    def __init__(self, client: TableClient) -> None:
        self._table = _Table(client)

    async def get(self, name: str) -> ControlRow | None:
        """One document, or None."""
        entity = await self._table.get(codec.CONTROL, name)
        return None if entity is None else codec.control_row(entity, entity.metadata["etag"])

    async def put(self, row: ControlRow) -> ControlRow:
        """Create, or replace the version that was read."""
        entity = codec.control_entity(row)
        if row.etag is None:
            return replace(row, etag=await self._table.insert(entity))
        return replace(row, etag=await self._table.replace(entity, row.etag))

    async def delete(self, row: ControlRow) -> None:
        """Delete the version that was read."""
        await self._table.delete(codec.CONTROL, row.name, row.etag)


class AzureJournalTable:
    """`ports.JournalTable` on Table Storage."""

    def __init__(self, client: TableClient, rng: random.Random | None = None) -> None:
        self._table = _Table(client)
        self._keys = codec.JournalKeys(rng)

    async def append(self, connection_id: str, entries: Sequence[JournalEntry]) -> None:
        """One transaction for each hundred."""
        entities = [codec.journal_entity(connection_id, self._keys.next(entry.at), entry) for entry in entries]
        for batch in codec.batches(entities):
            await self._append_batch([("create", entity) for entity in batch])

    async def _append_batch(self, operations: list[tuple[str, codec.Entity]]) -> None:
        with storage_errors(self._table.on, ROLE):
            try:
                await self._table.write(lambda: self._table.client.submit_transaction(operations))
            except TableTransactionError as error:
                # The keys are this process's own: they are there because a first try was applied and its answer lost.
                if error_code(error) != "EntityAlreadyExists":
                    raise

    async def newest(self, connection_id: str, limit: int = 50, before: str | None = None) -> JournalPage:
        """One page; one row more is read to know whether there is another."""
        condition, parameters = "PartitionKey eq @key", {"key": connection_id}
        if before is not None:
            condition += " and RowKey gt @before"
            parameters["before"] = codec.checked_journal_key(before)
        found: list[TableEntity] = []
        async with aclosing(self._table.query(condition, parameters, results_per_page=min(limit + 1, 1000))) as rows:
            async for entity in rows:
                found.append(entity)
                if len(found) > limit:
                    break
        entries = tuple(map(codec.journal_entry, found[:limit]))
        return JournalPage(entries, found[limit - 1]["RowKey"] if len(found) > limit else None)

    async def prune(self, connection_id: str, before: datetime) -> int:
        """Delete old entries, a hundred at a time."""
        condition = "PartitionKey eq @key and RowKey ge @oldest"
        parameters = {"key": connection_id, "oldest": codec.first_key_older_than(before)}
        columns = ["PartitionKey", "RowKey"]
        old = [dict(entity) async for entity in self._table.query(condition, parameters, select=columns)]
        for batch in codec.batches(old):
            await self._delete_batch(batch)
        return len(old)

    async def _delete_batch(self, batch: Sequence[codec.Entity]) -> None:
        with storage_errors(self._table.on, ROLE):
            try:
                await self._table.client.submit_transaction([("delete", entity) for entity in batch])
            except TableTransactionError as error:
                if error.status_code != HTTPStatus.NOT_FOUND:
                    raise
                # Another sweep prunes the same entries, and one missing row undoes a whole transaction.
                for entity in batch:
                    await self._table.client.delete_entity(entity)


def _row(entity: TableEntity) -> ConnectionRow:
    return codec.connection_row(entity, entity.metadata["etag"])
