"""Taking an installation back: nothing of it stays but what is listed, and nothing of others goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.az_that_records import SHELLS, Recorded
from tests.infra.paper_choices import deployed
from tests.infra.shipped import load
from tests.infra.test_infra_roles import definitions

APP = "/subscriptions/s/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x"
SUBNET = "/subscriptions/s/resourceGroups/rg-x/providers/Microsoft.Network/virtualNetworks/v/subnets/app"
THEIRS = "/subscriptions/t/resourceGroups/rg-theirs/providers/Microsoft.EventGrid/systemTopics/theirs"
LINK_SCOPE = "/subscriptions/h/resourceGroups/rg-hub/providers/Microsoft.Insights/privateLinkScopes/hub-logs"
OURS = {"tags": {"azd-env-name": "x"}}
TITLES = ("endpoint reader", "DNS writer")


@pytest.fixture
def az(tmp_path: Path) -> Recorded:
    """An installation that made all of its groups itself, in two subscriptions; one more is known from its roles."""
    recorded = Recorded(tmp_path)
    recorded.environment = {
        "AZURE_ENV_NAME": "x",
        "AZURE_LOCATION": "eastus2",
        "AZURE_SUBSCRIPTION_ID": "s",
        "AZURE_SUBSCRIPTIONS": "s,t",
        "AUTOPILOT_APP_ID": APP,
    }
    recorded.answer("resource show --ids", {"properties": {"virtualNetworkSubnetId": SUBNET}})
    recorded.answer("network vnet subnet show", {"serviceAssociationLinks": [{"name": "legionservicelink"}]}, {})
    recorded.answer("identity list", [{"principalId": "app"}, {"principalId": "events"}])
    for subscription in ("s", "t", "u"):
        scope = f"/subscriptions/{subscription}"
        found = [{"id": f"{scope}/assignment", "scope": scope}]
        recorded.answer(f"role assignment list --assignee-object-id app --subscription {subscription}", found)
    places = ["/subscriptions/s", "/subscriptions/t", "/subscriptions/u"]
    roles = [{"roleName": f"Private Link Autopilot {one} (x)", "name": f"guid {one}"} for one in TITLES]
    recorded.answer("role definition list", [one | {"assignableScopes": places} for one in roles])
    recorded.answer("group show", OURS)
    recorded.answer("keyvault list --resource-group rg-x", [{"id": "/vaults/kv-x"}])
    return recorded


def changed(az: Recorded) -> list[str]:
    return [call.split(" --only")[0].removeprefix("az ") for call in az.changes]


@pytest.mark.parametrize("shell", SHELLS)
def test_before_azd_down_all_goes_that_it_would_leave_and_what_stays_is_listed(az: Recorded, shell: str) -> None:
    answer = az.run("predown", shell=shell)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert changed(az) == [
        "functionapp vnet-integration remove --name func-x --resource-group rg-x --subscription s",
        *(f"group delete --name rg-x-events --subscription {one} --yes" for one in ("s", "t", "u")),
        *(f"role assignment delete --ids /subscriptions/{one}/assignment" for one in ("s", "t", "u")),
        *(f"role definition delete --name guid {one} --scope /subscriptions/s" for one in TITLES),
    ], "the installation's own group is azd's"
    assert "the vault kv-x, deleted and kept for 90 days; the next azd up of this name recovers it" in answer.stdout


@pytest.mark.parametrize(
    ("name", "value", "group"),
    [
        ("DNS_ZONE_RESOURCE_GROUPS", "/subscriptions/h/resourceGroups/rg-hub", "h/rg-hub"),
        ("DNS_LINK_VNETS", "/subscriptions/h/resourceGroups/RG-HUB/providers/a/virtualNetworks/v", "h/rg-hub"),
        ("APP_SUBNET_ID", "/subscriptions/h/resourceGroups/rg-hub/providers/a/virtualNetworks/v/subnets/s", "h/rg-hub"),
        ("EXISTING_SYSTEM_TOPICS", THEIRS, "t/rg-theirs"),
        ("PRIVATE_LINK_SCOPE_ID", LINK_SCOPE, "h/rg-hub"),
        ("PRIVATE_ACCESS_ZONE_GROUP", "/subscriptions/h/resourceGroups/rg-hub", "h/rg-hub"),
    ],
)
def test_azd_down_is_refused_where_it_would_delete_groups_of_others(
    az: Recorded, name: str, value: str, group: str
) -> None:
    az.answer("group show --name " + group.split("/")[1], {"tags": None})
    answer = az.run("predown", **{name: value})
    assert answer.returncode == 1
    assert f"did not make:\n  {group}\n" in answer.stderr
    assert "scripts/hook.sh undo" in answer.stderr
    assert az.changes == []


def test_it_is_refused_too_where_only_a_role_assignment_tells_of_the_group(az: Recorded) -> None:
    scope = "/subscriptions/t/resourceGroups/rg-formerly-named"
    az.answer("role assignment list --assignee-object-id app --subscription t", [{"id": "/a", "scope": scope}])
    az.refuse("group show --name rg-formerly-named", "(AuthorizationFailed)")
    assert "t/rg-formerly-named" in az.run("predown").stderr
    assert az.changes == []


def test_undo_takes_ours_from_groups_of_others_and_deletes_the_installations_own(az: Recorded) -> None:
    az.answer("group show --name rg-theirs", {"tags": {}})
    alerts = [{"name": f"theirs-privatelink-{one}-DroppedEventCount"} for one in ("x", "x-2", "y")]
    az.answer("monitor metrics alert list", alerts)
    answer = az.run("undo", EXISTING_SYSTEM_TOPICS=THEIRS)
    assert answer.returncode == 0
    where = "--resource-group rg-theirs --subscription t"
    deleted = "eventgrid system-topic event-subscription delete --name privatelink-x --system-topic-name theirs"
    assert f"{deleted} {where} --yes" in changed(az)
    assert [one for one in changed(az) if "alert" in one] == [
        f"monitor metrics alert delete --name theirs-privatelink-x-DroppedEventCount {where}"
    ]
    assert changed(az)[-1] == "group delete --name rg-x --subscription s --yes", "last: the identities are in it"


def test_our_logs_leave_the_private_link_scope_and_those_of_others_stay(az: Recorded) -> None:
    az.answer("group show --name rg-hub", {"tags": {}})
    logs = "/providers/Microsoft.Insights/components/appi"
    listed = [
        {"name": one, "id": f"{LINK_SCOPE}/scopedResources/{one}", "properties": {"linkedResourceId": f"{group}{logs}"}}
        for one, group in {
            "ours": "/subscriptions/S/resourceGroups/RG-x",
            "theirs": "/subscriptions/s/resourceGroups/rg-xy",
        }.items()
    ]
    az.answer("rest --method get --url", {"value": listed})
    assert az.run("undo", PRIVATE_LINK_SCOPE_ID=LINK_SCOPE).returncode == 0
    (asked,) = az.called("rest --method get")
    assert f"{LINK_SCOPE}/scopedResources?api-version=2021-09-01" in asked
    (gone,) = az.called("rest --method delete")
    assert f"{LINK_SCOPE}/scopedResources/ours?api-version=2021-09-01" in gone


def test_every_custom_role_of_the_templates_is_one_that_is_deleted(az: Recorded) -> None:
    titles = [role["title"] for role in load("roles.json").values()]
    roles = [{"roleName": f"Private Link Autopilot {one} (x)", "name": one, "assignableScopes": []} for one in titles]
    az.answer("role definition list", roles)
    az.run("undo")
    assert [one.split(" --scope")[0] for one in changed(az) if one.startswith("role definition")] == [
        f"role definition delete --name {one}" for one in titles
    ]


@pytest.mark.parametrize("known", [{"AUTOPILOT_TOKEN": "abc123"}, {}], ids=["the deployment tells", "its vault tells"])
def test_roles_of_an_installation_of_the_same_name_in_another_subscription_stay(
    az: Recorded, known: dict[str, str]
) -> None:
    """Both may be assigned here, if both watch this subscription; the token in their names tells them apart."""
    azure = deployed("default")
    made = [role["roleName"] for role in definitions(azure).values()]
    named = f"(production {azure.outputs['AUTOPILOT_TOKEN']})"
    ours = [{"roleName": one.replace(named, "(x abc123)"), "name": "ours"} for one in made]
    theirs = [{"roleName": one.replace(named, "(x xyz789)"), "name": "theirs"} for one in made]
    az.answer("role definition list", [one | {"assignableScopes": []} for one in (*ours, *theirs)])
    az.answer("keyvault list --resource-group rg-x", [{"id": "/vaults/kv-abc123"}])
    az.run("undo", **known)
    deleted = [one for one in changed(az) if one.startswith("role definition delete")]
    assert len(deleted) == len(ours)
    assert all("--name ours" in one for one in deleted)


def test_a_group_that_does_not_carry_the_installations_tag_is_never_deleted(az: Recorded) -> None:
    az.answer("group show", {"tags": {"azd-env-name": "other"}})
    assert az.run("undo").returncode == 0
    assert [one for one in changed(az) if one.startswith("group delete")] == []


@pytest.mark.parametrize("hook", ["predown", "undo"])
def test_a_lock_stops_it_before_anything_is_deleted_by_half(az: Recorded, hook: str) -> None:
    az.answer("lock list --resource-group rg-x --subscription s", [{"id": "/locks/network", "level": "CanNotDelete"}])
    answer = az.run(hook)
    assert (answer.returncode, az.changes) == (1, [])
    assert "az lock delete --ids /locks/network" in answer.stderr


def test_a_subnet_that_azure_does_not_let_go_is_said_after_five_minutes(az: Recorded) -> None:
    az.answer("network vnet subnet show", {"serviceAssociationLinks": [{"name": "legionservicelink"}]})
    answer = az.run("predown")
    assert answer.returncode == 0
    assert f"Azure still holds the subnet after five minutes: {SUBNET}" in answer.stdout
    assert len(az.called("network vnet subnet show")) == 30


def test_it_can_be_run_again_after_the_app_is_gone(az: Recorded) -> None:
    nothing: dict[str, Any] = {"AUTOPILOT_APP_ID": ""}
    for asked in ("resource show", "group show", "identity list", "keyvault list", "functionapp list"):
        az.refuse(asked, "(ResourceGroupNotFound)")
    az.answer("role definition list", [])
    answer = az.run("undo", **nothing)
    assert (answer.returncode, az.changes) == (0, [])
