"""Who may do what after a deployment: roles of the installation's own, made here or beforehand, or left to others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.paper_azure import CLOUDS, Azure, Forbidden
from tests.infra.paper_bicep import deploy
from tests.infra.paper_choices import (
    CHOICES,
    HOME,
    MADE_BEFOREHAND,
    OTHER,
    deployed,
    each_choice,
    one_by_one,
    values,
)
from tests.infra.shipped import BUILT_IN, BUILT_IN_TITLES, ROLES, actions

AUTHORIZATION = "Microsoft.Authorization/"
DEFINITIONS, ASSIGNMENTS = f"{AUTHORIZATION}roleDefinitions", f"{AUTHORIZATION}roleAssignments"


def definitions(azure: Azure) -> dict[str, dict[str, Any]]:
    """The custom roles that were made, by GUID."""
    return {one.name: one.body["properties"] for one in azure.of(DEFINITIONS) if one.body is not None}


def assigned(azure: Azure) -> set[tuple[str, str, str]]:
    """Principal, name of the role, and scope of every assignment that was made."""
    titles = {guid: BUILT_IN_TITLES[name] for name, guid in BUILT_IN.items()}
    titles |= {guid: role["roleName"] for guid, role in definitions(azure).items()}
    made = [(one.scope, one.body["properties"]) for one in azure.of(ASSIGNMENTS) if one.body is not None]
    guids = [(scope, body["principalId"], body["roleDefinitionId"].rpartition("/")[2]) for scope, body in made]
    return {(principal, titles.get(guid, guid), scope.lower()) for scope, principal, guid in guids}


def told(azure: Azure) -> set[tuple[str, str, str]]:
    """The same of the list that the deployment tells."""
    listed = azure.outputs["AUTOPILOT_ROLES"]
    found = {(one["principal"], one["role"], one["scope"].lower()) for one in listed}
    assert len(found) == len(listed), "each once"
    return found


@each_choice
def test_the_deployment_tells_every_role_that_it_assigns_and_no_other(choice: str) -> None:
    azure = deployed(choice, assignRoles=True)
    assert told(azure) == assigned(azure) != set()


@each_choice
def test_a_contributor_deploys_everything_but_roles_and_is_told_the_same_list(choice: str) -> None:
    """Without any right to write authorization, not even to make a custom role."""
    azure = deployed(choice, assignRoles=False, contributor=True)
    assert [one.type for one in azure.made.values() if one.type.startswith(AUTHORIZATION) and one.body] == []
    everything = deployed(choice, assignRoles=True)
    assert told(azure) == told(everything)
    rest = {key for key, one in everything.made.items() if not one.type.startswith(AUTHORIZATION)}
    assert set(azure.made) == rest


@pytest.mark.parametrize(("private", "longest"), [(False, 32_767), (True, 131_072)])
def test_the_list_of_two_hundred_subscriptions_goes_into_a_variable_of_the_environment(
    private: bool, longest: int
) -> None:
    """There azd keeps it, and no hook starts with a longer one: on Windows, and on Linux."""
    many = [f"00000000-0000-0000-0003-{number:012}" for number in range(200)]
    given = values("default", azureSubscriptions=",".join(many), privateAccess=private)
    _, outputs = deploy(Azure(CLOUDS["AzureCloud"]), "main.bicep", HOME, given)
    assert len(one_by_one(outputs["AUTOPILOT_ROLES"])) > 800
    assert len(json.dumps(outputs["AUTOPILOT_ROLES"])) < longest


def test_azure_refuses_a_contributor_who_would_assign_roles() -> None:
    with pytest.raises(Forbidden, match="AuthorizationFailed"):
        deployed("default", contributor=True)


def test_two_installations_of_one_name_in_a_tenant_have_roles_of_different_names() -> None:
    """Names of roles are unique in a tenant: Azure answers RoleDefinitionWithSameNameExists."""
    first, second = (
        {role["roleName"] for role in definitions(deployed("default", home=home)).values()} for home in (HOME, OTHER)
    )
    assert len(first) == len(second) == len(ROLES)
    assert first & second == set()


def test_the_roles_that_are_made_have_the_actions_that_are_tested_and_the_installation_s_token() -> None:
    azure = deployed("default")
    token = azure.outputs["AUTOPILOT_TOKEN"]
    made = sorted(definitions(azure).values(), key=lambda role: str(role["roleName"]))
    assert all(role["roleName"].endswith(f" (production {token})") for role in made)
    found = [sorted(action for one in role["permissions"] for action in one["actions"]) for role in made]
    assert sorted(found) == sorted(sorted(actions(role)) for role in ROLES)
    assert all("dataActions" not in one for role in made for one in role["permissions"])


def test_without_the_right_to_delete_there_is_no_role_that_deletes() -> None:
    made = {role["roleName"].split(" (")[0] for role in definitions(deployed("default", allowDelete=False)).values()}
    assert made == {f"Private Link Autopilot {one}" for one in ("endpoint reader", "network reader", "DNS writer")}


def test_roles_made_beforehand_are_assigned_where_those_of_the_template_would_be() -> None:
    beforehand, own = deployed("roles made beforehand"), deployed("default")
    ids = {id_.rpartition("/")[2] for id_ in MADE_BEFOREHAND.values()}
    custom = {(role, scope) for _, role, scope in assigned(beforehand) if role not in BUILT_IN_TITLES.values()}
    assert {role for role, _ in custom} == ids
    assert len(assigned(beforehand)) == len(assigned(own))
    assert {scope for _, scope in custom} == {
        scope for _, role, scope in assigned(own) if role not in BUILT_IN_TITLES.values()
    }


def test_a_role_made_beforehand_stands_in_for_one_and_the_others_are_made() -> None:
    azure = deployed("default", roleIds=f" dnsRemover = {MADE_BEFOREHAND['dnsRemover']} ,")
    assert len(definitions(azure)) == len(ROLES) - 1
    assert MADE_BEFOREHAND["dnsRemover"] in {role for _, role, _ in assigned(azure)}


def test_every_set_of_choices_has_a_name_of_its_own() -> None:
    assert {"default", "function", "none"} < set(CHOICES)
