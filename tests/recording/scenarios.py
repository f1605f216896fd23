"""What is recorded, and how it is played. Called by `__main__` and by the test.

Each scenario is told on a loop of its own with virtual time and without chance, and gives the lines of its recording:
every request to Azure and to Elastic Cloud, the number of requests to storage, and all that is stored at the end.

Walks are played twice. `walk-NN` is the walk of tests/walk, byte for byte. Its faults are drawn at every call of a
worker, so one request to storage more makes another walk of it. `walk-NN-clouds` counts the calls to the clouds only:
it stays the same walk when the way to storage changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tests.harness.estate import Estate
from tests.recording.chance import without_chance
from tests.recording.listening import CLOUDS, Line, listening
from tests.recording.mapping import MAPPING
from tests.recording.stored import messages, rows
from tests.recording.translating import zeroed
from tests.walk.hosting import Weather
from tests.walk.story import Story

SEEDS = range(20)
REMOVAL = 7200.0
"""Seconds in which a removal is over: the grace period and what comes after it."""


async def happy_path() -> None:
    """One endpoint to Ready: zone, links, record, policy, a claim, an association, health checks, a quiet sweep."""
    estate = await Estate(settings={"ELASTIC_CLAIM": "true"}).open()
    await _connected(estate, "pe-1")
    await estate.sweep()
    await estate.settle()


async def removal() -> None:
    """The same endpoint goes, and all that was made for it."""
    estate = await Estate(settings={"ELASTIC_CLAIM": "true"}).open()
    endpoint = await _connected(estate, "pe-1")
    await _gone(estate, endpoint)
    await estate.sweep()
    await estate.settle()


async def shared_record() -> None:
    """Two endpoints of one region in one network share zone, links and record; then one of them goes."""
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    first = await _connected(estate, "pe-1")
    second = await _connected(estate, "pe-2")
    assert len(estate.zone().a_record("*")) == 2, "both stand in the record"
    await _gone(estate, first)
    await estate.ready(second)
    assert len(estate.zone().a_record("*")) == 1, "one of them stands in the record"


async def _connected(estate: Estate, name: str) -> str:
    endpoint = await estate.put_endpoint(name)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


async def _gone(estate: Estate, endpoint: str) -> None:
    await estate.delete(endpoint)
    await estate.settle(REMOVAL)
    reason = await estate.reason(endpoint, "Removed")
    assert reason in {"Removed", "LeftBehind"}, reason  # of a zone that another endpoint is in, not all goes


class _Scene(Story):
    """Lends a scenario the loop that walks are told on."""

    def play(self, scenario: Callable[[], Any]) -> None:
        with self.told() as loop:
            loop.run_until_complete(scenario())


@contextmanager
def _faults_of_clouds_only() -> Iterator[None]:
    """Calls to storage neither fail nor count."""
    happens = Weather.__call__

    def calm(self: Weather, call: Any) -> Any:
        return happens(self, call) if call.service in CLOUDS else None

    with patch.object(Weather, "__call__", calm):
        yield


def _walk(seed: int) -> None:
    Story(seed).tell()


def _walk_of_clouds(seed: int) -> None:
    with _faults_of_clouds_only():
        Story(seed).tell()


PLAIN = ("happy_path", "removal", "shared_record")
WALKS = tuple(f"walk-{seed:02}" for seed in SEEDS)
WALKS_OF_CLOUDS = tuple(f"walk-{seed:02}-clouds" for seed in SEEDS)
SCENARIOS: dict[str, Callable[[], None]] = {
    **{one.__name__: lambda one=one: _Scene(0).play(one) for one in (happy_path, removal, shared_record)},
    **{name: lambda seed=seed: _walk(seed) for name, seed in zip(WALKS, SEEDS, strict=True)},
    **{name: lambda seed=seed: _walk_of_clouds(seed) for name, seed in zip(WALKS_OF_CLOUDS, SEEDS, strict=True)},
}


def played(name: str) -> list[Line]:
    """The recording of one scenario."""
    with without_chance(), listening() as heard:
        SCENARIOS[name]()
    counted: list[Line] = [
        {"kind": "storage", "what": what, "count": number} for what, number in sorted(heard.storage.items())
    ]
    kept = [line for storage in heard.stores for line in (*rows(storage), *messages(storage))]
    kept = [line | {"columns": zeroed(line, MAPPING.durations)} for line in kept]
    return [*heard.requests, *counted, *kept]
