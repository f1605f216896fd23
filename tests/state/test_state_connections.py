"""The table of connections: every write is conditional, and what goes in comes out."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import LostRace, Permanent
from shared.core.model.record_document import Columns
from shared.state import codec
from shared.state.rows import ConnectionRow, ListedConnection

if TYPE_CHECKING:
    from tests.state.state_backends import Backend

SUBSCRIPTION = "11111111-2222-3333-4444-55555555abcd"
ROW = ConnectionRow(
    connection_id="c0ffee",
    document={"endpoint_id": "/subscriptions/X/…/pe-1", "conditions": [{"type": "Ready", "status": True}], "n": None},
    columns=Columns(SUBSCRIPTION, "/subscriptions/X/…/pe-1", "pe-1", "eastus2", "Provisioning", since="2026-01-02"),
)
READY = Columns(phase="Ready")


async def test_a_row_comes_back_as_it_was_stored(backend: Backend) -> None:
    stored = await backend.connections.insert(ROW)
    assert stored.etag
    assert await backend.connections.get("c0ffee") == stored == replace(ROW, etag=stored.etag)


async def test_the_defaults_of_a_row_come_back_too(backend: Backend) -> None:
    stored = await backend.connections.insert(ConnectionRow("plain"))
    assert await backend.connections.get("plain") == stored


async def test_reading_before_anything_was_written_finds_nothing(backend: Backend) -> None:
    assert await backend.connections.get("c0ffee") is None
    assert [row async for row in backend.connections.list()] == []
    assert [row async for row in backend.connections.list_columns()] == []


async def test_inserting_what_exists_is_a_lost_race_and_changes_nothing(backend: Backend) -> None:
    stored = await backend.connections.insert(ROW)
    with pytest.raises(LostRace):
        await backend.connections.insert(replace(ROW, columns=READY))
    assert await backend.connections.get("c0ffee") == stored


async def test_replacing_moves_the_etag_on(backend: Backend) -> None:
    first = await backend.connections.insert(ROW)
    second = await backend.connections.replace(replace(first, columns=READY))
    assert second.etag != first.etag
    assert await backend.connections.get("c0ffee") == second


async def test_replacing_an_outdated_version_is_a_lost_race_and_changes_nothing(backend: Backend) -> None:
    first = await backend.connections.insert(ROW)
    second = await backend.connections.replace(replace(first, columns=READY))
    with pytest.raises(LostRace):
        await backend.connections.replace(replace(first, columns=Columns(phase="Blocked")))
    assert await backend.connections.get("c0ffee") == second


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
async def test_replacing_what_is_not_there_is_a_lost_race(backend: Backend, etag: str | None) -> None:
    with pytest.raises(LostRace):
        await backend.connections.replace(replace(ROW, etag=etag))
    assert await backend.connections.get("c0ffee") is None


async def test_a_deleted_row_is_gone_and_deleting_it_again_is_no_error(backend: Backend) -> None:
    stored = await backend.connections.insert(ROW)
    await backend.connections.delete(stored)
    await backend.connections.delete(stored)
    assert await backend.connections.get("c0ffee") is None


async def test_deleting_an_outdated_version_is_a_lost_race(backend: Backend) -> None:
    first = await backend.connections.insert(ROW)
    second = await backend.connections.replace(replace(first, columns=READY))
    for outdated in (first, replace(first, etag=None)):
        with pytest.raises(LostRace):
            await backend.connections.delete(outdated)
    assert await backend.connections.get("c0ffee") == second


async def test_a_row_put_back_after_a_delete_has_another_etag(backend: Backend) -> None:
    first = await backend.connections.insert(ROW)
    await backend.connections.delete(first)
    await backend.connections.insert(ROW)
    with pytest.raises(LostRace):
        await backend.connections.replace(first)


async def test_lists_cover_all_subscriptions_or_one(backend: Backend) -> None:
    for subscription, connection in (("sub-b", "1"), ("sub-a", "3"), ("sub-a", "2")):
        columns = replace(ROW.columns, subscription=subscription)
        await backend.connections.insert(replace(ROW, columns=columns, connection_id=connection))
    everything = [(row.columns.subscription, row.connection_id) async for row in backend.connections.list()]
    assert everything == [("sub-b", "1"), ("sub-a", "2"), ("sub-a", "3")]
    assert [row.connection_id async for row in backend.connections.list("SUB-A")] == ["2", "3"]


async def test_a_list_of_columns_reads_what_was_stored_beside_the_record(backend: Backend) -> None:
    await backend.connections.insert(ROW)
    await backend.connections.insert(ConnectionRow("plain"))
    found = [row async for row in backend.connections.list_columns()]
    assert found == [ListedConnection("c0ffee", ROW.columns), ListedConnection("plain", Columns())]


async def test_lists_go_on_past_the_first_page(backend: Backend) -> None:
    for number in range(1005):
        await backend.connections.insert(ConnectionRow(f"{number:04d}"))
    wanted = [f"{number:04d}" for number in range(1005)]
    assert [row.connection_id async for row in backend.connections.list()] == wanted
    assert [row.connection_id async for row in backend.connections.list_columns()] == wanted


@pytest.mark.parametrize("characters", [29_999, 30_000, 30_001, 200_000])
async def test_a_document_may_be_larger_than_a_property_holds(backend: Backend, characters: int) -> None:
    text = "ü" * (characters // 6) + "x" * (characters % 6)  # six ASCII characters of JSON for each ü
    stored = await backend.connections.insert(replace(ROW, document={"text": text}))
    assert await backend.connections.get("c0ffee") == stored
    smaller = await backend.connections.replace(replace(stored, document={"text": "short again"}))
    assert await backend.connections.get("c0ffee") == smaller


def unlike(size: int) -> str:
    """A text that no compression makes less than half as long."""
    return random.Random(1).randbytes(size).hex()


async def test_a_document_larger_than_a_row_holds_is_refused_by_name(backend: Backend) -> None:
    with pytest.raises(Permanent, match=r"752000.*\[c0ffee\]"):
        await backend.connections.insert(replace(ROW, document={"text": unlike(1_000_000)}))
    assert await backend.connections.get("c0ffee") is None


async def test_the_largest_document_fits(backend: Backend) -> None:
    stored = await backend.connections.insert(replace(ROW, document={"text": unlike(640_000)}))
    assert await backend.connections.get("c0ffee") == stored


async def test_a_long_document_is_compressed_and_a_short_one_can_be_read_by_people(backend: Backend) -> None:
    for text in ("x" * 1000, "y" * 2_000_000):
        row = await backend.connections.insert(ConnectionRow(text[:2], {"text": text}))
        found = await backend.connections.get(text[:2])
        assert found is not None
        assert found.document == row.document
    assert codec.connection_entity(ConnectionRow("a", {"text": "short"}))["document"] == '{"text":"short"}'


@pytest.mark.parametrize("packed", [b"", b"x", zlib.compress(b'{"a":1}')[:-6], zlib.compress(b"no JSON")])
def test_a_compressed_document_that_is_damaged_is_empty(packed: bytes) -> None:
    entity = codec.connection_entity(ConnectionRow("c0ffee")) | {"document": packed}
    assert codec.connection_row(entity, "1").document == {}
