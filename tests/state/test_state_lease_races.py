"""Leases when workers meet: word left at the last moment, clocks that differ, lost answers, damaged rows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from shared.core.model.errors import LeaseLost, LostRace, RetryLater
from shared.state.leases import Busy, Held, Leases
from shared.state.rows import ControlRow
from tests.state.lease_parts import (
    TTL,
    VIRTUAL_TIME,
    AheadTable,
    AlwaysLate,
    AnswersLost,
    acquire,
    held,
    owner,
    pending,
    stored,
    version,
    worker,
)
from tests.state.state_backends import virtual

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tests.state.state_backends import Backend


async def test_word_that_is_left_while_the_holder_lets_go_is_not_lost() -> None:
    """Whichever of the two is last sees the other, at every moment between their requests."""

    async def later(steps: int, work: Coroutine[Any, Any, Any]) -> Any:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await work

    for steps in range(-12, 13):
        backend = virtual()
        lease = await held(worker(backend, "a"))
        finish = later(max(0, steps), lease.finish(version(1)))
        again, result = await asyncio.gather(finish, later(max(0, -steps), acquire(worker(backend, "b"))))
        assert again or isinstance(result, Held), f"the other one {-steps} steps later"


async def test_a_row_that_was_deleted_is_no_longer_held(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await backend.connections.delete(lease.row)
    with pytest.raises(LeaseLost):
        await lease.finish(version(1))
    assert await backend.connections.get("c1") is None


async def test_a_released_lease_cannot_be_written_with(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await lease.finish(version(1))
    with pytest.raises(LeaseLost):
        await lease.save(version(2))
    assert (await stored(backend)).document["status"]["generation"] == 1


@pytest.mark.parametrize("call", ["save", "finish"])
async def test_a_holder_that_was_overtaken_a_moment_after_it_renewed_writes_nothing_more(
    backend: Backend, call: str
) -> None:
    """It does not renew again so soon: the record's own ETag is what stops it."""
    slow = await held(worker(backend, "slow"))
    fast = await held(worker(backend, "fast", AheadTable(backend.control, TTL + 1)))
    with pytest.raises(LeaseLost):
        await getattr(slow, call)(version(8))
    assert await stored(backend) == fast.row
    assert (await owner(backend) or "").startswith("fast/")


async def test_a_holder_that_was_overtaken_gives_nothing_back(backend: Backend) -> None:
    slow = await held(worker(backend, "slow"))
    fast = await held(worker(backend, "fast", AheadTable(backend.control, TTL + 1)))
    assert await slow.finish() is False
    assert (await owner(backend) or "").startswith("fast/")
    await fast.save(version(1))


async def test_many_workers_and_much_work_lose_nothing() -> None:
    backend = virtual()
    asked, done = [], []

    async def run(number: int) -> None:
        asked.append(str(number))
        lease = await acquire(worker(backend, f"w{number}"))
        if isinstance(lease, Busy):
            return
        again = True
        while again:
            seen = list(asked)
            await backend.clock.sleep(3.0)
            again = await lease.finish(version(1).with_removal(leftovers=tuple(seen)))
        done.append(number)

    async def later(number: int) -> None:
        await backend.clock.sleep(number * 0.7)
        await run(number)

    await asyncio.gather(*(later(number) for number in range(60)))
    row = await stored(backend)
    assert row.document["removal"]["leftovers"] == [str(number) for number in range(60)]
    assert (await owner(backend), await pending(backend)) == (None, False)
    assert len(done) < 60
    assert await backend.messages() <= 2


async def test_a_take_over_whose_answer_was_lost_is_recognised_as_ones_own() -> None:
    backend = virtual()
    await (await held(worker(backend, "a"))).finish(version(1))
    table = AnswersLost(backend.control)
    leases = Leases(backend.connections, table, backend.queue, backend.clock, owner_id="b")
    lease = await held(leases)
    assert await stored(backend) == lease.row
    assert table.lost == 1


async def test_a_row_that_never_stops_changing_sends_the_work_back() -> None:
    backend = virtual()
    await (await held(worker(backend, "a"))).finish(version(1))
    table = AlwaysLate(backend.control)
    leases = Leases(backend.connections, table, backend.queue, backend.clock, owner_id="b")
    with pytest.raises(RetryLater) as raised:
        await acquire(leases)
    assert not isinstance(raised.value, LostRace)
    assert table.lost == 8


DAMAGED: list[Any] = [
    {},
    {"holder": 1, "until": "x", "pending": 1, "guardAt": "x"},
    {"until": None},
    {"holder": None, "guardAt": "9999-12-31T23:59:59+00:00", "pending": True},
    {"holder": {}, "guardAt": "2026-03-04", "pending": None},
    [],
    None,
    7,
]


@VIRTUAL_TIME
@pytest.mark.parametrize("name", ["lease-c1", "word-c1"])
@pytest.mark.parametrize("document", DAMAGED)
async def test_a_damaged_row_of_a_lease_holds_up_no_longer_than_a_dead_worker(
    backend: Backend, name: str, document: Any
) -> None:
    await backend.control.put(ControlRow(name, document))
    await acquire(worker(backend, "one"))
    await backend.advance(TTL + 1)
    lease = await acquire(worker(backend, "two"))
    if isinstance(lease, Busy):  # the first one has it
        assert (await owner(backend) or "").startswith("one/")
        await backend.advance(TTL + 1)
        lease = await acquire(worker(backend, "two"))
    assert isinstance(lease, Held)
    while await lease.finish(version(1)):
        pass
    assert await worker(backend, "three").idle("c1")


async def test_who_is_turned_away_by_a_damaged_word_sends_a_guard_all_the_same() -> None:
    backend = virtual()
    await held(worker(backend, "dead"))
    await backend.control.put(ControlRow("word-c1", {"pending": True, "guardAt": "9999-12-31T23:59:59+00:00"}))
    assert isinstance(await acquire(worker(backend, "b")), Busy)
    assert await backend.messages() == 1
