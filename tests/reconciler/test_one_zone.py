"""An endpoint's zone is found without reading every zone of its name.

Where what spared the reads was wrong, all are read before a person is told anything.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from local.world import OWN_VNET, vnet_body
from shared.core.model.errors import RetryLater
from tests.harness.dns import DNS_API
from tests.harness.estate import Estate

HERE = 8
"""Zones of the name that there are before."""


def spoke(number: int) -> str:
    return OWN_VNET.replace("vnet-eastus2-app", f"vnet-spoke-{number}")


async def of_its_own_network(estate: Estate, number: int) -> str:
    """An endpoint in a network and a resource group of its own, so with a zone of its own."""
    await estate.azure("PUT", spoke(number), vnet_body("eastus2", f"10.{100 + number}"))
    return await estate.put_endpoint("pe", vnet=spoke(number), group=f"rg-spoke-{number}")


async def spokes(number: int, **settings: str) -> tuple[Estate, list[str]]:
    estate = await Estate(app_vnet=OWN_VNET, settings=settings).open()
    endpoints = [await of_its_own_network(estate, one) for one in range(number)]
    await estate.settle()
    return estate, endpoints


def reads(estate: Estate) -> list[str]:
    """Private DNS reads of the worker besides polls."""
    calls = [call for call in estate.worker.wire.calls if call.service == "arm" and not call.writes and not call.polls]
    return [call.name for call in calls if "privateDns" in call.what]


async def test_the_cost_of_an_endpoint_does_not_grow_with_the_zones_of_its_name() -> None:
    costs = []
    for before in (0, HERE):
        estate, _ = await spokes(before)
        estate.worker = estate.new_worker()
        await of_its_own_network(estate, 50)
        await estate.settle()
        costs.append(len(reads(estate)))
    assert costs[0] == costs[1]


async def link_by_hand(estate: Estate, zone: str, vnet: str) -> None:
    body = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
    await estate.azure("PUT", f"{zone}/virtualNetworkLinks/by-hand", body, api=DNS_API)
    await estate.clock.sleep(10)


@pytest.mark.parametrize("tables", ["kept", "lost"])
@pytest.mark.parametrize("mode", ["first", "union"])
async def test_a_link_that_our_records_do_not_know_decides_all_the_same(mode: str, tables: str) -> None:
    """A person linked the new network to a zone of ours: our records say that it serves another one."""
    estate, (first, *_) = await spokes(2, DNS_RECORD_MODE=mode)
    zone = (await estate.ready(first)).dns.zone
    assert zone is not None
    await estate.azure("PUT", spoke(50), vnet_body("eastus2", "10.150"))
    await link_by_hand(estate, zone.id, spoke(50))
    if tables == "lost":
        estate.storage.connections.clear()
    estate.worker = estate.new_worker()
    endpoint = await of_its_own_network(estate, 50)
    await estate.settle()
    found = await estate.connection(endpoint)
    assert found.dns.zone is not None
    assert found.dns.zone.id == zone.id
    served = [one.id for one in estate.arm.zones_linked_to(spoke(50))]
    assert served == [zone.id]
    assert found.status.phase == ("Ready" if mode == "union" else "Blocked"), found.status.conditions
    if mode == "first":
        record = found.condition("RecordReady")
        assert record is not None
        assert first in record.message
    assert len([one for one in estate.arm.private_dns_zones() if "rg-spoke-0" in one.id]) == 1


async def test_two_endpoints_of_one_network_and_region_at_once_use_one_zone() -> None:
    estate = await Estate(app_vnet=OWN_VNET, settings={"DNS_RECORD_MODE": "union"}).open()
    await of_its_own_network(estate, 1)
    await estate.put_endpoint("pe-b", vnet=spoke(1), group="rg-other")
    await estate.clock.sleep(5)

    async def handled() -> None:
        while (message := estate.queue.receive()) is not None:
            with suppress(RetryLater):
                await estate.handle(message)

    await asyncio.gather(handled(), handled())
    await estate.settle()
    await estate.sweep()
    await estate.settle()
    phases = {row.columns.phase async for row in estate.storage.connections.list_columns()}
    assert phases == {"Ready"}
    assert len(estate.arm.zones_linked_to(spoke(1))) == 1


async def test_without_a_place_for_the_zone_the_one_who_holds_it_is_named() -> None:
    """A person is told nothing that our records alone say."""
    group = f"/subscriptions/{OWN_VNET.split('/')[2]}/resourceGroups/rg-zones"
    estate, (first,) = await spokes(1, DNS_ZONE_RESOURCE_GROUPS=group)
    await estate.ready(first)
    estate.worker = estate.new_worker()
    endpoint = await of_its_own_network(estate, 2)
    await estate.settle()
    condition = (await estate.connection(endpoint)).condition("ZoneReady")
    assert condition is not None
    assert condition.reason == "NoPlaceForZone"
    assert first in condition.message
