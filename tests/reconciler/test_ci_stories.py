"""A pipeline makes forty endpoints and deletes them, all within ten minutes: nothing is left, and who is asked what.

With events each deletion is confirmed, and no person is asked. Where the events of the deletions are lost there is one
stop, and one word lets all of them go.
"""

from __future__ import annotations

import asyncio
from typing import Any

from local.arm import ArmSettings
from local.world import OWN_VNET, vnet_body
from shared.api.removals import confirm_removals, show_removals
from tests.harness.estate import HOSTED, Estate
from tests.harness.function_host import working
from tests.harness.leaving import everything
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Stall

REGIONS = [service.region for service in HOSTED][:10]
NETWORKS = 4


def takes_its_time(call: Call) -> Stall:
    """So that runs overlap, and events come while one is at work."""
    return Stall(1.0 if call.service in {"arm", "elastic"} else 0.02)


class Pipeline:
    """Makes an endpoint of each region in each network, and deletes them again."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.made: list[str] = []

    async def networks(self) -> list[str]:
        """The networks, made before."""
        names = [OWN_VNET.replace("vnet-eastus2-app", f"vnet-spoke-{number}") for number in range(NETWORKS)]
        for number, vnet in enumerate(names):
            await self.estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{100 + number}"))
            await self.estate.peer(OWN_VNET, vnet, connected=True)
        return names

    async def make(self, vnet: str, number: int, region: str) -> str:
        """One endpoint."""
        group = f"rg-spoke-{number}"
        endpoint = await self.estate.put_endpoint(
            f"pe-{region}", region=region, location="eastus2", vnet=vnet, group=group
        )
        self.made.append(endpoint)
        return endpoint

    async def make_all(self) -> None:
        """All of them, one every few seconds."""
        for number, vnet in enumerate(await self.networks()):
            for region in REGIONS:
                await self.make(vnet, number, region)
                await self.estate.clock.sleep(4)

    async def delete_all(self, after: float, pause: float) -> None:
        """All of them, in the order in which they were made."""
        await self.estate.clock.sleep(after)
        for number in range(len(REGIONS) * NETWORKS):
            await self.estate.azure("DELETE", self.made[number])
            await self.estate.clock.sleep(pause)


async def opened(**settings: str) -> tuple[Estate, Pipeline]:
    estate = await Estate(app_vnet=OWN_VNET, settings=settings).open()
    estate.elastic_settings.max_rulesets = 10_000
    estate.arm_settings.arm_bucket = ArmSettings().arm_bucket
    return estate, Pipeline(estate)


async def phases(estate: Estate) -> list[str]:
    rows = [row async for row in estate.storage.connections.list_columns()]
    return [row.columns.phase for row in rows]


def torn_down(estate: Estate) -> int:
    """How many policies are gone."""
    return sum(event.what == "deleted" for event in estate.elastic.history)


async def test_with_events_no_person_is_asked_and_nothing_is_left() -> None:
    """Though not one may go unconfirmed: the event of each deletion is heard, also where a run is at work."""
    estate, pipeline = await opened(REMOVAL_LIMIT="0")
    before, worker, stops = everything(estate), estate.new_worker(takes_its_time), list[Any]()

    async def look() -> None:
        stops.append((await show_removals(worker.context))["stopped"])

    async with working(estate, worker, look):
        # Each lives for half a minute or more: events of deletions come while the run that makes things is at work.
        await asyncio.gather(pipeline.make_all(), pipeline.delete_all(after=60, pause=13))
        await estate.clock.sleep(1500)  # reads of private DNS are a budget
    assert stops
    assert not any(stops)
    assert await phases(estate) == ["Removed"] * len(pipeline.made)
    assert everything(estate) == before
    assert not estate.queue.poison


async def test_with_the_events_of_the_deletions_lost_one_stop_and_one_word() -> None:
    estate, pipeline = await opened()
    before, worker, stops = everything(estate), estate.new_worker(takes_its_time), list[str]()

    async def look() -> None:
        stop = (await show_removals(worker.context))["stopped"]
        if stop is not None:
            stops.append(stop["id"])

    async with working(estate, worker, look):
        await pipeline.make_all()
        await estate.clock.sleep(200)
        estate.events.settings.drop = True
        await pipeline.delete_all(after=0, pause=4)
        await estate.clock.sleep(1500)
        assert torn_down(estate) == 0, "none of them goes before a person has spoken"
        found = (await show_removals(worker.context))["stopped"]
        assert found["count"] == len(pipeline.made)
        assert {one["endpoint"] for one in found["connections"]} == set(pipeline.made)
        await confirm_removals(worker.context, found["id"], ASKED)
        stops.clear()
        await estate.clock.sleep(1200)
    assert stops == [], "no second one"
    assert await phases(estate) == ["Removed"] * len(pipeline.made)
    assert everything(estate) == before
    assert not estate.queue.poison
