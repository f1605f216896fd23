"""Private endpoints, as callers over HTTP and the other simulators see them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.arm.arm_client import ALIAS, NET, PE, SUB, VNET, Http, endpoint_body

if TYPE_CHECKING:
    from azure.mgmt.network.aio import NetworkManagementClient

    from local.arm import ArmCloud, ResourceEvent


def state(body: dict[str, Any]) -> dict[str, Any]:
    return body["properties"]["manualPrivateLinkServiceConnections"][0]["properties"][
        "privateLinkServiceConnectionState"
    ]


async def test_an_endpoint_by_alias_is_created_updating_and_pending_and_then_succeeds(http: Http) -> None:
    await http.network()
    created = await http("PUT", PE, endpoint_body())
    body = created.json()
    assert created.status_code == 201
    assert body["properties"]["provisioningState"] == "Updating"
    assert state(body) == {"status": "Pending", "description": "Awaiting Approval", "actionsRequired": "None"}
    assert re.fullmatch(r"[0-9a-f-]{36}", body["properties"]["resourceGuid"])
    assert re.fullmatch(r'W/"[0-9a-f-]{36}"', body["etag"])
    assert created.headers["etag"] == body["etag"]
    assert created.headers["azure-asyncnotification"] == "Enabled"
    assert "location" not in created.headers
    assert "/locations/eastus2/operations/" in created.headers["azure-asyncoperation"]
    assert await http.finished(created) == {"status": "Succeeded"}
    later = (await http("GET", PE)).json()
    assert later["properties"]["provisioningState"] == "Succeeded"
    assert later["properties"]["resourceGuid"] == body["properties"]["resourceGuid"]


async def test_the_network_sdk_creates_reads_lists_and_deletes_an_endpoint(
    http: Http, networks: NetworkManagementClient
) -> None:
    await http.network()
    endpoint = await (
        await networks.private_endpoints.begin_create_or_update("rg-net", "pe-1", endpoint_body(), polling_interval=1)
    ).result()
    assert endpoint.provisioning_state == "Succeeded"
    assert endpoint.as_dict()["properties"]["resourceGuid"]
    listed = [item.name async for item in networks.private_endpoints.list_by_subscription()]
    assert listed == ["pe-1"]
    await (await networks.private_endpoints.begin_delete("rg-net", "pe-1", polling_interval=1)).result()
    assert [item.name async for item in networks.private_endpoints.list("rg-net")] == []


async def test_the_interface_has_no_address_until_its_time_has_come(
    cloud: ArmCloud, http: Http, networks: NetworkManagementClient
) -> None:
    cloud.settings.nic_address_seconds = 5
    await http.network()
    nic_id = (await http("PUT", PE, endpoint_body())).json()["properties"]["networkInterfaces"][0]["id"]
    nic = (await http("GET", nic_id)).json()
    assert "privateIPAddress" not in nic["properties"]["ipConfigurations"][0]["properties"]
    await asyncio.sleep(5.1)
    found = await networks.network_interfaces.get("rg-net", nic_id.rsplit("/", 1)[-1])
    assert found.ip_configurations[0].private_ip_address == "10.1.0.4"
    assert cloud.private_endpoints()[0].address == "10.1.0.4"


async def test_an_endpoint_may_name_its_interface_a_while_later(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.nic_seconds, cloud.settings.nic_address_seconds = 5, 1
    await http.network()
    created = (await http("PUT", PE, endpoint_body())).json()
    assert created["properties"]["networkInterfaces"] == []
    assert (await http("GET", f"{NET}/networkInterfaces")).json()["value"] == []
    await asyncio.sleep(4)
    assert (await http("GET", PE)).json()["properties"]["networkInterfaces"] == []
    await asyncio.sleep(1)
    (interface,) = (await http("GET", PE)).json()["properties"]["networkInterfaces"]
    found = (await http("GET", interface["id"])).json()["properties"]["ipConfigurations"][0]["properties"]
    assert found["privateIPAddress"] == "10.1.0.4"


async def test_addresses_come_from_the_subnet_from_the_fifth_on_and_are_not_shared(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    for name in ("a", "b", "c"):
        await http("PUT", f"{NET}/privateEndpoints/{name}", endpoint_body())
    await asyncio.sleep(2)
    assert [e.address for e in cloud.private_endpoints()] == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]


async def test_a_full_subnet_refuses_another_endpoint(http: Http) -> None:
    await http.network(prefix="10.9.0.0/29")
    assert [(await http("PUT", f"{NET}/privateEndpoints/{n}", endpoint_body())).status_code for n in "abc"] == [201] * 3
    refused = await http("PUT", f"{NET}/privateEndpoints/d", endpoint_body())
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "SubnetIsFull")


async def test_the_network_may_choose_the_address(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.allocate_address = lambda network: f"127.77.0.{len(network.subnets)}"
    await http.network()
    await http("PUT", PE, endpoint_body())
    await asyncio.sleep(2)
    assert cloud.private_endpoints()[0].address == "127.77.0.1"


@pytest.mark.parametrize("whole", [True, False])
async def test_expand_puts_the_interface_into_the_endpoint_where_switched_on(
    cloud: ArmCloud, http: Http, whole: bool
) -> None:
    cloud.settings.expand_network_interfaces = whole
    await http.network()
    await http("PUT", PE, endpoint_body())
    body = (await http("GET", f"{PE}?$expand=networkInterfaces")).json()
    assert ("properties" in body["properties"]["networkInterfaces"][0]) is whole


async def test_a_connection_by_resource_id_is_approved_at_once(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    service = f"{NET}/privateLinkServices/mine"
    body = (await http("PUT", PE, endpoint_body(service=service, manual=False))).json()
    assert body["properties"]["manualPrivateLinkServiceConnections"] == []
    assert cloud.private_endpoints()[0].status == "Approved"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"location": ""}, "LocationRequired"),
        ({"location": "westus"}, "InvalidResourceReference"),
        ({"properties": {"subnet": {"id": f"{VNET}/subnets/pe"}}}, "InvalidRequestFormat"),
        (endpoint_body(manual=False), "LinkedInvalidPropertyId"),
        (endpoint_body(service="not-an-alias"), "LinkedInvalidPropertyId"),
        (endpoint_body(vnet=f"{NET}/virtualNetworks/none"), "InvalidResourceReference"),
        (endpoint_body(vnet="nonsense"), "LinkedInvalidPropertyId"),
    ],
)
async def test_what_azure_refuses_is_refused(
    http: Http, events: list[ResourceEvent], change: dict[str, Any], code: str
) -> None:
    await http.network()
    answer = await http("PUT", PE, {**endpoint_body(), **change})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert (events[-1].operation, events[-1].status) == ("write", "Failed")
    assert (await http("GET", PE)).status_code == 404


async def test_writing_again_keeps_guid_address_and_approval(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    first = (await http("PUT", PE, endpoint_body())).json()
    await asyncio.sleep(3)
    cloud.set_connection(PE, "Approved")
    again = await http("PUT", PE, endpoint_body(tags={"a": "b"}))
    body = again.json()
    assert again.status_code == 200
    assert body["properties"]["resourceGuid"] == first["properties"]["resourceGuid"]
    assert state(body)["status"] == "Approved"
    assert (body["tags"], body["etag"] != first["etag"]) == ({"a": "b"}, True)
    await asyncio.sleep(3)
    assert cloud.private_endpoints()[0].address == "10.1.0.4"


async def test_an_endpoint_cannot_be_moved_to_another_service(http: Http) -> None:
    await http.network()
    await http("PUT", PE, endpoint_body())
    other = await http("PUT", PE, endpoint_body(service=ALIAS.replace("eastus2", "westus3")))
    assert other.json()["error"]["code"] == "CannotChangePrivateLinkConnectionOnPrivateEndpoint"


async def test_the_write_event_comes_when_the_put_is_accepted(http: Http, events: list[ResourceEvent]) -> None:
    await http.network()
    events.clear()
    await http("PUT", PE, endpoint_body(), x_ms_correlation_request_id="corr-1")
    assert [(e.operation, e.status, e.resource_id, e.resource_type, e.correlation_id) for e in events] == [
        ("write", "Succeeded", PE, "Microsoft.Network/privateEndpoints", "corr-1")
    ]
    assert (await http("GET", PE)).json()["properties"]["provisioningState"] == "Updating"
    await asyncio.sleep(5)
    assert len(events) == 1


async def test_the_write_event_may_come_at_the_end(cloud: ArmCloud, http: Http, events: list[ResourceEvent]) -> None:
    cloud.settings.endpoint_event_at = "completed"
    await http.network()
    events.clear()
    created = await http("PUT", PE, endpoint_body())
    assert events == []
    await http.finished(created)
    assert [(e.operation, e.status) for e in events] == [("write", "Succeeded")]


async def test_deleting_takes_a_while_removes_the_interface_and_emits_one_event(
    cloud: ArmCloud, http: Http, events: list[ResourceEvent]
) -> None:
    await http.network()
    nic = (await http("PUT", PE, endpoint_body())).json()["properties"]["networkInterfaces"][0]["id"]
    await asyncio.sleep(3)
    events.clear()
    answer = await http("DELETE", PE)
    assert answer.status_code == 202
    assert (await http("GET", PE)).json()["properties"]["provisioningState"] == "Deleting"
    assert events == []
    assert await http.finished(answer) == {"status": "Succeeded"}
    assert [(await http("GET", path)).status_code for path in (PE, nic)] == [404, 404]
    assert [(e.operation, e.status) for e in events] == [("delete", "Succeeded")]
    assert (await http("DELETE", PE)).status_code == 204
    assert cloud.private_endpoints() == []


async def test_deleting_during_provisioning_cancels_the_creation(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.endpoint_seconds = 10
    await http.network()
    created = await http("PUT", PE, endpoint_body())
    await http.done("DELETE", PE)
    ended = await http.finished(created)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "Canceled")
    assert (await http("GET", PE)).status_code == 404


async def test_provisioning_can_be_made_to_fail(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.failing_endpoints["pe-1"] = "InternalServerError"
    await http.network()
    ended = await http.done("PUT", PE, endpoint_body())
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "InternalServerError")
    assert (await http("GET", PE)).json()["properties"]["provisioningState"] == "Failed"


async def test_the_services_owner_sets_the_state_without_an_event(
    cloud: ArmCloud, http: Http, events: list[ResourceEvent]
) -> None:
    await http.network()
    created = (await http("PUT", PE, endpoint_body())).json()
    endpoint = cloud.find_endpoint("PE-1", created["properties"]["resourceGuid"].upper())
    assert endpoint is not None
    events.clear()
    changes: list[str] = []
    cloud.changes.append(lambda: changes.append(endpoint.status))
    for status, description in (("Approved", "by Elastic"), ("Disconnected", "")):
        cloud.set_connection(endpoint.id.upper(), status, description)
    body = (await http("GET", PE)).json()
    assert state(body) == {"status": "Disconnected", "description": "Connection removed", "actionsRequired": "None"}
    assert (changes, events) == (["Approved", "Disconnected"], [])


@pytest.mark.parametrize("word", ["Removed", "Timeout", ""])
async def test_a_connection_may_be_in_a_state_beyond_the_four(cloud: ArmCloud, http: Http, word: str) -> None:
    await http.network()
    await http.done("PUT", PE, endpoint_body())
    cloud.set_connection(PE, word, "told by the service")
    shown = state((await http("GET", PE)).json())
    assert shown.get("status", "") == word
    assert shown["description"] == "told by the service"


async def test_changes_are_told_when_address_and_state_come_and_when_the_endpoint_goes(
    cloud: ArmCloud, http: Http
) -> None:
    seen: list[list[tuple[str, str | None]]] = []
    cloud.changes.append(lambda: seen.append([(e.provisioning_state, e.address) for e in cloud.private_endpoints()]))
    await http.network()
    await http.done("PUT", PE, endpoint_body())
    await http.done("DELETE", PE)
    assert seen == [[("Updating", None)], [("Updating", "10.1.0.4")], [("Succeeded", "10.1.0.4")], []]


async def test_tags_can_be_patched(http: Http, events: list[ResourceEvent]) -> None:
    await http.network()
    await http("PUT", PE, endpoint_body())
    events.clear()
    assert (await http("PATCH", PE, {"tags": {"mode": "observe"}})).json()["tags"] == {"mode": "observe"}
    assert [e.operation for e in events] == ["write"]


async def test_lists_come_in_pages_that_the_sdk_follows(
    cloud: ArmCloud, http: Http, networks: NetworkManagementClient
) -> None:
    cloud.settings.page_size = 2
    await http.network()
    for n in range(5):
        await http("PUT", f"{NET}/privateEndpoints/pe-{n}", endpoint_body())
    first = (await http("GET", f"{SUB}/providers/Microsoft.Network/privateEndpoints")).json()
    assert len(first["value"]) == 2
    assert first["nextLink"].startswith("https://arm.local/")
    names = [item.name async for item in networks.private_endpoints.list_by_subscription()]
    assert names == [f"pe-{n}" for n in range(5)]
    interfaces = [item.private_endpoint.id async for item in networks.network_interfaces.list_all()]
    assert len(interfaces) == 5
    last = (await http("GET", f"{NET}/privateEndpoints?$skipToken=%21")).json()
    assert last["error"]["code"] == "InvalidSkipToken"


async def test_joining_the_subnet_needs_a_right(cloud: ArmCloud, http: Http) -> None:
    cloud.settings.denied_actions.add("Microsoft.Network/virtualNetworks/subnets/join/action")
    await http.network()
    refused = await http("PUT", PE, endpoint_body())
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
