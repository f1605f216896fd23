"""`python -m local`: run the clouds and the app on this machine, and talk to them.

up          start the clouds, Azurite and the function app; prints `ready` and stays until Ctrl-C
story       the same, then the whole job once, live (`make run`); with ONCE=1 it ends after it
rest        one signed-in ARM request: rest METHOD PATH [BODY]
connect     create a private endpoint as a user does, and follow it: connect REGION [--deployment NAME]
status      every connection in one line
events      every notification that the app has sent, in one line
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from local.azurite import AzuriteError
from local.client import LocalClient
from local.folder import DEFAULT
from local.stack import Options, Stack
from local.story import StoryFailed, create_endpoint, follow, tell


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=DEFAULT, help="of the instance; default .local")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "story"):
        command = commands.add_parser(name)
        for port in ("arm", "elastic", "identity", "functions", "dns", "topic"):
            command.add_argument(f"--{port}-port", type=int, default=0, help="a free one unless given")
        command.add_argument("--approval-seconds", type=float, default=5.0, help="how long Elastic takes to approve")
        command.add_argument("--time-scale", type=float, default=1.0, help="of Event Grid's retry schedule")
        command.add_argument("--role-assignments", type=Path, help="JSON: client id -> [{scope, actions, notActions}]")
    rest = commands.add_parser("rest")
    rest.add_argument("method", choices=["GET", "PUT", "PATCH", "DELETE"])
    rest.add_argument("path", help="the resource's id")
    rest.add_argument("body", nargs="?", type=json.loads, help="JSON")
    connect = commands.add_parser("connect")
    connect.add_argument("region")
    connect.add_argument("--deployment", help="default: logs-REGION")
    connect.add_argument("--name", help="of the endpoint; default: pe-REGION")
    commands.add_parser("status")
    commands.add_parser("events")
    return parser.parse_args(arguments)


async def run_stack(arguments: argparse.Namespace) -> int:
    """`up` and `story`: start, work, wait for Ctrl-C, stop everything."""
    options = Options(
        arm_port=arguments.arm_port,
        elastic_port=arguments.elastic_port,
        identity_port=arguments.identity_port,
        functions_port=arguments.functions_port,
        dns_port=arguments.dns_port,
        topic_port=arguments.topic_port,
        folder=arguments.folder,
        approval_seconds=arguments.approval_seconds,
        time_scale=arguments.time_scale,
        role_assignments=arguments.role_assignments,
    )
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    stack = Stack(options)
    work = asyncio.create_task(_work(stack, arguments.command, asked))
    stop = asyncio.create_task(asked.wait())
    await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not work.done():
        work.cancel()
    try:
        return await work
    except asyncio.CancelledError:
        return 0  # Ctrl-C is how this is meant to end
    finally:
        print("stopping ...", flush=True)
        await stack.stop()


async def _work(stack: Stack, command: str, asked: asyncio.Event) -> int:
    began = time.monotonic()
    print("Starting the local clouds, Azurite and the function app ...", flush=True)
    await stack.start()
    print(f"ready after {time.monotonic() - began:.1f} s: {stack.path / 'endpoints.json'}", flush=True)
    print("ready", flush=True)
    if command == "story":
        async with LocalClient(stack.endpoints) as client:
            await tell(client)
        if os.environ.get("ONCE"):
            return 0
    print("\nRunning until Ctrl-C.", flush=True)
    await asked.wait()
    return 0


async def run_client(arguments: argparse.Namespace) -> int:
    """`rest`, `connect`, `status` and `events`: talk to the running instance."""
    async with LocalClient.read(arguments.folder) as client:
        if arguments.command == "rest":
            answer = await client.azure(arguments.method, arguments.path, arguments.body)
            print(json.dumps(answer, indent=2) if answer is not None else "done")
        elif arguments.command == "connect":
            name = arguments.name or f"pe-{arguments.region}"
            deployment = arguments.deployment or f"logs-{arguments.region}"
            started = time.monotonic()
            endpoint = await create_endpoint(client, arguments.region, name=name, deployment=deployment)
            await follow(client, endpoint, started)
        elif arguments.command == "events":
            for event in client.notifications():
                kind, data = event["type"].rpartition(".")[2], event["data"]
                print(f"{event['time']}  {kind:<20} {data.get('name', ''):<24} {data.get('reason', '')}")
        else:
            for entry in (await client.app("GET", "/connections")).json()["connections"]:
                print(
                    f"{entry['id']}  {entry['phase']:<16} {entry['region']:<16} {entry['name']:<24} {entry['reason']}"
                )
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    runner = run_stack if parsed.command in {"up", "story"} else run_client
    try:
        result = asyncio.run(runner(parsed))
    except FileNotFoundError:
        print(f"nothing runs in {parsed.folder}: start it with `make run` or `python -m local up`", file=sys.stderr)
        return 2
    except (StoryFailed, AzuriteError, RuntimeError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
