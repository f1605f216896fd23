"""Every trigger at work, on the local clouds and Azurite: the worker library does and answers what the small host does.

One connection is made by the running app (the small host); then Microsoft's library, with the same settings and the
same storage, lists it, shows it, runs it again, tests it, and brings a second endpoint on its way.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local.cli.client import LocalClient
from local.cli.stack import Options, Stack
from local.cli.story import create_endpoint, group
from local.storage import azurite
from shared.core.model.arm_ids import connection_id
from tests.runtime.runtime_parts import call, event, http, in_worker, needs_worker, without_chance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.azurite,
    needs_worker,
    pytest.mark.skipif(azurite.find_executable() is None, reason="Azurite is not installed: make setup"),
]

READY_SECONDS = 90.0
NEVER = "0 0 0 1 1 *"


@pytest.fixture
async def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    # The timer is the worker's part here.
    monkeypatch.setenv("HEALTH_SCHEDULE", NEVER)
    running = Stack(Options(folder=tmp_path / "local", approval_seconds=1.0))
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


async def until(client: LocalClient, endpoint: str, phase: str) -> dict[str, Any]:
    """The connection, once it has come to `phase`."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        answer = await client.app("GET", f"/connections/{connection_id(endpoint)}")
        found = answer.json() if answer.is_success else {}
        if found.get("phase") == phase:
            return dict(found)
        assert time.monotonic() < deadline, json.dumps(found)[:2000]
        await asyncio.sleep(0.3)


def requests_of(one: str, endpoint: str) -> dict[int, list[dict[str, Any]]]:
    """Every HTTP function, well and badly asked, by the status of the answer."""
    unknown = "0123456789abcdef"
    return {
        200: [
            http("list_connections", "GET", "/api/connections"),
            http("get_connection", "GET", f"/api/connections/{one}", id=one),
            http("get_journal", "GET", f"/api/connections/{one}/journal?limit=3", id=one),
            http("list_events", "GET", "/api/events?limit=3&since=2026-01-01T00:00:00Z"),
            http("get_checks", "GET", f"/api/connections/{one}/checks?limit=3", id=one),
        ],
        400: [
            http("get_journal", "GET", f"/api/connections/{one}/journal?limit=nonsense", id=one),
            http("reconcile_connection", "POST", "/api/connections/nonsense/reconcile", id="nonsense"),
            http("reconcile_endpoint", "POST", "/api/reconcile", body='{"endpoint": 7}'),
            http("reconcile_endpoint", "POST", "/api/reconcile", body=json.dumps({"endpoint": f"{endpoint}/x/y"})),
        ],
        404: [
            http("get_connection", "GET", f"/api/connections/{unknown}", id=unknown),
            http("reconcile_connection", "POST", f"/api/connections/{unknown}/reconcile", id=unknown),
        ],
    }


async def test_every_trigger_does_in_the_worker_what_it_does_in_the_small_host(stack: Stack) -> None:
    async with LocalClient(stack.endpoints) as client:
        endpoint = await create_endpoint(client, "eastus2", name="pe-worker", target="logs-eastus2")
        before = await until(client, endpoint, "Ready")
        await compare_http(client, stack, before["id"], endpoint)
        await invoke_the_rest(client, stack, endpoint)
        await run_again(stack, before["id"], endpoint)


def decide(stack: Stack, calls: list[dict[str, Any]]) -> None:
    """Have the calls sent by one who may decide."""
    for one in calls:
        one["value"]["headers"] = {"x-autopilot-key": stack.endpoints["deciding_key"]}


async def compare_http(client: LocalClient, stack: Stack, one: str, endpoint: str) -> None:
    """Ask the worker, then the small host; these only read, so nothing moves between the two."""
    wanted = [(status, asked) for status, calls in requests_of(one, endpoint).items() for asked in calls]
    decide(stack, [asked for _, asked in wanted])
    _, there = await in_worker([asked for _, asked in wanted], stack.settings.values())
    for (status, asked), result in zip(wanted, there, strict=True):
        value = asked["value"]
        path = value["url"].split("/api", 1)[1]
        here = await client.app(value["method"], path, None if value["body"] is None else json.loads(value["body"]))
        assert result["ok"], result["error"]
        answer = result["returned"]
        assert (int(answer["status"]), here.status_code) == (status, status), asked
        assert without_chance(json.loads(answer["body"])) == without_chance(here.json()), asked


async def run_again(stack: Stack, one: str, endpoint: str) -> None:
    """Both manual re-runs; last, because what they enqueue is done at any time."""
    calls = [
        http("reconcile_connection", "POST", f"/api/connections/{one}/reconcile", id=one),
        http("reconcile_endpoint", "POST", "/api/reconcile", body=json.dumps({"endpoint": endpoint})),
    ]
    decide(stack, calls)
    _, results = await in_worker(calls, stack.settings.values())
    for result in results:
        answer = result["returned"]
        assert int(answer["status"]) == 202
        assert json.loads(answer["body"])["connections"] == [one]
        location = next(value for name, value in answer["headers"].items() if name.lower() == "location")
        assert str(location).endswith(json.loads(answer["body"])["statusUrl"])


async def invoke_the_rest(client: LocalClient, stack: Stack, endpoint: str) -> None:
    """The queue, the timer and the event trigger: what they do is seen in Azure, in the queue and in the journal."""
    found = await until(client, endpoint, "Ready")
    record = f"{found['zone']['id']}/A/*"
    second = f"{group(client, 'rg-second')}/privateEndpoints/second"
    written = event("grid_write")
    written["data"] = written["data"] | {"resourceUri": second}
    message = {"v": 1, "endpoint": endpoint, "cause": "manual", "correlationId": "from-the-worker"}

    # Else the event of a deletion has the small host repair it before the worker looks.
    await client.backstage("switches", **{"events.drop": True})
    await client.azure("DELETE", record)
    calls = [
        call("endpoint_events", "event", "json", written | {"subject": second}),
        call("reconcile", "message", "string", json.dumps(message | {"v": 0})),
        call("reconcile", "message", "string", json.dumps(message)),
    ]
    _, (taken, refused, done) = await in_worker(calls, stack.settings.values())
    assert json.loads(taken["outputs"]["messages"])["endpoint"] == second
    assert not refused["ok"]
    assert "InvalidInput" in refused["error"]
    assert (done["ok"], done["returned"]) == (True, None), done["error"]
    assert (await client.azure("GET", record))["properties"]["aRecords"] == [{"ipv4Address": found["address"]}]
    assert "from-the-worker" in {entry["correlationId"] for entry in await journal(client, found["id"])}

    await client.azure("DELETE", record)
    _, [tick] = await in_worker([call("check_health", "timer", "timer")], stack.settings.values())
    assert (tick["ok"], tick["returned"]) == (True, None), tick["error"]
    # The worker's sweep has enqueued the endpoint; the small host, whose own timer never ticks, does the work.
    deadline = time.monotonic() + READY_SECONDS
    while "timer" not in {entry["cause"] for entry in await journal(client, found["id"])}:
        assert time.monotonic() < deadline, "what the timer found is still not made good"
        await asyncio.sleep(0.3)
    await until(client, endpoint, "Ready")
    assert (await client.azure("GET", record))["properties"]["aRecords"] == [{"ipv4Address": found["address"]}]


async def journal(client: LocalClient, connection: str) -> list[dict[str, Any]]:
    """The connection's diary, newest first."""
    return list((await client.app("GET", f"/connections/{connection}/journal?limit=500")).json()["items"])
