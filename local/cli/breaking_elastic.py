"""What people and other managers do in Elastic Cloud to a connection: to its policy, its association, its target.

Over Elastic Cloud's API, each family's own; a project's suspension, which has no API, through `local.cli.backstage`.
Used by `local.cli.breaking` and the command `project`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.cli.client import LocalClient, Refused

SERVERLESS = "serverless"
TAG = "elastic-deployments"
"""On an endpoint: the names or ids of its targets."""
_TYPES = ("elasticsearch", "observability", "security")


class AlreadyBroken(Exception):
    """What is to be taken away is not there any more."""


class NotBroken(Exception):
    """What is to be mended is as it should be."""


async def disassociate(client: LocalClient, connection: dict[str, Any]) -> None:
    """The policy is taken off the first target."""
    target, policy = await _target(client, connection), _policy(connection)
    if connection["family"] == SERVERLESS:
        await _write_list(client, target, lambda ids: [one for one in ids if one != policy])
    else:
        await client.elastic("DELETE", f"{_ruleset(connection)}/associations/deployment/{target}")


async def delete_policy(client: LocalClient, connection: dict[str, Any]) -> None:
    """The policy is deleted, its associations before or with it."""
    policy = _policy(connection)
    if connection["family"] != SERVERLESS:
        await client.elastic("DELETE", f"{_ruleset(connection)}?ignore_associations=true")
        return
    for target in connection["targets"]:
        await _write_list(client, target["id"], lambda ids: [one for one in ids if one != policy])
    await client.elastic("DELETE", f"/serverless/traffic-filters/{policy}")


async def rename_alias(client: LocalClient, connection: dict[str, Any]) -> None:
    """The first target gets another alias."""
    if connection["family"] == SERVERLESS:
        project = await find_project(client, await _target(client, connection))
        alias = str(project["alias"]).rpartition("-")[0]  # the system's suffix comes again
        await client.elastic("PATCH", project_path(project), {"alias": f"{alias}-new"})
        return
    path = f"/deployments/{await _target(client, connection)}"
    alias = (await client.elastic("GET", path))["alias"]
    await client.elastic("PUT", path, {"prune_orphans": False, "alias": f"{alias}-new"})


async def stop_target(client: LocalClient, connection: dict[str, Any]) -> None:
    """The first target is shut down; a project is suspended."""
    if connection["family"] == SERVERLESS:
        await client.backstage("project", project=await _target(client, connection), phase="suspended")
    else:
        await client.elastic("POST", f"/deployments/{await _target(client, connection)}/_shutdown")


async def restore_target(client: LocalClient, connection: dict[str, Any]) -> None:
    """The first target runs again."""
    if connection["family"] == SERVERLESS:
        await client.backstage("project", project=await _target(client, connection), phase="initialized")
        return
    try:
        await client.elastic("POST", f"/deployments/{await _target(client, connection)}/_restore")
    except Refused as refused:
        if "elasticsearch_not_stopped" not in str(refused):
            raise
        raise NotBroken from refused


def _ruleset(connection: dict[str, Any]) -> str:
    return f"/deployments/traffic-filter/rulesets/{_policy(connection)}"


def _policy(connection: dict[str, Any]) -> str:
    if not connection.get("policy"):
        raise AlreadyBroken
    return str(connection["policy"]["id"])


async def _target(client: LocalClient, connection: dict[str, Any]) -> str:
    """The id of the first target. One that is stopped is none of the connection's: then the endpoint's tag names it."""
    if connection["targets"]:
        return str(connection["targets"][0]["id"])
    tags = (await client.azure("GET", connection["endpointId"])).get("tags") or {}
    named = [one.strip() for one in str(tags.get(TAG, "")).split(",") if one.strip()]
    if not named:
        raise RuntimeError(f"{connection['name']} leads to no deployment or project: its endpoint has no tag {TAG}")
    if connection["family"] == SERVERLESS:
        return str((await find_project(client, named[0]))["id"])
    listed = (await client.elastic("GET", "/deployments"))["deployments"]
    found = next((one["id"] for one in listed if named[0] in (one["id"], one["name"])), None)
    if found is None:
        raise RuntimeError(f"Elastic Cloud lists no deployment {named[0]}, which {connection['name']} is to lead to")
    return str(found)


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
