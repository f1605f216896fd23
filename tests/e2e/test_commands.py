"""A person starts an instance and uses its commands: they talk to it, and nothing it does disturbs another."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from e2e_instance import READY_SECONDS, ROOT, SWEPT_SECONDS, Instance, eventually, lines_of, put_endpoint, ready

from local.cli.client import LocalClient
from local.cli.story import group
from local.process.ports import free_ports

pytestmark = pytest.mark.e2e
in_the_shared_instance = pytest.mark.xdist_group("e2e-commands")
"""The others start one of their own, and need not wait."""

PORTS = ("arm", "elastic", "identity", "functions", "dns", "topic", "vault")


@in_the_shared_instance
async def test_the_commands_of_the_readme_talk_to_the_running_instance(instance: Instance, client: LocalClient) -> None:
    async def local(*arguments: str) -> tuple[int | None, str]:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local", "--folder", str(instance.folder), *arguments),
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(program.communicate(), READY_SECONDS)
        return program.returncode, output.decode()

    status, output = await local("connect", "brazilsouth", "--target", "search-brazilsouth")
    assert status == 1
    assert "WouldCutOffPublicTraffic" in output.split("failed:")[1]
    status, output = await local("status")
    assert status == 0
    assert re.search(r"^[0-9a-f]+  Blocked +brazilsouth +pe-brazilsouth +\w+$", output, re.MULTILINE)
    status, output = await local("events")
    assert status == 0
    assert re.search(r"^\S+Z  ConnectionBlocked +pe-brazilsouth +WouldCutOffPublicTraffic$", output, re.MULTILINE)
    endpoint = f"{group(client, 'rg-pe-brazilsouth')}/privateEndpoints/pe-brazilsouth"
    status, output = await local("rest", "GET", endpoint)
    assert (status, json.loads(output)["name"]) == (0, "pe-brazilsouth")
    status, output = await local("break", "record", "pe-brazilsouth")
    assert (status, "the * record is deleted" in output, "the app puts it back" in output) == (0, True, True)
    status, output = await local("break", "route", "pe-brazilsouth")
    assert (status, f"python -m local --folder {instance.folder} mend route pe-brazilsouth" in output) == (0, True)
    assert await local("mend", "route", "pe-brazilsouth") == (0, "mended; the next test says so\n")
    status, output = await local("break", "record", "pe-unknown")
    assert (status, "no connection is called pe-unknown; there are: " in output) == (1, True)
    keys = ("autopilot-key-local", "elastic-api-key")
    assert await local("vault") == (0, "".join(f"{name:<40} enabled\n" for name in keys))
    status, output = await local("rest", "GET", f"{endpoint}-not")
    assert status == 1
    assert "ResourceNotFound" in output


@in_the_shared_instance
async def test_a_second_instance_disturbs_nothing(instance: Instance, client: LocalClient) -> None:
    """Started in the very same folder: it takes a folder, ports and addresses of its own."""
    before = instance.endpoints
    second = Instance(instance.folder, "--approval-seconds", "1")
    try:
        second.wait_for("\nready\n")
        theirs = second.endpoints
        assert instance.endpoints == before
        assert theirs["folder"] == str(Path(before["folder"]) / "2")
        async with second.client() as other:
            there = await put_endpoint(other, "pe-second", "eastus")
            here = await put_endpoint(client, "pe-second", "eastus")
            other_side, this_side = await ready(other, there), await ready(client, here)
            assert other_side["address"].split(".")[1] != this_side["address"].split(".")[1]
    finally:
        assert second.stop() == 0


async def test_given_ports_are_used_switches_turned_at_the_start_and_later_and_an_undelivered_event_is_a_dead_letter(
    tmp_path: Path,
) -> None:
    """The app is stopped while the event is on its way, once and for all; the timer makes it good."""
    given = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    ports = [text for name, port in given.items() for text in (f"--{name}-port", str(port))]
    switches = ("--switch", "events.max_delivery_attempts=1", "--switch", "events.dead_letter_delay=0")
    instance = Instance(tmp_path / "local", "--delivery", "function", *switches, *ports)
    try:
        endpoints = instance.wait_for("\nready\n").endpoints
        used = {name: httpx.URL(endpoints[name]).port for name in PORTS if name != "dns"}
        assert used | {"dns": endpoints["dns"]["port"]} == given
        letters = Path(endpoints["dead_letters"])
        async with instance.client() as client:
            assert (await client.switches())["events.max_delivery_attempts"] == 1
            await client.backstage("switches", **{"elastic.approval_seconds": 0.5})
            assert (await client.switches())["elastic.approval_seconds"] == 0.5
            with pytest.raises(RuntimeError, match="expected a number"):
                await client.backstage("switches", **{"elastic.approval_seconds": "soon"})
            await client.backstage("app", state="stopped")
            endpoint = await put_endpoint(client, "pe-undelivered", "eastus2")

            async def dead() -> list[str]:
                return lines_of(letters)

            (letter,) = await eventually(dead, len)
            assert json.loads(letter)["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
            await client.backstage("app", state="started")
            await ready(client, endpoint, SWEPT_SECONDS)
    finally:
        assert instance.stop() == 0


async def test_a_switch_that_there_is_not_ends_the_start_with_its_name(tmp_path: Path) -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", "--folder", str(tmp_path / "local"), "up", "--switch", "elastic.nul=false"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(program.communicate(), READY_SECONDS)
    assert (program.returncode, b"failed: there is no switch 'elastic.nul'" in output) == (1, True), output
