"""What dead runs leave in table `control` is deleted when it is old, and nothing that a run has or takes just then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.core.model.errors import LeaseLost, LostRace
from shared.state.codec import holding
from shared.state.leases import Held, Leases
from shared.state.rows import ControlRow
from tests.state.lease_parts import TTL, VIRTUAL_TIME, acquire, held, owner, pending, stored, version, worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.state.state_backends import Backend

DAY = 86400.0


async def prune(backend: Backend, leases: Leases | None = None) -> None:
    """As a sweep does: all that was over a day ago."""
    await (leases or worker(backend, "sweep")).prune(timedelta(seconds=DAY))


async def left(backend: Backend) -> list[str]:
    return [name for name in ("lease-c1", "word-c1") if await backend.control.get(name) is not None]


@VIRTUAL_TIME
async def test_a_dead_holders_lease_and_the_word_for_it_go_when_both_are_old(backend: Backend) -> None:
    await held(worker(backend, "dead"))
    await acquire(worker(backend, "b"))
    await backend.advance(DAY - 1)
    await prune(backend)
    assert await left(backend) == ["lease-c1", "word-c1"]
    await backend.advance(3)
    await prune(backend)
    assert await left(backend) == []


async def test_a_word_that_was_heard_goes_with_its_guard_message(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await acquire(worker(backend, "b"))
    assert await lease.finish(version(1)) is True
    await prune(backend)
    assert "word-c1" in await left(backend), "the guard message is on its way, and no second one may be sent"
    assert await lease.finish(version(2)) is False
    await prune(backend)
    assert await left(backend) == []


@VIRTUAL_TIME
async def test_a_word_whose_holder_died_goes_once_its_guard_message_was_due_long_ago(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await acquire(worker(backend, "b"))
    assert await lease.finish(version(1)) is True
    await backend.advance(TTL + DAY + 3)
    await prune(backend)
    assert await left(backend) == []


@VIRTUAL_TIME
async def test_work_that_no_guard_message_tells_of_is_left_for_the_next_run(backend: Backend) -> None:
    await backend.control.put(ControlRow("word-c1", {"pending": True, "guardAt": None}))
    await backend.advance(DAY * 2)
    await prune(backend)
    assert await pending(backend)


@VIRTUAL_TIME
async def test_a_lease_that_is_held_or_has_just_ended_stays(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await prune(backend)
    await backend.advance(TTL + 1)
    await prune(backend)
    assert await left(backend) == ["lease-c1"]
    await lease.save(version(1))


@VIRTUAL_TIME
async def test_the_former_holder_can_write_nothing_once_its_lease_is_deleted(backend: Backend) -> None:
    """A run that takes a lease which is not there rewrites no row: it was rewritten before the lease went."""
    slow = await held(worker(backend, "slow"))
    await backend.advance(TTL + DAY + 1)
    await prune(backend)
    fast = await held(worker(backend, "fast"))
    with pytest.raises(LostRace):
        await backend.connections.replace(holding(slow.row, version(8)))
    with pytest.raises(LeaseLost):
        await slow.save(version(8))
    assert await stored(backend) == fast.row


class Meanwhile:
    """A table in which another worker does something just before a row is deleted."""

    def __init__(self, backend: Backend, leases: Leases) -> None:
        self._backend, self._leases = backend, leases
        self.get, self.put, self.look = backend.control.get, backend.control.put, backend.control.look
        self.taken: Held | None = None

    def list(self, beginning: str) -> AsyncIterator[ControlRow]:
        return self._backend.control.list(beginning)

    async def delete(self, row: ControlRow) -> None:
        self.taken = self.taken or await held(self._leases)
        await self._backend.control.delete(row)


@VIRTUAL_TIME
async def test_a_lease_that_is_taken_in_the_same_moment_stays_with_its_taker(backend: Backend) -> None:
    await held(worker(backend, "dead"))
    await backend.advance(TTL + DAY + 1)
    table = Meanwhile(backend, worker(backend, "quick"))
    await prune(backend, Leases(backend.connections, table, backend.queue, backend.clock, owner_id="sweep"))
    assert (await owner(backend) or "").startswith("quick/")
    assert table.taken is not None
    await table.taken.save(version(1))


@VIRTUAL_TIME
async def test_a_damaged_row_goes_as_another_one_does(backend: Backend) -> None:
    for name in ("lease-c0", "lease-c2", "word-c0", "word-c2"):
        await backend.control.put(ControlRow(name, {"until": "never"}))
    await held(worker(backend, "dead"))
    await acquire(worker(backend, "b"))
    await backend.control.put(ControlRow("leases", {"of": "others"}))
    await backend.advance(TTL + DAY + 3)
    await prune(backend)
    assert await left(backend) == []
    assert await backend.control.get("lease-c2") is None
    assert await backend.control.get("leases") is not None


async def test_documents_are_listed_by_how_their_names_begin(backend: Backend) -> None:
    for name in ("lease", "lease-", "lease-1", "lease-2", "lease.", "leases", "pause", "word-1"):
        await backend.control.put(ControlRow(name, {"name": name}))
    found = [row async for row in backend.control.list("lease-")]
    assert [row.name for row in found] == ["lease-", "lease-1", "lease-2"]
    for row in found:
        assert row.document == {"name": row.name}
        await backend.control.delete(row)
    assert [row async for row in backend.control.list("lease-")] == []
