"""Workers whose clocks are ten minutes apart do what one with a right clock does, when it does it.

Pauses, graces, waits, turns of old rows, the limit of a day: every instant that one worker stores and another one
compares is the storage service's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.clock import Skewed
from local.elastic.history import most_policies_at_once
from shared.core.model.record import ConnectionRecord
from shared.installation.pause import pause, present_pause
from shared.reconciler.loop import Outcome, reconcile
from tests.harness.estate import Estate
from tests.harness.leaving import DNS_API, work_for
from tests.harness.outcome import creates
from tests.harness.platform_parts import ASKED
from tests.harness.worker import Worker
from tests.reconciler.test_two_workers import an_unheard_endpoint, message, slow

APART = timedelta(minutes=10)
CLOCKS = {"fast and slow": (APART, -APART), "slow and fast": (-APART, APART), "one is fast": (APART, timedelta())}
SECONDS = timedelta(seconds=3)
"""A `Date` has whole seconds."""
CLOSE = timedelta(seconds=30)
"""Where a worker comes that second too early, it looks once more."""


class InTurn(Estate):
    """Each message and each sweep is another worker's than the one before."""

    def __init__(self, clocks: tuple[timedelta, timedelta]) -> None:
        super().__init__(settings={"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events"})
        self.workers = [self.new_worker(machine=Skewed(self.clock, by)) for by in clocks]
        self.turn = 0

    def next_worker(self) -> Worker:
        self.turn += 1
        return self.workers[self.turn % 2]

    async def handle(self, message: Any, worker: Worker | None = None) -> None:
        await super().handle(message, worker or self.next_worker())

    async def timer(self) -> None:
        await self.sweep(self.next_worker())
        await self.settle(240)


@dataclass(frozen=True)
class Life:
    """When what happened, and what the record said at the moments that the story names."""

    changes: list[tuple[datetime, str]]
    said: list[tuple[str, dict[str, Any]]]


async def life(clocks: tuple[timedelta, timedelta]) -> Life:
    estate = await InTurn(clocks).open()
    said: list[tuple[str, dict[str, Any]]] = []

    async def say(when: str) -> None:
        said.append((when, _shown(await estate.connection(endpoint))))

    estate.elastic_settings.approval_seconds = 90
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2"})
    await estate.settle(900)
    await say("made")
    await estate.timer()
    fast, slow = estate.workers
    until = (await pause(fast.context, {"minutes": 15}, ASKED)).until
    assert abs(until - estate.clock.now() - timedelta(minutes=15)) <= SECONDS
    assert await present_pause(slow.context) is not None, "it has just begun, also for a slow clock"
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    await estate.timer()
    await say("paused")
    await estate.clock.sleep(15 * 60 + SECONDS.total_seconds())
    assert await present_pause(slow.context) is None, "it is over, also for a slow clock"
    await estate.timer()
    await say("mended")
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    for _ in range(6):
        await estate.timer()
        await say("going")
        await work_for(estate, 240)
    await say("gone")
    assert not estate.queue.poison
    return Life(_changes(estate), said)


def _changes(estate: Estate) -> list[tuple[datetime, str]]:
    azure = [(event.at, f"{event.operation} {event.status} {event.resource_type}") for event in estate.changes]
    return sorted(azure + [(event.at, event.what) for event in estate.elastic.history])


def _shown(record: ConnectionRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {"phase": record.status.phase, "attempts": record.schedule.attempts}
    for condition in record.status.conditions:
        shown[condition.type] = (condition.status, condition.reason)
        shown[f"{condition.type} since"] = condition.since
    instants = {
        "wake at": record.schedule.wake_at,
        "observed": record.schedule.observed_at,
        "first seen": record.status.first_seen,
        "removing since": record.removal.removing_since,
        "checked": record.health.summary.tested_at if record.health.summary else None,
    }
    return shown | instants


def _close(mine: object, right: object) -> bool:
    if isinstance(mine, datetime) and isinstance(right, datetime):
        return abs(mine - right) <= CLOSE
    return mine == right


@pytest.mark.parametrize("clocks", CLOCKS)
async def test_everything_happens_when_it_does_with_right_clocks(clocks: str) -> None:
    right = await life((timedelta(), timedelta()))
    mine = await life(CLOCKS[clocks])
    assert [what for _, what in mine.changes] == [what for _, what in right.changes]
    late = [one for one, other in zip(mine.changes, right.changes, strict=True) if not _close(one[0], other[0])]
    assert late == []
    wrong = [
        f"{when}, {name}: {shown.get(name)} instead of {good.get(name)}"
        for (when, shown), (_, good) in zip(mine.said, right.said, strict=True)
        for name in sorted({*shown, *good})
        if not _close(shown.get(name), good.get(name))
    ]
    assert wrong == []


@pytest.mark.parametrize("clocks", CLOCKS)
async def test_two_workers_at_any_distance_make_everything_once(clocks: str) -> None:
    first, second = CLOCKS[clocks]
    for seconds_apart in range(0, 30, 3):
        estate = await Estate().open()
        slow(estate)
        endpoint = await an_unheard_endpoint(estate)
        one, other = (estate.new_worker(machine=Skewed(estate.clock, by)) for by in (first, second))
        running = [_after(estate, 0, one, endpoint), _after(estate, seconds_apart, other, endpoint)]
        assert {*await _all(running)} <= {Outcome.DONE, Outcome.BUSY}
        await estate.settle(worker=other)
        await estate.ready(endpoint)
        found = estate.arm.private_endpoint(endpoint)
        assert found is not None
        assert most_policies_at_once(estate.elastic.history, found.resource_guid) == 1
        assert max(creates(estate).values()) == 1, f"{seconds_apart} s apart"
        assert not estate.queue.messages


async def _after(estate: Estate, seconds: float, worker: Worker, endpoint: str) -> Outcome:
    await estate.clock.sleep(seconds)
    return await reconcile(worker.context, message(endpoint))


async def _all(running: list[Any]) -> list[Outcome]:

    return list(await asyncio.gather(*running))
