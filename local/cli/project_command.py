"""The command `project`: what a Serverless project goes through, and what a person does to it in the console.

Called by `local.__main__`. Tags go over Elastic Cloud's API; phase, tier and deletion, which have no operation here,
through `local.cli.backstage`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from local.cli.breaking_elastic import find_project, project_path
from shared.core.model.conditions import count

if TYPE_CHECKING:
    from local.cli.client import LocalClient

TIERS = ("complete", "essentials")


def add_project_command(commands: Any) -> None:
    """Add it to the command line."""
    project = commands.add_parser("project")
    project.add_argument("name", help="or id, as elasticsearch-eastus2")
    tag = "set a tag, with nothing after = take it away; repeated: elastic-privatelink-first-policy=allow"
    project.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE", type=_tag, help=tag)
    project.add_argument("--phase", help="initializing, initialized, suspending, suspended or deleting")
    project.add_argument("--tier", choices=TIERS, help="of Observability and Security: below complete no policy")
    project.add_argument("--delete", action="store_true", help="it is gone")


def _tag(text: str) -> tuple[str, str | None]:
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value or None


async def change_project(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Tag a project, change its phase or tier, or delete it; says how it stands."""
    project = await find_project(client, arguments.name)
    if arguments.tag:
        await client.elastic("PATCH", project_path(project), {"metadata": {"tags": dict(arguments.tag)}})
    asked = {"phase": arguments.phase, "tier": arguments.tier, "deleted": arguments.delete or None}
    if changed := {name: value for name, value in asked.items() if value is not None}:
        await client.backstage("project", project=project["id"], **changed)
    if arguments.delete:
        print("done")
        return
    now = await client.elastic("GET", project_path(project))
    phase = (await client.elastic("GET", f"{project_path(project)}/status"))["phase"]
    tags = ", ".join(f"{key}={value}" for key, value in now["metadata"]["tags"].items()) or "no tags"
    filters = len(now["traffic_filters"] or [])
    print(f"{now['id']}  {now['type']:<14} {now['region_id']:<20} {phase:<12} {count(filters, 'filter')}  {tags}")
