"""Many subscriptions: roles at a management group, and how much one deployment takes."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import RoleAssignment
from shared.settings import load as load_settings
from tests.infra.paper_azure import CLOUDS, Azure
from tests.infra.paper_bicep import MANAGEMENT_GROUPS, deploy
from tests.infra.paper_choices import AT_GROUP, HOME, deployed, deployed_at_group, values_of_events
from tests.infra.paper_functions import Stopped
from tests.infra.shipped import ROLES, actions, load
from tests.infra.test_infra_roles import ASSIGNMENTS, definitions, told

LANDING = f"{MANAGEMENT_GROUPS}landing-zones"
PRINCIPAL = AT_GROUP["principalId"]
GROUP_READER = load("management-group-roles.json")["groupReader"]
MANY = [f"00000000-0000-0000-0001-{number:012}" for number in range(500)]
ARM_TAKES = 800
"""Resources of one template, and turns of one loop."""


def at_group(group: str = "landing-zones", **chosen: Any) -> tuple[Azure, str]:
    """What a platform team makes, and the ids that main.bicep may take."""
    azure, outputs = deployed_at_group(group, **chosen)
    return azure, outputs["ROLE_IDS"]


def made_roles(azure: Azure) -> set[tuple[str, ...]]:
    found = [role["permissions"] for role in definitions(azure).values()]
    return {tuple(action for one in permissions for action in one["actions"]) for permissions in found}


def given(azure: Azure) -> list[RoleAssignment]:
    """The assignments, as the local clouds take them."""
    roles = definitions(azure)
    bodies = [(one.scope, one.body["properties"]) for one in azure.of(ASSIGNMENTS) if one.body is not None]
    assert {body["principalId"] for _, body in bodies} <= {PRINCIPAL}
    return [
        RoleAssignment(scope, tuple(roles[body["roleDefinitionId"].rpartition("/")[2]]["permissions"][0]["actions"]))
        for scope, body in bodies
    ]


def test_the_platform_team_makes_every_role_and_the_one_that_lists_subscriptions_at_the_management_group() -> None:
    azure, _ = at_group()
    assert made_roles(azure) == {tuple(sorted(role)) for role in (*map(actions, ROLES), GROUP_READER["actions"])}
    assert [role["assignableScopes"] for role in definitions(azure).values()] == [[LANDING]] * (len(ROLES) + 1)
    assert {one.scope for one in given(azure)} == {LANDING}
    assert len(given(azure)) == len(ROLES) + 1


def test_before_there_is_an_identity_the_roles_are_made_alone() -> None:
    azure, _ = at_group(principalId="")
    assert len(definitions(azure)) == len(ROLES) + 1
    assert given(azure) == []


@pytest.mark.parametrize(
    ("chosen", "left_out"),
    [({"allowDelete": False}, {"dnsRemover"}), ({"zonesHere": False}, {"dnsWriter", "dnsRemover"})],
)
def test_a_role_that_is_not_needed_is_not_made(chosen: dict[str, Any], left_out: set[str]) -> None:
    azure, _ = at_group(**chosen)
    roles = (*(actions(role) for role in ROLES if role not in left_out), GROUP_READER["actions"])
    assert made_roles(azure) == {tuple(sorted(role)) for role in roles}


def test_roles_of_two_groups_and_of_two_installations_have_different_names() -> None:
    """Names of roles are unique in a tenant."""
    azures = at_group()[0], at_group("sandboxes")[0], at_group(environmentName="test")[0]
    names = [role["roleName"] for azure in azures for role in definitions(azure).values()]
    assert len(set(names)) == len(names)


def test_main_bicep_takes_the_ids_and_assigns_those_roles_at_its_own_places() -> None:
    _, ids = at_group()
    azure = deployed("default", azureManagementGroups="landing-zones", roleIds=ids, dnsSubscriptions=HOME)
    assert definitions(azure) == {}
    guids = {one.partition("=")[2] for one in ids.split(",")}
    assert {role for _, role, _ in told(azure)} & guids


def test_an_installation_for_a_management_group_alone_has_rights_and_topics_in_no_subscription() -> None:
    azure = deployed("default", azureManagementGroups="landing-zones", alertEmail="a@example.com")
    assert azure.of("Microsoft.EventGrid/systemTopics") == []
    custom = {scope for _, role, scope in told(azure) if role.startswith("Private Link Autopilot")}
    assert all("/providers/microsoft.network/virtualnetworks/" in scope for scope in custom)
    (settings,) = [one.body["properties"] for one in azure.of("Microsoft.Web/sites/config") if one.body is not None]
    read = load_settings({**settings, "INSTANCE_ID": "production-0"})
    assert (read.scope.subscriptions, read.scope.management_groups) == ((), ("landing-zones",))
    assert read.azure.event_subscription == "privatelink-production"


def test_named_subscriptions_and_a_management_group_go_together() -> None:
    azure = deployed("default", azureManagementGroups="landing-zones", azureSubscriptions=HOME)
    assert [one.scope.split("/")[2] for one in azure.of("Microsoft.EventGrid/systemTopics")] == [HOME]


@pytest.mark.parametrize("delivery", ["queue", "function", "none"])
def test_two_hundred_subscriptions_stay_below_what_azure_takes(delivery: str) -> None:
    azure = deployed("default", azureSubscriptions=",".join(MANY[:200]), eventDelivery=delivery)
    assert max(size for _, size in azure.sizes) <= ARM_TAKES
    topics = azure.of("Microsoft.EventGrid/systemTopics")
    assert len(topics) == (0 if delivery == "none" else 200)


def test_more_than_two_hundred_are_refused_before_anything_is_made() -> None:
    azure = Azure(CLOUDS["AzureCloud"])
    chosen = {"environmentName": "production", "location": "eastus2", "azureSubscriptions": ",".join(MANY[:201])}
    with pytest.raises(Stopped, match="azureSubscriptions has 201 subscriptions, and one deployment serves 200: split"):
        deploy(azure, "main.bicep", HOME, chosen)
    assert azure.made == {}


def test_the_template_of_topics_refuses_more_than_two_hundred_too() -> None:
    outputs = deployed("default").outputs
    events = values_of_events({"environmentName": "production", "azureSubscriptions": ",".join(MANY[:201])}, outputs)
    with pytest.raises(Stopped, match=r"watchedSubscriptions has 201 .* split them, as scripts/topics.sh does"):
        deploy(Azure(CLOUDS["AzureCloud"]), "events.bicep", HOME, events)


def test_a_topic_that_is_named_where_nothing_is_watched_tells_of_the_zones_there() -> None:
    hub = f"/subscriptions/{MANY[0]}/resourceGroups/rg-hub/providers/Microsoft.EventGrid/systemTopics/hub"
    azure = deployed("default", existingSystemTopics=hub)
    made = azure.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    assert [one.scope.split("/")[2] for one in made] == [HOME, MANY[0]]
    assert made[1].name == "hub/privatelink-production"
    assert [one.scope.split("/")[2] for one in azure.of("Microsoft.EventGrid/systemTopics")] == [HOME]


def test_five_hundred_subscriptions_below_a_management_group_on_paper() -> None:
    """Roles at the group, the app, and the topics in three deployments, as scripts/topics.sh makes them."""
    platform, _ = at_group()
    azure = deployed("default", azureManagementGroups="landing-zones")
    for part in range(0, len(MANY), 200):
        some = {"environmentName": "production", "azureSubscriptions": ",".join(MANY[part : part + 200])}
        values = values_of_events(some, azure.outputs) | {"eventDelivery": "queue"}
        deploy(azure, "events.bicep", HOME, values)
    topics = azure.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    assert {one.scope.split("/")[2] for one in topics if one.body} == set(MANY)
    assert max(size for _, size in (*azure.sizes, *platform.sizes)) <= ARM_TAKES
