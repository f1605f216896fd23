"""Estates whose figures are asserted: one endpoint, many at once, many zones. Seconds are virtual.

Used by the tests beside it, which assert the figures, and by `benchmarks/scale.py`, which prints them.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from local.arm import DEFAULT_SUBSCRIPTION, ArmSettings
from local.arm.events import RequestRecord
from local.world import HUB_VNET, OWN_VNET, endpoint_body, vnet_body
from shared.core.model.errors import RetryLater
from tests.harness.dns import DNS_API
from tests.harness.estate import HOSTED, Estate, Worker

for _sdk in ("azure.mgmt.network.aio", "azure.mgmt.privatedns.aio"):
    importlib.import_module(_sdk)  # the app does it in a thread, whose real seconds would count as virtual ones

EMPTY_QUEUE = 0.5
"""Seconds between two looks at a queue that is empty."""
SHORT = 120.0
"""Seconds during which it is looked every half second whether all are Ready."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the clouds take, in seconds."""

    zone: float
    link: float
    address: float
    approval: float

    def critical_path(self, links: int) -> float:
        """The least that it can take where the links of a zone are made one after the other."""
        return max(self.zone + links * self.link, self.address, self.approval)


COMBINATIONS = (
    Durations(3, 3, 3, 3),
    Durations(33, 12, 1, 10),
    Durations(3, 300, 3, 3),
    Durations(300, 3, 3, 3),
    Durations(3, 3, 300, 3),
    Durations(3, 3, 3, 300),
    Durations(30, 30, 30, 30),
    Durations(100, 10, 30, 300),
    Durations(300, 300, 300, 300),
)
AS_SEEN = Durations(zone=33, link=12, address=1, approval=10)
"""What people see: private DNS takes most of it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one estate took."""

    seconds: float
    refused: int
    dns_reads: int
    polls: int
    elastic_calls: int


async def opened(durations: Durations, app_vnet: str, limits: str = "older") -> Estate:
    """An estate with these durations and Azure's limits."""
    estate = await Estate(app_vnet=app_vnet).open()
    arm = estate.arm_settings
    arm.zone_seconds, arm.link_seconds, arm.nic_address_seconds = durations.zone, durations.link, durations.address
    arm.private_dns_limits = "newer" if limits == "newer" else "older"
    estate.elastic_settings.approval_seconds, estate.elastic_settings.max_rulesets = durations.approval, 10_000
    return estate


async def network_of(estate: Estate, number: int) -> str:
    """A network of its own."""
    vnet = OWN_VNET.replace("vnet-eastus2-app", f"vnet-spoke-{number}")
    await estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{100 + number}"))
    return vnet


async def spoke(estate: Estate, number: int, region: str) -> str:
    """An endpoint in a network and a resource group of its own, which the app's network is peered with."""
    vnet = await network_of(estate, number)
    await estate.peer(OWN_VNET, vnet, connected=True)
    return await estate.put_endpoint("pe", region=region, location="eastus2", vnet=vnet, group=f"rg-spoke-{number}")


async def one_endpoint(durations: Durations, *, hub: bool) -> Figures:
    """From the PUT of an endpoint to Ready; `hub`: the zone is linked to a hub network too."""
    estate = await opened(durations, HUB_VNET if hub else OWN_VNET)
    endpoint = await estate.put_endpoint() if hub else await spoke(estate, 1, "eastus2")
    return await until_ready(estate, [endpoint], workers=1, side_by_side=1, longest=2_000.0)


async def until_ready(
    estate: Estate, endpoints: Iterable[str], *, workers: int, side_by_side: int, longest: float
) -> Figures:
    """Let workers take messages, each so many at once, until every endpoint is Ready; from the events' arrival on."""
    expected = len(list(endpoints))
    while len(estate.queue.messages) < expected:
        await estate.clock.sleep(0.1)  # Event Grid delivers
    began = estate.clock.passed()
    estate.arm_settings.arm_bucket = ArmSettings().arm_bucket
    estate.arm.requests.clear()
    estate.elastic.requests.clear()
    processes = [estate.new_worker() for _ in range(workers)]
    tasks = [asyncio.create_task(_slot(estate, one)) for one in processes for _ in range(side_by_side)]
    while await ready(estate) < expected and estate.clock.passed() - began < longest:
        await estate.clock.sleep(0.5 if estate.clock.passed() - began < SHORT else 2.0)
    took = estate.clock.passed() - began
    assert await ready(estate) == expected, f"{await ready(estate)} of {expected} are Ready after {took:.0f} s"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return figures(took, estate)


def figures(took: float, estate: Estate) -> Figures:
    """What the requests since the last count were."""
    reads = [one for one in estate.arm.requests if is_dns_read(one)]
    polls = [one for one in reads if one.operation == "GET operation"]
    refused = [one for one in estate.arm.requests if one.status == 429]
    return Figures(took, len(refused), len(reads), len(polls), len(estate.elastic.requests))


def is_dns_read(request: RequestRecord) -> bool:
    """Whether it counts as a read of private DNS."""
    return request.method == "GET" and "privatedns" in request.path.lower()


async def _slot(estate: Estate, worker: Worker) -> None:
    while True:
        message = estate.queue.receive()
        if message is None:
            await asyncio.sleep(EMPTY_QUEUE)
            continue
        with suppress(RetryLater):
            await estate.handle(message, worker)


async def ready(estate: Estate) -> int:
    """How many connections are Ready."""
    return len([row async for row in estate.storage.connections.list_columns() if row.columns.phase == "Ready"])


async def many_at_once(number: int, durations: Durations, limits: str) -> Figures:
    """So many endpoints in one subscription, each with its own network and zone; two processes, 24 runs at once."""
    estate = await opened(durations, OWN_VNET, limits)
    regions = [service.region for service in HOSTED]
    endpoints = [await spoke(estate, one, regions[one % len(regions)]) for one in range(number)]
    return await until_ready(estate, endpoints, workers=2, side_by_side=12, longest=600.0)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of sweeps."""

    refused: int
    longest_gap: float
    """Seconds between two authoritative reads of one zone at most."""
    reads_of_one_sweep: int
    zones_read: int
    errors: tuple[str, ...]


INTERVAL, SWEEPS = 300.0, 13


async def swept(number: int, limits: str) -> Hour:
    """An hour of sweeps of a subscription with so many zones of Elastic's names, one of which is in use."""
    estate = await Estate().open()
    estate.arm_settings.zone_seconds, estate.arm_settings.page_size = 0, 100
    endpoint = await estate.put_endpoint()
    await estate.settle()
    for one in range(number - 1):
        group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-{one // len(HOSTED)}"
        zone = f"{group}/providers/Microsoft.Network/privateDnsZones/{HOSTED[one % len(HOSTED)].zone}"
        await estate.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(4200)
    estate.arm_settings.arm_bucket = ArmSettings().arm_bucket
    estate.arm_settings.private_dns_limits = "newer" if limits == "newer" else "older"
    estate.arm.requests.clear()
    began, most, errors = estate.clock.now(), 0, list[str]()
    for _ in range(SWEEPS):
        before = len(estate.arm.requests)
        errors += (await estate.sweep()).errors
        most = max(most, sum(map(is_dns_read, estate.arm.requests[before:])))
        await estate.settle(INTERVAL)
        await estate.clock.sleep(INTERVAL - (estate.clock.now() - began).total_seconds() % INTERVAL)
    await estate.ready(endpoint)
    times: dict[str, list[float]] = {}
    for request in estate.arm.requests:
        if request.operation == "LIST record":
            zone = request.path.lower().rpartition("/")[0]
            times.setdefault(zone, [0.0]).append((request.at - began).total_seconds())
    gaps = (b - a for one in times.values() for a, b in pairwise([*one, SWEEPS * INTERVAL]))
    refused = len([one for one in estate.arm.requests if one.status == 429])
    return Hour(refused, max(gaps), most, len(times), tuple(errors))


async def large_estate(endpoints: int, subscriptions: int) -> Estate:
    """So many endpoints in so many subscriptions, of which the app knows nothing yet: each is observed and queued."""
    ids = [f"00000000-0000-0000-0001-{number:012}" for number in range(subscriptions)]
    estate = await Estate(settings={"AZURE_SUBSCRIPTIONS": ",".join(ids)}).open()
    estate.arm_settings.subscriptions += ids
    estate.arm_settings.page_size, estate.arm_settings.network_writes_per_5_minutes = 100, None
    estate.arm_settings.allocate_address = None  # of loopback there are addresses for some hundred networks only
    estate.events.settings.drop = True
    estate.elastic_settings.approves = False  # it would look at every endpoint at every change
    for number in range(endpoints):
        subscription, place = ids[number % subscriptions], number // subscriptions
        group = f"/subscriptions/{subscription}/resourceGroups/rg-apps-{place // len(HOSTED)}"
        vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet-1"
        if place % len(HOSTED) == 0:
            await estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{number % 200}"))
        service = HOSTED[place % len(HOSTED)]
        endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/pe-{number}"
        await estate.azure("PUT", endpoint, endpoint_body("eastus2", vnet, service.alias, {}))
    await estate.clock.sleep(600)
    return estate
