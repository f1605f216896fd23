"""`python -m local`: run the clouds and the app on this machine, and talk to them.

up          start the clouds, Azurite and the function app; prints `ready` and stays until Ctrl-C
story       the same, then the whole job once, live (`make run`); with ONCE=1 it ends after it
rest        one signed-in ARM request: rest METHOD PATH [BODY]
connect     create private endpoints as a user does, and follow them: connect REGION [--network NAME]
network     list the virtual networks, make some, or change their name servers, peerings and routes: network [NAME]
firewall    drop, refuse or reset connections into a network, or open it again: firewall refuse NAME [--from NAME]
resolver    let a network's name server fail, or answer again: resolver timeout NAME
deployment  put a deployment into a state, change its products' aliases, or delete it: deployment NAME --status S
approval    put an endpoint's connection into a state, as Elastic's side does: approval NAME STATE
tag         set or take off tags of a deployment or an endpoint: tag NAME KEY=VALUE
project     tag a Serverless project, suspend it, change its tier: project NAME --tag KEY=VALUE
vault       list the secrets of the key vault, or change one: vault set NAME VALUE
status      every connection in one line
events      every notification that the app has sent, in one line
break       break one hop of a connection: break HOP [NAME]
mend        mend what the app cannot: mend HOP [NAME]
app         stop or start the function app, as in the portal: app stop
setting     change settings of the app, which restarts it, as in the portal: setting NAME=VALUE
switch      list what can be changed about the clouds, or change it: switch [NAME VALUE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from local.cli.breaking import HOPS, break_hop, mend_hop
from local.cli.client import LocalClient, checked
from local.cli.connecting import add_connect_command, connect
from local.cli.deployment_command import add_deployment_commands, change_approval, change_deployment
from local.cli.folder import DEFAULT, folder_option
from local.cli.network_commands import (
    add_network_commands,
    change_networks,
    network_id,
    turn_firewall,
    turn_resolver,
)
from local.cli.project_command import add_project_command, change_project
from local.cli.setting_command import add_setting_command, change_settings
from local.cli.story import StoryFailed
from local.cli.tag_command import add_tag_command, change_tags
from local.cli.vault_command import add_vault_command, change_vault
from local.world import HUB_VNET


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=DEFAULT, help="of the instance; default .local")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "story"):
        command = commands.add_parser(name)
        for port in ("arm", "elastic", "identity", "functions", "dns", "topic", "vault", "backstage"):
            command.add_argument(f"--{port}-port", type=int, default=0, help="a free one unless given")
        command.add_argument("--approval-seconds", type=float, default=5.0, help="how long Elastic takes to approve")
        command.add_argument("--time-scale", type=float, default=1.0, help="of Event Grid's retry schedule")
        command.add_argument("--no-quotas", action="store_true", help="read private DNS as often as you like")
        command.add_argument(
            "--switch", action="append", default=[], metavar="NAME=VALUE", type=_switch, help="as by `switch`; repeated"
        )
        command.add_argument("--app-network", default=HUB_VNET, type=network_id, help="that the app is in")
        command.add_argument("--delivery", choices=["queue", "function"], default="queue", help="of events to the app")
        command.add_argument("--no-key", action="store_true", help="the vault has no API key at the start")
        command.add_argument("--role-assignments", type=Path, help="JSON: client id -> [{scope, actions, notActions}]")
    rest = commands.add_parser("rest")
    rest.add_argument("method", choices=["GET", "PUT", "PATCH", "POST", "DELETE"])
    rest.add_argument("path", help="the resource's id")
    rest.add_argument("body", nargs="?", type=json.loads, help="JSON")
    add_connect_command(commands)
    add_network_commands(commands)
    add_deployment_commands(commands)
    add_project_command(commands)
    add_tag_command(commands)
    add_vault_command(commands)
    commands.add_parser("status")
    commands.add_parser("events")
    for name in ("break", "mend"):
        command = commands.add_parser(name)
        command.add_argument("hop", choices=[hop for hop in HOPS if name == "break" or HOPS[hop].undo])
        command.add_argument(
            "name", nargs="?", default="", help="of the endpoint; default: the story's, or the only one"
        )
    commands.add_parser("app").add_argument("state", choices=["stop", "start"])
    add_setting_command(commands)
    switch = commands.add_parser("switch")
    switch.add_argument("name", nargs="?", default="", help="or the beginning of one; without a value they are listed")
    switch.add_argument("value", nargs="?", help="JSON, or a text")
    return parser.parse_args(arguments)


def _switch(text: str) -> tuple[str, Any]:
    """`NAME=VALUE`, the value as JSON where it is any."""
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, _value(value)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def run_client(arguments: argparse.Namespace) -> int:
    """All other commands: talk to the running instance."""
    async with LocalClient.read(arguments.folder) as client:
        await CLIENT_COMMANDS[arguments.command](client, arguments)
    return 0


async def _rest(client: LocalClient, arguments: argparse.Namespace) -> None:
    answer = await client.azure(arguments.method, arguments.path, arguments.body)
    print(json.dumps(answer, indent=2) if answer is not None else "done")


async def _status(client: LocalClient, _arguments: argparse.Namespace) -> None:
    for entry in checked(await client.app("GET", "/connections"))["items"]:
        print(f"{entry['id']}  {entry['phase']:<16} {entry['region']:<16} {entry['name']:<24} {entry['reason']}")


async def _events(client: LocalClient, _arguments: argparse.Namespace) -> None:
    for event in client.notifications():
        kind, data = event["type"].rpartition(".")[2], event["data"]
        print(f"{event['time']}  {kind:<20} {data.get('name', ''):<24} {data.get('reason', data.get('problem', ''))}")


async def _break(client: LocalClient, arguments: argparse.Namespace) -> None:
    hop = HOPS[arguments.hop]
    done = await break_hop(client, hop, arguments.name)
    print(f"{hop.broken if done else f'broken already: {hop.broken}'}\nwho mends it: {hop.repair}")
    if hop.undo:
        option = folder_option(arguments.folder.resolve())
        print(f"when you have seen enough: python -m local{option} mend {arguments.hop} {arguments.name}".rstrip())


async def _mend(client: LocalClient, arguments: argparse.Namespace) -> None:
    done = await mend_hop(client, HOPS[arguments.hop], arguments.name)
    print("mended; the next test says so" if done else "nothing to mend: it is not broken")


async def _app(client: LocalClient, arguments: argparse.Namespace) -> None:
    await client.backstage("app", state={"stop": "stopped", "start": "started"}[arguments.state])
    print("done")


async def _turn(client: LocalClient, arguments: argparse.Namespace) -> None:
    if arguments.value is not None:
        await client.backstage("switches", **{arguments.name: _value(arguments.value)})
    for name, value in (await client.switches()).items():
        if name.startswith(arguments.name):
            print(f"{name:<44} {json.dumps(value)}")


CLIENT_COMMANDS = {
    "rest": _rest,
    "connect": connect,
    "network": change_networks,
    "firewall": turn_firewall,
    "resolver": turn_resolver,
    "deployment": change_deployment,
    "approval": change_approval,
    "project": change_project,
    "tag": change_tags,
    "vault": change_vault,
    "status": _status,
    "events": _events,
    "break": _break,
    "mend": _mend,
    "app": _app,
    "setting": change_settings,
    "switch": _turn,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    if parsed.command in {"up", "story"}:
        from local.cli.running import run_stack as runner  # noqa: PLC0415 - other commands start without the simulators
    else:
        runner = run_client
    try:
        result = asyncio.run(runner(parsed))
    except FileNotFoundError:
        print(f"nothing runs in {parsed.folder}: start it with `make run` or `python -m local up`", file=sys.stderr)
        return 2
    except (StoryFailed, RuntimeError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except httpx.TransportError as error:
        where = f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
        start = "start the app with `python -m local app start`, or everything with `python -m local up`"
        print(f"failed: {where} does not answer ({error}): {start}", file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
