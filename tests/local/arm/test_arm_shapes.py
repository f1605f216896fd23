"""A body with anything of a wrong type anywhere gets Azure's refusal, never a failure of the simulator."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from local.arm import ArmCloud
from tests.local.arm.arm_client import NET, PE, VNET, ZONE, Http, endpoint_body, link_body, record_body

NETWORK: dict[str, Any] = {
    "location": "eastus2",
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
        "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
        "subnets": [{"name": "pe", "properties": {"addressPrefix": "10.1.0.0/24"}}],
        "virtualNetworkPeerings": [{"name": "to-hub", "properties": {"remoteVirtualNetwork": {"id": VNET}}}],
    },
}
PEERING = {"properties": {"remoteVirtualNetwork": {"id": VNET}}}
TEXTS = {"properties": {"ttl": 300, "txtRecords": [{"value": ["a"]}]}}
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", VNET, NETWORK),
    ("PUT", f"{VNET}/virtualNetworkPeerings/p", PEERING),
    ("PUT", f"{VNET}/subnets/s", {"properties": {"addressPrefix": "10.1.1.0/24"}}),
    (
        "PUT",
        f"{ZONE}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01",
        {"properties": {"tags": {"a": "b"}}},
    ),
    ("PUT", PE, endpoint_body()),
    ("PATCH", PE, {"tags": {"a": "b"}}),
    ("PUT", ZONE, {"location": "global", "tags": {"a": "b"}}),
    ("PUT", f"{ZONE}/virtualNetworkLinks/l", link_body(VNET)),
    ("PATCH", f"{ZONE}/virtualNetworkLinks/l", link_body(VNET)),
    ("PUT", f"{ZONE}/A/*", record_body("10.1.0.4", owner="me")),
    ("PATCH", f"{ZONE}/A/*", record_body("10.1.0.4", owner="me")),
    ("PUT", f"{ZONE}/TXT/t", TEXTS),
]
WRONG: list[Any] = [True, 7, 1.5, "x", [], [None], ["x"], [{}], {}, {"x": 1}]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a body, the whole of it first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def replaced(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    changed = node = copy.deepcopy(body)
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


@pytest.fixture
async def estate(cloud: ArmCloud, http: Http) -> Http:
    settings = cloud.settings
    settings.arm_bucket = settings.network_writes_per_5_minutes = settings.private_dns_reads_per_5_minutes = None
    settings.zone_seconds = settings.link_seconds = settings.endpoint_seconds = settings.nic_address_seconds = 0
    await http.network()
    await http.zone()
    for url, body in ((PE, endpoint_body()), (f"{ZONE}/virtualNetworkLinks/l", link_body(VNET))):
        await http.done("PUT", url, body)
    await http("PUT", f"{ZONE}/A/*", record_body("10.1.0.4"))
    return http


@pytest.mark.parametrize(("method", "url", "body"), WRITES, ids=lambda value: str(value)[-30:])
async def test_a_field_of_a_wrong_type_is_refused_in_azures_shape(
    estate: Http, method: str, url: str, body: dict[str, Any]
) -> None:
    assert (await estate(method, url, body)).is_success
    for path in places(body):
        for wrong in WRONG:
            answer = await estate(method, url, replaced(body, path, wrong))
            if not answer.is_success:
                said = answer.json()
                assert (answer.status_code, (said.get("error") or said).keys()) == (400, {"code", "message"}), path
            assert (await estate("GET", url)).is_success, "what was taken can be read"


@pytest.mark.parametrize(
    ("url", "body", "code", "where"),
    [
        (PE, {"location": "eastus2", "properties": {"subnet": "x"}}, "InvalidRequestFormat", "properties.subnet"),
        (f"{NET}/virtualNetworks/v", replaced(NETWORK, ("properties", "subnets"), [None]), "InvalidRequestFormat",
         "properties.subnets[0]"),
        (f"{ZONE}/virtualNetworkLinks/l", {"location": "global", "properties": {"registrationEnabled": "yes"}},
         "BadRequest", "properties.registrationEnabled"),
    ],
)  # fmt: skip
async def test_the_refusal_says_where(estate: Http, url: str, body: Any, code: str, where: str) -> None:
    error = (await estate("PUT", url, body)).json()["error"]
    assert (error["code"], f"'{where}'" in error["message"]) == (code, True), error


async def test_the_record_service_leaves_out_the_wrapper_here_too(estate: Http) -> None:
    answer = await estate("PUT", f"{ZONE}/A/*", {"properties": {"ttl": True, "aRecords": []}})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")
