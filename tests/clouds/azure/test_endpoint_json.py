"""A private endpoint out of ARM's JSON: every state, both spellings of the GUID, and holes anywhere."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clouds.azure.private_dns import link_of, record_of
from shared.clouds.azure.private_endpoints import address_of
from shared.clouds.azure.private_endpoints import endpoint_of as read
from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import UnusableAnswer
from shared.core.model.markers import Holder, Marker, RecordMarker
from shared.core.model.resources import ConnectionStatus, Endpoint

GROUP = "/subscriptions/0a1b2c3d-0000-4000-8000-00000000beef/resourceGroups/net-prod"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
ID = f"{NETWORK}/privateEndpoints/Pe-Search"
NIC = f"{NETWORK}/networkInterfaces/Pe-Search.nic.1"
VNET = f"{NETWORK}/virtualNetworks/spoke"
ALIAS = "westus2-prod-003-privatelink-service.b9c176b8-4fe9-41f9-916c-67cacd753ca1.westus2.azure.privatelinkservice"


def endpoint_of(answer: dict[str, Any]) -> Endpoint:
    """The endpoint, which can be read."""
    found = read(answer)
    assert found is not None
    return found


def connection(
    status: str | None = "Pending", alias: str = ALIAS, description: str = "Awaiting Approval"
) -> dict[str, Any]:
    state = {"status": status, "description": description, "actionsRequired": "None"}
    return {
        "name": "elastic",
        "properties": {
            "provisioningState": "Succeeded",
            "privateLinkServiceId": alias,
            "groupIds": [],
            "privateLinkServiceConnectionState": state,
        },
    }


def body(**properties: Any) -> dict[str, Any]:
    """The endpoint as the live service answers it, with some properties replaced."""
    return {
        "name": "Pe-Search",
        "id": ID,
        "type": "Microsoft.Network/privateEndpoints",
        "etag": 'W/"00000000-0000-4000-8000-000000000001"',
        "location": "westeurope",
        "tags": {"elastic-deployments": "orders"},
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": "5e1f0c9a-1111-4222-8333-944445555666",
            "privateLinkServiceConnections": [],
            "manualPrivateLinkServiceConnections": [connection()],
            "customNetworkInterfaceName": "",
            "subnet": {"id": f"{VNET}/subnets/pe"},
            "ipConfigurations": [],
            "networkInterfaces": [{"id": NIC}],
            "customDnsConfigs": [],
            **properties,
        },
    }


def nic(*configurations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": NIC, "properties": {"ipConfigurations": [{"properties": one} for one in configurations]}, **more}


def ip(address: str | None, **more: Any) -> dict[str, Any]:
    return {"privateIPAddress": address, "privateIPAddressVersion": "IPv4", "primary": True, **more}


def test_everything_that_matters_is_read() -> None:
    found = endpoint_of(body())
    assert (found.id.text, found.name, found.guid) == (ID, "Pe-Search", "5e1f0c9a-1111-4222-8333-944445555666")
    assert (found.location, found.provisioning_state, found.alias) == ("westeurope", "Succeeded", ALIAS)
    assert (found.status, found.status_description) == (ConnectionStatus.PENDING, "Awaiting Approval")
    assert (found.vnet_id, found.nic_ids, found.address) == (VNET, (NIC,), None)
    assert dict(found.tags) == {"elastic-deployments": "orders"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Pending", ConnectionStatus.PENDING),
        ("Approved", ConnectionStatus.APPROVED),
        ("Rejected", ConnectionStatus.REJECTED),
        ("Disconnected", ConnectionStatus.DISCONNECTED),
        ("approved", ConnectionStatus.APPROVED),
        ("Timeout", ConnectionStatus.UNKNOWN),
        ("", ConnectionStatus.UNKNOWN),
        (None, ConnectionStatus.UNKNOWN),
    ],
)
def test_the_state_of_the_connection_is_read_and_a_new_one_is_unknown(
    status: str | None, expected: ConnectionStatus
) -> None:
    found = endpoint_of(body(manualPrivateLinkServiceConnections=[connection(status)]))
    assert found.status is expected


@pytest.mark.parametrize("spelling", ["resourceGuid", "resourceGUID"])
def test_the_guid_is_taken_verbatim_in_either_spelling(spelling: str) -> None:
    given_ = body()
    del given_["properties"]["resourceGuid"]
    given_["properties"][spelling] = "ABCDEF00-1111-4222-8333-944445555666"
    assert endpoint_of(given_).guid == "ABCDEF00-1111-4222-8333-944445555666"


@pytest.mark.parametrize("guid", [None, ""])
def test_a_guid_that_is_not_there_yet_is_empty(guid: str | None) -> None:
    assert endpoint_of(body(resourceGuid=guid)).guid == ""


def test_a_connection_is_found_in_either_list_the_manual_one_first() -> None:
    other = connection("Approved", alias=f"{NETWORK}/privateLinkServices/mine")
    automatic = endpoint_of(body(manualPrivateLinkServiceConnections=[], privateLinkServiceConnections=[other]))
    assert (automatic.alias, automatic.status) == (f"{NETWORK}/privateLinkServices/mine", ConnectionStatus.APPROVED)
    assert endpoint_of(body(privateLinkServiceConnections=[other])).alias == ALIAS


@pytest.mark.parametrize("none", [None, [], [None], ["text"]])
def test_an_endpoint_without_a_connection_is_none_that_can_be_read(none: Any) -> None:
    """Every endpoint has one: it would look like one that uses no service of Elastic's."""
    assert read(body(manualPrivateLinkServiceConnections=none)) is None


def test_a_long_description_is_cut() -> None:
    given_ = body(manualPrivateLinkServiceConnections=[connection("Rejected", description="x" * 5000)])
    assert len(endpoint_of(given_).status_description) == 200


def test_the_address_is_read_from_an_expanded_network_interface() -> None:
    assert endpoint_of(body(networkInterfaces=[nic(ip("10.1.0.4"))])).address == "10.1.0.4"


@pytest.mark.parametrize(
    ("configurations", "address"),
    [
        ([], None),
        ([ip(None)], None),
        ([ip("")], None),
        ([ip("fd00::4", privateIPAddressVersion="IPv6")], None),
        ([ip("fd00::4", privateIPAddressVersion="IPv6"), ip("10.1.0.4", primary=False)], "10.1.0.4"),
        ([ip("10.1.0.9", primary=False), ip("10.1.0.4")], "10.1.0.4"),
        ([ip("10.1.0.4", primary=None)], "10.1.0.4"),
        ([{"privateIPAddress": "10.1.0.4"}], "10.1.0.4"),
        ([ip("10.1.0.4", privateIPAddressVersion=None)], "10.1.0.4"),
    ],
)
def test_the_address_is_the_primary_ipv4_one(configurations: list[dict[str, Any]], address: str | None) -> None:
    assert address_of(nic(*configurations)) == address


@pytest.mark.parametrize(
    "hole",
    [
        {"networkInterfaces": None},
        {"networkInterfaces": [None, "text", {}, {"id": None}]},
        {"networkInterfaces": [{"id": NIC, "properties": None}]},
        {"networkInterfaces": [{"id": NIC, "properties": {"ipConfigurations": None}}]},
        {"networkInterfaces": [{"id": NIC, "properties": {"ipConfigurations": [None, {"properties": None}]}}]},
        {"provisioningState": None},
    ],
    ids=str,
)
def test_a_hole_is_something_not_there_yet(hole: dict[str, Any]) -> None:
    found = endpoint_of(body(**hole))
    assert (found.id.text, found.address) == (ID, None)


@pytest.mark.parametrize(
    "hole",
    [
        {"subnet": {}},
        {"subnet": "text"},
        {"subnet": {"id": None}},
        {"subnet": {"id": "text"}},
        {"manualPrivateLinkServiceConnections": [{"properties": None}]},
        {"manualPrivateLinkServiceConnections": [{"properties": {"privateLinkServiceId": 7}}]},
    ],
    ids=str,
)
def test_an_endpoint_without_what_every_one_has_is_none_that_can_be_read(hole: dict[str, Any]) -> None:
    """Without its network it would look like one that was moved: what it has there would go."""
    assert read(body(**hole)) is None


def test_an_endpoint_that_azure_shows_without_a_subnet_is_in_no_network() -> None:
    """Some are made so; one whose network is on record is left as it is (`reconciler.observe`)."""
    assert endpoint_of(body(subnet=None)).vnet_id == ""
    given_ = body()
    del given_["properties"]["subnet"]
    assert endpoint_of(given_).vnet_id == ""


def test_an_ipv6_address_is_read_beside_the_one_that_clients_use() -> None:
    six = ip("fd00::4", privateIPAddressVersion="IPv6", primary=False)
    found = endpoint_of(body(networkInterfaces=[nic(ip("10.1.0.4"), six)]))
    assert (found.address, found.ipv6) == ("10.1.0.4", "fd00::4")
    assert endpoint_of(body(networkInterfaces=[nic(six)])).address is None


@pytest.mark.parametrize("tags", ["text", 7, ["elastic-deployments"], {"elastic-deployments": None}])
def test_tags_that_cannot_be_read_are_not_no_tags(tags: Any) -> None:
    """Without its tags it would want nothing: its associations would go."""
    assert read(body() | {"tags": tags}) is None


@pytest.mark.parametrize("missing", ["tags", "location", "name", "etag"])
def test_a_top_level_null_is_no_crash(missing: str) -> None:
    assert endpoint_of(body() | {missing: None}).id.text == ID


@pytest.mark.parametrize("bad", [None, "", "text", 7])
def test_an_endpoint_without_an_id_is_none_that_can_be_read(bad: object) -> None:
    assert read(body() | {"id": bad}) is None


NEEDED = {"id", "properties", "subnet", "manualPrivateLinkServiceConnections"}
PATHS = [(name,) for name in body() if name not in NEEDED]
PATHS += [("properties", name) for name in body()["properties"] if name not in NEEDED]


@settings(deadline=None, database=None)
@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=6))
def test_the_endpoint_is_read_with_any_field_missing(holes: list[tuple[str, ...]]) -> None:
    given_ = copy.deepcopy(body(networkInterfaces=[nic(ip("10.1.0.4"))]))
    for path in holes:
        parent = given_ if len(path) == 1 else given_["properties"]
        if parent is not None:
            parent[path[-1]] = None
    assert endpoint_of(given_).id.text == ID


# -- DNS -----------------------------------------------------------------------------------------------------------

ZONE = f"{NETWORK}/privateDnsZones/privatelink.westus2.azure.elastic-cloud.com"
MARKER = Marker("autopilot", connection_id(ID), ID)


@pytest.mark.parametrize(
    ("state", "completed"), [("Completed", True), ("completed", True), ("InProgress", False), (None, False)]
)
def test_a_link_is_read_with_its_state_and_marker(state: str | None, completed: bool) -> None:
    found = link_of(
        {
            "id": f"{ZONE}/virtualNetworkLinks/l",
            "name": "l",
            "tags": MARKER.tags(),
            "properties": {"virtualNetwork": {"id": VNET}, "virtualNetworkLinkState": state},
        }
    )
    assert (found.vnet_id, found.name, found.completed, found.marker) == (VNET, "l", completed, MARKER)


@pytest.mark.parametrize("hole", [{}, {"properties": None}, {"properties": {"virtualNetwork": None}}, {"tags": None}])
def test_a_link_with_holes_is_one_to_nothing(hole: dict[str, Any]) -> None:
    found = link_of(hole)
    assert (found.vnet_id, found.completed, found.marker) == ("", False, None)


def test_a_record_is_read_with_its_bare_etag_and_holders() -> None:
    marker = RecordMarker("autopilot", (Holder(MARKER.connection_id, "10.1.0.4", ID),))
    found = record_of(
        {
            "etag": "00000000-0000-4000-8000-000000000002",
            "properties": {"aRecords": [{"ipv4Address": "10.1.0.4"}], "metadata": marker.metadata()},
        }
    )
    assert (found.addresses, found.etag, found.marker) == (
        ("10.1.0.4",),
        "00000000-0000-4000-8000-000000000002",
        marker,
    )


@pytest.mark.parametrize("records", [None, []])
def test_an_empty_record_set_has_no_addresses_and_no_marker(records: Any) -> None:
    found = record_of({"properties": {"aRecords": records, "metadata": None}})
    assert (found.addresses, found.etag, found.marker) == ((), "", None)


@pytest.mark.parametrize("hole", [{}, {"properties": None}, {"properties": {"aRecords": [None]}}])
def test_a_record_set_whose_addresses_cannot_be_read_is_not_an_empty_one(hole: dict[str, Any]) -> None:
    with pytest.raises(UnusableAnswer):
        record_of(hole)
