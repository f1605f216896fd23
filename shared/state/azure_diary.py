"""The diaries `journal` and `checks` on Azure Table Storage. Loaded by `connect` when one is first used."""

from __future__ import annotations

from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableTransactionError

from shared.state import codec as diary_codec
from shared.state.azure_errors import error_code, storage_errors
from shared.state.azure_tables import ROLE, AzureTable
from shared.state.rows import DiaryPage, E

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from azure.data.tables import TableEntity
    from azure.data.tables.aio import TableClient

    from shared.state.codec import DiaryCodec, Entity


class AzureDiaryTable(Generic[E]):
    """`ports.DiaryTable` on Table Storage."""

    def __init__(self, client: TableClient, codec: DiaryCodec[E], rng: random.Random | None = None) -> None:
        self._table = AzureTable(client)
        self._codec = codec
        self._keys = diary_codec.DiaryKeys(rng)

    async def append(self, connection_id: str, entries: Sequence[E]) -> None:
        """One transaction for each hundred."""
        entities = [self._codec.entity(connection_id, self._keys.next(entry.at), entry) for entry in entries]
        for batch in diary_codec.batches(entities):
            await self._append_batch([("create", entity) for entity in batch])

    async def _append_batch(self, operations: list[tuple[str, Entity]]) -> None:
        with storage_errors(self._table.on, ROLE):
            try:
                await self._table.write(lambda: self._table.client.submit_transaction(operations))
            except TableTransactionError as error:
                # The keys are this process's own: they are there because a first try was applied and its answer lost.
                if error_code(error) != "EntityAlreadyExists":
                    raise

    async def newest(self, connection_id: str, limit: int = 50, before: str | None = None) -> DiaryPage[E]:
        """One page; one row more is read to know whether there is another."""
        condition, parameters = "PartitionKey eq @key", {"key": connection_id}
        if before is not None:
            condition += " and RowKey gt @before"
            parameters["before"] = diary_codec.checked_key(before)
        found: list[TableEntity] = []
        async with aclosing(self._table.query(condition, parameters, results_per_page=min(limit + 1, 1000))) as rows:
            async for entity in rows:
                found.append(entity)
                if len(found) > limit:
                    break
        entries = tuple(map(self._codec.read, found[:limit]))
        return DiaryPage(entries, found[limit - 1]["RowKey"] if len(found) > limit else None)

    async def across(self, since: datetime, before: str | None = None) -> AsyncIterator[tuple[str, str, E]]:
        """The whole table is looked through, by the service: its rows stand by connection."""
        condition, parameters = "RowKey lt @end", {"end": diary_codec.first_key_older_than(since)}
        if before is not None:
            condition += " and RowKey gt @before"
            parameters["before"] = diary_codec.checked_key(before)
        with storage_errors(self._table.on, ROLE), suppress(ResourceNotFoundError):
            found = self._table.client.query_entities(
                condition, parameters=parameters, results_per_page=diary_codec.PAGE
            ).by_page()
            left = diary_codec.ACROSS
            async for page in found:
                if not left:
                    raise diary_codec.too_many_across()
                left -= 1
                async for entity in page:
                    yield str(entity["PartitionKey"]), str(entity["RowKey"]), self._codec.read(entity)

    async def prune(self, connection_id: str, before: datetime) -> int:
        """Delete old entries, a hundred at a time."""
        condition = "PartitionKey eq @key and RowKey ge @oldest"
        parameters = {"key": connection_id, "oldest": diary_codec.first_key_older_than(before)}
        columns = ["PartitionKey", "RowKey"]
        old = [dict(entity) async for entity in self._table.query(condition, parameters, select=columns)]
        for batch in diary_codec.batches(old):
            await self._delete_batch(batch)
        return len(old)

    async def _delete_batch(self, batch: Sequence[Entity]) -> None:
        with storage_errors(self._table.on, ROLE):
            try:
                await self._table.client.submit_transaction([("delete", entity) for entity in batch])
            except TableTransactionError as error:
                if error.status_code != HTTPStatus.NOT_FOUND:
                    raise
                # Another sweep prunes the same entries, and one missing row undoes a whole transaction.
                for entity in batch:
                    await self._table.client.delete_entity(entity)
