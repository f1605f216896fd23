"""Some rows cannot be written, are held, or change under the hand, any of them: the others go on as if nothing were.

A sweep repairs, tests and tells, notifications are sent, old rows go. What a busy row keeps back is made good once it
is free again; nothing is told twice, and nothing is lost. EVERY_FAULT=1: every subset.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import combinations
from typing import Any

import pytest

from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import Throttled
from shared.state.control import HeldLease, take
from shared.state.rows import ConnectionRow
from tests.harness.estate import Estate
from tests.harness.leaving import DNS_API, work_for
from tests.harness.outcome import EVERY_FAULT
from tests.notifications.notify_parts import ON, once

REGIONS = ("eastus2", "westeurope", "japaneast")
EVERY = [subset for size in (1, 2, 3) for subset in combinations(range(len(REGIONS)), size)]
SUBSETS = EVERY if EVERY_FAULT else [(0,), (0, 2), (0, 1, 2)]


class Rows:
    """Table `connections`, of which some rows are busy, or are written by others at the wrong moment."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.busy: set[str] = set()
        self.changing: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get(self, key: str) -> ConnectionRow | None:
        self._check(key)
        row: ConnectionRow | None = await self._inner.get(key)
        return row

    async def replace(self, row: ConnectionRow) -> ConnectionRow:
        self._check(row.connection_id)
        if row.connection_id in self.changing:
            present = await self._inner.get(row.connection_id)
            await self._inner.replace(present)  # another one's write, of the same
        written: ConnectionRow = await self._inner.replace(row)
        return written

    def _check(self, key: str) -> None:
        if key in self.busy:
            raise Throttled("Azure Storage answered 503 ServerBusy.", on=key, after=10.0)


async def opened() -> tuple[Estate, list[str], Rows]:
    """Three Ready connections, each told; then each loses its record, and events of that are lost."""
    estate = await Estate(settings=ON).open()
    rows = Rows(estate.storage.connections)
    estate.storage.connections = rows  # type: ignore[assignment]  # the double, with rows that can be busy
    estate.worker = estate.new_worker()
    endpoints = [await estate.put_endpoint(f"pe-{region}", region=region) for region in REGIONS]
    await estate.settle()
    for endpoint in endpoints:
        await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    estate.events.settings.drop = True
    for region in REGIONS:
        await estate.azure("DELETE", f"{estate.zone(region).id}/A/*", api=DNS_API)
    return estate, endpoints, rows


@asynccontextmanager
async def held_by_another(estate: Estate, keys: list[str]) -> AsyncIterator[None]:
    """Living workers hold these connections."""

    async def hold(key: str) -> None:
        lease = await take(estate.storage.control, estate.clock, f"lease-{key}", holder="another/1")
        assert isinstance(lease, HeldLease)
        try:
            async with lease.renewing():
                await asyncio.sleep(10**6)
        finally:
            await lease.give_back()

    tasks = [asyncio.create_task(hold(key)) for key in keys]
    await asyncio.sleep(0.1)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("kind", ["busy", "held", "changing"])
@pytest.mark.parametrize("subset", SUBSETS, ids=str)
async def test_any_rows_may_be_busy_and_the_others_go_on(kind: str, subset: tuple[int, ...]) -> None:
    estate, endpoints, rows = await opened()
    keys = [connection_id(endpoints[one]) for one in subset]
    others = [one for one in range(len(REGIONS)) if one not in subset]
    before = len(once(estate.topic.events))
    rows.busy, rows.changing = (set(keys) if kind == which else set() for which in ("busy", "changing"))
    async with held_by_another(estate, keys if kind == "held" else []):
        stats = await estate.sweep()
        await work_for(estate, 120)
        again = await estate.sweep()
        await work_for(estate, 120)
    assert not stats.skipped
    assert not again.skipped
    for one in others if kind != "changing" else range(len(REGIONS)):
        assert estate.zone(REGIONS[one]).a_record("*") is not None, "repaired meanwhile"
        await estate.ready(endpoints[one])
    rows.busy, rows.changing = set(), set()
    for _ in range(3):
        await estate.clock.sleep(300)
        await estate.sweep()
        await work_for(estate, 300)
    for one, endpoint in enumerate(endpoints):
        await estate.ready(endpoint)
        assert estate.zone(REGIONS[one]).a_record("*") is not None
        assert (await estate.connection(endpoint)).notifications.outbox == ()
    events = once(estate.topic.events)
    assert len({event["id"] for event in events}) == len(events)
    assert before == len(REGIONS), "each was told Ready once"
    assert not [row async for row in estate.storage.control.list("lease-")]
