"""What a removal leaves: what others made or use, what would open a deployment, what the app may not delete."""

from __future__ import annotations

from typing import Any

import pytest

from local.world import HUB_VNET, vnet_id
from tests.harness.estate import Estate
from tests.harness.leaving import DNS_API, GRACE, connected, everything, removals, removed_reason

pytestmark = pytest.mark.both_families

# -- what stays ----------------------------------------------------------------------------------------------------


async def test_retain_leaves_everything_and_says_what(estate: Estate) -> None:
    endpoint = await connected(
        estate, tags={"elastic-deployments": "logs-eastus2", "elastic-privatelink-on-delete": "retain"}
    )
    before = everything(estate)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Removed", "Retained")
    assert everything(estate) == before
    assert len(connection.removal.leftovers) == 6
    assert removals(estate) == []


async def test_the_setting_retains_and_a_tag_cleans_up_all_the_same() -> None:
    estate = await Estate(settings={"ON_DELETE": "retain"}).open()
    kept = await connected(estate)
    gone = await connected(estate, "pe-2", region="westeurope", tags={"Elastic-PrivateLink-On-Delete": "Cleanup"})
    for endpoint in (kept, gone):
        await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, kept) == "Retained"
    assert await removed_reason(estate, gone) == "Removed"
    assert [zone.name for zone in estate.arm.private_dns_zones()] == [estate.zone().name]


async def test_the_last_policy_of_a_deployment_stays_until_another_protects_it() -> None:
    """S2: the policy admits no endpoint any more, but without it the deployment is open to the internet."""
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": "search-eastus2"}).open()
    endpoint = await connected(estate, tags={"elastic-deployments": "search-eastus2"})
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Blocked", "WouldReopenPublicAccess")
    assert everything(estate) == ["policy pe-1"], "DNS is taken away all the same"
    (deployment,) = [one for one in estate.elastic.deployments() if one.name == "search-eastus2"]
    assert len(estate.elastic.attached(deployment.id)) == 1
    estate.elastic.add_policy("office", "eastus2", deployments=[deployment.id])
    await estate.clock.sleep(3700)
    await estate.sweep()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert everything(estate) == []
    assert [policy.name for policy in estate.elastic.attached(deployment.id)] == ["office"]


@pytest.mark.parametrize("opt_in", ["setting", "tag"])
async def test_the_last_policy_goes_where_that_is_allowed(opt_in: str) -> None:
    allowed = {"ELASTIC_LAST_POLICY_ALLOWED": "search-eastus2"} if opt_in == "setting" else {}
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": "*", **allowed}).open()
    (deployment,) = [one for one in estate.elastic.deployments() if one.name == "search-eastus2"]
    if opt_in == "tag":
        deployment.tags["elastic-privatelink-last-policy"] = "allow"
    endpoint = await connected(estate, tags={"elastic-deployments": "search-eastus2"})
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert everything(estate) == []


async def test_an_association_that_others_made_keeps_the_policy(estate: Estate) -> None:
    """S4."""
    endpoint = await connected(estate)
    (policy,) = estate.policies_of(endpoint)
    other = estate.elastic.add_deployment("other", "eastus2", ip_policy=True)
    estate.elastic.associate(policy, other.id)
    await estate.sweep()
    await estate.settle()
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Removed", "LeftBehind")
    assert everything(estate) == ["policy pe-1"]
    assert policy.id in [one.id for one in estate.elastic.attached(other.id)]
    assert any(other.id in text for text in connection.removal.leftovers)


async def test_an_association_that_cannot_be_seen_keeps_the_policy(estate: Estate) -> None:
    """total_associations counts more than is listed: never conclude "unused"."""
    endpoint = await connected(estate)
    (policy,) = estate.policies_of(endpoint)
    other = estate.elastic.add_deployment("secret", "eastus2", ip_policy=True)
    estate.elastic.associate(policy, other.id)
    estate.elastic_settings.invisible_deployments.add(other.id)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert everything(estate) == ["policy pe-1"]
    assert not [call for call in estate.worker.wire.calls if "ignore_associations=true" in call.what]


async def test_rules_that_others_added_keep_the_policy_as_it_is(estate: Estate) -> None:
    endpoint = await connected(estate)
    (policy,) = estate.policies_of(endpoint)
    policy.rules.append(
        {"azure_endpoint_name": "theirs", "azure_endpoint_guid": "11111111-0000-4000-8000-000000000000"}
    )
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert everything(estate) == ["policy pe-1"]
    (deployment,) = [one for one in estate.elastic.deployments() if one.name == "logs-eastus2"]
    assert policy in estate.elastic.attached(deployment.id)
    assert await removed_reason(estate, endpoint) == "LeftBehind"


async def test_a_zone_and_link_that_another_endpoint_uses_stay(estate: Estate) -> None:
    """The second endpoint of the network was blocked; now it takes over."""
    first = await connected(estate)
    second = await estate.put_endpoint("pe-2")
    await estate.settle()
    assert await estate.reason(second, "RecordReady") == "RecordHeldByAnotherEndpoint"
    await estate.delete(first)
    await estate.settle(2 * GRACE)
    assert removals(estate) == ["association", "policy"], "the record was handed over"
    connection = await estate.ready(second)
    assert estate.zone().a_record("*") == [connection.identity.address]


async def test_with_union_only_the_endpoints_own_address_is_withdrawn() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    first = await connected(estate)
    second = await connected(estate, "pe-2")
    kept = (await estate.connection(second)).identity.address
    assert len(estate.zone().a_record("*") or []) == 2
    await estate.delete(first)
    await estate.settle(2 * GRACE)
    assert estate.zone().a_record("*") == [kept]
    assert removals(estate) == ["association", "policy"]
    await estate.sweep()
    await estate.settle()
    await estate.ready(second)


async def test_who_left_the_zone_to_another_endpoint_says_so_only_until_that_one_has_taken_it_with_it() -> None:
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    first, second = await connected(estate), await connected(estate, "pe-2")
    await estate.delete(first)
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, first) == "LeftBehind"
    await estate.delete(second)
    await estate.settle(2 * GRACE)
    assert everything(estate) == []
    assert await removed_reason(estate, first) == "Removed", "though no sweep has come"
    assert (await estate.connection(first)).removal.leftovers == ()


async def test_a_zone_with_a_record_of_another_owner_stays(estate: Estate) -> None:
    endpoint = await connected(estate)
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/theirs", body, api=DNS_API)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert estate.zone().a_record("theirs") == ["10.9.9.9"]
    assert estate.zone().a_record("*") is None
    assert len(estate.links_of(estate.zone())) == 2, "their name still resolves in both networks"
    assert await removed_reason(estate, endpoint) == "LeftBehind"


async def test_a_link_that_others_made_keeps_zone_and_link(estate: Estate) -> None:
    endpoint = await connected(estate)
    other = vnet_id("westeurope", "hub")
    body = {"location": "global", "properties": {"virtualNetwork": {"id": other}, "registrationEnabled": False}}
    await estate.azure("PUT", f"{estate.zone().id}/virtualNetworkLinks/theirs", body, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert {link.vnet.id for link in estate.links_of(estate.zone())} == {other, HUB_VNET}, "the hub is in the settings"


async def test_the_record_of_a_removed_connection_goes_with_its_journal() -> None:
    estate = await Estate(settings={"JOURNAL_DAYS": "10"}).open()
    endpoint = await connected(estate)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    await estate.clock.sleep(9 * 24 * 3600)
    await estate.sweep()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    await estate.clock.sleep(2 * 24 * 3600)
    await estate.sweep()
    assert [row async for row in estate.storage.connections.list()] == []


@pytest.mark.parametrize("tag", ["elastic-privatelink-on-delete: retain", "elastic-privatelink: observe"])
async def test_what_a_tag_keeps_stays_for_good_though_the_tag_went_with_the_endpoint(tag: str) -> None:
    """Nothing but the record tells of the tag; without it the markers would make it a leftover."""
    estate = await Estate(settings={"JOURNAL_DAYS": "10"}).open()
    endpoint = await connected(estate)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags |= [tag.split(": ")]
    await estate.send(endpoint)
    await estate.settle()
    before = everything(estate)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    for days in (1, 11, 1, 1, 1):
        await estate.clock.sleep(days * 24 * 3600)
        await estate.sweep()
        await estate.settle(2 * GRACE)
        assert everything(estate) == before


async def test_adopted_things_are_used_and_left(estate: Estate) -> None:
    """Zone, link and record were made by hand before."""
    found = await estate.put_endpoint("by-hand")
    await estate.settle()
    zone = estate.zone()
    zone.tags.clear()
    zone.record_sets["A", "*"].metadata = {}
    for link in estate.links_of(zone):
        link.tags.clear()
    await estate.sweep()
    await estate.settle()
    await estate.delete(found)
    await estate.settle(2 * GRACE)
    assert removals(estate) == ["association", "policy"]
    assert len(estate.links_of(estate.zone())) == 2
    assert HUB_VNET in [link.vnet.id for link in estate.links_of(estate.zone())]


# -- what changed since it was read --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["A/*", "virtualNetworkLinks", "privateDnsZones"])
async def test_what_a_person_takes_over_just_before_it_is_deleted_is_not_deleted(estate: Estate, kind: str) -> None:
    """Between the last look and the deletion; the ETag tells."""
    endpoint = await connected(estate)
    zone = estate.zone()
    taken: list[str] = []

    def meanwhile(request: Any) -> None:
        ours = kind in request.path if kind != "privateDnsZones" else request.path.endswith(zone.name)
        if request.method != "DELETE" or not ours or taken:
            return
        taken.append(request.path)
        found = [link for link in estate.links_of(zone) if link.id.lower() == request.path.lower()]
        thing = zone.record_sets["A", "*"] if kind == "A/*" else found[0] if found else zone
        thing.etag = "11111111-0000-4000-8000-000000000000"
        (thing.metadata if kind == "A/*" else thing.tags).clear()

    estate.arm.faults.append(meanwhile)
    await estate.delete(endpoint)
    await estate.settle(3 * GRACE)
    assert taken
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    left = {"A/*": "record", "virtualNetworkLinks": "link", "privateDnsZones": "zone"}[kind]
    named = [HUB_VNET.rpartition("/")[2]] if left == "link" else []  # in the settings: it goes with the zone
    there = [one for one in everything(estate) if one.startswith(left) and one.split()[1] not in named]
    assert [one.split()[0] for one in there] == [left]
    assert removals(estate).count(left) >= 1, "it was tried, and refused"
