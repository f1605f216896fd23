"""What Azure's CLI and other clients ask before and around the resources themselves."""

from __future__ import annotations

import httpx
import pytest

from local.arm import ArmCloud
from local.clock import LoopClock
from tests.local.arm.arm_client import NET, PE, SUB, Http, endpoint_body

VERSION = "?api-version=2022-09-01"


async def test_which_cloud_this_is_everybody_may_ask() -> None:
    cloud = ArmCloud(LoopClock(), check_token=lambda _: False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cloud.app), base_url="https://here:1") as client:
        answer = await client.get(f"/metadata/endpoints{VERSION}")
    said = answer.json()
    assert (answer.status_code, said["resourceManager"]) == (200, "https://here:1/")
    assert said["authentication"]["audiences"][0] == "https://management.core.windows.net/"


async def test_tenants_and_subscriptions_are_listed(http: Http) -> None:
    (tenant,) = (await http("GET", f"/tenants{VERSION}")).json()["value"]
    (subscription,) = (await http("GET", f"/subscriptions{VERSION}")).json()["value"]
    assert (subscription["id"], subscription["tenantId"]) == (SUB, tenant["tenantId"])


async def test_the_provider_names_for_each_type_the_versions_that_it_takes_newest_first(http: Http) -> None:
    await http.network()
    await http.zone()
    described = (await http("GET", f"{SUB}/providers/Microsoft.Network{VERSION}")).json()
    assert described["registrationState"] == "Registered"
    versions = {entry["resourceType"]: entry["apiVersions"] for entry in described["resourceTypes"]}
    for kind in ("virtualNetworks", "privateEndpoints", "networkInterfaces", "privateDnsZones"):
        assert versions[kind] == sorted(versions[kind], reverse=True)
        assert (await http("GET", f"{NET}/{kind}?api-version={versions[kind][0]}")).status_code == 200


@pytest.mark.parametrize(
    ("where", "condition", "names"),
    [
        (SUB, "", {"vnet1", "pe-1", "nic-1"}),
        (f"{SUB}/resourceGroups/rg-net", "", {"vnet1", "pe-1", "nic-1"}),
        (f"{SUB}/resourceGroups/rg-other", "", set()),
        (SUB, "resourceType eq 'microsoft.network/PRIVATEENDPOINTS'", {"pe-1"}),
        (SUB, "resourceGroup eq 'RG-NET' and name eq 'vnet1'", {"vnet1"}),
        (SUB, "location eq 'westeurope'", set()),
    ],
)
async def test_all_resources_are_listed_and_filtered(http: Http, where: str, condition: str, names: set[str]) -> None:
    await http.network()
    endpoint = endpoint_body()
    endpoint["properties"]["customNetworkInterfaceName"] = "nic-1"
    await http("PUT", PE, endpoint)
    listed = (await http("GET", f"{where}/resources{VERSION}&$filter={condition}")).json()["value"]
    assert {entry["name"] for entry in listed} == names
    assert all({"id", "type", "location", "tags"} <= set(entry) for entry in listed)


async def test_a_filter_that_is_not_understood_is_400_rather_than_everything(http: Http) -> None:
    refused = await http("GET", f"{SUB}/resources{VERSION}&$filter=substringof('a', name)")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidFilterInQueryString")
