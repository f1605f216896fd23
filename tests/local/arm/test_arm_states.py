"""What is above a resource and its states: tenant, subscription, provider, a group that goes; moves; limits of tags."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.arm.arm_client import NET, PE, SUB, VNET, ZONE, ZONE_NAME, Http, endpoint_body

if TYPE_CHECKING:
    import httpx

    from local.arm import ArmCloud, ResourceEvent

VERSION = "?api-version=2022-09-01"
DNS_GROUP, NET_GROUP = f"{SUB}/resourceGroups/rg-dns", f"{SUB}/resourceGroups/rg-net"
LINK = f"{ZONE}/virtualNetworkLinks/one"
OTHER = "00000000-0000-0000-0000-00000000000f"
OTHER_VNET = f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/theirs"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code."""
    body = answer.json()
    return answer.status_code, body.get("error", body)["code"]


async def ended(http: Http, answer: httpx.Response) -> httpx.Response:
    """The end of what has a `Location` only."""
    assert answer.status_code == 202, answer.text
    for _ in range(200):
        told = await http("GET", answer.headers["location"])
        if told.status_code != 202:
            return told
        assert told.headers["location"] == answer.headers["location"]
        await asyncio.sleep(1)
    raise AssertionError("it never ended")


def link_to(vnet: str) -> dict[str, Any]:
    return {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}


async def linked(http: Http) -> None:
    """A network, a zone and their link."""
    await http.network()
    await http.zone()
    assert (await http.done("PUT", LINK, link_to(VNET)))["status"] == "Succeeded"


async def test_a_subscription_of_another_tenant_takes_no_token_of_ours(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.other_tenants[OTHER] = "their-tenant"
    refused = await http("GET", OTHER_VNET)
    assert refusal(refused) == (401, "InvalidAuthenticationTokenTenant")
    assert "https://sts.windows.net/their-tenant/" in refused.json()["error"]["message"]
    await http.zone()
    crossed = await http("PUT", LINK, link_to(OTHER_VNET))
    assert refusal(crossed) == (403, "LinkedAuthorizationFailed")
    assert f"not authorized to access linked subscription '{OTHER}'" in crossed.json()["error"]["message"]


async def test_a_disabled_subscription_can_be_read_and_emptied_only(cloud: ArmCloud, http: Http) -> None:
    await http.zone()
    cloud.settings.disabled_subscriptions.add(cloud.settings.subscriptions[0])
    assert refusal(await http("PUT", ZONE, {"location": "global"})) == (409, "ReadOnlyDisabledSubscription")
    assert (await http("GET", ZONE)).status_code == 200
    assert (await http("GET", f"{SUB}{VERSION}")).json()["state"] == "Disabled"
    assert (await http.done("DELETE", ZONE))["status"] == "Succeeded"


async def test_the_provider_is_registered_by_whom_may_and_after_a_while(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.unregistered_subscriptions.add(cloud.settings.subscriptions[0])
    provider = f"{SUB}/providers/Microsoft.Network"
    missing = await http("PUT", ZONE, {"location": "global"})
    assert refusal(missing) == (409, "MissingSubscriptionRegistration")
    assert missing.json()["error"]["details"][0]["target"] == "Microsoft.Network"
    cloud.settings.denied_actions.add("Microsoft.Network/register/action")
    assert refusal(await http("POST", f"{provider}/register{VERSION}")) == (403, "AuthorizationFailed")
    cloud.settings.denied_actions.clear()
    assert (await http("POST", f"{provider}/register{VERSION}")).json()["registrationState"] == "Registering"
    await asyncio.sleep(61)
    assert (await http("GET", f"{provider}{VERSION}")).json()["registrationState"] == "Registered"
    assert (await http("PUT", ZONE, {"location": "global"})).status_code == 202


async def test_a_group_that_is_being_deleted_can_be_read_and_then_all_of_it_is_gone(
    cloud: ArmCloud, http: Http, events: list[ResourceEvent]
) -> None:
    await linked(http)
    events.clear()
    going = await http("DELETE", DNS_GROUP + VERSION)
    assert (await http("GET", DNS_GROUP + VERSION)).json()["properties"]["provisioningState"] == "Deleting"
    assert (await http("GET", ZONE)).status_code == 200
    refused = await http("PUT", LINK, link_to(VNET))
    assert refusal(refused) == (409, "ResourceGroupBeingDeleted")
    assert "is in deprovisioning state" in refused.json()["error"]["message"]
    assert (await ended(http, going)).status_code == 200
    assert refusal(await http("GET", ZONE)) == (404, "ResourceGroupNotFound")
    assert [(one.operation, one.resource_type) for one in events] == [
        ("delete", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"),
        ("delete", "Microsoft.Network/privateDnsZones"),
    ]
    await http("PUT", DNS_GROUP + VERSION, {"location": "eastus2"})
    assert refusal(await http("GET", ZONE)) == (404, "ResourceNotFound")


async def test_a_group_with_a_network_that_others_use_stays(http: Http) -> None:
    await http.network()
    await http.done("PUT", PE.replace("rg-net", "rg-app"), endpoint_body())
    told = await ended(http, await http("DELETE", NET_GROUP + VERSION))
    assert refusal(told) == (409, "ResourceGroupDeletionBlocked")
    assert (await http("GET", VNET)).status_code == 200


async def test_a_locked_group_is_not_deleted(http: Http) -> None:
    await http.zone()
    lock = f"{ZONE}/providers/Microsoft.Authorization/locks/keep{VERSION}"
    await http("PUT", lock, {"properties": {"level": "CanNotDelete"}})
    assert refusal(await http("DELETE", DNS_GROUP + VERSION)) == (409, "ScopeLocked")


async def move(http: Http, group: str, *resources: str, to: str = "rg-new") -> httpx.Response:
    body = {"resources": list(resources), "targetResourceGroup": f"{SUB}/resourceGroups/{to}"}
    return await http("POST", f"{group}/moveResources{VERSION}", body)


async def test_a_zone_moves_with_its_links_and_records(http: Http) -> None:
    await linked(http)
    assert (await ended(http, await move(http, DNS_GROUP, ZONE))).status_code == 200
    moved = ZONE.replace("rg-dns", "rg-new")
    assert refusal(await http("GET", ZONE)) == (404, "ResourceNotFound")
    assert (await http("GET", moved)).json()["id"] == moved
    assert (await http("GET", f"{moved}/virtualNetworkLinks/one")).json()["properties"]["virtualNetwork"]["id"] == VNET
    assert (await http("GET", f"{moved}/SOA/@")).json()["name"] == "@"


@pytest.mark.parametrize("how", ["stale", "followed"])
async def test_a_network_that_was_moved_keeps_its_zone_and_may_take_no_other_link(
    cloud: ArmCloud, http: Http, how: Any
) -> None:
    cloud.settings.moved_network = how
    await linked(http)
    await ended(http, await move(http, NET_GROUP, VNET))
    moved = VNET.replace("rg-net", "rg-new")
    assert [zone.name for zone in cloud.zones_linked_to(moved)] == [ZONE_NAME]
    named = (await http("GET", LINK)).json()["properties"]["virtualNetwork"]["id"]
    assert named == (VNET if how == "stale" else moved)
    again = await http.done("PUT", f"{ZONE}/virtualNetworkLinks/two", link_to(moved))
    assert (again["status"], "already" in again["error"]["message"]) == ("Failed", True)
    assert ("identity" in again["error"]["message"]) == (how == "stale")


async def test_a_network_made_again_cannot_be_linked_to_a_locked_zone_that_has_its_old_link(http: Http) -> None:
    await linked(http)
    await http.done("DELETE", VNET)
    await http.network()
    lock = f"{ZONE}/providers/Microsoft.Authorization/locks/keep{VERSION}"
    await http("PUT", lock, {"properties": {"level": "CanNotDelete"}})
    again = await http.done("PUT", f"{ZONE}/virtualNetworkLinks/two", link_to(VNET))
    assert "identity" in again["error"]["message"]


async def test_an_endpoint_by_alias_and_its_network_cannot_be_moved(http: Http) -> None:
    await http.network()
    await http.done("PUT", PE, endpoint_body())
    for one in (PE, VNET):
        assert refusal(await move(http, NET_GROUP, one)) == (409, "ResourceMoveProviderValidationFailed")
    assert refusal(await move(http, NET_GROUP, f"{NET}/virtualNetworks/none")) == (400, "ResourcesMoveInvalid")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"tag{number}": "v" for number in range(15)}, None),
        ({f"tag{number}": "v" for number in range(16)}, "TooManyTags"),
        ({"tag": "v" * 256}, None),
        ({"tag": "v" * 257}, "InvalidTagValueLength"),
        ({"t" * 513: "v"}, "InvalidTagName"),
    ],
)
async def test_zones_links_and_records_take_15_tags_of_256_characters(
    http: Http, tags: dict[str, str], code: str | None
) -> None:
    await http.network()
    await http.zone()
    record = {"properties": {"ttl": 300, "aRecords": [], "metadata": tags}}
    for url, body in (
        (ZONE, {"location": "global", "tags": tags}),
        (LINK, link_to(VNET) | {"tags": tags}),
        (f"{ZONE}/A/*", record),
        (f"{ZONE}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01", {"properties": {"tags": tags}}),
    ):
        answer = await http("PUT", url, body)
        assert answer.is_success if code is None else refusal(answer) == (400, code), answer.text


async def test_an_endpoint_takes_50_tags(http: Http) -> None:
    await http.network()
    many = {f"tag{number}": "v" for number in range(50)}
    assert (await http("PUT", PE, endpoint_body() | {"tags": many})).is_success
    assert refusal(await http("PUT", PE, endpoint_body() | {"tags": many | {"one": "more"}})) == (400, "TooManyTags")
