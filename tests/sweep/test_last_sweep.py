"""Each sweep leaves behind when it ended and what it cost, and is not held up by that."""

from __future__ import annotations

import asyncio

import pytest

from shared.core.model.errors import AutopilotError, LostRace, RetryLater
from shared.installation.last_sweep import DOCUMENT
from shared.state.rows import ControlRow
from tests.harness.estate import Estate


async def test_a_sweep_is_remembered_with_what_it_saw_and_cost(estate: Estate) -> None:
    await estate.put_endpoint()
    await estate.settle()
    await estate.sweep()
    row = await estate.storage.control.get(DOCUMENT)
    assert row is not None
    told = row.document
    assert (told["endpoints"], told["probed"], told["errorCount"]) == (1, 1, 0)
    assert (told["armCalls"], told["elasticCalls"]) == (6, 2)
    assert told["at"] == estate.clock.now().isoformat()
    assert told["previousAt"] is None


async def test_the_next_sweep_takes_its_place_and_knows_how_long_ago_that_was(estate: Estate) -> None:
    await estate.sweep()
    first = estate.clock.now()
    await estate.clock.sleep(300)
    await estate.sweep()
    row = await estate.storage.control.get(DOCUMENT)
    assert row is not None
    assert (row.document["previousAt"], row.document["at"]) == (first.isoformat(), estate.clock.now().isoformat())


async def test_two_sweeps_that_end_at_once_disturb_neither(estate: Estate) -> None:
    assert [result.errors for result in await asyncio.gather(estate.sweep(), estate.sweep())] == [[], []]
    assert await estate.storage.control.get(DOCUMENT) is not None


@pytest.mark.parametrize("lost", [RetryLater("Azure Storage answered 503."), LostRace("Another writer was quicker.")])
async def test_a_sweep_that_cannot_be_remembered_has_done_its_work_all_the_same(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, lost: AutopilotError
) -> None:
    put = estate.storage.control.put

    async def refuse(row: ControlRow) -> ControlRow:
        if row.name == DOCUMENT:
            raise lost
        return await put(row)

    monkeypatch.setattr(estate.storage.control, "put", refuse)
    await estate.put_endpoint()
    result = await estate.sweep()
    assert (result.errors, result.enqueued) == ([], 1)
    assert await estate.storage.control.get(DOCUMENT) is None


async def test_a_damaged_memory_is_replaced(estate: Estate) -> None:
    await estate.storage.control.put(ControlRow(DOCUMENT, {"at": 7}))
    await estate.sweep()
    row = await estate.storage.control.get(DOCUMENT)
    assert row is not None
    assert row.document["at"] == estate.clock.now().isoformat()
