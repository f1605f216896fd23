"""The DNS rules of the design, through Azure: networks that are linked, missing rights, and whose things they are."""

from __future__ import annotations

import pytest

from local.world import HUB_VNET, vnet_id
from tests.harness.dns import APPS, DNS_API, OTHER_SUBSCRIPTION, ZONE, a_zone_of_others, linked, zone_id
from tests.harness.estate import Estate

# -- networks, and zones that cannot be seen -----------------------------------------------------------------------


@pytest.mark.parametrize("known", [False, True])
async def test_a_network_served_by_a_zone_that_the_app_cannot_see_is_explained(known: bool) -> None:
    """Whether the settings name the subscription but the right to read it is missing, or they do not name it."""
    estate = await Estate(settings={"DNS_SUBSCRIPTIONS": OTHER_SUBSCRIPTION} if known else {}).open()
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    hidden = await a_zone_of_others(estate, zone_id("rg-secret", OTHER_SUBSCRIPTION), APPS, address="10.99.0.4")
    right = "Microsoft.Network/privateDnsZones/read"
    estate.arm_settings.denied_actions.add(f"{right}@/subscriptions/{OTHER_SUBSCRIPTION}")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    condition = (await estate.connection(endpoint)).condition("Linked")
    assert condition is not None
    assert condition.reason == "NetworkLinkedToAnotherZone"
    assert "read access" in condition.next_step
    assert linked(estate, hidden) == [APPS]
    assert hidden.a_record("*") == ["10.99.0.4"]
    assert not estate.queue.messages, "nothing is tried over and over"


@pytest.mark.parametrize(
    ("right", "type_", "scope"),
    [
        ("Microsoft.Network/privateDnsZones/read", "ZoneReady", "privateDnsZones"),
        ("Microsoft.Network/privateDnsZones/write", "ZoneReady", ZONE),
        ("Microsoft.Network/privateDnsZones/A/write", "RecordReady", f"{ZONE}/A/*"),
        ("Microsoft.Network/privateDnsZones/virtualNetworkLinks/write", "Linked", f"{ZONE}/virtualNetworkLinks"),
        ("Microsoft.Network/virtualNetworks/join/action", "Linked", APPS),
        ("Microsoft.Network/privateEndpoints/read", "Recognised", "privateEndpoints/pe-1"),
    ],
)
async def test_a_missing_right_is_named_with_its_scope_and_granting_it_is_enough(
    estate: Estate, right: str, type_: str, scope: str
) -> None:
    estate.arm_settings.denied_actions.add(right)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    condition = (await estate.connection(endpoint)).condition(type_)
    assert condition is not None
    assert condition.reason == "AzureRightsMissing"
    assert right in condition.message
    assert scope in condition.message
    assert right in condition.next_step
    assert (await estate.connection(endpoint)).status.phase == "Blocked"
    estate.arm_settings.denied_actions.clear()
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_every_network_of_the_settings_is_linked_besides_the_endpoints_own() -> None:
    more = [vnet_id("westeurope"), vnet_id("japaneast", "hub")]
    estate = await Estate(settings={"DNS_LINK_VNETS": ",".join([HUB_VNET, *more, APPS.upper()])}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert linked(estate, estate.zone()) == sorted([APPS, HUB_VNET, *more])
    assert len(connection.dns.links) == 4


async def test_a_network_that_is_being_linked_is_not_linked_a_second_time(estate: Estate) -> None:
    """Another operation under way on the zone is waited for."""
    estate.arm_settings.busy_zone_status = 409
    zone = await a_zone_of_others(estate, zone_id("rg-dns"), APPS)
    estate.arm_settings.link_seconds = 60
    body = {"location": "global", "properties": {"virtualNetwork": {"id": vnet_id("japaneast")}}}
    await estate.azure("PUT", f"{zone.id}/virtualNetworkLinks/theirs", body, api=DNS_API)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert linked(estate, zone) == sorted([APPS, HUB_VNET, vnet_id("japaneast")])


# -- a zone that is deleted ----------------------------------------------------------------------------------------


async def delete_zone(estate: Estate) -> None:
    """A person unlinks the networks and deletes the zone with its record."""
    for link in estate.links_of(estate.zone()):
        await estate.azure("DELETE", link.id, api=DNS_API)
    await estate.clock.sleep(60)
    await estate.azure("DELETE", estate.zone().id, api=DNS_API)
    await estate.clock.sleep(60)
    assert estate.arm.private_dns_zones() == []


PARENT = pytest.mark.parametrize("parent", [False, True], ids=["ResourceNotFound", "ParentResourceNotFound"])
"""What Azure answers to a read below a zone that is gone: not documented, so either."""


@PARENT
async def test_a_deleted_zone_is_made_again_with_links_and_record(estate: Estate, parent: bool) -> None:
    estate.arm_settings.parent_not_found_on_reads = parent
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await delete_zone(estate)
    await estate.sweep()
    await estate.settle(300)
    connection = await estate.ready(endpoint)
    assert estate.zone().a_record("*") == [connection.identity.address]
    assert linked(estate, estate.zone()) == [APPS, HUB_VNET]


@PARENT
async def test_a_deleted_zone_does_not_hold_up_the_removal(estate: Estate, parent: bool) -> None:
    estate.arm_settings.parent_not_found_on_reads = parent
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await delete_zone(estate)
    await estate.delete(endpoint)
    await estate.settle(900)
    assert await estate.reason(endpoint, "Removed") == "Removed"


# -- whose things they are -----------------------------------------------------------------------------------------


async def test_everything_made_says_by_whom_and_for_which_endpoint() -> None:
    estate = await Estate(settings={"INSTANCE_ID": "team-seven"}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    owner = {
        "elastic-privatelink-instance": "team-seven",
        "elastic-privatelink-connection": connection.id,
        "elastic-privatelink-endpoint": endpoint,
    }
    zone = estate.zone()
    assert zone.tags == owner
    assert [link.tags for link in estate.links_of(zone)] == [owner, owner]
    holder = f"{connection.identity.address} {connection.identity.guid} {endpoint}"
    assert zone.record_sets["A", "*"].metadata == {
        "elastic-privatelink-instance": "team-seven",
        f"elastic-privatelink-holder-{connection.id}": holder,
    }
    (policy,) = estate.policies_of(endpoint)
    assert policy.description is not None
    assert f"[elastic-privatelink instance=team-seven connection={connection.id}]" in policy.description
    assert endpoint in policy.description
