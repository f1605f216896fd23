"""Several networks are normal: a second one works, and the network that answers the clients decides."""

from __future__ import annotations

import pytest

from local.world import OWN_VNET, vnet_body
from shared.core.model.record import ConnectionRecord
from tests.harness.dns import OTHER_SUBSCRIPTION, a_zone_of_others, zone_id
from tests.harness.estate import Estate, arm_error
from tests.harness.networks import (
    HUB,
    RESOLVER,
    Spoke,
    add_hub,
    add_network,
    add_spoke,
    answers,
    expect_ready_only_where_clients_get_the_address,
    network_id,
    three_networks,
)

REGIONS = ("eastus2", "uksouth")


async def settled(estate: Estate) -> None:
    await estate.settle()
    for _ in range(2):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(280)
    await expect_ready_only_where_clients_get_the_address(estate)


async def records(estate: Estate, spokes: list[Spoke], region: str) -> list[ConnectionRecord]:
    return [await estate.connection(spoke.endpoints[region]) for spoke in spokes]


def reason(record: ConnectionRecord, type_: str) -> str:
    condition = record.condition(type_)
    assert condition is not None
    return str(condition.reason)


# -- three networks, two regions each ------------------------------------------------------------------------------


@pytest.mark.parametrize("hub", ["no hub", "a hub that is linked and does not answer"])
async def test_three_networks_without_a_hub_that_answers_are_all_ready_and_tested_where_there_is_a_way(
    hub: str,
) -> None:
    estate = await Estate(app_vnet=OWN_VNET, settings={} if hub == "no hub" else {"DNS_LINK_VNETS": HUB}).open()
    await add_hub(estate)
    spokes = await three_networks(estate, REGIONS)
    await settled(estate)
    for region in REGIONS:
        for spoke, record in zip(spokes, await records(estate, spokes, region), strict=True):
            assert record.status.phase == "Ready", record.status.conditions
            assert answers(estate, spoke.vnet, region) == (record.identity.address,)
            tested = spoke.name != "apart"
            assert reason(record, "Reachable") == ("Reachable" if tested else "NoRouteFromApp")
            assert reason(record, "Ready") == ("AllConditionsTrue" if tested else "SetUpNotTested")
    assert len(estate.arm.private_dns_zones()) == len(REGIONS) * len(spokes)
    assert (await estate.sweep()).enqueued == 0


async def test_a_hub_that_does_not_answer_follows_one_endpoint_and_is_a_line_of_advice_of_the_others() -> None:
    estate = await Estate(app_vnet=OWN_VNET, settings={"DNS_LINK_VNETS": HUB}).open()
    await add_hub(estate)
    spokes = await three_networks(estate, REGIONS[:1])
    await settled(estate)
    found = [record.advice for record in await records(estate, spokes, REGIONS[0])]
    told = [[one.reason for one in advice if one.reason == "NetworkLinkedToAnotherZone"] for advice in found]
    assert sorted(map(len, told)) == [0, 1, 1]


async def test_first_a_hub_that_answers_leaves_one_endpoint_of_a_region_ready_and_tells_the_others_why() -> None:
    estate = await Estate(app_vnet=OWN_VNET, settings={"DNS_LINK_VNETS": HUB}).open()
    await add_hub(estate)
    spokes = await three_networks(estate, REGIONS, servers=(RESOLVER,))
    await settled(estate)
    for region in REGIONS:
        found = await records(estate, spokes, region)
        (ready,) = [one for one in found if one.status.phase == "Ready"]
        others = [one for one in found if one is not ready]
        for other in others:
            assert other.status.phase == "Degraded", other.status.conditions
            assert reason(other, "Ready") == "AnsweredByAnotherZone"
            message = next(one.message for one in other.status.conditions if one.type == "Ready")
            for named in (HUB, f"privatelink.{region}.azure.elastic-cloud.com", ready.endpoint_id):
                assert named.lower() in message.lower()
        for spoke in spokes:
            assert answers(estate, spoke.vnet, region) == (ready.identity.address,)
    assert (await estate.sweep()).enqueued == 0, "what only a person can change is left alone"


async def test_union_a_hub_that_answers_leads_to_every_endpoint_of_a_region_and_the_others_are_named() -> None:
    settings = {"DNS_LINK_VNETS": HUB, "DNS_RECORD_MODE": "union"}
    estate = await Estate(app_vnet=OWN_VNET, settings=settings).open()
    await add_hub(estate)
    spokes = await three_networks(estate, REGIONS, servers=(RESOLVER,))
    await settled(estate)
    for region in REGIONS:
        found = await records(estate, spokes, region)
        addresses = {record.identity.address for record in found}
        for spoke, record in zip(spokes, found, strict=True):
            assert record.status.phase == "Ready", record.status.conditions
            assert set(answers(estate, spoke.vnet, region)) == addresses
            (advice,) = [one for one in record.advice if one.reason == "RecordShared"]
            for other in addresses - {record.identity.address}:
                assert other in advice.message


# -- who answers ---------------------------------------------------------------------------------------------------


async def one_spoke(*servers: str, **settings: str) -> tuple[Estate, Spoke]:
    estate = await Estate(app_vnet=OWN_VNET, settings=settings).open()
    await add_hub(estate)
    return estate, await add_spoke(estate, "one", 1, ("eastus2",), servers=servers)


async def test_a_hub_that_answers_and_is_linked_to_nothing_is_named_with_what_to_do() -> None:
    estate, spoke = await one_spoke(RESOLVER)
    await settled(estate)
    (record,) = await records(estate, [spoke], "eastus2")
    assert (record.status.phase, reason(record, "Linked")) == ("Degraded", "AnsweringNetworkNotLinked")
    ready = record.condition("Ready")
    assert ready is not None
    assert HUB in ready.message
    assert f"Add {HUB} to DNS_LINK_VNETS" in ready.next_step
    estate.worker = estate.new_worker(DNS_LINK_VNETS=HUB)
    await settled(estate)
    await estate.ready(spoke.endpoints["eastus2"])
    assert answers(estate, spoke.vnet, "eastus2") == (record.identity.address,)


@pytest.mark.parametrize("servers", [("203.0.113.53",), ("10.99.0.53",)])
async def test_servers_that_no_network_contains_leave_the_connection_ready_with_an_advice(
    servers: tuple[str, ...],
) -> None:
    estate, spoke = await one_spoke(*servers)
    await settled(estate)
    record = await estate.ready(spoke.endpoints["eastus2"])
    assert record.dns.resolution is not None
    assert record.dns.resolution.unknown == servers


async def test_azures_own_server_among_them_means_the_endpoints_own_network() -> None:
    estate, spoke = await one_spoke(RESOLVER, "168.63.129.16")
    await settled(estate)
    record = await estate.ready(spoke.endpoints["eastus2"])
    assert record.dns.resolution is not None
    assert record.dns.resolution.networks == (spoke.vnet,)


async def test_name_servers_that_change_later_are_noticed_by_the_next_sweep() -> None:
    estate, spoke = await one_spoke()
    await settled(estate)
    await estate.ready(spoke.endpoints["eastus2"])
    network = estate.arm.virtual_network(spoke.vnet)
    assert network is not None
    network.dns_servers = [RESOLVER]
    await estate.peer(spoke.vnet, HUB, connected=True)
    await settled(estate)
    (record,) = await records(estate, [spoke], "eastus2")
    assert (record.status.phase, reason(record, "Linked")) == ("Degraded", "AnsweringNetworkNotLinked")
    network.dns_servers = []
    await settled(estate)
    await estate.ready(spoke.endpoints["eastus2"])


async def test_without_the_right_to_read_the_network_the_connection_is_ready_with_an_advice() -> None:
    estate, spoke = await one_spoke()
    estate.arm_settings.denied_actions.add("Microsoft.Network/virtualNetworks/read")
    await settled(estate)
    record = await estate.ready(spoke.endpoints["eastus2"])
    assert record.dns.resolution is not None
    assert not record.dns.resolution.complete


async def test_a_zone_of_the_hub_team_is_used_wherever_it_is_when_the_hub_answers() -> None:
    estate, spoke = await one_spoke(RESOLVER, DNS_LINK_VNETS=HUB)
    zone = f"/subscriptions/{HUB.split('/')[2]}/resourceGroups/rg-hub-team/providers/Microsoft.Network/privateDnsZones/"
    zone += "privatelink.eastus2.azure.elastic-cloud.com"
    await estate.azure("PUT", zone, {"location": "global"}, api="2024-06-01")
    await estate.clock.sleep(60)
    link = {"location": "global", "properties": {"virtualNetwork": {"id": HUB}, "registrationEnabled": False}}
    await estate.azure("PUT", f"{zone}/virtualNetworkLinks/hub", link, api="2024-06-01")
    await settled(estate)
    record = await estate.ready(spoke.endpoints["eastus2"])
    assert record.dns.zone is not None
    assert record.dns.zone.id.lower() == zone.lower()
    assert len(estate.arm.private_dns_zones()) == 1, "no zone of its own"


# -- many networks -------------------------------------------------------------------------------------------------

MANY = 32


@pytest.mark.parametrize("mode", ["first", "union"])
async def test_of_32_spokes_behind_one_hub_each_is_ready_or_told_why(mode: str) -> None:
    """One zone for all of them. Azure lets 20 addresses stand in one record."""
    settings = {"DNS_LINK_VNETS": HUB, "DNS_RECORD_MODE": mode}
    estate = await Estate(app_vnet=OWN_VNET, settings=settings).open()
    await add_hub(estate)
    spokes = [
        await add_spoke(estate, f"spoke-{number}", number, ("eastus2",), servers=(RESOLVER,)) for number in range(MANY)
    ]
    await settled(estate)
    found = await records(estate, spokes, "eastus2")
    told = sorted((str(one.status.phase), reason(one, "Ready")) for one in found)
    ready = [entry for entry in told if entry[0] == "Ready"]
    others = {entry for entry in told if entry[0] != "Ready"}
    if mode == "first":
        assert (len(ready), others) == (1, {("Degraded", "AnsweredByAnotherZone")})
    else:
        assert (len(ready), others) == (20, {("Blocked", "RecordFull")})


async def test_33_networks_of_one_region_with_one_group_are_told_that_there_is_no_place_for_a_zone() -> None:
    group = f"/subscriptions/{network_id('x').split('/')[2]}/resourceGroups/rg-dns"
    estate = await Estate(app_vnet=OWN_VNET, settings={"DNS_ZONE_RESOURCE_GROUPS": group}).open()
    spokes = [await add_spoke(estate, f"spoke-{number}", number, ("eastus2",)) for number in range(MANY + 1)]
    await settled(estate)
    found = await records(estate, spokes, "eastus2")
    told = sorted((str(one.status.phase), reason(one, "ZoneReady")) for one in found)
    assert told == [("Blocked", "NoPlaceForZone")] * MANY + [("Ready", "Exists")]
    assert len(estate.arm.private_dns_zones()) == 1
    assert (await estate.sweep()).enqueued == 0, "what only a person can change is left alone"
    blocked = next(one for one in found if one.status.phase == "Blocked")
    ready = blocked.condition("Ready")
    assert ready is not None
    assert "DNS_ZONE_RESOURCE_GROUPS" in ready.next_step
    more = f"{group},{group}-two"
    estate.worker = estate.new_worker(DNS_ZONE_RESOURCE_GROUPS=more)
    await estate.clock.sleep(3600)
    await settled(estate)
    phases = [str(one.status.phase) for one in await records(estate, spokes, "eastus2")]
    assert phases.count("Ready") == 2, "one more group is one more place"


async def test_a_hub_that_is_reached_without_a_peering_is_found_by_its_prefixes() -> None:
    estate = await Estate(app_vnet=OWN_VNET, settings={"DNS_LINK_VNETS": HUB}).open()
    await add_hub(estate)
    vnet = await add_network(estate, "far", "10.150", servers=(RESOLVER,))
    endpoint = await estate.put_endpoint("pe-far", vnet=vnet, group="rg-far")
    await settled(estate)
    record = await estate.ready(endpoint)
    assert record.dns.resolution is not None
    assert record.dns.resolution.networks == (HUB,)
    assert answers(estate, vnet, "eastus2") == (record.identity.address,)


# -- runs and sweeps see the same ----------------------------------------------------------------------------------


async def test_a_zone_in_the_hubs_own_subscription_is_used_and_no_sweep_thinks_otherwise() -> None:
    """The settings do not name that subscription: the peering alone leads there."""
    estate = await Estate(app_vnet=OWN_VNET).open()
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    hub = HUB.replace(HUB.split("/")[2], OTHER_SUBSCRIPTION)
    await estate.azure("PUT", hub, vnet_body("eastus2", "10.200"))
    zone = await a_zone_of_others(estate, zone_id("rg-hub-team", OTHER_SUBSCRIPTION), hub)
    vnet = await add_network(estate, "one", "10.100", servers=(RESOLVER,))
    await estate.peer(vnet, hub, connected=True)
    endpoint = await estate.put_endpoint("pe-one", vnet=vnet, group="rg-one")
    await settled(estate)
    record = await estate.ready(endpoint)
    assert record.dns.zone is not None
    assert record.dns.zone.id == zone.id
    assert (await estate.sweep()).enqueued == 0, "the sweep sees that zone too"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_sweep_that_cannot_list_networks_just_now_concludes_nothing_about_who_answers(status: int) -> None:
    """The hub is reached without a peering, so only the list tells that it answers."""
    there = HUB.replace(HUB.split("/")[2], OTHER_SUBSCRIPTION)
    estate = Estate(app_vnet=OWN_VNET, settings={"DNS_LINK_VNETS": HUB, "DNS_SUBSCRIPTIONS": OTHER_SUBSCRIPTION})
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    await estate.open()
    await add_hub(estate)
    await estate.azure("PUT", there, vnet_body("eastus2", "10.201"))
    vnet = await add_network(estate, "far", "10.150", servers=("10.201.0.4",))
    endpoint = await estate.put_endpoint("pe-far", vnet=vnet, group="rg-far")
    await settled(estate)
    before = await estate.connection(endpoint)
    assert before.dns.resolution is not None
    assert before.dns.resolution.networks == (there,)
    listing = f"/subscriptions/{OTHER_SUBSCRIPTION}/providers/Microsoft.Network/virtualNetworks"
    busy = arm_error(status, "TooBusy")
    estate.arm.faults.append(lambda request: busy if request.path == listing else None)
    found = await estate.sweep()
    assert (found.enqueued, bool(found.errors)) == (0, True)


async def test_who_answered_in_the_network_before_is_not_believed_of_an_endpoint_made_anew_in_another() -> None:
    """The first run after that is refused by Azure, and a wait goes on a moment later."""
    estate, spoke = await one_spoke()
    await settled(estate)
    (endpoint,) = spoke.endpoints.values()
    await estate.ready(endpoint)
    vnet = await add_network(estate, "two", "10.110", servers=("203.0.113.53",))
    await estate.send(endpoint)
    await estate.settle(5)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    made = await estate.put_endpoint(endpoint.rsplit("/", 1)[-1], vnet=vnet, group=endpoint.split("/")[4])
    assert made.lower() == endpoint.lower()
    await estate.clock.sleep(30)
    estate.events.settings.drop = False
    refused = [arm_error(429, "TooManyRequests")]
    estate.arm.faults.append(
        lambda request: refused.pop() if refused and "privatednszones" in request.path.lower() else None
    )
    await estate.send(endpoint, "event-write")
    await estate.settle(120)
    assert not refused
    record = await estate.connection(endpoint)
    assert record.identity.vnet_id == vnet
    assert record.dns.resolution is not None
    assert record.dns.resolution.networks == ()
