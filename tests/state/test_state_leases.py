"""The lease protocol, on the double and on Azurite: one writer at a time, no work lost, nothing piling up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.storage.memory_queue import MemoryQueue
from shared.core.model.conditions import Phase
from shared.core.model.errors import LeaseLost, LostRace, RetryLater
from shared.core.model.record import SCHEMA
from shared.core.model.record_document import NewerRecord
from shared.state import control as lease_module
from shared.state.codec import holding
from shared.state.control import MARGIN, RENEW_EVERY
from shared.state.leases import Busy, Held, Leases
from tests.state.lease_parts import (
    TTL,
    VIRTUAL_TIME,
    AwayQueue,
    acquire,
    deliver_next,
    held,
    owner,
    pending,
    shown,
    stored,
    version,
    worker,
)
from tests.state.state_backends import virtual

if TYPE_CHECKING:
    from tests.state.state_backends import Backend


async def test_the_first_run_makes_the_row_and_holds_it(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    row = await stored(backend)
    assert row == lease.row
    assert shown(row) == (0, "Provisioning")
    assert not await pending(backend)
    assert (await owner(backend) or "").startswith("a/")
    assert lease.remaining() == pytest.approx(TTL - MARGIN, abs=1)


async def test_what_was_stored_is_kept_when_the_lease_is_taken_again(backend: Backend) -> None:
    first = await held(worker(backend, "a"))
    assert not await first.finish(version(1, Phase.READY))
    second = await held(worker(backend, "b"))
    assert second.row.document["status"]["generation"] == 1
    assert shown(second.row) == (1, "Ready")


async def test_a_second_run_is_turned_away_and_leaves_word(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    turned_away = await acquire(worker(backend, "b"))
    assert isinstance(turned_away, Busy)
    assert turned_away.seconds_left == pytest.approx(TTL, abs=2)
    assert await pending(backend)
    assert (await owner(backend) or "").startswith("a/")
    assert await stored(backend) == lease.row, "only the holder writes the connection's row"


async def test_two_runs_in_one_process_exclude_each_other(backend: Backend) -> None:
    leases = worker(backend, "a")
    await held(leases)
    assert isinstance(await acquire(leases), Busy)


async def test_of_many_at_once_exactly_one_holds_it(backend: Backend) -> None:
    results = await asyncio.gather(*(acquire(worker(backend, name)) for name in "abcde"))
    assert sorted(type(result).__name__ for result in results) == ["Busy"] * 4 + ["Held"]
    assert await pending(backend)
    assert await backend.messages() == 1


@VIRTUAL_TIME
async def test_of_many_at_once_exactly_one_takes_over_an_expired_lease(backend: Backend) -> None:
    await held(worker(backend, "dead"))
    dead = await owner(backend)
    await backend.advance(TTL + 1)
    results = await asyncio.gather(*(acquire(worker(backend, name)) for name in "abcde"))
    winners = [result for result in results if isinstance(result, Held)]
    assert len(winners) == 1
    assert await owner(backend) != dead
    await winners[0].save(version(1))


async def test_one_guard_message_however_many_are_turned_away(backend: Backend) -> None:
    await held(worker(backend, "a"))
    for name in "bcdef":
        await acquire(worker(backend, name))
    assert await backend.messages() == 1
    assert await backend.receive() is None  # not before the lease is over


async def test_the_guard_comes_one_second_after_the_lease_is_over() -> None:
    backend = virtual()
    began = backend.clock.now()
    await held(worker(backend, "a"))
    await backend.advance(7.5)
    await acquire(worker(backend, "b"))
    queue = backend.queue
    assert isinstance(queue, MemoryQueue)
    due = queue.next_visible_at()
    assert due is not None
    assert timedelta(seconds=TTL + 1) <= due - began < timedelta(seconds=TTL + 3)


async def test_a_crash_of_the_holder_is_healed_by_the_guard() -> None:
    backend = virtual()
    await held(worker(backend, "crashed"))
    await acquire(worker(backend, "b"))
    healed = await deliver_next(backend)
    assert isinstance(healed, Held)
    assert not await pending(backend)
    assert not await healed.finish(version(1))


async def test_a_guard_that_finds_a_renewed_lease_is_replaced_by_a_later_one() -> None:
    backend = virtual()
    lease = await held(worker(backend, "a"))
    await acquire(worker(backend, "b"))
    await backend.advance(15)
    await lease.renew()
    assert isinstance(await deliver_next(backend), Busy)
    assert await backend.messages() == 1
    await acquire(worker(backend, "c"))
    assert await backend.messages() == 1
    # ... and now the holder crashes.
    assert isinstance(await deliver_next(backend), Held)


async def test_a_guard_that_could_not_be_sent_is_sent_by_the_next_one() -> None:
    backend = virtual()
    await held(worker(backend, "a"))
    with pytest.raises(RetryLater, match="storage is away"):
        await acquire(Leases(backend.connections, backend.control, AwayQueue(), backend.clock, owner_id="b"))
    await acquire(worker(backend, "c"))
    assert await backend.messages() == 1


@VIRTUAL_TIME
async def test_an_expired_lease_is_taken_over_and_its_pending_work_is_done_by_the_run(backend: Backend) -> None:
    await held(worker(backend, "crashed"))
    await acquire(worker(backend, "b"))
    await backend.advance(TTL + 1)
    lease = await held(worker(backend, "c"))
    assert not await pending(backend)
    assert not await lease.finish(version(1))


async def test_the_service_alone_tells_when_a_lease_is_over(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its row's Timestamp and the Date of the answer, on Azurite as on the double: no worker's clock moved."""
    await held(worker(backend, "dead"))
    assert isinstance(await acquire(worker(backend, "b")), Busy)
    monkeypatch.setattr(lease_module, "LASTING", -2.0)  # over, though a Date is cut to the second
    assert isinstance(await acquire(worker(backend, "c")), Held)


@VIRTUAL_TIME
async def test_a_lease_is_not_taken_before_it_is_over(backend: Backend) -> None:
    await held(worker(backend, "a"))
    await backend.advance(TTL - 1)
    assert isinstance(await acquire(worker(backend, "b")), Busy)


async def test_finishing_lets_go_and_stores_in_one_write(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    assert await lease.finish(version(1, Phase.READY)) is False
    row = await stored(backend)
    assert shown(row) == (1, "Ready")
    assert await owner(backend) is None
    assert lease.remaining() == 0


@VIRTUAL_TIME
async def test_the_holder_sees_that_work_came_and_runs_again(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await acquire(worker(backend, "b"))
    await backend.advance(12)
    assert await lease.finish(version(1, Phase.READY)) is True
    row = await stored(backend)
    assert shown(row) == (1, "Ready")
    assert not await pending(backend)
    assert (await owner(backend) or "").startswith("a/")
    assert lease.remaining() == pytest.approx(TTL - MARGIN, abs=1)
    assert await lease.finish(version(2)) is False
    assert (await stored(backend)).document["status"]["generation"] == 2


async def test_word_left_before_a_save_is_still_seen_at_the_end(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await acquire(worker(backend, "b"))
    await lease.save(version(1))
    await lease.save(version(2, Phase.AWAITING_APPROVAL))
    row = await stored(backend)
    assert shown(row) == (2, "AwaitingApproval")
    assert await pending(backend)
    assert await lease.finish(version(3)) is True


@VIRTUAL_TIME
async def test_saving_renews(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await backend.advance(15)
    await lease.save(version(1))
    row = await stored(backend)
    assert shown(row) == (1, "Provisioning")
    assert lease.remaining() == pytest.approx(TTL - MARGIN, abs=1)


async def test_saves_in_one_moment_renew_the_lease_once() -> None:
    """A request to storage for each save, not two; a lease that is renewed now and then lasts all the same."""
    backend = virtual()
    lease = await held(worker(backend, "a"))
    taken = await backend.control.get("lease-c1")
    await backend.advance(RENEW_EVERY - 1)
    await lease.save(version(1))
    assert await backend.control.get("lease-c1") == taken
    await backend.advance(1)
    await lease.save(version(2))
    assert await backend.control.get("lease-c1") != taken
    assert lease.remaining() == pytest.approx(TTL - MARGIN)


@VIRTUAL_TIME
async def test_a_renewed_lease_is_not_taken_over(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await backend.advance(15)
    await lease.renew()
    await backend.advance(15)
    assert isinstance(await acquire(worker(backend, "b")), Busy)


@VIRTUAL_TIME
async def test_the_holder_stops_before_its_lease_is_over(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    assert lease.remaining() == pytest.approx(TTL - MARGIN, abs=1)
    await backend.advance(TTL - MARGIN + 1)
    assert lease.remaining() < 0
    assert isinstance(await acquire(worker(backend, "b")), Busy)


@pytest.mark.parametrize("call", ["save", "renew", "finish"])
@VIRTUAL_TIME
async def test_a_holder_that_was_overtaken_writes_nothing_more(backend: Backend, call: str) -> None:
    slow = await held(worker(backend, "slow"))
    await backend.advance(TTL + 1)
    fast = await held(worker(backend, "fast"))
    await fast.save(version(7))
    for _ in range(2):
        with pytest.raises(LeaseLost):
            await (slow.renew() if call == "renew" else getattr(slow, call)(version(8)))
    assert await stored(backend) == fast.row
    assert slow.remaining() == 0


@VIRTUAL_TIME
async def test_a_holder_that_was_overtaken_and_let_go_of_writes_nothing_more(backend: Backend) -> None:
    slow = await held(worker(backend, "slow"))
    await backend.advance(TTL + 1)
    fast = await held(worker(backend, "fast"))
    await fast.finish(version(7))
    with pytest.raises(LeaseLost):
        await slow.save(version(8))
    assert (await stored(backend)).document["status"]["generation"] == 7


@VIRTUAL_TIME
async def test_a_slow_holder_that_no_other_overtook_may_still_write(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await backend.advance(TTL * 3)
    await lease.save(version(1))
    assert isinstance(await acquire(worker(backend, "b")), Busy)


@VIRTUAL_TIME
async def test_a_take_over_makes_the_former_holders_etag_stale(backend: Backend) -> None:
    """A holder that was frozen between its last look at the lease and its write must not be able to write."""
    slow = await held(worker(backend, "slow"))
    await backend.advance(TTL + 1)
    fast = await held(worker(backend, "fast"))
    with pytest.raises(LostRace):
        await backend.connections.replace(holding(slow.row, version(8)))
    assert await stored(backend) == fast.row


async def test_a_write_of_others_is_overwritten_by_the_holder_who_keeps_the_lease(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    await backend.connections.replace(holding(await stored(backend), version(5)))
    assert await lease.finish(version(6)) is False
    assert shown(await stored(backend))[0] == 6


async def test_a_record_that_a_newer_version_wrote_meanwhile_stays_as_it_is(backend: Backend) -> None:
    lease = await held(worker(backend, "a"))
    row = await stored(backend)
    newer = await backend.connections.replace(replace(row, document=row.document | {"schema": SCHEMA + 1}))
    with pytest.raises(NewerRecord):
        await lease.save(version(6))
    assert (await stored(backend)).document == newer.document
