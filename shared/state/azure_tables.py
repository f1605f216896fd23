"""Tables `connections` and `control` on Azure Table Storage, and what all tables share. Loaded by `connect`.

A table is made when a write finds that it is missing; reading a missing table finds nothing. The SDK repeats a request
at most twice, quickly: anything longer is the work queue's business, which holds no instance while it waits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from shared.clock import http_date
from shared.core.model.errors import LostRace, RetryLater
from shared.requests import OnRequest, Service, azure_transport, request_hook
from shared.state import codec
from shared.state.azure_errors import error_code, storage_errors
from shared.state.rows import ConnectionRow, ControlLook, ControlRow, ListedConnection
from shared.state.storage_settings import CONNECT_SECONDS, REQUEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
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
    "raw_request_hook": request_hook(Service.STORAGE),
}


def service_from_connection_string(connection_string: str, request_sent: OnRequest | None = None) -> TableServiceClient:
    """The account's table service, by key or SAS."""
    transport = azure_transport(REQUEST_SECONDS, connect=CONNECT_SECONDS, request_sent=request_sent)
    return TableServiceClient.from_connection_string(connection_string, transport=transport, **_CLIENT)


def service_from_identity(
    endpoint: str, credential: AsyncTokenCredential, request_sent: OnRequest | None = None
) -> TableServiceClient:
    """The account's table service, by identity."""
    transport = azure_transport(REQUEST_SECONDS, connect=CONNECT_SECONDS, request_sent=request_sent)
    return TableServiceClient(endpoint, credential=credential, transport=transport, **_CLIENT)


class ServiceTime:
    """What time it is for the service: the `Date` of the last answer to a request that this is the hook of."""

    def __init__(self) -> None:
        self.date: datetime | None = None

    def __call__(self, response: Any) -> None:
        """Note the time of an answer; called by the SDK, for refusals too."""
        headers = response.http_response.headers
        self.date = http_date(headers.get("Date") or headers.get("date"))


class AzureTable:
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

    async def get(self, partition: str, row: str, **options: Any) -> TableEntity | None:
        """One entity; None if it, or the table, is not there."""
        with storage_errors(self.on, ROLE):
            try:
                return await self.client.get_entity(partition, row, **options)
            except ResourceNotFoundError:
                return None

    async def insert(self, entity: codec.Entity, **options: Any) -> str:
        """Create an entity; returns its ETag, raises LostRace if it is there."""
        with storage_errors(self.on, ROLE):
            try:
                answer = await self.write(lambda: self.client.create_entity(entity, **options))
            except ResourceExistsError as error:
                if error_code(error) != "EntityAlreadyExists":
                    raise
                raise LostRace("The row was made by another run.", on=_named(entity), after=1.0) from error
        return str(answer["etag"])

    async def replace(self, entity: codec.Entity, etag: str | None, **options: Any) -> str:
        """Replace that version of an entity; returns its new ETag, raises LostRace if there is another, or none."""
        if etag is None:
            raise LostRace("The row was never stored.", on=_named(entity), after=1.0)
        with storage_errors(self.on, ROLE):
            try:
                answer = await self.client.update_entity(
                    entity,
                    mode=UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    **options,
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                raise LostRace("The row changed since it was read.", on=_named(entity), after=1.0) from error
        return str(answer["etag"])

    async def delete(self, partition: str, row: str, etag: str | None) -> None:
        """Delete that version of an entity; LostRace if there is another. One that is gone is no error."""
        if etag is None:
            raise LostRace(
                "The row was never stored.", on=_named({"PartitionKey": partition, "RowKey": row}), after=1.0
            )
        with storage_errors(self.on, ROLE):
            try:
                await self.client.delete_entity(
                    partition, row, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except ResourceModifiedError as error:
                raise LostRace(
                    "The row changed since it was read.",
                    on=_named({"PartitionKey": partition, "RowKey": row}),
                    after=1.0,
                ) from error

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
        self._table = AzureTable(client)

    async def get(self, connection_id: str) -> ConnectionRow | None:
        """One row, or None."""
        time = ServiceTime()
        entity = await self._table.get(connection_id, codec.RECORD, raw_response_hook=time)
        return None if entity is None else _row(entity, time)

    async def list(self, subscription_id: str | None = None) -> AsyncIterator[ConnectionRow]:
        """All rows, or those of one subscription."""
        time = ServiceTime()
        if subscription_id is None:
            found = self._table.query("", {}, raw_response_hook=time)
        else:
            key = {"key": subscription_id.lower()}
            found = self._table.query("subscription eq @key", key, raw_response_hook=time)
        async for entity in found:
            yield _row(entity, time)

    async def list_columns(self) -> AsyncIterator[ListedConnection]:
        """All connections in short."""
        async for entity in self._table.query("", {}, select=list(codec.LISTED), results_per_page=codec.PAGE):
            yield codec.listed_connection(entity)

    async def insert(self, row: ConnectionRow) -> ConnectionRow:
        """Create only."""
        time = ServiceTime()
        etag = await self._table.insert(codec.connection_entity(row), raw_response_hook=time)
        return replace(row, etag=etag, read_at=time.date, written_at=None)

    async def replace(self, row: ConnectionRow) -> ConnectionRow:
        """Replace the version that was read."""
        time = ServiceTime()
        etag = await self._table.replace(codec.connection_entity(row), row.etag, raw_response_hook=time)
        return replace(row, etag=etag, read_at=time.date, written_at=None)

    async def delete(self, row: ConnectionRow) -> None:
        """Delete the version that was read."""
        await self._table.delete(row.connection_id, codec.RECORD, row.etag)


class AzureControlTable:
    """`ports.ControlTable` on Table Storage."""

    def __init__(self, client: TableClient) -> None:
        self._table = AzureTable(client)

    async def get(self, name: str) -> ControlRow | None:
        """One document, or None."""
        time = ServiceTime()
        entity = await self._table.get(codec.CONTROL, name, raw_response_hook=time)
        return None if entity is None else _control_row(entity, time)

    async def look(self, name: str) -> ControlLook:
        """One document or None, with the service's time."""
        time = ServiceTime()
        entity = await self._table.get(codec.CONTROL, name, raw_response_hook=time)
        if time.date is None:
            raise RetryLater("Azure Storage answered without a date.", on=f"{self._table.on}, {name}", after=5.0)
        return ControlLook(None if entity is None else _control_row(entity, time), time.date)

    async def list(self, beginning: str) -> AsyncIterator[ControlRow]:
        """All documents whose names begin so."""
        past = beginning[:-1] + chr(ord(beginning[-1]) + 1)
        condition = "PartitionKey eq @key and RowKey ge @first and RowKey lt @past"
        parameters = {"key": codec.CONTROL, "first": beginning, "past": past}
        time = ServiceTime()
        async for entity in self._table.query(condition, parameters, raw_response_hook=time):
            yield _control_row(entity, time)

    async def put(self, row: ControlRow) -> ControlRow:
        """Create, or replace the version that was read."""
        entity, time = codec.control_entity(row), ServiceTime()
        if row.etag is None:
            etag = await self._table.insert(entity, raw_response_hook=time)
        else:
            etag = await self._table.replace(entity, row.etag, raw_response_hook=time)
        return replace(row, etag=etag, read_at=time.date, written_at=None)

    async def delete(self, row: ControlRow) -> None:
        """Delete the version that was read."""
        await self._table.delete(codec.CONTROL, row.name, row.etag)


def _named(entity: codec.Entity) -> str:
    """What an error names: the row of a connection has its id in the partition."""
    return str(entity["PartitionKey"] if entity["RowKey"] == codec.RECORD else entity["RowKey"])


def _row(entity: TableEntity, time: ServiceTime) -> ConnectionRow:
    row = codec.connection_row(entity, entity.metadata["etag"])
    return replace(row, read_at=time.date, written_at=_timestamp(entity))


def _control_row(entity: TableEntity, time: ServiceTime) -> ControlRow:
    row = codec.control_row(entity, entity.metadata["etag"])
    return replace(row, read_at=time.date, written_at=_timestamp(entity))


def _timestamp(entity: TableEntity) -> datetime | None:
    found = entity.metadata.get("timestamp")
    return None if found is None else codec.utc(found)
