"""What people and other managers do in Elastic Cloud to a connection: to its policy, its association, its target.

Over Elastic Cloud's API, each family's own; a project's suspension, which has no API, through `local.cli.backstage`.
Used by `local.cli.breaking` and the command `project`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.cli.client import LocalClient

SERVERLESS = "serverless"
_TYPES = ("elasticsearch", "observability", "security")


async def disassociate(client: LocalClient, connection: dict[str, Any]) -> None:
    """The policy is taken off the first target."""
    target, policy = _target(connection), connection["policy"]["id"]
    if connection["family"] == SERVERLESS:
        await _write_list(client, target, lambda ids: [one for one in ids if one != policy])
    else:
        await client.elastic("DELETE", f"{_ruleset(connection)}/associations/deployment/{target}")


async def delete_policy(client: LocalClient, connection: dict[str, Any]) -> None:
    """The policy is deleted, its associations before or with it."""
    policy = connection["policy"]["id"]
    if connection["family"] != SERVERLESS:
        await client.elastic("DELETE", f"{_ruleset(connection)}?ignore_associations=true")
        return
    for target in connection["targets"]:
        await _write_list(client, target["id"], lambda ids: [one for one in ids if one != policy])
    await client.elastic("DELETE", f"/serverless/traffic-filters/{policy}")


async def rename_alias(client: LocalClient, connection: dict[str, Any]) -> None:
    """The first target gets another alias."""
    if connection["family"] == SERVERLESS:
        project = await find_project(client, _target(connection))
        alias = str(project["alias"]).rpartition("-")[0]  # the system's suffix comes again
        await client.elastic("PATCH", project_path(project), {"alias": f"{alias}-new"})
        return
    alias = (await client.elastic("GET", f"/deployments/{_target(connection)}"))["alias"]
    body = {"prune_orphans": False, "alias": f"{alias}-new"}
    await client.elastic("PUT", f"/deployments/{_target(connection)}", body)


async def stop_target(client: LocalClient, connection: dict[str, Any]) -> None:
    """The first target is shut down; a project is suspended."""
    if connection["family"] == SERVERLESS:
        await client.backstage("project", project=_target(connection), phase="suspended")
    else:
        await client.elastic("POST", f"/deployments/{_target(connection)}/_shutdown")


async def restore_target(client: LocalClient, connection: dict[str, Any]) -> None:
    """The first target runs again."""
    if connection["family"] == SERVERLESS:
        await client.backstage("project", project=_target(connection), phase="initialized")
    else:
        await client.elastic("POST", f"/deployments/{_target(connection)}/_restore")


def _ruleset(connection: dict[str, Any]) -> str:
    return f"/deployments/traffic-filter/rulesets/{connection['policy']['id']}"


def _target(connection: dict[str, Any]) -> str:
    return str(connection["targets"][0]["id"])


async def find_project(client: LocalClient, wanted: str) -> dict[str, Any]:
    """A project of any type by its id or name; raises RuntimeError where there is none."""
    for kind in _TYPES:
        for one in (await client.elastic("GET", f"/serverless/projects/{kind}"))["items"]:
            if wanted in (one["id"], one["name"]):
                return dict(one)
    raise RuntimeError(f"no project is called {wanted}; at the start there are {', '.join(_TYPES)}, each with -REGION")


def project_path(project: dict[str, Any]) -> str:
    """A project's path in the API."""
    return f"/serverless/projects/{project['type']}/{project['id']}"


async def _write_list(client: LocalClient, project_id: str, change: Callable[[list[str]], list[str]]) -> None:
    """Replace a project's list of filters as a person does: without If-Match."""
    project = await find_project(client, project_id)
    ids = [str(one["id"]) for one in project["traffic_filters"] or []]
    await client.elastic("PATCH", project_path(project), {"traffic_filters": [{"id": one} for one in change(ids)]})
