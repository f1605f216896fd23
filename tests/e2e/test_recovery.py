"""Real processes that die, and events that get lost: the connection becomes Ready all the same, with one policy."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from e2e_instance import Instance, connection, eventually, policies_of, put_endpoint, ready

from local.client import LocalClient

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-recovery")]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[LocalClient]:
    """An instance of its own, whose Event Grid takes hours to try again."""
    instance = Instance(
        tmp_path / "local", "--approval-seconds", "6", "--time-scale", "1000", LEASE_SECONDS="30", RUN_SECONDS="10"
    )
    self_destruct = instance
    try:
        async with instance.wait_for("\nready\n").client() as talking:
            talking.endpoints["host_pid"] = instance.host_pid
            yield talking
    finally:
        self_destruct.stop()


def kill_host(client: LocalClient) -> int:
    pid = int(client.endpoints["host_pid"]())
    os.kill(pid, signal.SIGKILL)
    return pid


async def restarted(client: LocalClient, old: int) -> None:
    async def host() -> int:
        try:
            return int(client.endpoints["host_pid"]())
        except (FileNotFoundError, ValueError):
            return old

    await eventually(host, lambda pid: pid != old)


async def test_a_host_killed_in_the_middle_and_while_waiting_for_the_approval(client: LocalClient) -> None:
    endpoint = await put_endpoint(client, "pe-killed", "eastus2")

    async def ask() -> dict[str, object]:
        return await connection(client, endpoint)

    await eventually(ask, lambda found: bool(found.get("conditions")))
    await restarted(client, kill_host(client))
    await eventually(ask, lambda found: any(c["type"] == "PolicyReady" for c in found.get("conditions") or []))
    await restarted(client, kill_host(client))
    await ready(client, endpoint)
    assert len(await policies_of(client, endpoint)) == 1


async def test_an_event_that_nobody_received_is_made_good_by_the_timer(client: LocalClient) -> None:
    old = kill_host(client)
    endpoint = await put_endpoint(client, "pe-lost", "uksouth")
    await restarted(client, old)
    found = await ready(client, endpoint)
    journal = (await client.app("GET", f"/connections/{found['id']}/journal?limit=500")).json()["entries"]
    assert "timer" in {entry["cause"] for entry in journal}
    assert not [entry for entry in journal if entry["cause"].startswith("event")]
    assert len(await policies_of(client, endpoint)) == 1
