"""What a sweep of a large estate costs, and how it is shared out: by the requests that the clouds counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, Incoming
from local.world import HUB_VNET, VNET_REGIONS, vnet_id
from shared.api.plans import plan_page
from shared.core.model.messages import decode
from shared.core.reports.plan_text import preview_document
from tests.harness.by_hand import policy_by_hand, zone_by_hand
from tests.harness.estate import HOSTED, Estate, arm_error
from tests.harness.wire import Call, Fault, Killed, Stall

REGIONS = [service.region for service in HOSTED]
NETWORKS = [vnet_id(region, role) for region in VNET_REGIONS for role in ("apps", "hub")]
OTHERS = tuple(f"00000000-0000-0000-0000-0000000000{number:02}" for number in range(2, 6))
DNS_BUDGET, ARM_BUDGET, ELASTIC_BUDGET = 60, 40, 8
"""Requests of one sweep: they grow with pages, not with endpoints. Azure allows 500 private DNS reads in 5 minutes."""

STORAGE_BUDGET = 12
"""Requests to the storage for the plans of a thousand connections: one listing, and a few rows."""
PLANNED = 0.3
"""The processor's time for one connection's plan, at most, in those of `fixed_work`; three times what it takes."""


def reads(estate: Estate, arm_before: int, elastic_before: int) -> Counter[str]:
    """Requests that each service has counted since, by their budgets."""
    cost = Counter(
        "dns" if "privatednszones" in one.path.lower() else "arm" for one in estate.arm.requests[arm_before:]
    )
    return cost + Counter(elastic=len(estate.elastic.requests) - elastic_before)


def twice(estate: Estate) -> list[str]:
    """What was asked for more than once; pages of one listing differ in their query or body."""
    asked = Counter(call.what for call in estate.worker.wire.calls if call.service in {"arm", "elastic"})
    return [what for what, times in asked.items() if times > 1 and "_search" not in what]


async def large_estate(endpoints: int, deployments: int) -> Estate:
    """So many endpoints and policies over all regions, a zone for each region, so many deployments in each."""
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    estate.events.settings.drop = True
    # Approvals do not matter here, and looking for them after each of thousands of changes takes for ever.
    estate.arm.changes.clear()
    estate.elastic_settings.approves = False
    estate.elastic_settings.max_rulesets = 10_000
    for region in REGIONS:
        for number in range(deployments - 2):
            estate.elastic.add_deployment(f"d{number}-{region}", region, ip_policy=True)
        await zone_by_hand(estate, region, "10.0.0.4", vnet_id("eastus2"), vnet_id("westeurope"))
    for number in range(endpoints):
        region = REGIONS[number % len(REGIONS)]
        tags = {"elastic-deployments": f"d{number // len(REGIONS) % (deployments - 2)}-{region}"}
        vnet = NETWORKS[number % len(NETWORKS)]
        location = vnet.rpartition("/vnet-")[2].partition("-")[0]
        endpoint = await estate.put_endpoint(f"pe-{number}", region=region, location=location, vnet=vnet, tags=tags)
        policy_by_hand(estate, endpoint, region, f"logs-{region}")
    await estate.clock.sleep(600)
    estate.arm_settings.page_size = 100
    return estate


async def test_a_thousand_endpoints_cost_no_more_than_their_pages() -> None:
    estate = await large_estate(1000, 20)
    for known in (False, True):
        if known:
            await keep_records(estate)
        estate.worker = estate.new_worker()
        before = len(estate.arm.requests), len(estate.elastic.requests)
        found = await estate.sweep()
        assert (found.endpoints, found.enqueued, found.errors) == (1000, 1000, [])
        cost = reads(estate, *before)
        assert cost["dns"] <= DNS_BUDGET, cost
        assert cost["arm"] <= ARM_BUDGET, cost
        assert cost["elastic"] <= ELASTIC_BUDGET, cost
        assert twice(estate) == []
        await plan_during_the_backlog(estate)
        estate.queue.messages.clear()


async def plan_during_the_backlog(estate: Estate) -> None:
    """A thousand plans cost as many requests as their pages do, and the processor a few times a fixed piece of work."""
    assert len(estate.queue.messages) == 1000
    worker, loop = estate.new_worker(), asyncio.get_running_loop()
    context, calls = worker.context, worker.wire.calls
    began, requests = loop.time(), len(estate.arm.requests)
    page = await plan_page(context, limit=100)
    assert (len(page.previews), page.total, loop.time() - began) == (100, 1000, 0), "it waits for nothing"
    assert len(estate.arm.requests) - requests <= DNS_BUDGET + ARM_BUDGET
    stored = sum(call.service not in {"arm", "elastic"} for call in calls)
    assert stored <= STORAGE_BUDGET, Counter(call.service for call in calls)
    asked, busy = len(calls), time.process_time()
    while page.next is not None:
        page = await plan_page(context, limit=100, cursor=page.next)
        [preview_document(one) for one in page.previews]
    busy = time.process_time() - busy
    assert len(calls) == asked, "the further pages are made from what was read for the first"
    assert busy < 900 * PLANNED * fixed_work(), "what one connection costs grows with all others again"


def fixed_work() -> float:
    """Seconds of the processor for the same work on every machine: the least of some tries."""

    def once() -> float:
        began = time.process_time()
        json.dumps([{"number": number, "text": f"{number:x}"} for number in range(20_000)])
        return time.process_time() - began

    return min(once() for _ in range(5))


async def keep_records(estate: Estate) -> None:
    """A record for every endpoint, as a run would have begun it."""
    from shared.core.model.record import ConnectionRecord  # noqa: PLC0415
    from shared.state.codec import holding  # noqa: PLC0415
    from shared.state.rows import ConnectionRow  # noqa: PLC0415

    for endpoint in estate.arm.private_endpoints():
        record = ConnectionRecord(endpoint.id).with_identity(
            guid=endpoint.resource_guid, address=endpoint.address or ""
        )
        await estate.storage.connections.insert(holding(ConnectionRow(record.id), record))


async def test_hundreds_of_checks_that_fail_together_read_the_networks_once() -> None:
    """Each failure looks at the networks around it."""
    settings = {"DNS_RECORD_MODE": "union", "VERDICT_CHANGES_AFTER": "1", "APP_VNET": HUB_VNET}
    estate = await Estate(settings=settings).open()
    for number in range(12):
        await estate.put_endpoint(f"pe-{number}")
    await estate.settle()
    await estate.clock.sleep(2 * 24 * 3600)
    estate.network.broken.update(endpoint.address or "" for endpoint in estate.arm.private_endpoints())
    estate.worker = estate.new_worker()
    found = await estate.sweep()
    assert (found.probed, found.unhealthy) == (12, 12)
    networks = [call.what for call in estate.worker.wire.calls if "virtualNetworks" in call.what]
    assert len([what for what in networks if "privateDnsZones" not in what]) == 1
    assert twice(estate) == []


async def test_what_a_sweep_has_no_time_to_test_is_told_and_left_to_the_next_one() -> None:
    settings = {"SWEEP_TEST_SECONDS": "30", "CHECKS_AT_ONCE": "1", "DNS_RECORD_MODE": "union"}
    estate = await Estate(settings=settings).open()
    for number in range(3):
        await estate.put_endpoint(f"pe-{number}")
    await estate.settle()
    await estate.clock.sleep(3600)
    estate.worker = estate.new_worker(lambda call: Stall(12.0) if call.what == "append" else None)
    found = await estate.sweep()
    assert (found.probed, found.errors) == (2, ["1 connections were not tested for lack of time"])


# -- several subscriptions -----------------------------------------------------------------------------------------


async def several_subscriptions(**settings: str) -> tuple[Estate, list[str]]:
    """A Ready connection in each of five subscriptions, each in a network of its own."""
    subscriptions = (DEFAULT_SUBSCRIPTION, *OTHERS)
    estate = await Estate(settings={"AZURE_SUBSCRIPTIONS": ",".join(subscriptions), **settings}).open()
    estate.arm_settings.subscriptions = subscriptions
    endpoints = []
    for number, subscription in enumerate(subscriptions):
        region = REGIONS[number]
        vnet = vnet_id("eastus2").replace(DEFAULT_SUBSCRIPTION, subscription)
        estate.network.settings.routed.append([HUB_VNET, vnet])
        endpoints.append(await estate.put_endpoint_in(subscription, region, vnet, f"10.{100 + number}"))
    await estate.settle()
    for endpoint in endpoints:
        await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    estate.worker = estate.new_worker()
    return estate, endpoints


async def test_many_checks_of_several_subscriptions_are_shared_out_one_message_each() -> None:
    estate, endpoints = await several_subscriptions(CHECKS_HERE="3")
    found = await estate.sweep()
    assert (found.probed, found.shared, found.enqueued) == (0, 5, 0)
    parts = [part for message in estate.queue.messages for part in decode(message.text, new_correlation_id="").checks]
    assert sorted(part.subscription_id for part in parts) == sorted((DEFAULT_SUBSCRIPTION, *OTHERS))
    for message in list(estate.queue.messages):
        await estate.queue.send(message.text)  # delivered twice: tested once
    before = estate.clock.now()
    await estate.settle()
    for endpoint in endpoints:
        connection = await estate.ready(endpoint)
        assert connection.health.summary.tested_at >= before
        page = await estate.storage.checks.newest(connection.id, 10)
        assert len([entry for entry in page.entries if entry.at >= before]) == 1
    assert not estate.queue.messages


async def test_a_verdict_that_turns_in_a_shared_check_is_looked_into() -> None:
    estate, endpoints = await several_subscriptions(CHECKS_HERE="0", VERDICT_CHANGES_AFTER="1")
    estate.network.broken.update(endpoint.address or "" for endpoint in estate.arm.private_endpoints())
    await estate.sweep()
    await estate.settle()
    assert {(await estate.connection(endpoint)).status.phase for endpoint in endpoints} == {"Degraded"}


@pytest.mark.parametrize("fault", ["forbidden", "slow"])
async def test_one_slow_or_forbidden_subscription_does_not_hold_up_the_rest(fault: str) -> None:
    estate, endpoints = await several_subscriptions()
    for endpoint in endpoints:
        name = endpoint.rpartition("/")[2]
        zone = next(zone for zone in estate.arm.private_dns_zones() if name in str(zone.tags))
        await estate.azure("DELETE", f"{zone.id}/A/*", api="2024-06-01")

    def faults(call: Call) -> Any:
        return (
            Stall(500)
            if fault == "slow" and f"{OTHERS[0]}/providers/Microsoft.Network/privateEndpoints" in call.what
            else None
        )

    def refused(request: Incoming) -> Any:
        closed = fault == "forbidden" and OTHERS[0] in request.path
        return arm_error(403, "AuthorizationFailed", "no") if closed else None

    estate.arm.faults.append(refused)
    estate.worker = estate.new_worker(faults)
    before = estate.clock.now()
    found = await estate.sweep()
    assert (estate.clock.now() - before).total_seconds() <= 130
    assert found.enqueued == 4
    assert any(OTHERS[0] in error for error in found.errors)
    await estate.settle()
    for number in (0, 2, 3, 4):
        await estate.ready(endpoints[number])


async def test_a_sweep_that_finds_another_under_way_does_nothing() -> None:
    estate = await Estate().open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.clock.sleep(3600)
    first, second = estate.new_worker(lambda call: Stall(5) if call.service == "elastic" else None), estate.new_worker()
    slow = asyncio.create_task(estate.sweep(first))
    await estate.clock.sleep(2)
    assert (await estate.sweep(second)).skipped
    assert reads_of(second) == 0
    assert (await slow).probed == 1
    assert not (await estate.sweep(second)).skipped
    await estate.ready(endpoint)


def reads_of(worker: Any) -> int:
    return sum(call.service in {"arm", "elastic"} for call in worker.wire.calls)


async def test_a_sweep_that_died_holds_up_the_next_ones_for_half_a_minute_at_most() -> None:
    estate = await Estate().open()
    await estate.put_endpoint()
    await estate.settle()
    dead = estate.new_worker(lambda call: Fault.CRASH_BEFORE if call.service == "elastic" else None)
    with suppress(Killed, BaseExceptionGroup):
        await estate.sweep(dead)
    assert (await estate.sweep(estate.new_worker())).skipped
    await estate.clock.sleep(30)
    assert not (await estate.sweep(estate.new_worker())).skipped
