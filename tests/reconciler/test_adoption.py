"""Switched on over an estate that exists: what is as it should be is used, what is missing made, nothing touched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local.world import HUB_VNET, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.markers import Marker
from shared.core.model.ownership import Owner
from shared.core.model.services import Family
from shared.installation.recovered import confirm_recovered, recovered_list
from tests.harness.by_hand import connection_by_hand, policy_by_hand, zone_by_hand
from tests.harness.estate import Estate
from tests.harness.platform_parts import ASKED

pytestmark = pytest.mark.both_families(at_length=True)

DNS_API = "2024-06-01"


def writes(estate: Estate) -> list[str]:
    return [call.name for call in estate.worker.wire.calls if call.writes and call.service in {"arm", "elastic"}]


def snapshot(estate: Estate) -> dict[str, Any]:
    """Everything in both clouds that is neither ours nor an endpoint, in full."""
    zones = {
        zone.id: (dict(zone.tags), zone.etag, copy.deepcopy(zone.record_sets), [vars(x) for x in estate.links_of(zone)])
        for zone in estate.arm.private_dns_zones()
    }
    policies = {policy.id: copy.deepcopy(policy) for policy in estate.elastic.rulesets()}
    associations = {one.id: [p.id for p in estate.elastic.attached(one.id)] for one in estate.elastic.deployments()}
    return {"zones": copy.deepcopy(zones), "policies": policies, "associations": associations}


async def swept(estate: Estate, times: int = 1) -> None:
    for _ in range(times):
        await estate.sweep()
        await estate.settle()
        await estate.clock.sleep(300)


@pytest.mark.both_families
@pytest.mark.parametrize("tags", [{"elastic-deployments": "logs-eastus2"}, {}], ids=["with its tag", "without any tag"])
async def test_over_an_estate_made_by_the_guide_the_first_run_writes_nothing_and_all_is_ready(
    tags: dict[str, str],
) -> None:
    estate = await Estate().open()
    first = await connection_by_hand(estate, "pe-1", tags=tags)
    second = await connection_by_hand(estate, "pe-2", "westeurope", location="westeurope")
    before = snapshot(estate)
    await swept(estate, 3)
    for endpoint in (first, second):
        connection = await estate.ready(endpoint)
        owners = {connection.dns.zone, *connection.dns.links, connection.dns.record}
        assert {thing.owner for thing in owners if thing} == {Owner.ADOPTED}
        assert connection.elastic.policy.owner is Owner.ADOPTED
        assert [memory.owner for memory in connection.elastic.associations] == [Owner.ADOPTED]
        assert connection.elastic.targets, "what it leads to is tested, although no tag asks for it"
    assert writes(estate) == []
    assert snapshot(estate) == before


async def remove_record(estate: Estate, zone: str, _: str) -> str:
    await estate.azure("DELETE", f"{zone}/A/*", api=DNS_API)
    return "A/*"


async def remove_hub_link(estate: Estate, zone: str, _: str) -> str:
    await estate.azure("DELETE", f"{zone}/virtualNetworkLinks/by-hand-1", api=DNS_API)
    await estate.clock.sleep(60)
    return "virtualNetworkLinks"


async def remove_association(estate: Estate, _: str, endpoint: str) -> str:
    (policy,) = estate.policies_of(endpoint)
    (target,) = [one.id for one in estate.elastic.deployments() if one.name == "logs-eastus2"]
    estate.elastic.disassociate(policy.id, target)
    return "associations" if estate.family is Family.HOSTED else "/projects/"


@pytest.mark.parametrize("remove", [remove_record, remove_hub_link, remove_association])
async def test_what_is_missing_is_completed_and_nothing_else_is_written(
    estate: Estate, remove: Callable[[Estate, str, str], Any]
) -> None:
    endpoint = await connection_by_hand(estate, "pe-1")
    missing = await remove(estate, estate.zone().id, endpoint)
    await swept(estate, 2)
    await estate.ready(endpoint)
    assert len(writes(estate)) == 1
    assert missing in writes(estate)[0]


# -- foreign and in the way: who holds it --------------------------------------------------------------------------


async def test_a_record_of_others_with_another_address_is_left_and_its_maker_named(estate: Estate) -> None:
    endpoint = await connection_by_hand(estate, "pe-1")
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/*", body, api=DNS_API)
    await swept(estate)
    condition = (await estate.connection(endpoint)).condition("RecordReady")
    assert condition is not None
    assert (condition.reason, "made by others" in condition.message) == ("RecordHeldByOthers", True)
    assert writes(estate) == []


async def test_what_another_installation_made_is_used_and_that_installation_named() -> None:
    theirs = await Estate(settings={"INSTANCE_ID": "theirs"}).open()
    endpoint = await theirs.put_endpoint()
    await theirs.settle()
    await theirs.ready(endpoint)
    theirs.storage.connections.clear()
    theirs.settings["INSTANCE_ID"] = "ours"
    theirs.worker = theirs.new_worker()
    before = snapshot(theirs)
    await swept(theirs, 2)
    connection = await theirs.ready(endpoint)
    said = {condition.type: condition.message for condition in connection.status.conditions}
    assert "installation theirs" in said["PolicyReady"]
    assert "installation theirs" in said["RecordReady"]
    assert "installation theirs" in said["ZoneReady"]
    assert connection.elastic.policy.owner is Owner.ADOPTED
    assert snapshot(theirs) == before


async def test_a_policy_of_others_with_another_name_is_left_and_blocks(estate: Estate) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(60)
    policy = policy_by_hand(estate, endpoint, "eastus2")
    policy.rules[0]["azure_endpoint_name"] = "wrong"
    await swept(estate)
    condition = (await estate.connection(endpoint)).condition("PolicyReady")
    assert condition is not None
    assert condition.reason == "PolicyNameMismatch"
    assert "made by others" in condition.message
    assert policy.rules[0]["azure_endpoint_name"] == "wrong"


@pytest.mark.both_families
async def test_of_several_policies_the_associated_one_is_used_then_the_lowest_id_and_the_rest_reported(
    estate: Estate,
) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(60)
    policies = [policy_by_hand(estate, endpoint, "eastus2", name=f"p{number}") for number in range(3)]
    await swept(estate)
    lowest = min(policies, key=lambda policy: policy.id)
    assert (await estate.connection(endpoint)).elastic.policy.id == lowest.id
    chosen = max(policies, key=lambda policy: policy.id)
    (target,) = [one.id for one in estate.elastic.deployments() if one.name == "logs-eastus2"]
    estate.elastic.disassociate(lowest.id, target)
    estate.elastic.associate(chosen, target)
    await estate.send(endpoint)
    await estate.settle()
    connection = await estate.connection(endpoint)
    said = connection.condition("PolicyReady")
    assert said is not None
    assert connection.elastic.policy.id == chosen.id
    assert all(policy.id in said.message for policy in policies)


async def test_a_network_linked_to_a_zone_of_others_uses_that_zone(estate: Estate) -> None:
    """Rule 1, for every maker and every place."""
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(60)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    zone = await zone_by_hand(estate, "eastus2", str(found.address), vnet_id("eastus2"), HUB_VNET, group="rg-far")
    await swept(estate)
    connection = await estate.ready(endpoint)
    assert connection.dns.zone is not None
    assert connection.dns.zone.id.lower() == zone.lower()
    assert len(estate.arm.private_dns_zones()) == 1


# -- state lost ----------------------------------------------------------------------------------------------------


@pytest.mark.both_families
async def test_with_all_tables_lost_one_sweep_rebuilds_the_connections_and_writes_nothing(estate: Estate) -> None:
    ours = await estate.put_endpoint()
    other = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    by_hand = await connection_by_hand(estate, "pe-3", "japaneast")
    await swept(estate)
    before = {endpoint: await estate.connection(endpoint) for endpoint in (ours, other, by_hand)}
    clouds = snapshot(estate)
    estate.storage.connections.clear()
    estate.storage.journal.clear()
    estate.storage.control.clear()
    estate.worker = estate.new_worker()
    await swept(estate)
    assert writes(estate) == []
    assert snapshot(estate) == clouds
    for endpoint, was in before.items():
        now = await estate.ready(endpoint)
        assert (now.dns.zone, set(now.dns.links), now.dns.record) == (was.dns.zone, set(was.dns.links), was.dns.record)
        assert (now.elastic.policy.id, now.elastic.policy.owner) == (was.elastic.policy.id, was.elastic.policy.owner)
    await swept(estate, 2)
    assert writes(estate) == []


@pytest.mark.both_families
async def test_what_was_made_for_an_endpoint_that_went_while_the_tables_were_lost_is_found_by_its_markers(
    estate: Estate,
) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    estate.storage.connections.clear()
    estate.worker = estate.new_worker()
    await swept(estate)
    connection = await estate.connection(endpoint)
    assert connection.dns.zone is not None
    assert (connection.dns.zone.owner, connection.elastic.policy.owner) == (Owner.OURS, Owner.OURS)
    assert writes(estate) == [], "nothing is deleted on the way"
    await swept(estate, 6)
    assert await estate.reason(endpoint, "Removed") == "RecoveredUnconfirmed", (
        "whose the association is, no marker says"
    )
    found = await recovered_list(estate.worker.context)
    assert await confirm_recovered(estate.worker.context, found.id, ASKED) is not None
    await swept(estate, 6)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.arm.private_dns_zones() == []
    assert [policy.name for policy in estate.elastic.rulesets() if policy.guids] == []


async def test_what_another_installation_left_behind_is_none_of_ours(estate: Estate) -> None:
    ready = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(ready)
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint("pe-theirs")
    policy = policy_by_hand(estate, endpoint, "eastus2", "logs-eastus2")
    policy.description = Marker("theirs", connection_id(endpoint), endpoint).description()
    await estate.delete(endpoint)
    await estate.clock.sleep(3600)
    assert (await estate.sweep()).enqueued == 0
    assert await estate.storage.connections.get(connection_id(endpoint)) is None
