"""A burst: many endpoints of many networks at once. All become Ready, and the queue stays as small as the burst.

One function process works as host.json lets it, each remote call takes its time, ARM's limits are on, and a sweep runs
every five minutes. BURST_NETWORKS=32 BURST_REGIONS=16 makes 512 endpoints of it, which takes a machine minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from local.arm import ArmSettings
from local.world import OWN_VNET, vnet_body
from shared.core.model.errors import RetryLater
from shared.core.model.messages import Cause, decode
from tests.harness.estate import HOSTED, Estate
from tests.harness.wire import Call, Stall
from tests.harness.worker import Worker

NETWORKS = int(os.environ.get("BURST_NETWORKS", "4"))
REGIONS = [service.region for service in HOSTED][: int(os.environ.get("BURST_REGIONS", "6"))]
"""Each network has an endpoint of each of these, and each endpoint needs a zone of its own."""
QUEUES = json.loads(Path(__file__).parents[2].joinpath("host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
AT_ONCE = QUEUES["batchSize"] + QUEUES["newBatchThreshold"]
SWEEP_SECONDS, LONGEST = 300.0, 4 * 3600.0
LONGEST_POLL = 10.0
"""Seconds between two polls of an empty queue, which grow as the platform's do."""


def takes_its_time(call: Call) -> Stall:
    return Stall(1.0 if call.service in {"arm", "elastic"} else 0.01)


async def burst() -> tuple[Estate, list[str]]:
    """The endpoints are there, each network's in a resource group of its own, and their events wait in the queue."""
    estate = await Estate(app_vnet=OWN_VNET).open()
    estate.elastic_settings.max_rulesets = 10_000
    endpoints = []
    for number in range(NETWORKS):
        vnet = OWN_VNET.replace("vnet-eastus2-app", f"vnet-spoke-{number}")
        await estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{100 + number}"))
        await estate.peer(OWN_VNET, vnet, connected=True)
        for region in REGIONS:
            made = {"region": region, "location": "eastus2", "vnet": vnet, "group": f"rg-spoke-{number}"}
            endpoints.append(await estate.put_endpoint(f"pe-{region}", **made))
    estate.arm_settings.arm_bucket = ArmSettings().arm_bucket
    return estate, endpoints


def waits_of_each(estate: Estate) -> Counter[str]:
    """The messages of ours about each endpoint that no worker has taken yet."""
    waiting = [decode(one.text, new_correlation_id="") for one in estate.queue.messages if not one.dequeue_count]
    return Counter(work.endpoint.key for one in waiting for work in one.work if work.cause is not Cause.EVENT_WRITE)


async def test_every_endpoint_of_a_burst_becomes_ready_and_none_has_two_messages_of_ours() -> None:
    estate, endpoints = await burst()
    worker, loop, taken, most = estate.new_worker(takes_its_time), asyncio.get_running_loop(), list[Cause](), [0]

    async def slot(one: Worker) -> None:
        pause = 1.0
        while True:
            message = estate.queue.receive()
            if message is None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_POLL)
                continue
            pause = 1.0
            taken.append(decode(message.text, new_correlation_id="").work[0].cause)
            with suppress(RetryLater):
                await estate.handle(message, one)
            most[0] = max(most[0], *waits_of_each(estate).values(), 0)

    async def sweeps() -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await estate.sweep(worker)

    tasks = [asyncio.create_task(slot(worker)) for _ in range(AT_ONCE)] + [asyncio.create_task(sweeps())]
    ends = loop.time() + LONGEST
    while loop.time() < ends and await ready(estate) < len(endpoints):
        await estate.clock.sleep(5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await ready(estate) == len(endpoints)
    assert most[0] == 1
    first = [place for place, cause in enumerate(taken) if cause is Cause.EVENT_WRITE]
    assert Cause.WAIT not in taken[: max(first)], "no wait is taken before the last first run"


async def ready(estate: Estate) -> int:
    return len([row async for row in estate.storage.connections.list_columns() if row.columns.phase == "Ready"])
