"""The journal: newest first, in pages, pruned by age."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import InvalidInput
from shared.state import codec
from shared.state.rows import JournalEntry

if TYPE_CHECKING:
    from tests.state.state_backends import Backend

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ENTRY = JournalEntry(
    at=AT,
    run_id="run-1",
    correlation_id="correlation-1",
    cause="event",
    step="PutWildcardRecord",
    before=None,
    after={"ip": ["10.0.0.4"], "ttl": 60},
    outcome="done",
    duration_ms=41,
    message="Record * now holds 10.0.0.4 … as wanted.",
)


def numbered(count: int, apart: timedelta = timedelta(seconds=1)) -> list[JournalEntry]:
    return [replace(ENTRY, at=AT + number * apart, duration_ms=number) for number in range(count)]


async def all_pages(backend: Backend, limit: int) -> list[list[int]]:
    pages, before = [], None
    while True:
        page = await backend.journal.newest("c1", limit, before)
        pages.append([entry.duration_ms for entry in page.entries])
        if (before := page.continuation) is None:
            return pages


async def test_an_entry_comes_back_as_it_was_written(backend: Backend) -> None:
    await backend.journal.append("c1", [ENTRY])
    assert await backend.journal.newest("c1") == ((ENTRY,), None)


async def test_reading_before_anything_was_written_finds_nothing(backend: Backend) -> None:
    assert await backend.journal.newest("c1") == ((), None)
    assert await backend.journal.prune("c1", AT) == 0


async def test_appending_nothing_writes_nothing(backend: Backend) -> None:
    await backend.journal.append("c1", [])
    assert await backend.journal.newest("c1") == ((), None)


async def test_the_newest_come_first_after_writes_in_any_order(backend: Backend) -> None:
    entries = numbered(4)
    await backend.journal.append("c1", [entries[2], entries[0]])
    await backend.journal.append("c1", [entries[3], entries[1]])
    assert await all_pages(backend, 50) == [[3, 2, 1, 0]]


async def test_entries_of_the_same_moment_keep_their_order(backend: Backend) -> None:
    await backend.journal.append("c1", numbered(5, apart=timedelta(0)))
    await backend.journal.append("c1", [replace(ENTRY, duration_ms=5)])
    assert await all_pages(backend, 50) == [[5, 4, 3, 2, 1, 0]]


@pytest.mark.parametrize(("limit", "sizes"), [(3, [3, 3, 1]), (7, [7]), (6, [6, 1]), (1, [1] * 7)])
async def test_pages_join_without_gap_or_overlap(backend: Backend, limit: int, sizes: list[int]) -> None:
    await backend.journal.append("c1", numbered(7))
    pages = await all_pages(backend, limit)
    assert [len(page) for page in pages] == sizes
    assert list(chain.from_iterable(pages)) == [6, 5, 4, 3, 2, 1, 0]


async def test_what_is_written_meanwhile_does_not_shift_the_older_pages(backend: Backend) -> None:
    await backend.journal.append("c1", numbered(4))
    first = await backend.journal.newest("c1", 2)
    await backend.journal.append("c1", [replace(ENTRY, at=AT + timedelta(hours=1), duration_ms=99)])
    second = await backend.journal.newest("c1", 2, first.continuation)
    assert [entry.duration_ms for entry in second.entries] == [1, 0]


async def test_a_page_that_does_not_exist_is_refused(backend: Backend) -> None:
    with pytest.raises(InvalidInput):
        await backend.journal.newest("c1", before="x' or RowKey ge '")


async def test_journals_of_two_connections_do_not_mix(backend: Backend) -> None:
    await backend.journal.append("c1", numbered(1))
    await backend.journal.append("c2", numbered(2))
    assert len((await backend.journal.newest("c1")).entries) == 1
    assert await backend.journal.prune("c2", AT + timedelta(days=1)) == 2
    assert len((await backend.journal.newest("c1")).entries) == 1


async def test_more_entries_than_a_transaction_takes_are_all_written(backend: Backend) -> None:
    await backend.journal.append("c1", numbered(250))
    assert list(chain.from_iterable(await all_pages(backend, 100))) == list(range(249, -1, -1))


async def test_pruning_deletes_what_is_older_and_nothing_else(backend: Backend) -> None:
    await backend.journal.append("c1", numbered(250))
    assert await backend.journal.prune("c1", AT + timedelta(seconds=230)) == 230
    assert await all_pages(backend, 50) == [list(range(249, 229, -1))]
    assert await backend.journal.prune("c1", AT + timedelta(seconds=230)) == 0


async def test_long_texts_are_cut_and_say_so(backend: Backend) -> None:
    await backend.journal.append("c1", [replace(ENTRY, message="m" * 9000, before=["x" * 9000])] * 100)
    entry = (await backend.journal.newest("c1", 1)).entries[0]
    assert entry.message == "m" * 8000
    assert entry.before == {"cut_after_characters": 1000, "json": '["' + "x" * 998}


async def test_entries_of_all_connections_since_a_time_are_read_with_their_keys(backend: Backend) -> None:
    assert [one async for one in backend.journal.across(AT)] == []
    await backend.journal.append("c1", numbered(6))
    await backend.journal.append("c2", numbered(4))
    found = [one async for one in backend.journal.across(AT + timedelta(seconds=2))]
    assert sorted((one, entry.duration_ms) for one, _, entry in found) == [
        ("c1", 2), ("c1", 3), ("c1", 4), ("c1", 5), ("c2", 2), ("c2", 3),
    ]  # fmt: skip
    newest = sorted(found, key=lambda one: one[1])
    assert [entry.at for _, _, entry in newest] == sorted((entry.at for _, _, entry in found), reverse=True)
    older = [entry async for *_, entry in backend.journal.across(AT, newest[1][1])]
    assert sorted(entry.duration_ms for entry in older) == [0, 0, 1, 1, 2, 2, 3, 3]
    with pytest.raises(InvalidInput):
        [one async for one in backend.journal.across(AT, "x' or RowKey ge '")]


async def test_a_look_across_all_connections_is_refused_where_it_takes_too_many_requests(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "PAGE", 10)
    monkeypatch.setattr(codec, "ACROSS", 3)
    await backend.journal.append("c1", numbered(30))
    assert len([one async for one in backend.journal.across(AT)]) == 30
    await backend.journal.append("c2", numbered(1))
    with pytest.raises(InvalidInput, match="3 requests"):
        [one async for one in backend.journal.across(AT)]
