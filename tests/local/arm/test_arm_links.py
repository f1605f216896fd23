"""Virtual network links: one zone of a name for each network, found out only at the operation's end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from tests.local.arm.arm_client import NET, ZONE_NAME, Http, link_body

if TYPE_CHECKING:
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

    from local.arm import ArmCloud, ResourceEvent


async def test_a_link_is_in_progress_and_then_completed_and_only_then_seen_by_the_network(
    cloud: ArmCloud, http: Http
) -> None:
    zone, vnet = await http.zone(), await http.network()
    accepted = await http("PUT", f"{zone}/virtualNetworkLinks/L1", link_body(vnet))
    assert accepted.status_code == 202
    during = (await http("GET", f"{zone}/virtualNetworkLinks/l1")).json()
    assert during["properties"]["virtualNetworkLinkState"] == "InProgress"
    assert cloud.zones_linked_to(vnet) == []
    assert await http.finished(accepted) == {"status": "Succeeded"}
    after = (await http("GET", f"{zone}/virtualNetworkLinks/l1")).json()
    assert (after["name"], after["properties"]["virtualNetworkLinkState"]) == ("L1", "Completed")
    assert after["etag"].startswith('"')
    assert after["properties"]["virtualNetwork"] == {"id": vnet}
    assert [z.name for z in cloud.zones_linked_to(vnet.upper())] == [ZONE_NAME]


async def test_a_second_link_to_another_zone_of_the_name_fails_in_the_operation(
    http: Http, dns: PrivateDnsManagementClient, events: list[ResourceEvent]
) -> None:
    vnet = await http.network()
    await http.link(await http.zone("rg-dns"), vnet)
    await http.zone("rg-other")
    poller = await dns.virtual_network_links.begin_create_or_update("rg-other", ZONE_NAME, "second", link_body(vnet))
    with pytest.raises(HttpResponseError) as caught:
        await poller.result()
    assert caught.value.status_code == 200
    assert caught.value.error is not None
    assert caught.value.error.code == "BadRequest"
    assert "cannot be linked to multiple zones with overlapping namespaces" in (caught.value.error.message or "")
    assert [link.name async for link in dns.virtual_network_links.list("rg-other", ZONE_NAME)] == []
    assert events[-1].status == "Failed"


async def test_zones_of_other_names_can_be_linked_to_the_same_network(cloud: ArmCloud, http: Http) -> None:
    vnet = await http.network()
    for name in ("one.internal", "two.internal"):
        assert await http.link(await http.zone(name=name), vnet) == {"status": "Succeeded"}
    assert [z.name for z in cloud.zones_linked_to(vnet)] == ["one.internal", "two.internal"]


async def test_a_second_link_of_the_zone_to_the_same_network_is_a_conflict(http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    await http.link(zone, vnet, "one")
    ended = await http.link(zone, vnet, "two")
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "Conflict")


async def test_a_link_to_a_missing_network_fails(http: Http) -> None:
    zone = await http.zone()
    ended = await http.link(zone, f"{NET}/virtualNetworks/none")
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "BadRequest")
    malformed = await http("PUT", f"{zone}/virtualNetworkLinks/x", link_body("nonsense"))
    assert malformed.status_code == 400


async def test_linking_needs_the_right_to_join_the_network(cloud: ArmCloud, http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    cloud.settings.denied_actions.add(f"Microsoft.Network/virtualNetworks/join/action@{vnet}")
    refused = await http("PUT", f"{zone}/virtualNetworkLinks/x", link_body(vnet))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    other = await http.network("vnet2", prefix="10.2.0.0/16")
    assert await http.link(zone, other) == {"status": "Succeeded"}


async def test_preconditions_of_a_link_fail_in_the_operation(http: Http, dns: PrivateDnsManagementClient) -> None:
    zone, vnet = await http.zone(), await http.network()
    links = dns.virtual_network_links
    made = await (await links.begin_create_or_update("rg-dns", ZONE_NAME, "x", link_body(vnet))).result()
    missing = {"etag": "*", "match_condition": MatchConditions.IfMissing}
    with pytest.raises(HttpResponseError) as caught:
        await (await links.begin_create_or_update("rg-dns", ZONE_NAME, "x", link_body(vnet), **missing)).result()
    assert caught.value.error is not None
    assert caught.value.error.code == "PreconditionFailed"
    unchanged = {"etag": made.etag, "match_condition": MatchConditions.IfNotModified}
    tagged = {**link_body(vnet), "tags": {"a": "b"}}
    done = await (await links.begin_create_or_update("rg-dns", ZONE_NAME, "x", tagged, **unchanged)).result()
    assert done.tags == {"a": "b"}
    with pytest.raises(HttpResponseError, match="has been modified"):
        await (await links.begin_delete("rg-dns", ZONE_NAME, "x", **unchanged)).result()
    assert (await http("GET", f"{zone}/virtualNetworkLinks/x")).status_code == 200


async def test_deleting_a_link_takes_the_zone_from_the_network(
    cloud: ArmCloud, http: Http, events: list[ResourceEvent]
) -> None:
    zone, vnet = await http.zone(), await http.network()
    await http.link(zone, vnet)
    assert await http.done("DELETE", f"{zone}/virtualNetworkLinks/link") == {"status": "Succeeded"}
    assert cloud.zones_linked_to(vnet) == []
    assert (events[-1].operation, events[-1].resource_type) == (
        "delete",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    )
    assert (await http("DELETE", f"{zone}/virtualNetworkLinks/link")).status_code == 204


async def test_a_network_made_again_under_its_id_may_be_refused_and_its_old_links_have_no_effect(
    cloud: ArmCloud, http: Http
) -> None:
    vnet, zone = await http.network(), await http.zone()
    await http.link(zone, vnet)
    await http.done("DELETE", vnet)
    await http.network()
    assert [found.id for found in cloud.zones_linked_to(vnet)] == [zone]
    cloud.settings.recreated_network = "refused"
    assert cloud.zones_linked_to(vnet) == []
    await http.done("DELETE", f"{zone}/virtualNetworkLinks/link")
    ended = await http.link(zone, vnet)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "Conflict")
    assert f"identity '{vnet}' already in use" in ended["error"]["message"]
    cloud.settings.recreated_network = "works"
    assert await http.link(zone, vnet) == {"status": "Succeeded"}


async def test_a_link_that_could_not_be_made_may_stay_behind_unseen(cloud: ArmCloud, http: Http) -> None:
    """As users of Azure have met it: the zone has nested resources, and no list shows any."""
    cloud.settings.phantom_links = True
    vnet, first, second = await http.network(), await http.zone(), await http.zone("rg-second")
    await http.link(first, vnet)
    assert (await http.link(second, vnet, "phantom"))["status"] == "Failed"
    phantom = f"{second}/virtualNetworkLinks/phantom"
    assert (await http("GET", phantom)).status_code == 404
    assert (await http("GET", f"{second}/virtualNetworkLinks")).json()["value"] == []
    refused = await http("DELETE", second)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CannotDeleteResource")
    await http.done("DELETE", phantom)
    assert await http.done("DELETE", second) == {"status": "Succeeded"}


async def test_a_link_may_take_effect_later_than_its_operation_ends(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.link_effect_seconds = 60
    vnet, zone = await http.network(), await http.zone()
    assert await http.link(zone, vnet) == {"status": "Succeeded"}
    link = (await http("GET", f"{zone}/virtualNetworkLinks/link")).json()
    assert link["properties"]["virtualNetworkLinkState"] == "Completed"
    assert cloud.zones_linked_to(vnet) == []
    await asyncio.sleep(60)
    assert [found.id for found in cloud.zones_linked_to(vnet)] == [zone]


@pytest.mark.parametrize(
    ("status", "code"), [(409, "AnotherOperationInProgress"), (429, "RetryableErrorDueToAnotherOperation")]
)
async def test_links_of_one_zone_may_refuse_to_be_changed_in_parallel(
    cloud: ArmCloud, http: Http, status: int, code: str
) -> None:
    zone, one, two = await http.zone(), await http.network(), await http.network("vnet2", prefix="10.2.0.0/16")
    path = f"{zone}/virtualNetworkLinks"
    cloud.settings.busy_zone_status = status  # type: ignore[assignment]  # the parameters are the two allowed values
    await http("PUT", f"{path}/one", link_body(one))
    busy = await http("PUT", f"{path}/two", link_body(two))
    assert (busy.status_code, busy.json()["error"]["code"]) == (status, code)
    await asyncio.sleep(4)
    assert await http.done("PUT", f"{path}/two", link_body(two)) == {"status": "Succeeded"}


async def test_a_new_link_is_404_for_a_while_if_switched_on(cloud: ArmCloud, http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    cloud.settings.not_found_after_create_seconds = 60
    await http.link(zone, vnet)
    assert (await http("GET", f"{zone}/virtualNetworkLinks/link")).status_code == 404
    assert (await http("GET", f"{zone}/virtualNetworkLinks")).json()["value"] == []
    assert [z.name for z in cloud.zones_linked_to(vnet)] == [ZONE_NAME]
    await asyncio.sleep(61)
    assert (await http("GET", f"{zone}/virtualNetworkLinks/link")).status_code == 200


async def test_a_link_may_be_deleted_while_it_is_being_made(http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    made = await http("PUT", f"{zone}/virtualNetworkLinks/x", link_body(vnet))
    await asyncio.sleep(1)
    gone = await http("DELETE", f"{zone}/virtualNetworkLinks/x")
    assert [(await http.finished(answer))["status"] for answer in (made, gone)] == ["Succeeded", "Succeeded"]
    assert (await http("GET", f"{zone}/virtualNetworkLinks/x")).status_code == 404


async def test_a_links_network_cannot_be_changed(http: Http) -> None:
    zone, one, two = await http.zone(), await http.network(), await http.network("vnet2", prefix="10.2.0.0/16")
    await http.link(zone, one)
    assert (await http.link(zone, two))["error"]["code"] == "BadRequest"


async def test_a_slow_creation_that_is_overtaken_by_a_deletion_ends_canceled(cloud: ArmCloud, http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    cloud.settings.link_seconds = 20
    made = await http("PUT", f"{zone}/virtualNetworkLinks/x", link_body(vnet))
    cloud.settings.link_seconds = 1
    await http.done("DELETE", f"{zone}/virtualNetworkLinks/x")
    ended = await http.finished(made)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "Canceled")
    assert cloud.zones_linked_to(vnet) == []


async def test_tags_of_a_link_can_be_patched_and_its_policy_is_kept(http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    path = f"{zone}/virtualNetworkLinks/x"
    body = link_body(vnet)
    body["properties"]["resolutionPolicy"] = "Default"
    await http.done("PUT", path, body)
    assert (await http.done("PATCH", path, {"tags": {"a": "b"}}))["status"] == "Succeeded"
    after = (await http("GET", path)).json()
    assert (after["tags"], after["properties"]["resolutionPolicy"]) == ({"a": "b"}, "Default")
    assert (await http("PATCH", f"{zone}/virtualNetworkLinks/none", {"tags": {}})).status_code == 404
