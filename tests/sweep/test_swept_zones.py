"""A sweep of many zones stays within the reads that Azure allows; each zone has its turn within the hour."""

from __future__ import annotations

import os

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from tests.harness.dns import DNS_API
from tests.harness.estate import HOSTED, Estate
from tests.scale.estates import swept
from tests.sweep.sweep_parts import a_ready_connection

ALL = bool(os.environ.get("SCALE"))
"""Set by `make burst`."""
ZONES, LIMITS = ([120, 300, 1000], ["older", "newer"]) if ALL else ([300], ["older"])
INTERVAL, HOUR = 300.0, 3600.0


async def many_zones(estate: Estate, number: int) -> None:
    """So many zones of Elastic's names, in resource groups of their own."""
    for one in range(number):
        group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-{one // len(HOSTED)}"
        zone = f"{group}/providers/Microsoft.Network/privateDnsZones/{HOSTED[one % len(HOSTED)].zone}"
        await estate.azure("PUT", zone, {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(600)


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("number", ZONES)
async def test_each_zone_is_read_within_the_hour_and_azure_refuses_nothing(number: int, limits: str) -> None:
    found = await swept(number, limits)
    assert (found.refused, found.errors, found.zones_read) == (0, (), number)
    assert found.longest_gap <= HOUR


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


async def test_a_sweep_reads_as_many_zones_as_the_setting_says_and_the_others_in_their_turn() -> None:
    estate = await Estate(settings={"ZONES_PER_SWEEP": "10"}).open()
    estate.arm_settings.zone_seconds = 0
    await many_zones(estate, 16)
    read: list[set[str]] = []
    for _ in range(2):
        estate.arm.requests.clear()
        assert (await estate.sweep()).errors == []
        read.append({one.path.lower() for one in estate.arm.requests if one.operation == "LIST record"})
    assert [len(one) for one in read] == [10, 10]
    assert len(read[0] | read[1]) == 16
