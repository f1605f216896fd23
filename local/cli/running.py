"""The commands `up` and `story`: all simulators and the app, until Ctrl-C.

Called by `local.__main__`, which imports it for these two alone: other commands start without the simulators.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time

from local.cli.client import LocalClient
from local.cli.stack import Options, Stack
from local.cli.story import tell
from local.cli.switches import SwitchError


async def run_stack(arguments: argparse.Namespace) -> int:
    """Start, work, wait for Ctrl-C, stop everything; returns the exit status."""
    options = Options(
        arm_port=arguments.arm_port,
        elastic_port=arguments.elastic_port,
        identity_port=arguments.identity_port,
        functions_port=arguments.functions_port,
        dns_port=arguments.dns_port,
        topic_port=arguments.topic_port,
        vault_port=arguments.vault_port,
        backstage_port=arguments.backstage_port,
        folder=arguments.folder,
        approval_seconds=arguments.approval_seconds,
        time_scale=arguments.time_scale,
        quotas=not arguments.no_quotas,
        role_assignments=arguments.role_assignments,
        switches=tuple(arguments.switch),
        app_vnet=arguments.app_network,
        delivery=arguments.delivery,
        has_key=not arguments.no_key,
    )
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
    try:
        await stack.start()
    except SwitchError as error:
        raise RuntimeError(str(error)) from None
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
