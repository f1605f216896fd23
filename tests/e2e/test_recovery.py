"""Real processes that die, and events that get lost: the connection becomes Ready all the same, with one policy."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_instance import SWEPT_SECONDS, Instance, connection, eventually, policies_of, put_endpoint, ready
from e2e_stories import until, writes_of_the_app

from local.cli.client import LocalClient

pytestmark = pytest.mark.e2e

SHORT_RUNS = {
    "RUN_SECONDS": "15",
    "ARM_OPERATION_SECONDS": "5",
    "PROBE_SECONDS": "5",
    "REQUEST_TIMEOUT_SECONDS": "5",
}
"""A run waits for little by itself, so that all of it is over soon."""

Start = Callable[..., Instance]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an instance whose Event Grid delivers to the app itself, and takes hours to try again."""
    started: list[Instance] = []

    def begin(*arguments: str, **options: Any) -> Instance:
        started.append(
            Instance(tmp_path / "local", "--delivery", "function", "--time-scale", "1000", *arguments, **options)
        )
        return started[-1].wait_for("\nready\n")

    yield begin
    for instance in started:
        instance.stop()


async def kill_host(instance: Instance) -> None:
    """End the function host with kill -9; the instance starts it again as the platform would."""
    old = instance.host_pid()
    os.kill(old, signal.SIGKILL)

    async def host() -> int:
        try:
            return instance.host_pid()
        except (FileNotFoundError, ValueError):
            return old

    await eventually(host, lambda pid: pid != old)


def status_of(found: dict[str, Any], condition: str) -> str:
    return next((c["status"] for c in found.get("conditions") or [] if c["type"] == condition), "")


async def test_a_host_killed_with_the_policy_just_made_and_again_while_waiting_for_the_approval(start: Start) -> None:
    # Its exchanges end in the middle, as they must: a checker of whole conversations would find fault with them.
    instance = start("--approval-seconds", "50", keep_exchanges=False, **SHORT_RUNS)
    async with instance.client() as client:
        endpoint = await put_endpoint(client, "pe-killed", "eastus2")
        await eventually(lambda: policies_of(client, endpoint), lambda policies: len(policies) == 1)
        await kill_host(instance)

        async def waits_for_the_approval() -> bool:
            found = await connection(client, endpoint)
            return status_of(found, "PolicyReady") == "True" and status_of(found, "Approved") == "False"

        await eventually(waits_for_the_approval, bool)
        await kill_host(instance)
        found = await ready(client, endpoint)
        assert len(await policies_of(client, endpoint)) == 1
        assert found["policy"]["id"] == (await policies_of(client, endpoint))[0]["id"]


async def test_a_host_killed_in_the_middle_of_a_removal_leaves_nothing_behind_and_keeps_the_order(start: Start) -> None:
    instance = start("--approval-seconds", "1", keep_exchanges=False, REMOVAL_GRACE_SECONDS="1", **SHORT_RUNS)
    async with instance.client() as client:
        endpoint = await put_endpoint(client, "pe-half-gone", "northeurope")
        before = await ready(client, endpoint)
        zone, policy = before["zone"]["id"], before["policy"]["id"]
        await client.azure("DELETE", endpoint)

        async def taken() -> list[str]:
            writes = [write.removeprefix("DELETE ") for write in writes_of_the_app(instance) if "DELETE" in write]
            return [path for path in writes if policy in path or path.lower().startswith(zone.lower())]

        await eventually(taken, lambda paths: f"{zone}/A/*" in paths)
        await kill_host(instance)
        assert (await client.azure("GET", zone))["name"], "it died with the zone still to go"
        gone = await until(client, endpoint, phase="Removed", Removed="Removed")
        ranks = [removal_rank(path) for path in await taken()]
        assert ranks == sorted(ranks)
        assert set(ranks) == set(range(5))
        assert gone["left"] == []
        with pytest.raises(RuntimeError, match="ResourceNotFound"):
            await client.azure("GET", zone)
        rulesets = (await client.elastic("GET", "/deployments/traffic-filter/rulesets"))["rulesets"]
        assert policy not in {ruleset["id"] for ruleset in rulesets}


def removal_rank(path: str) -> int:
    """Association, policy, record, link, zone: the place of what is deleted in the one order."""
    parts = ("/associations/", "/rulesets/", "/A/", "/virtualNetworkLinks/", "/privateDnsZones/")
    return next(rank for rank, part in enumerate(parts) if part.lower() in path.lower())


async def test_a_lost_event_is_made_good_by_the_timer(start: Start) -> None:
    instance = start("--approval-seconds", "1")
    async with instance.client() as client:
        endpoint = await event_lost(instance, client)
        found = await ready(client, endpoint, SWEPT_SECONDS)
        journal = (await client.app("GET", f"/connections/{found['id']}/journal?limit=500")).json()["items"]
        assert {entry["cause"] for entry in journal} & {"timer"}
        assert not [entry for entry in journal if entry["cause"].startswith("event")]
        assert len(await policies_of(client, endpoint)) == 1


async def event_lost(instance: Instance, client: LocalClient) -> str:
    """Create an endpoint while the host is frozen: no host takes its event, and hours pass until the next try."""
    os.kill(instance.host_pid(), signal.SIGSTOP)
    endpoint = await put_endpoint(client, "pe-lost", "uksouth")
    await kill_host(instance)
    return endpoint
