"""The table of the installation's own documents: every write is conditional, and what goes in comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.clock import LoopClock, Skewed
from local.storage.memory import MemoryStorage
from shared.core.model.errors import LostRace
from shared.state.rows import ConnectionRow, ControlRow
from tests.state.state_backends import START

if TYPE_CHECKING:
    from tests.state.state_backends import Backend

SECOND = timedelta(seconds=1)
PAUSE = ControlRow("pause", {"until": "2026-03-04T06:00:00+00:00", "reason": "Azure maintenance ✓"})


async def test_a_document_comes_back_as_it_was_stored_and_others_are_not_there(backend: Backend) -> None:
    assert await backend.control.get("pause") is None
    stored = await backend.control.put(PAUSE)
    assert stored.etag
    assert await backend.control.get("pause") == stored == replace(PAUSE, etag=stored.etag)
    assert await backend.control.get("removals") is None


async def test_what_is_there_is_not_created_again(backend: Backend) -> None:
    await backend.control.put(PAUSE)
    with pytest.raises(LostRace):
        await backend.control.put(PAUSE)


async def test_only_the_version_that_was_read_is_replaced_or_deleted(backend: Backend) -> None:
    first = await backend.control.put(PAUSE)
    second = await backend.control.put(replace(first, document={"until": None}))
    for outdated in (first, replace(first, etag='W/"none"')):
        with pytest.raises(LostRace):
            await backend.control.put(outdated)
        with pytest.raises(LostRace):
            await backend.control.delete(outdated)
    await backend.control.delete(second)
    await backend.control.delete(second)
    assert await backend.control.get("pause") is None
    with pytest.raises(LostRace):
        await backend.control.put(second)


async def test_a_row_tells_when_the_service_wrote_it_and_what_time_it_was_there_when_it_was_read(
    backend: Backend,
) -> None:
    written = await backend.control.put(PAUSE)
    row = await backend.control.get("pause")
    [listed] = [row async for row in backend.control.list("pa")]
    assert row is not None
    assert row.read_at is not None
    assert row.written_at is not None
    assert written.read_at is not None
    assert written.read_at - SECOND <= row.written_at <= row.read_at + SECOND  # a `Date` is cut to the second
    assert listed.written_at == row.written_at
    assert listed.read_at is not None
    changed = await backend.control.put(replace(row, document={}))
    again = await backend.control.get("pause")
    assert again is not None
    assert again.written_at is not None
    assert again.written_at > row.written_at or isinstance(backend.clock, LoopClock)
    assert changed.written_at is None  # an answer to a write does not tell it


async def test_an_answer_tells_the_time_where_no_row_and_no_table_is(backend: Backend) -> None:
    nothing = await backend.control.look("pause")
    await backend.control.put(PAUSE)
    there, absent = await backend.control.look("pause"), await backend.control.look("removals")
    assert (nothing.row, absent.row) == (None, None)
    assert there.row is not None
    assert there.row.read_at == there.read_at
    assert nothing.read_at <= there.read_at <= absent.read_at


async def test_a_connection_tells_the_same(backend: Backend) -> None:
    stored = await backend.connections.insert(ConnectionRow("a" * 16, {"id": "x"}))
    row = await backend.connections.get("a" * 16)
    [listed] = [row async for row in backend.connections.list()]
    assert row is not None
    assert row.read_at is not None
    assert row.written_at is not None
    assert abs(row.read_at - row.written_at) < 10 * SECOND
    assert listed.written_at == row.written_at
    assert stored.read_at is not None


async def test_the_double_keeps_a_time_of_its_own_however_wrong_its_users_clocks_are() -> None:
    here = LoopClock(START)
    storage = MemoryStorage(Skewed(here, timedelta(minutes=10)))
    assert (await storage.control.look("pause")).read_at == (START + timedelta(minutes=10)).replace(microsecond=0)
