"""The DNS rules of the design, through Azure: which zone is used, and whose record it holds."""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, FaultResponse, Incoming
from local.world import HUB_VNET
from shared.core.model.arm_ids import connection_id
from shared.core.model.ownership import Owned, Owner
from shared.core.planning.dns import link_name
from tests.harness.dns import (
    APPS,
    DNS_API,
    OTHER_SUBSCRIPTION,
    a_zone_of_others,
    address_of,
    an_unheard_endpoint,
    bring,
    linked,
    record_etag,
    zone_id,
)
from tests.harness.estate import Estate

pytestmark = pytest.mark.both_families(at_length=True)


# -- which zone ----------------------------------------------------------------------------------------------------


async def test_a_zone_that_the_network_is_linked_to_is_used_wherever_it_is(estate: Estate) -> None:
    zone = await a_zone_of_others(estate, zone_id("rg-dns-of-others"), APPS)
    (theirs,) = estate.links_of(zone)
    before = (zone.etag, dict(zone.tags), theirs.etag, dict(theirs.tags))
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert estate.zone() is zone, "no second zone"
    assert zone.a_record("*") == [connection.identity.address]
    assert linked(estate, zone) == sorted([APPS, HUB_VNET])
    assert (zone.etag, dict(zone.tags), theirs.etag, dict(theirs.tags)) == before
    assert connection.dns.zone is not None
    assert connection.dns.zone.owner is Owner.ADOPTED
    assert sorted(str(link.owner) for link in connection.dns.links) == ["adopted", "ours"]


async def test_a_zone_at_home_does_not_come_before_the_one_that_the_network_is_linked_to(estate: Estate) -> None:
    home = await a_zone_of_others(estate, zone_id("rg-apps"))
    zone = await a_zone_of_others(estate, zone_id("rg-dns-of-others"), APPS)
    endpoint = await estate.put_endpoint(group="rg-apps")
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert zone.a_record("*") == [connection.identity.address]
    assert (home.a_record("*"), linked(estate, home)) == (None, [])


async def test_a_zone_in_another_subscription_is_found_if_the_settings_name_it() -> None:
    estate = await Estate(settings={"DNS_SUBSCRIPTIONS": OTHER_SUBSCRIPTION}).open()
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    zone = await a_zone_of_others(estate, zone_id("rg-dns", OTHER_SUBSCRIPTION), APPS)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert estate.zone() is zone


async def test_without_one_the_zone_is_made_in_the_endpoints_own_resource_group(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(group="rg-team-seven")
    await estate.settle()
    await estate.ready(endpoint)
    assert estate.zone().id == zone_id("rg-team-seven")


async def test_no_link_lets_machines_register_their_names_in_the_zone(estate: Estate) -> None:
    """With registration every machine of the network would put its own name beside the deployments'."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert [link.registration_enabled for link in estate.links_of(estate.zone())] == [False, False]


async def test_without_one_the_zone_is_made_in_the_hub_resource_group_of_the_settings() -> None:
    hub = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-hub-dns"
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": hub}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert estate.zone().id == zone_id("rg-hub-dns")


async def test_a_zone_at_home_without_a_link_is_used(estate: Estate) -> None:
    zone = await a_zone_of_others(estate, zone_id("rg-apps"))
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert estate.zone() is zone
    assert zone.tags == {"owner": "network team"}


async def test_a_resource_group_that_does_not_exist_is_named() -> None:
    hub = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-nowhere"
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": hub}).open()
    estate.arm_settings.missing_resource_groups.add("rg-nowhere")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    condition = (await estate.connection(endpoint)).condition("ZoneReady")
    assert condition is not None
    assert condition.reason == "ResourceGroupNotFound"
    assert "rg-nowhere" in condition.message


# -- whose record --------------------------------------------------------------------------------------------------


async def test_the_record_is_there_before_any_network_can_see_the_zone(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    writes = [r.operation for r in estate.arm.requests if r.operation in {"PUT zone", "PUT link", "PUT record"}]
    assert writes == ["PUT zone", "PUT record", "PUT link", "PUT link"]


async def test_first_a_second_endpoint_of_the_network_is_blocked_and_told_who_holds_the_record(estate: Estate) -> None:
    first = await estate.put_endpoint("pe-1")
    await estate.settle()
    etag = record_etag(estate.zone())
    second = await estate.put_endpoint("pe-2")
    await estate.settle()
    condition = (await estate.connection(second)).condition("RecordReady")
    assert condition is not None
    assert condition.reason == "RecordHeldByAnotherEndpoint"
    assert first in condition.message
    assert "DNS_RECORD_MODE=union" in condition.next_step
    assert record_etag(estate.zone()) == etag
    await estate.ready(first)
    assert len(estate.policies_of(second)) == 1, "the Elastic branch does not wait for the DNS branch"


async def test_union_both_endpoints_of_the_network_stand_in_the_record() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    endpoints = [await estate.put_endpoint(name) for name in ("pe-1", "pe-2", "pe-3")]
    await estate.settle()
    addresses = {(await estate.ready(endpoint)).identity.address for endpoint in endpoints}
    assert set(estate.zone().a_record("*")) == addresses
    assert len(addresses) == 3
    metadata = estate.zone().record_sets["A", "*"].metadata
    assert {f"elastic-privatelink-holder-{connection_id(endpoint)}" for endpoint in endpoints} < set(metadata)


async def test_a_record_of_others_with_our_address_is_used_as_it_is(estate: Estate) -> None:
    endpoint = await an_unheard_endpoint(estate)
    zone = await a_zone_of_others(estate, zone_id("rg-dns"), APPS, address=address_of(estate, endpoint))
    etag = record_etag(zone)
    await bring(estate, endpoint)
    await estate.sweep()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert await estate.reason(endpoint, "RecordReady") == "Adopted"
    assert connection.dns.record is not None
    assert connection.dns.record.owner is Owner.ADOPTED
    assert record_etag(zone) == etag


async def test_a_record_of_others_with_another_address_is_in_the_way_and_left_alone(estate: Estate) -> None:
    endpoint = await an_unheard_endpoint(estate)
    zone = await a_zone_of_others(estate, zone_id("rg-dns"), APPS, address="10.99.0.4")
    etag = record_etag(zone)
    await bring(estate, endpoint)
    condition = (await estate.connection(endpoint)).condition("RecordReady")
    assert condition is not None
    assert condition.reason == "RecordHeldByOthers"
    assert "10.99.0.4" in condition.message
    assert address_of(estate, endpoint) in condition.next_step
    assert (record_etag(zone), zone.a_record("*")) == (etag, ["10.99.0.4"])
    assert (await estate.connection(endpoint)).status.phase == "Blocked"


async def test_a_record_of_another_installation_is_named_as_its(estate: Estate) -> None:
    other = estate.new_worker(INSTANCE_ID="the-other-one")
    first = await an_unheard_endpoint(estate, "pe-1")
    await estate.send(first)
    await estate.settle(worker=other)
    etag = record_etag(estate.zone())
    second = await estate.put_endpoint("pe-2")
    await estate.settle()
    condition = (await estate.connection(second)).condition("RecordReady")
    assert condition is not None
    assert condition.reason == "RecordHeldByOthers"
    assert "the-other-one" in condition.message
    assert record_etag(estate.zone()) == etag


async def test_two_networks_that_share_a_zone_do_not_lead_each_other_astray() -> None:
    """One resource group, one region, two unpeered networks: the second would resolve to the address in the first."""
    estate = await Estate(settings={"DNS_LINK_VNETS": ""}).open()
    first = await estate.put_endpoint("pe-1", vnet=APPS)
    await estate.settle()
    second = await estate.put_endpoint("pe-2", vnet=HUB_VNET)
    await estate.settle()
    assert linked(estate, estate.zone()) == [APPS]
    assert estate.zone().a_record("*") == [address_of(estate, first)]
    connection = await estate.connection(second)
    condition = connection.condition("ZoneReady")
    assert condition is not None
    assert condition.reason == "NoPlaceForZone"
    assert first in condition.message
    assert "resource group of its own" in condition.next_step
    host = f"anything.es.{estate.service_of('eastus2').zone}"
    assert estate.network.resolve(HUB_VNET, host).addresses == ()
    assert estate.network.resolve(APPS, host).addresses == (address_of(estate, first),)


async def test_union_does_not_join_endpoints_of_networks_that_are_not_linked() -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": "", "DNS_RECORD_MODE": "union"}).open()
    first = await estate.put_endpoint("pe-1", vnet=APPS)
    await estate.settle()
    second = await estate.put_endpoint("pe-2", vnet=HUB_VNET)
    await estate.settle()
    assert estate.zone().a_record("*") == [address_of(estate, first)]
    assert linked(estate, estate.zone()) == [APPS]
    assert await estate.reason(second, "ZoneReady") == "NoPlaceForZone"


# -- a record that changes -----------------------------------------------------------------------------------------


async def made_again(estate: Estate, name: str = "pe-1") -> str:
    """The endpoint under its old name, with a new GUID and another address."""
    endpoint = await estate.put_endpoint(name)
    await estate.settle()
    old = address_of(estate, endpoint)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await an_unheard_endpoint(estate, name)
    assert address_of(estate, endpoint) != old
    return endpoint


async def test_the_record_follows_the_endpoints_address(estate: Estate) -> None:
    endpoint = await made_again(estate)
    await bring(estate, endpoint)
    connection = await estate.ready(endpoint)
    assert connection.identity.address == address_of(estate, endpoint)
    assert estate.zone().a_record("*") == [connection.identity.address]
    assert len(estate.policies_of(endpoint)) == 1


async def test_a_record_that_others_change_meanwhile_is_read_again_and_not_overwritten() -> None:
    """Between the app's read and its write another manager adds its endpoint: the write fails, the addition stays."""
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    endpoint = await made_again(estate)
    record = estate.zone().record_sets["A", "*"]
    met: list[Incoming] = []

    def meanwhile(request: Incoming) -> None:
        if request.operation == "PUT record" and not met:
            met.append(request)
            record.records["aRecords"] = [*record.records["aRecords"], {"ipv4Address": "10.99.0.4"}]
            record.metadata["elastic-privatelink-holder-0123456789abcdef"] = "10.99.0.4 /subscriptions/theirs"
            record.etag = "changed-meanwhile"

    estate.arm.faults.append(meanwhile)
    await bring(estate, endpoint)
    written = [r.status for r in estate.arm.requests if r.operation == "PUT record"]
    assert written == [201, 412, 200]
    assert set(estate.zone().a_record("*")) == {"10.99.0.4", address_of(estate, endpoint)}
    assert "elastic-privatelink-holder-0123456789abcdef" in estate.zone().record_sets["A", "*"].metadata


async def test_a_record_that_appears_between_the_look_and_the_write_is_not_overwritten(estate: Estate) -> None:
    endpoint = await an_unheard_endpoint(estate)
    zone = await a_zone_of_others(estate, zone_id("rg-dns"), APPS)
    spare = await Estate().open()
    other = await a_zone_of_others(spare, zone_id("rg-dns"), address="10.99.0.4")

    def meanwhile(request: Incoming) -> None:
        if request.operation == "PUT record":
            zone.record_sets["A", "*"] = other.record_sets["A", "*"]

    estate.arm.faults.append(meanwhile)
    await bring(estate, endpoint)
    assert [r.status for r in estate.arm.requests if r.operation == "PUT record"] == [412]
    assert zone.a_record("*") == ["10.99.0.4"]
    assert await estate.reason(endpoint, "RecordReady") == "RecordHeldByOthers"


async def test_a_record_that_comes_without_its_etag_is_not_written_blindly(estate: Estate) -> None:
    endpoint = await made_again(estate)
    before = dict(estate.zone().record_sets["A", "*"].records)
    metadata = estate.zone().record_sets["A", "*"].metadata
    properties = {"ttl": 10, "aRecords": before["aRecords"], "metadata": metadata}
    bare = {"id": f"{estate.zone().id}/A/*", "name": "*", "properties": properties}
    one, several = FaultResponse(200, bare, {}), FaultResponse(200, {"value": [bare]}, {})
    answers = {"GET record": one, "LIST record": several}
    estate.arm.faults.append(lambda request: answers.get(request.operation))
    estate.worker = estate.new_worker()
    await bring(estate, endpoint)
    assert await estate.reason(endpoint, "RecordReady") == "TemporaryFailure"
    assert not [call for call in estate.worker.wire.calls if call.name.startswith("arm PUT")]
    assert estate.zone().record_sets["A", "*"].records == before
    estate.arm.faults.clear()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_link_that_is_there_and_not_listed_yet_is_not_overwritten(estate: Estate) -> None:
    """Another installation gives the link to a network the same name."""
    zone = await a_zone_of_others(estate, zone_id("rg-apps"))
    path = f"{zone.id}/virtualNetworkLinks/{link_name(APPS)}"
    properties = {"virtualNetwork": {"id": APPS}, "registrationEnabled": False}
    body = {"location": "global", "tags": {"owner": "theirs"}, "properties": properties}
    await estate.azure("PUT", path, body, api=DNS_API)
    await estate.clock.sleep(10)
    (theirs,) = estate.links_of(zone)
    estate.arm_settings.stale_list_seconds = 120
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert theirs.tags == {"owner": "theirs"}
    assert Owned(theirs.id, Owner.ADOPTED) in connection.dns.links


async def test_a_zone_that_is_there_and_not_listed_yet_is_not_overwritten(estate: Estate) -> None:
    """Another manager has just made it: lists leave it out for a while, and a PUT without a condition would take it."""
    zone = await a_zone_of_others(estate, zone_id("rg-apps"))
    before = (zone.etag, dict(zone.tags))
    estate.arm_settings.stale_list_seconds = 120
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert estate.zone() is zone
    assert (zone.etag, dict(zone.tags)) == before
    assert connection.dns.zone is not None
    assert connection.dns.zone.owner is Owner.ADOPTED
