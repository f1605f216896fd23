"""A sweep of many zones stays within the reads that Azure allows; each zone has its turn within the hour."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, ArmSettings
from tests.harness.dns import DNS_API
from tests.harness.estate import HOSTED, Estate
from tests.sweep.sweep_parts import a_ready_connection

ZONES = [int(one) for one in os.environ.get("SWEPT_ZONES", "300").split(",")]
"""`make benchmark` takes 120 and 1,000 too."""
INTERVAL, HOUR = 300.0, 3600.0
READS = 500
"""Of private DNS in five minutes."""


async def many_zones(estate: Estate, number: int) -> None:
    """So many zones of Elastic's names, in resource groups of their own."""
    for one in range(number):
        group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-{one // len(HOSTED)}"
        zone = f"{group}/providers/Microsoft.Network/privateDnsZones/{HOSTED[one % len(HOSTED)].zone}"
        await estate.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(600)


@pytest.mark.parametrize("number", ZONES)
async def test_each_zone_is_read_within_the_hour_and_azure_refuses_nothing(number: int) -> None:
    estate = await Estate().open()
    estate.arm_settings.zone_seconds, estate.arm_settings.page_size = 0, 100
    endpoint = await a_ready_connection(estate)
    await many_zones(estate, number)
    estate.arm_settings.arm_bucket = ArmSettings().arm_bucket
    estate.arm.requests.clear()
    began = estate.clock.now()
    for _ in range(13):
        found = await estate.sweep()
        assert found.errors == []
        await estate.settle(INTERVAL)
        next_one = (estate.clock.now() - began).total_seconds() % INTERVAL
        await estate.clock.sleep(INTERVAL - next_one)
    assert not [one for one in estate.arm.requests if one.status == 429]
    read = defaultdict(list)
    for one in estate.arm.requests:
        if one.operation == "LIST record":
            read[one.path.lower().rpartition("/")[0]].append((one.at - began).total_seconds())
    assert len(read) == number + 1
    for zone, times in read.items():
        gaps = [later - before for before, later in zip([0.0, *times], [*times, 13 * INTERVAL], strict=False)]
        assert max(gaps) <= HOUR, zone
    await estate.ready(endpoint)


async def test_a_record_that_was_deleted_among_many_zones_is_found_by_the_next_sweep() -> None:
    estate = await Estate().open()
    estate.arm_settings.zone_seconds = 0
    endpoint = await a_ready_connection(estate)
    await many_zones(estate, 120)
    await estate.sweep()
    await estate.settle(INTERVAL)
    zone = (await estate.ready(endpoint)).dns.zone
    assert zone is not None
    await estate.azure("DELETE", f"{zone.id}/A/*", api=DNS_API)
    await estate.clock.sleep(INTERVAL)
    found = await estate.sweep()
    assert found.enqueued == 1
    await estate.settle(INTERVAL)
    await estate.ready(endpoint)


async def test_sixteen_shared_zones_cost_no_more_than_one_listing_and_two_reads_each() -> None:
    estate = await Estate().open()
    estate.arm_settings.zone_seconds = 0
    await many_zones(estate, 16)
    estate.arm.requests.clear()
    await estate.sweep()
    assert len([one for one in estate.arm.requests if "privatedns" in one.path.lower()]) == 1 + 2 * 16
