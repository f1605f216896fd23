"""A damaged row stops what needs it, and nothing else: reading a table raises for none."""

from __future__ import annotations

from typing import Any

import pytest

from local.storage.memory import MemoryStorage
from shared.core.model.errors import InvalidInput
from shared.core.model.record_document import from_document
from shared.state import codec
from shared.state.control import DamagedRow, read, understood, update
from shared.state.rows import ControlRow
from tests.state.state_backends import virtual

ENTITIES: list[dict[str, Any]] = [
    {},
    {"document": ""},
    {"document": "{"},
    {"document": "null"},
    {"document": "[]"},
    {"document": 7},
    {"document": True},
    {"document": "[" * 100_000},
    {"document": '{"a"', "document_1": 3},
    {"document": '{"at": NaN}'},
    {"document": '{"at": 1e999}'},
]


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_connections_row_is_read_and_its_record_is_one_error(entity: dict[str, Any]) -> None:
    row = codec.connection_row({"PartitionKey": "c1", **entity}, "etag")
    assert row.connection_id == "c1"
    with pytest.raises(InvalidInput):
        from_document(row.document)


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_document_of_the_installation_is_one_error_that_names_it(entity: dict[str, Any]) -> None:
    row = codec.control_row({"RowKey": "pause", **entity}, "etag")
    with pytest.raises(DamagedRow, match="table control, pause"):
        understood(row, dict)


async def test_a_damaged_document_is_mended_only_where_that_is_asked() -> None:
    backend = virtual()
    assert isinstance(backend.storage, MemoryStorage)
    await backend.control.put(ControlRow("pause", None))  # type: ignore[arg-type] # what is no JSON object
    with pytest.raises(DamagedRow):
        await read(backend.control, "pause", dict, {})
    with pytest.raises(DamagedRow):
        await update(backend.control, backend.clock, "pause", lambda _: None)
    await update(backend.control, backend.clock, "pause", lambda _: None, mend=True)
    assert await backend.control.get("pause") is None
