"""A function process as host.json lets it work: several messages at once, and a timer. Used by longer stories."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from shared.core.model.errors import RetryLater
from tests.harness.estate import Estate
from tests.harness.worker import Worker

QUEUES = json.loads(Path(__file__).parents[2].joinpath("host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
AT_ONCE = QUEUES["batchSize"] + QUEUES["newBatchThreshold"]
SWEEP_SECONDS = 300.0
LONGEST_POLL = 5.0


async def nothing() -> None:
    """After a sweep nothing is looked at."""


@asynccontextmanager
async def working(
    estate: Estate, worker: Worker, after_sweep: Callable[[], Awaitable[None]] = nothing
) -> AsyncIterator[None]:
    """Messages are handled side by side and sweeps come every five minutes, until the block ends."""

    async def slot() -> None:
        while True:
            message = estate.queue.receive()
            if message is None:
                await asyncio.sleep(LONGEST_POLL)
                continue
            with suppress(RetryLater):
                await estate.handle(message, worker)

    async def timer() -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await estate.sweep(worker)
            await after_sweep()

    tasks = [asyncio.create_task(slot()) for _ in range(AT_ONCE)] + [asyncio.create_task(timer())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [one for one in ended if isinstance(one, Exception)]
    assert not broken, broken
