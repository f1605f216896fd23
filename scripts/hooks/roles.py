"""Lists the roles that the app and its topics need, for a platform team that assigns them: `scripts/roles.sh`.

The deployment tells the list: principal, role and scope of each. Below it stand the commands, for custom roles that are
not there yet and for the assignments. This only reads.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from azure_cli import Refused, az, say, unless_refused
from installation import TITLE, Installation, output, subscription_of, told_roles

PARTS_MAX = 100
DEFINITIONS = Path(__file__).resolve().parents[2] / "infra" / "roles.json"


def show(installation: Installation) -> None:
    """The list, then the commands for what is missing; a list that is not there is said."""
    wanted = _wanted(installation)
    if not wanted:
        raise Refused("The deployment tells no roles (AUTOPILOT_ROLES): deploy infra/main.bicep of this version first.")
    for one in wanted:
        say("\t".join((one["principal"], one["role"], one["scope"])))
    missing = [one for one in wanted if not _is_assigned(one)]
    if not missing:
        say("\nAll of them are assigned.")
        return
    say(f"\n{len(missing)} of {len(wanted)} are not assigned. Who may, runs:\n")
    for title in dict.fromkeys(one["role"] for one in wanted if one["role"].startswith(TITLE)):
        if not _exists(installation, title):
            say(_command_of_role(title, [one["scope"] for one in wanted if one["role"].startswith(TITLE)]))
    for one in missing:
        say(
            f"az role assignment create --assignee-object-id {one['principal']} --assignee-principal-type "
            f"ServicePrincipal --role {shlex.quote(one['role'])} --scope {one['scope']}"
        )


def require(installation: Installation) -> None:
    """Before the upload: without its roles on storage the app cannot take its code."""
    wanted = _wanted(installation)
    missing = [one for one in wanted if not _is_assigned(one)]
    if any(one["scope"] == output("STORAGE_ID") for one in missing):
        raise Refused(
            f"{len(missing)} of {len(wanted)} roles are not assigned yet, and storage would refuse the code. "
            "scripts/roles.sh prints them, with the commands for those who may assign them; then: azd up"
        )


def _wanted(installation: Installation) -> list[dict[str, str]]:
    """What the deployment tells, and those of the topics that the hooks made: for the function, or below groups."""
    found = told_roles()
    for kind in (("events",) if installation.delivery == "function" else ()) + ("topics",):
        for number in range(1, PARTS_MAX):
            name = f"privatelink-{kind}-{installation.name}" + (f"-{number}" if number > 1 else "")
            asked = ("deployment", "sub", "show", "--name", name, "--subscription", installation.home)
            shown = unless_refused(lambda asked=asked: az(*asked))
            if not shown:
                break
            for told, given in (shown.get("properties", {}).get("outputs") or {}).items():
                if told.upper() == "AUTOPILOT_ROLES":  # the capitals of an output are not kept (Azure/bicep#9360)
                    found += [one for topic in given["value"] for one in topic]
    return sorted({tuple(one.items()): one for one in found}.values(), key=lambda one: (one["scope"], one["role"]))


def _is_assigned(one: dict[str, str]) -> bool:
    """By its name or its id; what is assigned on the whole subscription counts by itself only."""
    asked = ("role", "assignment", "list", "--assignee-object-id", one["principal"], "--scope", one["scope"])
    listed: list[dict[str, Any]] = unless_refused(lambda: az(*asked), [])
    return any(
        one["role"] in (given.get("roleDefinitionName"), str(given.get("roleDefinitionId", "")).split("/")[-1])
        for given in listed
    )


def _exists(installation: Installation, title: str) -> bool:
    asked = ("role", "definition", "list", "--name", title, "--subscription", installation.home)
    return bool(unless_refused(lambda: az(*asked), []))


def _command_of_role(title: str, scopes: list[str]) -> str:
    """Makes the custom role of this name, which may then be assigned in the subscriptions of these scopes."""
    (role,) = [
        one
        for one in json.loads(DEFINITIONS.read_text(encoding="utf-8")).values()
        if title.startswith(f"{TITLE}{one['title']} (")
    ]
    body = {
        "Name": title,
        "Description": role["description"],
        "Actions": list(role["actions"]),
        "AssignableScopes": [f"/subscriptions/{one}" for one in dict.fromkeys(map(subscription_of, scopes))],
    }
    return f"az role definition create --role-definition {shlex.quote(json.dumps(body))}"
