"""Zones and networks that are moved, groups that are deleted for hours, links that no read shows: told as such."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import HUB_VNET, vnet_id
from shared.core.model import conditions as c
from shared.core.model.record import ConnectionRecord
from tests.harness.dns import DNS_API, linked
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE

SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
HUB = vnet_id("japaneast", "hub")
MOVED_HUB = HUB.replace("rg-network-japaneast", "rg-new")
API = "2021-04-01"


async def connected(estate: Estate) -> str:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    return endpoint


async def swept(estate: Estate, times: int = 2) -> None:
    for _ in range(times):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(250)


async def move(estate: Estate, group: str, resource: str) -> None:
    """As an administrator does, to the group rg-new."""
    body = {"resources": [resource], "targetResourceGroup": f"{SUBSCRIPTION}/resourceGroups/rg-new"}
    await estate.azure("POST", f"{SUBSCRIPTION}/resourceGroups/{group}/moveResources", body, api=API)
    await estate.clock.sleep(estate.arm_settings.move_seconds + 1)


async def delete_group(estate: Estate, group: str, hours: float) -> None:
    estate.arm_settings.group_delete_seconds = hours * 3600
    await estate.azure("DELETE", f"{SUBSCRIPTION}/resourceGroups/{group}", api=API)


async def removed(estate: Estate, endpoint: str) -> ConnectionRecord:
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    return await estate.connection(endpoint)


async def told(estate: Estate, endpoint: str) -> c.Condition:
    found = (await estate.connection(endpoint)).condition(c.REMOVED)
    assert found is not None
    return found


async def test_a_zone_that_was_moved_stays_in_use_and_is_removed_after_a_persons_word() -> None:
    estate = await Estate().open()
    endpoint = await connected(estate)
    await move(estate, "rg-apps", estate.zone().id)
    await swept(estate)
    record = await estate.ready(endpoint)
    assert record.dns.zone is not None
    assert "/rg-new/" in record.dns.zone.id
    await removed(estate, endpoint)
    left = await told(estate, endpoint)
    assert left.reason == "RecoveredUnconfirmed"
    assert "the zone was moved" in left.message


@pytest.mark.parametrize(("how", "reason"), [("stale", "NetworkIdentityInUse"), ("followed", "")])
async def test_a_hub_that_was_moved_costs_itself_until_the_setting_and_the_old_link_follow(
    how: Any, reason: str
) -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": f"{HUB_VNET},{HUB}"}).open()
    estate.arm_settings.moved_network = how
    hub = estate.arm.virtual_network(HUB)
    assert hub is not None
    hub.peerings.clear()
    endpoint = await connected(estate)
    await move(estate, "rg-network-japaneast", HUB)
    await swept(estate)
    record = await estate.ready(endpoint)
    missing = [one.message for one in record.advice if one.reason == "NetworkNotFound"]
    assert missing == ([] if how == "stale" else missing[:1])  # by the old link it is served still
    estate.worker = estate.new_worker(DNS_LINK_VNETS=f"{HUB_VNET},{MOVED_HUB}")
    await swept(estate)
    record = await estate.ready(endpoint)
    assert [one.reason for one in record.advice] == ([reason] if reason else [])
    if reason:
        (advice,) = record.advice
        assert MOVED_HUB in advice.message
        assert "Delete the zone's old link" in advice.next_step
        old = next(one for one in estate.links_of(estate.zone()) if one.vnet.id == HUB)
        await estate.azure("DELETE", old.id, api=DNS_API)
        await estate.clock.sleep(60)
        await estate.send(endpoint)
        await estate.settle()
        assert not (await estate.ready(endpoint)).advice
    assert MOVED_HUB in linked(estate, estate.zone())


async def test_a_removal_whose_group_is_being_deleted_waits_says_so_and_asks_seldom() -> None:
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": f"{SUBSCRIPTION}/resourceGroups/rg-dns"}).open()
    endpoint = await connected(estate)
    await delete_group(estate, "rg-dns", hours=3)
    await removed(estate, endpoint)
    waiting = await told(estate, endpoint)
    assert "Resource group rg-dns is being deleted, which may take hours" in waiting.message
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    before = len(estate.arm.requests)
    await swept(estate, 6)
    refused = [one for one in estate.arm.requests[before:] if one.method == "DELETE"]
    assert len(refused) <= 7
    await estate.clock.sleep(3 * 3600)
    await estate.settle(GRACE)
    await swept(estate)
    end = await told(estate, endpoint)
    assert (end.reason, end.message) == ("Removed", "Everything that was made for it is removed.")
    assert not (await estate.connection(endpoint)).removal.leftovers


async def test_a_group_that_goes_with_its_endpoint_takes_the_policy_along() -> None:
    estate = await Estate().open()
    endpoint = await connected(estate)
    await delete_group(estate, "rg-apps", hours=4)
    await swept(estate)
    await estate.ready(endpoint)
    await estate.clock.sleep(4 * 3600)
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert not [one.name for one in estate.elastic.rulesets() if one.guids]


async def test_a_zone_with_a_link_that_no_read_shows_goes_after_the_command_that_is_told() -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": HUB_VNET.replace("hub", "missing")}).open()
    estate.arm_settings.phantom_links = True
    endpoint = await connected(estate)
    await removed(estate, endpoint)
    await estate.settle(7200)
    left = await told(estate, endpoint)
    assert (left.reason, left.true) == ("LeftBehind", True)
    assert "a link that no read shows" in left.message
    found = re.search(
        r"for name in ([\w -]+); do az network private-dns link vnet delete --yes -g (\S+) -z (\S+)", left.message
    )
    assert found is not None
    zone = f"{SUBSCRIPTION}/resourceGroups/{found[2]}/providers/Microsoft.Network/privateDnsZones/{found[3]}"
    for name in found[1].split():
        await estate.azure("DELETE", f"{zone}/virtualNetworkLinks/{name}", api=DNS_API)
    await estate.clock.sleep(86400)
    await estate.sweep()
    await estate.settle()
    assert (await told(estate, endpoint)).reason == "Removed"
    assert not estate.arm.private_dns_zones()
