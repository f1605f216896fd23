"""What an endpoint had in a former region or network goes after the grace, and keeps nothing else from being Ready."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.arm import FaultResponse
from local.world import HUB_VNET, vnet_id
from shared.api.removals import show_removals
from shared.core.model.services import Family
from shared.installation.pause import pause
from shared.installation.recovered import confirm_recovered, recovered_list
from tests.harness.changing import attached
from tests.harness.estate import Estate, arm_error
from tests.harness.leaving import DNS_API, GRACE, connected, everything, removals
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Outcome

pytestmark = pytest.mark.both_families(at_length=True)


async def made_anew(estate: Estate, endpoint: str, **changes: Any) -> None:
    """What Terraform does for a changed alias or subnet: deleted, and made again under its name."""
    await estate.delete(endpoint)
    await estate.put_endpoint(endpoint.rpartition("/")[2], **changes)


async def other_region(estate: Estate) -> str:
    """A Ready connection of eastus2 whose endpoint is now one of westeurope, in the same network."""
    endpoint = await connected(estate)
    await made_anew(estate, endpoint, region="westeurope", location="eastus2")
    await estate.settle(120)
    return endpoint


def east(estate: Estate) -> str:
    return estate.service_of("eastus2").zone


def west(estate: Estate) -> str:
    return estate.service_of("westeurope").zone


def zones(estate: Estate) -> list[str]:
    return sorted(zone.name for zone in estate.arm.private_dns_zones())


async def test_the_new_region_is_ready_while_the_former_one_waits_for_its_grace(estate: Estate) -> None:
    endpoint = await other_region(estate)
    connection = await estate.ready(endpoint)
    assert connection.identity.region == "westeurope"
    assert await estate.reason(endpoint, "FormerRemoved") == "GracePeriod"
    assert zones(estate) == sorted([east(estate), west(estate)])
    assert attached(estate, "logs-westeurope")


@pytest.mark.both_families
async def test_after_the_grace_everything_of_the_former_region_is_gone_and_the_new_one_untouched(
    estate: Estate,
) -> None:
    endpoint = await other_region(estate)
    await estate.settle(2 * GRACE)
    connection = await estate.ready(endpoint)
    assert zones(estate) == [west(estate)]
    assert [policy.region for policy in estate.elastic.rulesets() if policy.guids] == ["azure-westeurope"]
    assert connection.former_things == ()
    assert await estate.reason(endpoint, "FormerRemoved") == "Removed"
    order = removals(estate)
    assert order.index("association") < order.index("policy") < order.index("record") < order.index("zone")
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


@pytest.mark.both_families
async def test_a_last_policy_of_the_former_region_stays_associated_and_the_rest_is_ready() -> None:
    """S2: without it the deployment would be open to the internet."""
    estate = await Estate().open()
    estate.elastic.add_deployment("alone", "eastus2")
    estate.settings["ELASTIC_FIRST_POLICY_ALLOWED"] = "*"
    estate.worker = estate.new_worker(ELASTIC_FIRST_POLICY_ALLOWED="*")
    endpoint = await connected(estate, tags={"elastic-deployments": "alone"})
    assert attached(estate, "alone")
    await made_anew(estate, endpoint, region="westeurope", location="eastus2")
    await estate.settle(3 * GRACE)
    assert attached(estate, "alone"), "it is the deployment's last policy"
    assert zones(estate) == [west(estate)]
    condition = (await estate.connection(endpoint)).condition("FormerRemoved")
    assert condition is not None
    assert condition.reason == "LeftBehind"
    assert "alone" in condition.message
    await estate.ready(endpoint)


async def test_what_is_left_goes_once_it_can(estate: Estate) -> None:
    endpoint = await connected(estate)
    locked = [True]

    def fault(request: Any) -> FaultResponse | None:
        dns = request.method == "DELETE" and "privateDnsZones" in request.path
        return arm_error(409, "ScopeLocked", "no deletes here") if locked[0] and dns else None

    estate.arm.faults.append(fault)
    await made_anew(estate, endpoint, region="westeurope", location="eastus2")
    await estate.settle(2 * GRACE)
    assert await estate.reason(endpoint, "FormerRemoved") == "LeftBehind"
    await estate.ready(endpoint)
    locked[0] = False
    await estate.settle(2 * 3600)
    assert zones(estate) == [west(estate)]
    assert await estate.reason(endpoint, "FormerRemoved") == "Removed"


async def test_what_the_endpoints_tag_retains_stays_in_the_former_region_too(estate: Estate) -> None:
    retained = {"elastic-privatelink-on-delete": "retain"}
    endpoint = await connected(estate, tags={"elastic-deployments": "logs-eastus2", **retained})
    west_too = {"elastic-deployments": "logs-westeurope", **retained}
    await made_anew(estate, endpoint, region="westeurope", location="eastus2", tags=west_too)
    await estate.settle(3 * GRACE)
    await estate.ready(endpoint)
    assert zones(estate) == sorted([east(estate), west(estate)])
    assert attached(estate, "logs-eastus2")


async def test_in_observe_mode_nothing_goes_and_nothing_is_counted(estate: Estate) -> None:
    endpoint = await other_region(estate)
    estate.worker = estate.new_worker(MODE="observe")
    await estate.clock.sleep(GRACE)
    await estate.send(endpoint)
    await estate.settle(2 * GRACE)
    assert await estate.reason(endpoint, "FormerRemoved") == "ObserveMode"
    assert zones(estate) == sorted([east(estate), west(estate)])
    assert (await show_removals(estate.worker.context))["tornDown"] == 0


async def test_a_pause_that_begins_meanwhile_holds_from_the_next_step_on(estate: Estate) -> None:
    endpoint = await other_region(estate)
    begun: list[asyncio.Task[Any]] = []

    def at_the_first_deletion(call: Call) -> Outcome:
        deletes = call.what.startswith("DELETE") or (call.what.startswith("PATCH") and not call.only_asks)
        if deletes and not begun:
            begun.append(asyncio.create_task(pause(estate.worker.context, {"minutes": 60}, ASKED)))
        return None

    estate.worker = estate.new_worker(at_the_first_deletion)
    await estate.settle(2 * GRACE)
    assert len(begun) == 1
    assert len(removals(estate)) == 1
    assert zones(estate) == sorted([east(estate), west(estate)])
    await estate.clock.sleep(3600)
    await estate.sweep()
    await estate.settle(7200)
    assert zones(estate) == [west(estate)]
    assert await estate.reason(endpoint, "FormerRemoved") == "Removed"


async def test_the_former_regions_record_is_handed_to_a_successor_at_once(estate: Estate) -> None:
    endpoint = await connected(estate)
    successor = await estate.put_endpoint("pe-2")
    await estate.settle()
    assert await estate.reason(successor, "RecordReady") == "RecordHeldByAnotherEndpoint"
    await made_anew(estate, endpoint, region="westeurope", location="eastus2")
    await estate.settle(180)
    connection = await estate.ready(successor)
    await estate.settle(2 * GRACE)
    await estate.ready(successor)
    assert estate.zone("eastus2").a_record("*") == [connection.identity.address], "its zone and links stay"
    assert {link.vnet.id for link in estate.links_of(estate.zone("eastus2"))} == {vnet_id("eastus2"), HUB_VNET}


@pytest.mark.both_families
async def test_back_to_its_region_before_the_grace_has_ended_nothing_is_made_twice(estate: Estate) -> None:
    endpoint = await other_region(estate)
    policies = {p.id for p in estate.elastic.rulesets() if p.guids and p.region == "azure-eastus2"}
    await made_anew(estate, endpoint, region="eastus2")
    await estate.settle(3 * GRACE)
    await estate.ready(endpoint)
    assert zones(estate) == [east(estate)]
    assert {policy.id for policy in estate.elastic.rulesets() if policy.guids} == policies, "the same policy serves on"
    assert attached(estate, "logs-eastus2")
    await estate.delete(endpoint)
    await estate.settle(3 * GRACE)
    assert everything(estate) == [], "its associations were still its own"


async def test_an_endpoint_that_goes_takes_its_former_things_with_it(estate: Estate) -> None:
    endpoint = await other_region(estate)
    await estate.delete(endpoint)
    await estate.settle(3 * GRACE)
    assert everything(estate) == []


# -- another network -----------------------------------------------------------------------------------------------


@pytest.fixture
async def apart() -> Estate:
    """Networks that the settings do not name."""
    return await Estate(settings={"DNS_LINK_VNETS": ""}).open()


def networks(estate: Estate) -> set[str]:
    return {link.vnet.id for zone in estate.arm.private_dns_zones() for link in estate.links_of(zone)}


async def moved(estate: Estate, endpoint: str, place: str) -> None:
    await made_anew(estate, endpoint, location=place, vnet=vnet_id(place))


async def test_moved_to_another_network_and_back_there_is_one_link_at_the_end(apart: Estate) -> None:
    endpoint = await connected(apart)
    await moved(apart, endpoint, "westeurope")
    await apart.settle(120)
    assert networks(apart) == {vnet_id("eastus2"), vnet_id("westeurope")}
    assert await apart.reason(endpoint, "FormerRemoved") == "GracePeriod"
    await apart.settle(2 * GRACE)
    assert networks(apart) == {vnet_id("westeurope")}
    await moved(apart, endpoint, "eastus2")
    await apart.settle(3 * GRACE)
    assert networks(apart) == {vnet_id("eastus2")}
    assert apart.zone().a_record("*") == [(await apart.connection(endpoint)).identity.address]
    assert len([policy for policy in apart.elastic.rulesets() if policy.guids]) == 1


async def test_back_within_the_grace_the_link_stays(apart: Estate) -> None:
    endpoint = await connected(apart)
    await moved(apart, endpoint, "westeurope")
    await apart.settle(120)
    await moved(apart, endpoint, "eastus2")
    await apart.settle(3 * GRACE)
    assert networks(apart) == {vnet_id("eastus2")}
    deleted = [call.what for call in apart.worker.wire.calls if call.what.startswith("DELETE")]
    assert len([what for what in deleted if "virtualNetworkLinks" in what]) == 1, "only that of the network in between"


async def test_the_link_to_the_former_network_stays_where_another_endpoint_or_others_names_need_it(
    apart: Estate,
) -> None:
    endpoint = await connected(apart)
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    await apart.azure("PUT", f"{apart.zone().id}/A/theirs", body, api=DNS_API)
    await moved(apart, endpoint, "westeurope")
    await apart.settle(3 * GRACE)
    assert networks(apart) == {vnet_id("eastus2"), vnet_id("westeurope")}, "their name resolves on"


async def test_the_link_to_the_former_network_stays_where_another_endpoint_is_in_it() -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": "", "DNS_RECORD_MODE": "union"}).open()
    endpoint = await connected(estate)
    stays = await connected(estate, "pe-2")
    await moved(estate, endpoint, "westeurope")
    await estate.settle(3 * GRACE)
    await estate.ready(stays)
    assert networks(estate) == {vnet_id("eastus2"), vnet_id("westeurope")}
    assert await estate.reason(endpoint, "FormerRemoved") == "Removed"


async def test_the_link_to_the_former_network_waits_until_its_users_could_be_read(apart: Estate) -> None:
    """Not read is not unused, and no reason to forget it."""
    endpoint = await connected(apart)
    refused = [True]

    def fault(request: Any) -> FaultResponse | None:
        listing = request.path.lower().endswith("/providers/microsoft.network/virtualnetworks")
        return arm_error(403, "AuthorizationFailed", "no right to list networks") if listing and refused[0] else None

    await moved(apart, endpoint, "westeurope")
    await apart.settle(120)
    apart.arm.faults.append(fault)
    await apart.settle(2 * GRACE)
    assert networks(apart) == {vnet_id("eastus2"), vnet_id("westeurope")}
    assert await apart.reason(endpoint, "FormerRemoved") == "LeftBehind"
    refused[0] = False
    await apart.settle(1200)
    assert networks(apart) == {vnet_id("westeurope")}
    assert await apart.reason(endpoint, "FormerRemoved") == "Removed"


async def test_a_link_to_the_former_network_that_only_its_marker_calls_ours_waits_for_a_persons_word(
    apart: Estate,
) -> None:
    endpoint = await connected(apart)
    apart.storage.things.clear()
    await moved(apart, endpoint, "westeurope")
    await apart.settle(3 * GRACE)
    assert networks(apart) == {vnet_id("eastus2"), vnet_id("westeurope")}
    assert await apart.reason(endpoint, "FormerRemoved") == "LeftBehind"
    await apart.sweep()
    found = await recovered_list(apart.worker.context)
    await confirm_recovered(apart.worker.context, found.id, ASKED)
    await apart.settle(7200)
    assert networks(apart) == {vnet_id("westeurope")}


# -- another family ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hosted_first", [True, False], ids=["to serverless", "to hosted"])
async def test_an_endpoint_made_anew_for_the_other_family_leaves_nothing_of_the_former_one(
    *, hosted_first: bool
) -> None:
    """The alias alone tells the family: zone, policy, association and record of the former one go after the grace."""
    estate = await Estate().open()
    serverless = estate.elastic.serverless
    project = next(one for one in serverless.projects() if one.region == "eastus2")
    serverless.write_list(project, [serverless.add_filter("office", project.region).id])
    services = [estate.world.services.of(family, "eastus2") for family in (Family.HOSTED, Family.SERVERLESS)]
    hosted, project_service = (one for one in services if one is not None)
    first = {"alias": hosted.alias, "tags": {"elastic-deployments": "logs-eastus2"}}
    second = {"alias": project_service.alias, "tags": {"elastic-deployments": project.id}}
    before, after = (first, second) if hosted_first else (second, first)
    endpoint = await connected(estate, **before)
    ours_of_projects = [one.id for one in serverless.filters() if one.name == "pe-1"]
    assert bool(ours_of_projects) is not hosted_first
    await made_anew(estate, endpoint, **after)
    await estate.settle(120)
    connection = await estate.ready(endpoint)
    assert connection.identity.family is (Family.SERVERLESS if hosted_first else Family.HOSTED)
    assert await estate.reason(endpoint, "FormerRemoved") == "GracePeriod"
    await estate.settle(2 * GRACE)
    assert (await estate.ready(endpoint)).former_things == ()
    assert zones(estate) == [project_service.zone if hosted_first else hosted.zone]
    assert [one.name for one in estate.elastic.rulesets() if one.guids] == ([] if hosted_first else ["pe-1"])
    assert [one.name for one in serverless.filters() if one.name == "pe-1"] == (["pe-1"] if hosted_first else [])
    assert len(project.filters) == (2 if hosted_first else 1)
    assert ("pe-1" in attached(estate, "logs-eastus2")) is not hosted_first
