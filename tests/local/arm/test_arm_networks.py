"""Virtual networks: inline subnets, DNS servers, and what may not be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.arm.arm_client import NET, PE, VNET, Http, endpoint_body

if TYPE_CHECKING:
    from azure.mgmt.network.aio import NetworkManagementClient

    from local.arm import ArmCloud, ResourceEvent


async def test_the_network_sdk_creates_reads_lists_and_deletes_a_network(
    networks: NetworkManagementClient, events: list[ResourceEvent]
) -> None:
    body = {
        "location": "East US 2",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
            "dhcpOptions": {"dnsServers": ["10.1.0.53"]},
            "subnets": [{"name": "pe", "properties": {"addressPrefix": "10.1.0.0/24"}}],
        },
    }
    made = await (await networks.virtual_networks.begin_create_or_update("rg-net", "vnet1", body)).result()
    assert (made.location, made.dhcp_options.dns_servers, made.subnets[0].name) == ("eastus2", ["10.1.0.53"], "pe")
    assert [v.name async for v in networks.virtual_networks.list_all()] == ["vnet1"]
    assert [v.name async for v in networks.virtual_networks.list("rg-net")] == ["vnet1"]
    assert (await networks.subnets.get("rg-net", "vnet1", "pe")).address_prefix == "10.1.0.0/24"
    assert [s.name async for s in networks.subnets.list("rg-net", "vnet1")] == ["pe"]
    await (await networks.virtual_networks.begin_delete("rg-net", "vnet1")).result()
    assert [v.name async for v in networks.virtual_networks.list_all()] == []
    assert [e.operation for e in events] == ["write", "delete"]


async def test_address_space_and_name_servers_are_kept_and_shown_as_they_were_written(
    networks: NetworkManagementClient, http: Http
) -> None:
    """So that a reader of all networks finds the one that contains an address."""
    await http.network()
    spaces, servers = ["10.60.0.0/16", "172.16.0.0/24"], ["10.60.0.4", "192.0.2.53"]
    for dhcp in ({"dnsServers": servers}, {"dnsServers": []}, None):
        properties = {"addressSpace": {"addressPrefixes": spaces}, "dhcpOptions": dhcp}
        await http("PUT", f"{NET}/virtualNetworks/hub", {"location": "eastus2", "properties": properties})
        (hub,) = [one async for one in networks.virtual_networks.list_all() if one.name == "hub"]
        assert hub.address_space.address_prefixes == spaces
        assert hub.dhcp_options.dns_servers == (dhcp or {}).get("dnsServers", [])


async def test_creation_takes_a_while_if_set(cloud: ArmCloud, networks: NetworkManagementClient, http: Http) -> None:
    cloud.settings.network_seconds = 5
    cloud.settings.network_retry_after = 2
    await http.network()
    assert (await http("GET", VNET)).json()["properties"]["provisioningState"] == "Updating"
    made = await networks.virtual_networks.begin_create_or_update(
        "rg-net", "vnet1", {"location": "eastus2", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}
    )
    assert (await made.result()).provisioning_state == "Succeeded"


async def test_a_network_or_subnet_with_an_endpoint_cannot_be_deleted(http: Http) -> None:
    await http.network()
    await http("PUT", PE, endpoint_body())
    refused = await http("DELETE", VNET)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InUseSubnetCannotBeDeleted")
    emptied = {"location": "eastus2", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}
    assert (await http("PUT", VNET, emptied)).json()["error"]["code"] == "InUseSubnetCannotBeDeleted"
    subnet = (await http("GET", f"{VNET}/subnets/pe")).json()
    assert subnet["properties"]["privateEndpoints"] == [{"id": PE}]
    await http.done("DELETE", PE)
    assert (await http("DELETE", VNET)).status_code == 202
    assert (await http("DELETE", VNET)).status_code == 204


async def test_writing_again_keeps_the_networks_guid_and_tags_can_be_patched(http: Http) -> None:
    await http.network()
    first = (await http("GET", VNET)).json()
    await http.network()
    again = (await http("PATCH", VNET, {"tags": {"a": "b"}})).json()
    assert again["properties"]["resourceGuid"] == first["properties"]["resourceGuid"]
    assert again["tags"] == {"a": "b"}


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"addressSpace": {"addressPrefixes": ["10.1.0.0/99"]}},
        {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [{"name": "x"}]},
    ],
)
async def test_a_malformed_network_is_refused(http: Http, properties: dict[str, object]) -> None:
    answer = await http("PUT", VNET, {"location": "eastus2", "properties": properties})
    assert answer.status_code == 400


async def test_a_peering_is_connected_once_both_sides_have_it(http: Http) -> None:
    await http.network()
    other = f"{NET}/virtualNetworks/other"
    space = {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}
    named = {"name": "back", "properties": {"remoteVirtualNetwork": {"id": VNET}}}
    await http("PUT", other, {"location": "eastus2", "properties": space | {"virtualNetworkPeerings": [named]}})
    peering = f"{VNET}/virtualNetworkPeerings/there"

    async def state() -> str:
        return str((await http("GET", peering)).json()["properties"]["peeringState"])

    assert (await http("GET", peering)).status_code == 404
    assert (await http("PUT", peering, {"properties": {}})).status_code == 400
    made = await http("PUT", peering, {"properties": {"remoteVirtualNetwork": {"id": other}}})
    assert (made.status_code, await state()) == (201, "Connected")
    await http.network()
    assert await state() == "Connected", "a write of the network that is silent about peerings leaves them"
    (shown,) = (await http("GET", other)).json()["properties"]["virtualNetworkPeerings"]
    assert (shown["name"], shown["properties"]["peeringState"]) == ("back", "Connected")
    await http("DELETE", f"{other}/virtualNetworkPeerings/back")
    assert await state() == "Initiated"
    assert [one["name"] for one in (await http("GET", f"{VNET}/virtualNetworkPeerings")).json()["value"]] == ["there"]
    malformed = space | {"virtualNetworkPeerings": [{"name": "x"}]}
    assert (await http("PUT", other, {"location": "eastus2", "properties": malformed})).status_code == 400


async def test_missing_networks_and_subnets_are_404(http: Http) -> None:
    assert (await http("GET", f"{NET}/virtualNetworks/none")).status_code == 404
    await http.network()
    assert (await http("GET", f"{VNET}/subnets/none")).status_code == 404


async def test_the_network_sdk_adds_changes_and_removes_a_subnet(
    networks: NetworkManagementClient, http: Http, events: list[ResourceEvent]
) -> None:
    await http.network()
    for prefix in ("10.1.7.0/24", "10.1.8.0/24"):
        body = {"properties": {"addressPrefix": prefix}}
        made = await (await networks.subnets.begin_create_or_update("rg-net", "vnet1", "two", body)).result()
        assert (made.name, made.address_prefix) == ("two", prefix)
    assert [s.name async for s in networks.subnets.list("rg-net", "vnet1")] == ["pe", "two"]
    await (await networks.subnets.begin_delete("rg-net", "vnet1", "two")).result()
    assert [s.name async for s in networks.subnets.list("rg-net", "vnet1")] == ["pe"]
    assert [e.resource_type.rsplit("/", 1)[-1] for e in events] == ["virtualNetworks", *["subnets"] * 3]


async def test_a_subnet_with_an_endpoint_is_neither_moved_nor_deleted(http: Http) -> None:
    await http.network()
    await http("PUT", PE, endpoint_body())
    subnet = f"{VNET}/subnets/pe"
    moved = await http("PUT", subnet, {"properties": {"addressPrefix": "10.1.9.0/24"}})
    for refused in (moved, await http("DELETE", subnet)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InUseSubnetCannotBeDeleted")
    assert (await http("PUT", subnet, {"properties": {"addressPrefix": "10.1.0.0/24"}})).status_code == 200
    assert (await http("DELETE", f"{VNET}/subnets/none")).status_code == 204
