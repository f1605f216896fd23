"""Columns of every type that Table Storage knows, in the place of ours: reading raises nothing; unknown ones stay."""

from __future__ import annotations

import uuid
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from azure.data.tables import EdmType, EntityProperty, TableServiceClient

from shared.core.model.arm_ids import connection_id
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_document import UnreadableRecord
from shared.state import codec
from shared.state.codec import holding, record_in
from shared.state.control import DamagedRow, understood
from shared.state.rows import ConnectionRow
from tests.core.core_parts import ENDPOINT_ID
from tests.state.state_backends import azure_storage

if TYPE_CHECKING:
    from local.storage.azurite import Azurite

pytestmark = pytest.mark.azurite

VALUES: dict[str, Any] = {
    "a text": "x",
    "a number": 7,
    "a long number": EntityProperty(2**40, EdmType.INT64),
    "a fraction": 7.5,
    "a truth": True,
    "bytes": b"\x00\xff",
    "a guid": uuid.UUID(int=7),
    "the year 9999": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "the year 1601": datetime(1601, 1, 1, tzinfo=UTC),
}


class Tables:
    """Tables of one test, and a hand that writes into them as no version of the app does."""

    def __init__(self, server: Azurite) -> None:
        self._server, self._unique = server, uuid.uuid4().hex
        self.storage = azure_storage(server.connection_string, self._unique)

    def write(self, table: str, entity: dict[str, Any]) -> None:
        with TableServiceClient.from_connection_string(self._server.connection_string) as service:
            service.create_table_if_not_exists(f"{table}{self._unique}").upsert_entity(entity)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_no_column_keeps_a_table_from_being_read(azurite: Azurite, value: Any) -> None:
    tables = Tables(azurite)
    async with aclosing(tables.storage) as storage:
        names = [
            *codec.LISTED[1:],
            "document",
            "at",
            "run_id",
            "before",
            "hosts",
            "reason",
            "scope",
            "resource",
            "state",
        ]
        columns = dict.fromkeys(names, value)
        tables.write("connections", {"PartitionKey": "c1", "RowKey": codec.RECORD, **columns})
        tables.write("control", {"PartitionKey": codec.CONTROL, "RowKey": "pause", **columns})
        for table in ("things", "journal", "checks"):
            tables.write(table, {"PartitionKey": "c1", "RowKey": "0" * 16 + "-000000-000000", **columns})
        (row,) = [one async for one in storage.connections.list()]
        with pytest.raises(UnreadableRecord):
            record_in(row)
        assert len([one async for one in storage.connections.list_columns()]) == 1
        (pause,) = [one async for one in storage.control.list("pause")]
        with pytest.raises(DamagedRow):
            understood(pause, dict)
        (thing,) = [one async for one in storage.things.list()]
        assert [one.outcome for one in (await storage.journal.newest("c1")).entries] == ["damaged"]
        assert [one.verdict for one in (await storage.checks.newest("c1")).entries] == ["unknown"]
        await storage.things.delete(thing)
        assert [one async for one in storage.things.list()] == []


async def test_columns_that_this_version_does_not_know_stay_as_they_are(azurite: Azurite) -> None:
    record, name = ConnectionRecord(ENDPOINT_ID), connection_id(ENDPOINT_ID)
    tables = Tables(azurite)
    async with aclosing(tables.storage) as storage:
        entity = codec.connection_entity(holding(ConnectionRow(name), record))
        newer = {f"newer_{number}": value for number, value in enumerate(VALUES.values())}
        tables.write("connections", entity | newer)
        row = await storage.connections.get(name)
        assert row is not None
        assert set(row.unknown) == set(newer)
        await storage.connections.replace(holding(row, record_in(row).with_identity(region="eastus2")))
        again = await storage.connections.get(name)
        assert again is not None
        assert again.unknown == row.unknown
        assert record_in(again).identity.region == "eastus2"
