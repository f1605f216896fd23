"""The command `tag`: set or take off tags of a deployment, in Elastic Cloud, or of a private endpoint, in Azure.

Called by `local.__main__`. Both go over the clouds' own APIs, as a person or a pipeline does it: Elastic Cloud's
replaces all tags of a deployment, so those that are there are read first; Azure's merges.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from local.cli.breaking import find

if TYPE_CHECKING:
    from local.cli.client import LocalClient


def add_tag_command(commands: Any) -> None:
    """Add it to the command line."""
    tag = commands.add_parser("tag")
    tag.add_argument("name", help="of a deployment, or its id; or of an endpoint")
    tag.add_argument("tags", nargs="+", metavar="KEY=VALUE", type=_pair, help="with nothing after = it is taken off")


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


async def change_tags(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Set the tags of the deployment, or else of the endpoint, that has the name."""
    changes: dict[str, str] = dict(arguments.tags)
    deployments = (await client.elastic("GET", "/deployments"))["deployments"]
    found = next((one["id"] for one in deployments if arguments.name in {one["id"], one["name"]}), None)
    if found is not None:
        await _tag_deployment(client, found, changes)
    else:
        await _tag_endpoint(client, (await find(client, arguments.name))["endpointId"], changes)
    print("done")


async def _tag_deployment(client: LocalClient, deployment: str, changes: dict[str, str]) -> None:
    path = f"/deployments/{deployment}/tags"
    before = {tag["key"]: tag["value"] for tag in (await client.elastic("GET", path))["tags"] or ()}
    after = {key: value for key, value in (before | changes).items() if value}
    await client.elastic("PUT", path, {"tags": [{"key": key, "value": value} for key, value in after.items()]})


async def _tag_endpoint(client: LocalClient, endpoint: str, changes: dict[str, str]) -> None:
    path = f"{endpoint}/providers/Microsoft.Resources/tags/default"
    for operation, tags in (
        ("Merge", {key: value for key, value in changes.items() if value}),
        ("Delete", {key: "" for key, value in changes.items() if not value}),
    ):
        if tags:
            await client.azure("PATCH", path, {"operation": operation, "properties": {"tags": tags}})
