"""Role assignments: a principal that is given roles may do what they grant, where they grant it, and nothing else."""

from __future__ import annotations

import pytest

from local.arm import ArmCloud, RoleAssignment
from local.clock import LoopClock
from local.identity import ManagedIdentity
from tests.local.arm.arm_client import DNS, NET, PE, SUB, Http, link_body, record_body

GROUP = DNS.split("/providers")[0]
READ = "Microsoft.Network/privateDnsZones/read"


def app(cloud: ArmCloud, *roles: RoleAssignment) -> dict[str, str]:
    """Headers of a principal that has these roles."""
    cloud.settings.role_assignments["app"] = list(roles)
    return {"Authorization": "Bearer app"}


async def test_a_principal_without_any_role_may_do_nothing_and_others_everything(cloud: ArmCloud, http: Http) -> None:
    zone = await http.zone()
    refused = await http("GET", zone, **app(cloud))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert f"perform action '{READ}' over scope '{zone}'" in refused.json()["error"]["message"]
    assert (await http("GET", zone)).status_code == 200


@pytest.mark.parametrize(
    ("scope", "status"),
    [(SUB, 200), (GROUP.upper(), 200), (f"{GROUP}/", 200), (GROUP[:-1], 403), (NET, 403), (f"{GROUP}-2", 403)],
)
async def test_a_role_holds_at_its_scope_and_below(cloud: ArmCloud, http: Http, scope: str, status: int) -> None:
    zone = await http.zone()
    assert (await http("GET", zone, **app(cloud, RoleAssignment(scope, (READ,))))).status_code == status


async def test_a_list_of_the_subscription_needs_the_right_on_the_subscription(cloud: ArmCloud, http: Http) -> None:
    zones = f"{SUB}/providers/Microsoft.Network/privateDnsZones"
    refused = await http("GET", zones, **app(cloud, RoleAssignment(GROUP, (READ,))))
    assert refused.status_code == 403
    assert f"action '{READ}' over scope '{SUB}' or the scope is invalid" in refused.json()["error"]["message"]
    assert (await http("GET", zones, **app(cloud, RoleAssignment(SUB, (READ,))))).status_code == 200


async def test_reading_is_not_writing_and_roles_add_up(cloud: ArmCloud, http: Http) -> None:
    zone = await http.zone()
    reader = RoleAssignment(SUB, ("*/read",))
    record = f"{zone}/A/*"
    assert (await http("PUT", record, record_body("10.1.0.4"), **app(cloud, reader))).status_code == 403
    writer = RoleAssignment(GROUP, ("microsoft.network/privatednszones/a/*",), ("Microsoft.Network/*/delete",))
    headers = app(cloud, reader, writer)
    assert (await http("PUT", record, record_body("10.1.0.4"), **headers)).status_code == 201
    assert (await http("DELETE", record, **headers)).status_code == 403
    assert (await http("GET", record, **headers)).status_code == 200


def test_what_may_be_done_inside_a_resource_is_a_right_of_its_own() -> None:
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
    get = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    role = RoleAssignment(vault, ("*",), data_actions=("Microsoft.KeyVault/vaults/secrets/get*",))
    assert role.allows_inside(get.upper(), vault.upper())
    assert not role.allows_inside(get, f"{vault}-2")
    assert not role.allows_inside("Microsoft.KeyVault/vaults/secrets/setSecret/action", vault)
    assert not RoleAssignment(vault, ("*",)).allows_inside(get, vault), "an owner reads no secret"


async def test_linking_needs_a_right_on_the_zone_and_on_the_network(cloud: ArmCloud, http: Http) -> None:
    zone, vnet = await http.zone(), await http.network()
    write = RoleAssignment(GROUP, ("Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",))
    refused = await http("PUT", f"{zone}/virtualNetworkLinks/x", link_body(vnet), **app(cloud, write))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert f"on the linked scope(s) '{vnet}'" in refused.json()["error"]["message"]
    join = RoleAssignment(vnet, ("Microsoft.Network/virtualNetworks/join/action",))
    accepted = await http("PUT", f"{zone}/virtualNetworkLinks/x", link_body(vnet), **app(cloud, write, join))
    assert accepted.status_code == 202


async def test_a_principal_is_known_by_its_identitys_token() -> None:
    clock = LoopClock()
    identity = ManagedIdentity(clock)
    token = str(identity.issue("https://management.azure.com", "app-client")["access_token"])
    cloud = ArmCloud(clock, check_token=identity.opens_arm)
    cloud.settings.principal_of = identity.client_of
    cloud.settings.role_assignments["app-client"] = [RoleAssignment(SUB, ())]
    http = Http(cloud)
    assert (await http("GET", PE, Authorization=f"Bearer {token}")).status_code == 403
    other = str(identity.issue("https://management.azure.com", "other")["access_token"])
    assert (await http("GET", PE, Authorization=f"Bearer {other}")).status_code == 404
    assert identity.client_of("never issued") == ""


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        ("https://management.azure.com/", 404),
        ("https://management.core.windows.net", 404),
        ("https://storage.azure.com", 401),
        ("https://vault.azure.net", 401),
    ],
)
async def test_a_token_for_another_service_does_not_open_arm(audience: str, status: int) -> None:
    clock = LoopClock()
    identity = ManagedIdentity(clock)
    token = str(identity.issue(audience, "app-client")["access_token"])
    answer = await Http(ArmCloud(clock, check_token=identity.opens_arm))("GET", PE, Authorization=f"Bearer {token}")
    assert answer.status_code == status
