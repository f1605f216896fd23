"""Leases and time: renewed while work goes on, over soon after a holder dies, and never by comparing two clocks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.clock import LoopClock, Skewed
from shared.core.model.errors import LeaseLost, RetryLater
from shared.state.control import LASTING, MARGIN, RENEW_EVERY, lease
from shared.state.leases import Busy, Held
from tests.state.lease_parts import acquire, deliver_next, held, owner, worker
from tests.state.state_backends import virtual

if TYPE_CHECKING:
    from shared.state.ports import ControlTable
    from shared.state.rows import ControlLook, ControlRow
    from tests.state.state_backends import Backend

WRONG = [timedelta(minutes=-10), timedelta(), timedelta(minutes=10)]
HELD_UP = 30.0
"""Seconds that a killed holder delays others at most."""


class Frozen:
    """A table whose requests hang from a moment on."""

    def __init__(self, table: ControlTable) -> None:
        self._table = table
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def get(self, name: str) -> ControlRow | None:
        await self.thawed.wait()
        return await self._table.get(name)

    async def look(self, name: str) -> ControlLook:
        await self.thawed.wait()
        return await self._table.look(name)

    async def put(self, row: ControlRow) -> ControlRow:
        await self.thawed.wait()
        return await self._table.put(row)

    async def delete(self, row: ControlRow) -> None:
        await self.thawed.wait()
        await self._table.delete(row)


class Counted(Skewed):
    """A right clock that counts how often one sleeps, and ends the work of one who never stops."""

    sleeps = 0

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        assert self.sleeps < 100
        await super().sleep(seconds)


def off(backend: Backend, by: timedelta) -> Skewed:
    """The clock of a worker that is wrong by so much."""
    assert isinstance(backend.clock, LoopClock)
    return Skewed(backend.clock, by)


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes() -> None:
    backend = virtual()
    mine = await held(worker(backend, "a"))
    async with mine.renewing():
        for _ in range(60):
            await backend.clock.sleep(7)
            assert mine.remaining() >= LASTING - MARGIN - RENEW_EVERY
            assert isinstance(await acquire(worker(backend, "b")), Busy)
    assert await mine.finish() is True


async def test_a_rounding_error_does_not_make_the_holder_look_again_and_again() -> None:
    """Some instants plus five seconds minus themselves are less than five; the process hung at these."""
    for _ in range(50):
        backend = virtual()
        assert isinstance(backend.clock, LoopClock)
        await backend.clock.sleep(0.0731)
        clock = Counted(backend.clock, timedelta())
        async with (await held(worker(backend, "a", clock=clock))).renewing():
            await backend.clock.sleep(2 * RENEW_EVERY + 1)
        assert clock.sleeps <= 5


async def test_nothing_is_renewed_once_the_work_has_ended() -> None:
    backend = virtual()
    async with (await held(worker(backend, "a"))).renewing():
        pass
    await backend.clock.sleep(LASTING + 1)
    assert isinstance(await acquire(worker(backend, "b")), Held)


@pytest.mark.parametrize("holder", WRONG)
@pytest.mark.parametrize("other", WRONG)
async def test_wrong_clocks_change_nothing_for_a_living_holder(holder: timedelta, other: timedelta) -> None:
    """One writer at every step: the other one is turned away while the first one works."""
    backend = virtual()
    mine = await held(worker(backend, "a", clock=off(backend, holder)))
    theirs = worker(backend, "b", clock=off(backend, other))
    async with mine.renewing():
        for _ in range(100):
            assert isinstance(await acquire(theirs), Busy)
            await backend.clock.sleep(1)
    assert await backend.messages() <= 100 / (LASTING - RENEW_EVERY - 2) + 1, "one guard message at a time"


@pytest.mark.parametrize("holder", WRONG)
@pytest.mark.parametrize("other", WRONG)
@pytest.mark.parametrize("worked", [0.0, 4.9, 31.0])
async def test_a_killed_holder_is_followed_within_half_a_minute(
    holder: timedelta, other: timedelta, worked: float
) -> None:
    """By the guard message of one that it turned away, just before it died."""
    backend = virtual()
    mine = await held(worker(backend, "killed", clock=off(backend, holder)))
    async with mine.renewing():
        await backend.clock.sleep(worked)
        assert isinstance(await acquire(worker(backend, "b", clock=off(backend, other))), Busy)
    died = backend.clock.now()
    while isinstance(await deliver_next(backend), Busy):
        pass
    assert (backend.clock.now() - died).total_seconds() <= HELD_UP
    assert (await owner(backend) or "").startswith("guard/")


@pytest.mark.parametrize("holder", WRONG)
async def test_an_installations_lease_is_free_half_a_minute_after_its_holder_was_killed(holder: timedelta) -> None:
    backend = virtual()
    table = Frozen(backend.control)

    async def killed() -> None:
        async with lease(table, off(backend, holder), "sweep", holder="killed"):
            await backend.clock.sleep(10**6)

    work = asyncio.create_task(killed())
    await backend.clock.sleep(100)
    table.thawed.clear()  # nothing of it reaches storage any more
    async with lease(backend.control, backend.clock, "sweep", holder="early") as found:
        assert found is None
    await backend.clock.sleep(HELD_UP)
    async with lease(backend.control, backend.clock, "sweep", holder="next") as found:
        assert found is not None
    work.cancel()


async def test_work_ends_before_its_lease_when_storage_freezes() -> None:
    """No await outlasts the lease: the worker is broken off before another one may begin."""
    backend = virtual()
    table = Frozen(backend.control)
    mine = await held(worker(backend, "frozen", table))
    began, ended = backend.clock.now(), []

    async def work() -> None:
        async with mine.renewing():
            table.thawed.clear()
            try:
                await asyncio.sleep(247)
            finally:
                ended.append(backend.clock.now())

    with pytest.raises(LeaseLost, match="time was over"):
        await work()
    assert (ended[0] - began).total_seconds() == pytest.approx(LASTING - MARGIN, abs=0.1)
    assert isinstance(await acquire(worker(backend, "b")), Busy), "it is not over for others yet"
    await backend.advance(MARGIN + 1)
    assert isinstance(await acquire(worker(backend, "b")), Held)


async def test_work_goes_on_while_a_few_renewals_fail() -> None:
    backend = virtual()
    table = Frozen(backend.control)
    mine = await held(worker(backend, "a", table))
    async with mine.renewing():
        for _ in range(5):
            table.thawed.clear()
            await asyncio.sleep(8)
            table.thawed.set()
            await asyncio.sleep(RENEW_EVERY)
    assert mine.remaining() > 0


async def test_a_renewal_that_is_refused_is_tried_again_at_once() -> None:
    backend = virtual()

    class Refusing(Frozen):
        refused = 0

        async def put(self, row: ControlRow) -> ControlRow:
            if 4 < asyncio.get_running_loop().time() - began < 4 + RENEW_EVERY:
                self.refused += 1
                raise RetryLater("Azure Storage is busy.")
            return await super().put(row)

    began = asyncio.get_running_loop().time()
    table = Refusing(backend.control)
    async with (await held(worker(backend, "a", table))).renewing():
        await asyncio.sleep(60)
    assert table.refused > 1


async def test_a_holder_that_learns_that_it_was_overtaken_is_broken_off() -> None:
    backend = virtual()
    mine = await held(worker(backend, "slow"))
    began = backend.clock.now()

    async def work() -> None:
        async with mine.renewing():
            row = await backend.control.get("lease-c1")
            assert row is not None
            await backend.control.put(replace(row, document={"holder": "fast/1"}))
            await asyncio.sleep(1000)

    with pytest.raises(LeaseLost):
        await work()
    assert (backend.clock.now() - began).total_seconds() == pytest.approx(RENEW_EVERY, abs=0.1)
    assert (await owner(backend)) == "fast/1"


async def test_a_bug_in_a_renewal_ends_the_work_and_is_told() -> None:
    backend = virtual()

    class Broken(Frozen):
        async def put(self, row: ControlRow) -> ControlRow:
            if asyncio.get_running_loop().time() > began + 1:
                raise ZeroDivisionError
            return await super().put(row)

    began = asyncio.get_running_loop().time()
    mine = await held(worker(backend, "a", Broken(backend.control)))

    async def work() -> None:
        async with mine.renewing():
            await asyncio.sleep(1000)

    with pytest.raises(ZeroDivisionError):
        await work()


async def test_an_error_of_the_work_itself_comes_through() -> None:
    backend = virtual()
    mine = await held(worker(backend, "a"))

    async def work() -> None:
        async with mine.renewing():
            raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await work()
