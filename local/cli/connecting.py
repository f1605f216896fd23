"""The command `connect`: private endpoints, as a user creates them, and what became of each.

Called by `local.__main__`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from local.cli import networks
from local.cli.story import StoryFailed, alias_of, alias_of_projects, create_endpoint, explained, follow, settled

if TYPE_CHECKING:
    import argparse

    from local.cli.client import LocalClient

_POLL_SECONDS = 1.0
"""For many at once."""


def add_connect_command(commands: Any) -> None:
    """Add it to the command line."""
    connect = commands.add_parser("connect")
    connect.add_argument("region", nargs="+", help="of Elastic; several: an endpoint for each, all at once")
    connect.add_argument("--serverless", action="store_true", help="to a Serverless project, not to a deployment")
    target = "name of the deployment or project; default: logs-REGION, of projects observability-REGION"
    connect.add_argument("--target", metavar="NAME", help=target)
    name = "of a single one; default: pe-REGION, in a given network pe-NETWORK-REGION; of projects with -serverless"
    connect.add_argument("--name", help=name)
    network = "one that is there, repeated: an endpoint in each; default: a new one, peered with the app's"
    connect.add_argument("--network", action="append", default=[], metavar="NAME", help=network)


async def connect(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Create the endpoints and follow them; raises StoryFailed with what keeps them from being Ready."""
    wanted = [(region, network) for network in arguments.network or [None] for region in arguments.region]
    if len(wanted) > 1 and arguments.name is not None:
        raise StoryFailed("--name is for a single endpoint")
    await ensure_known(client, arguments)
    started = time.monotonic()
    made = [
        create_endpoint(
            client,
            region,
            name=arguments.name or endpoint_name(region, network, serverless=arguments.serverless),
            target=arguments.target or f"{'observability' if arguments.serverless else 'logs'}-{region}",
            network=network,
            serverless=arguments.serverless,
        )
        for region, network in wanted
    ]
    if len(made) == 1:
        await follow(client, await made[0], started)
        return
    ends = await asyncio.gather(*(_print_end(client, endpoint, started) for endpoint in await asyncio.gather(*made)))
    problems = [f"{end['name']}: {explained(end)}" for end in ends if end.get("phase") != "Ready"]
    if problems:
        raise StoryFailed("\n".join(problems))


async def ensure_known(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Raise for a region or network that is not there, before anything is made for another one."""
    for region in arguments.region:
        if arguments.serverless:
            await alias_of_projects(client, region)
        else:
            alias_of(region)
    for network in arguments.network:
        await networks.find(client, network)


def endpoint_name(region: str, network: str | None, *, serverless: bool = False) -> str:
    """What an endpoint is called unless its name is given."""
    name = f"pe-{region}" if network is None else f"pe-{network.removeprefix('vnet-')}-{region}"
    return f"{name}-serverless" if serverless else name


async def _print_end(client: LocalClient, endpoint: str, started: float) -> dict[str, Any]:
    """What became of an endpoint, printed in one line."""
    name = endpoint.rsplit("/", 1)[-1]
    found = {"name": name} | await settled(client, endpoint, poll_seconds=_POLL_SECONDS)
    reason = next((one["reason"] for one in found.get("conditions") or () if one["type"] == "Ready"), "")
    print(f"  {time.monotonic() - started:6.1f} s  {found.get('phase', ''):<16} {name:<24} {reason}", flush=True)
    return found
