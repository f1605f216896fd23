"""How long storage, and each cloud, may be away before a message is given up on: as long as docs/operations.md says."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from local.host.settings import time_span
from local.storage.memory_queue import MemoryQueue
from tests.harness.estate import Estate
from tests.harness.wire import Call, Outcome, Refusal

ROOT = Path(__file__).parents[2]
QUEUES = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
TABLES = {"connections", "control", "journal", "checks", "hosts", "things"}
WORDS = {"two": 2, "three": 3, "four": 4}


def promised() -> float:
    """Seconds without Azure Storage that give up no message, by the page."""
    page = " ".join((ROOT / "docs" / "operations.md").read_text().split())
    found = re.search(r"Up to (\w+) minutes without Azure Storage give up no message", page)
    assert found is not None, "the page makes no promise"
    return WORDS[found[1]] * 60.0


def with_the_shipped_host(estate: Estate) -> None:
    """Its queue retries as host.json says."""
    estate.queue.max_dequeue = QUEUES["maxDequeueCount"]
    estate.queue.retry_visibility = timedelta(seconds=time_span(QUEUES["visibilityTimeout"]))


class Outage:
    """Services that refuse everything until their time is over."""

    def __init__(self, estate: Estate, services: set[str], seconds: float) -> None:
        self._estate, self._services = estate, services
        self._ends = estate.clock.now() + timedelta(seconds=seconds)
        estate.worker = estate.new_worker(self)

    def __call__(self, call: Call) -> Outcome:
        away = call.service in self._services and self._estate.clock.now() < self._ends
        return Refusal(503) if away else None


async def outlived(estate: Estate, services: set[str], seconds: float) -> str:
    """An endpoint made just when an outage begins; its id, when no message is left and no sweep has come."""
    with_the_shipped_host(estate)
    Outage(estate, services, seconds)
    endpoint = await estate.put_endpoint()
    await estate.settle(3600)
    return endpoint


def test_the_double_of_the_queue_retries_as_the_shipped_host_does() -> None:
    estate_queue = MemoryQueue.__init__.__kwdefaults__
    assert estate_queue["max_dequeue"] == QUEUES["maxDequeueCount"]
    assert estate_queue["retry_visibility"] == time_span(QUEUES["visibilityTimeout"])


@pytest.mark.parametrize("part", [0.1, 0.5, 1.0])
async def test_an_outage_of_storage_as_long_as_is_promised_gives_up_no_message(estate: Estate, part: float) -> None:
    endpoint = await outlived(estate, TABLES | {"queue"}, part * promised())
    assert not estate.queue.poison
    await estate.ready(endpoint)


@pytest.mark.parametrize("minutes", [10, 45])
@pytest.mark.parametrize("service", ["arm", "elastic"])
async def test_an_outage_of_a_cloud_gives_up_no_message_however_long_it_is(
    estate: Estate, service: str, minutes: float
) -> None:
    """Its errors are conditions, and the wait for it costs no delivery."""
    endpoint = await outlived(estate, {service}, minutes * 60.0)
    assert not estate.queue.poison
    await estate.ready(endpoint)


async def test_after_a_longer_outage_of_storage_the_next_sweep_makes_good_what_was_given_up(estate: Estate) -> None:
    endpoint = await outlived(estate, TABLES | {"queue"}, 3 * promised())
    assert estate.queue.poison, "so long is not promised"
    await estate.clock.sleep(3600)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
