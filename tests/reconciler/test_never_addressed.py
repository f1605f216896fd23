"""Endpoints that never get an IPv4 address: shown without a subnet, or with IPv6 addresses only.

Told after half an hour with what to do, looked at as rarely as the sweep does, and in no other's way.
"""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import endpoint_body, vnet_id
from shared.core.model.reasons import Reason
from shared.core.reasons import remedy_of
from tests.harness.estate import Estate

IPV6_API = "2025-01-01"
WISH = {"elastic-deployments": "logs-eastus2"}


async def without_subnet(estate: Estate) -> str:
    estate.arm_settings.endpoints_without_subnet.add("pe-1")
    return await estate.put_endpoint()


async def of_ipv6_only(estate: Estate) -> str:
    subnet = f"{vnet_id('eastus2')}/subnets/six"
    prefixes = {"addressPrefixes": ["10.1.9.0/24", "fd00:1::/64"]}
    await estate.azure("PUT", subnet, {"properties": prefixes})
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-apps"
    endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/pe-1"
    body = endpoint_body("eastus2", vnet_id("eastus2"), estate.service_of("eastus2").alias, WISH)
    body["properties"] |= {"subnet": {"id": subnet}, "ipVersionType": "IPv6"}
    await estate.azure("PUT", endpoint, body, api=IPV6_API)
    return endpoint


CASES = {
    "without a subnet": (without_subnet, "Azure has not said yet which virtual network the endpoint is in"),
    "of IPv6 only": (of_ipv6_only, "has no private IPv4 address: only fd00:1::4"),
}


@pytest.mark.parametrize("case", CASES)
async def test_an_endpoint_that_never_gets_an_address_is_a_persons_after_half_an_hour_and_rarely_looked_at(
    estate: Estate, case: str
) -> None:
    make, seen = CASES[case]
    endpoint = await make(estate)
    await estate.settle(1500)
    assert (await estate.connection(endpoint)).status.phase == "Provisioning"
    await estate.settle(900)
    record = await estate.connection(endpoint)
    told = [one for one in record.status.conditions if one.reason == "AddressOverdue"]
    assert (record.status.phase, record.schedule.wake_at, estate.queue.messages) == ("Blocked", None, [])
    assert any(seen in one.message for one in told)
    assert all("for 30 minutes or longer" in one.message for one in told)
    assert {one.next_step for one in told} == {remedy_of(Reason.ADDRESS_OVERDUE)}
    before = len(estate.worker.wire.calls)
    await estate.settle(7200)
    assert len(estate.worker.wire.calls) == before, "only the sweep looks"
    for _ in range(3):
        await estate.clock.sleep(300)
        assert (await estate.sweep()).enqueued == 0, "and finds nothing to do"
    assert [await estate.reason(endpoint, one) for one in ("PolicyReady", "Approved")] == ["Exists", "Approved"]


@pytest.mark.parametrize("case", CASES)
async def test_it_holds_up_no_other_endpoint(estate: Estate, case: str) -> None:
    await CASES[case][0](estate)
    await estate.settle(2400)
    other = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    await estate.ready(other)
    estate.events.settings.drop = True
    await estate.delete(other)
    for _ in range(4):
        await estate.clock.sleep(3600)
        swept = await estate.sweep()
        assert swept.errors == []
        await estate.settle()
    assert (await estate.connection(other)).status.phase == "Removed"
    assert [zone.name for zone in estate.arm.private_dns_zones() if "westeurope" in zone.name] == []


async def test_one_whose_network_is_known_is_not_taken_for_moved_when_azure_leaves_its_subnet_out(
    estate: Estate,
) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    estate.arm_settings.endpoints_without_subnet.add("pe-1")
    writes = len([one for one in estate.arm.requests if one.method != "GET"])
    for _ in range(4):
        await estate.send(endpoint)
        await estate.settle(60)
        await estate.clock.sleep(300)
        assert any("without its subnet" in one for one in (await estate.sweep()).errors)
        await estate.settle(60)
    assert len([one for one in estate.arm.requests if one.method != "GET"]) == writes
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.identity.vnet_id) == ("Degraded", vnet_id("eastus2"))
    estate.arm_settings.endpoints_without_subnet.clear()
    await estate.send(endpoint)
    await estate.settle()
    await estate.ready(endpoint)


async def test_one_that_was_made_anew_is_not_taken_for_the_former_one_when_azure_shows_it_late(estate: Estate) -> None:
    """Its policy would follow to the former GUID, and the endpoint that is there be cut off."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    former = estate.arm.snapshot()
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    with estate.arm.shown_as(former):
        await estate.send(endpoint)
        await estate.settle(60)
    assert (await estate.connection(endpoint)).identity.guid == found.resource_guid
    assert [policy.guids for policy in estate.elastic.rulesets() if policy.name == "pe-1"] == [
        {found.resource_guid.lower()}
    ]
    await estate.settle()
    await estate.ready(endpoint)


async def test_where_the_network_of_one_is_not_known_a_removal_leaves_the_zone_that_it_may_use(
    estate: Estate,
) -> None:
    endpoint = await estate.put_endpoint("pe-2", tags={})
    await estate.settle()
    await without_subnet(estate)
    await estate.settle(2400)
    await estate.delete(endpoint)
    await estate.settle(7200)
    record = await estate.connection(endpoint)
    assert (record.status.phase, len(estate.arm.private_dns_zones())) == ("Removed", 1)
    assert any("zone" in one for one in record.removal.leftovers), record.removal.leftovers
