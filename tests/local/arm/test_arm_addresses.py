"""The addresses of private endpoints: IPv4, IPv6 or both, chosen by Azure or given; what else a body may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.arm.arm_client import NET, PE, VNET, Http, endpoint_body

if TYPE_CHECKING:
    from local.arm import ArmCloud


def of_both_kinds() -> dict[str, Any]:
    """A network's body with addresses of both kinds."""
    subnet = {"name": "pe", "properties": {"addressPrefixes": ["10.1.0.0/24", "fd00:1::/64"]}}
    space = {"addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"]}
    return {"location": "eastus2", "properties": {"addressSpace": space, "subnets": [subnet]}}


async def addresses(http: Http) -> list[tuple[str, str | None, str, bool]]:
    """Version, address, allocation and rank of each configuration of the endpoint's interface."""
    shown = (await http("GET", f"{PE}?$expand=networkInterfaces&api-version=2025-07-01")).json()["properties"]
    found = [one["properties"] for nic in shown["networkInterfaces"] for one in nic["properties"]["ipConfigurations"]]
    return [
        (
            one["privateIPAddressVersion"],
            one.get("privateIPAddress"),
            one["privateIPAllocationMethod"],
            one["primary"],
        )
        for one in found
    ]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("IPv6", [("IPv6", "fd00:1::4", "Dynamic", True)]),
        ("DualStack", [("IPv4", "10.1.0.4", "Dynamic", True), ("IPv6", "fd00:1::4", "Dynamic", False)]),
        ("IPv4", [("IPv4", "10.1.0.4", "Dynamic", True)]),
    ],
)
async def test_an_endpoint_has_the_kind_of_addresses_that_it_asked_for(
    http: Http, version: str, expected: list[tuple[str, str, str, bool]]
) -> None:
    await http("PUT", VNET, of_both_kinds())
    body = endpoint_body()
    body["properties"]["ipVersionType"] = version
    assert (await http.done("PUT", PE, body))["status"] == "Succeeded"
    assert await addresses(http) == expected
    newer = (await http("GET", f"{PE}?api-version=2025-07-01")).json()["properties"]
    assert newer["ipVersionType"] == version
    assert "ipVersionType" not in (await http("GET", PE)).json()["properties"]


async def test_an_endpoint_of_version_ipv6_needs_a_subnet_with_such_a_prefix(http: Http) -> None:
    await http.network()
    body = endpoint_body()
    body["properties"]["ipVersionType"] = "IPv6"
    refused = await http("PUT", PE, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "SubnetIsFull")


def with_address(address: str) -> dict[str, Any]:
    """An endpoint's body with a static address and an application security group."""
    body = endpoint_body()
    one = {"groupId": "", "memberName": "", "privateIPAddress": address}
    body["properties"]["ipConfigurations"] = [{"name": "static", "properties": one}]
    body["properties"]["applicationSecurityGroups"] = [{"id": f"{NET}/applicationSecurityGroups/asg-1"}]
    return body


async def test_a_static_address_and_security_groups_are_kept_as_they_were_asked_for(http: Http) -> None:
    await http.network()
    assert (await http.done("PUT", PE, with_address("10.1.0.77")))["status"] == "Succeeded"
    assert await addresses(http) == [("IPv4", "10.1.0.77", "Static", True)]
    shown = (await http("GET", PE)).json()["properties"]
    assert shown["ipConfigurations"] == with_address("10.1.0.77")["properties"]["ipConfigurations"]
    assert shown["applicationSecurityGroups"] == [{"id": f"{NET}/applicationSecurityGroups/asg-1"}]


@pytest.mark.parametrize(
    ("address", "code"),
    [("10.9.0.4", "PrivateIPAddressNotInSubnet"), ("10.1.0.77", "PrivateIPAddressIsAllocated")],
)
async def test_a_static_address_must_be_free_and_in_the_subnet(http: Http, address: str, code: str) -> None:
    await http.network()
    await http.done("PUT", f"{PE}-other", with_address("10.1.0.77"))
    refused = await http("PUT", PE, with_address(address))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)


async def test_by_a_switch_an_endpoint_is_shown_with_neither_subnet_nor_interface(cloud: ArmCloud, http: Http) -> None:
    await http.network()
    await http.done("PUT", PE, endpoint_body())
    cloud.settings.endpoints_without_subnet.add("pe-1")
    shown = (await http("GET", PE)).json()["properties"]
    assert ("subnet" in shown, shown["networkInterfaces"]) == (False, [])
