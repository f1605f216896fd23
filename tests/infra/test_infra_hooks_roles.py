"""`scripts/roles.sh`: what a platform team has to assign, and the commands for what is not there yet."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.infra.az_that_records import ROOT, Recorded
from tests.infra.paper_choices import HOME, deployed
from tests.infra.shipped import load


@pytest.fixture
def az(tmp_path: Path) -> Recorded:
    """An installation whose deployer assigned nothing: `deployed` tells what it needs."""
    recorded = Recorded(tmp_path)
    recorded.environment = {"AZURE_ENV_NAME": "production", "AZURE_SUBSCRIPTION_ID": "s", "ASSIGN_ROLES": "false"}
    recorded.environment["AUTOPILOT_ROLES"] = json.dumps(told(wanted()))
    return recorded


def wanted(**other: Any) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = deployed("default", assignRoles=False, **other).outputs["AUTOPILOT_ROLES"]
    return sorted(listed, key=lambda one: (one["scope"], one["role"]))


def told(roles: list[dict[str, str]]) -> list[dict[str, list[str]]]:
    """As the deployment tells them: in groups, here of one each."""
    return [{f"{name}s": [value] for name, value in one.items()} for one in roles]


def shown(az: Recorded, *words: str) -> str:
    answer = az.run_script("sh", str(ROOT / "scripts" / "roles.sh"), *words)
    assert (answer.returncode, answer.stderr, az.changes) == (0, "", [])
    return answer.stdout


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in text.splitlines() if line.startswith("az ")]


def test_each_role_is_one_line_with_principal_role_and_scope(az: Recorded) -> None:
    lines = [tuple(line.split("\t")) for line in shown(az).splitlines() if "\t" in line]
    assert lines == [(one["principal"], one["role"], one["scope"]) for one in wanted()]


def test_the_commands_make_every_custom_role_and_every_assignment(az: Recorded) -> None:
    made = commands(shown(az))
    roles = [json.loads(one[-1]) for one in made if one[1:4] == ["role", "definition", "create"]]
    expected = {tuple(role["actions"]) for role in load("roles.json").values()}
    assert {tuple(role["Actions"]) for role in roles} == expected
    assert [role["AssignableScopes"] for role in roles] == [[f"/subscriptions/{HOME}"]] * len(roles)
    assigned = [one for one in made if one[1:4] == ["role", "assignment", "create"]]
    got = [{"principal": one[5], "role": one[9], "scope": one[11]} for one in assigned]
    assert got == wanted()
    assert {one[7] for one in assigned} == {"ServicePrincipal"}


def test_what_is_there_is_not_asked_for_again(az: Recorded) -> None:
    az.answer("role assignment list", [{"roleDefinitionName": one["role"]} for one in wanted()])
    assert "All of them are assigned." in shown(az)


def test_one_that_is_missing_is_the_only_one_that_is_asked_for(az: Recorded) -> None:
    there = [{"roleDefinitionName": one["role"]} for one in wanted() if one["role"] != "Key Vault Secrets User"]
    az.answer("role assignment list", there)
    az.answer("role definition list", [{"name": "there"}])
    (command,) = commands(shown(az))
    assert command[1:4] == ["role", "assignment", "create"]
    assert "Key Vault Secrets User" in command


def test_a_role_made_beforehand_is_assigned_by_its_id_and_not_made(az: Recorded) -> None:
    given = "00000000-0000-0000-0000-0000000000b1"
    az.environment["AUTOPILOT_ROLES"] = json.dumps(told(wanted(roleIds=f"endpointReader={given}")))
    made = commands(shown(az))
    names = [json.loads(one[-1])["Name"] for one in made if one[2] == "definition"]
    assert [name for name in names if "endpoint reader" in name] == []
    assert len(names) == len(load("roles.json")) - 1
    assert any(given in one for one in made if one[2] == "assignment")
    az.answer("role assignment list", [{"roleDefinitionId": f"/x/{given}"}])
    assert not any(given in one for one in commands(shown(az)))


def test_the_roles_of_topics_that_the_hook_makes_are_listed_too(az: Recorded) -> None:
    """With delivery to the function the topics come after the code, in a deployment of their own."""
    topic = {"principal": "topic", "role": "Storage Blob Data Contributor", "scope": "/letters"}
    outputs = {"autopiloT_ROLES": {"value": [[topic], []]}}
    az.answer("deployment sub show --name privatelink-events-production", {"properties": {"outputs": outputs}})
    az.environment["EVENT_DELIVERY"] = "function"
    assert "topic\tStorage Blob Data Contributor\t/letters" in shown(az)


def test_without_azd_the_list_is_that_of_the_named_deployment(az: Recorded) -> None:
    outputs = {"AUTOPILOT_ROLES": {"value": told(wanted())}, "AUTOPILOT_EVENT_DELIVERY": {"value": "queue"}}
    parameters = {"environmentName": {"value": "production"}, "assignRoles": {"value": False}}
    az.answer("account show", {"id": "s"})
    az.answer("deployment sub show --name autopilot", {"properties": {"outputs": outputs, "parameters": parameters}})
    az.environment = {}
    assert len([line for line in shown(az, "autopilot").splitlines() if "\t" in line]) == len(wanted())


def test_a_deployment_that_tells_no_roles_is_said(az: Recorded) -> None:
    az.environment["AUTOPILOT_ROLES"] = ""
    answer = az.run_script("sh", str(ROOT / "scripts" / "roles.sh"))
    assert answer.returncode == 1
    assert "AUTOPILOT_ROLES" in answer.stderr
