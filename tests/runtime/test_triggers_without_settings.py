"""Every trigger of an app whose settings are missing: the worker library and the small host answer the same."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.host import FunctionsHost, HostSettings, Keys, MemoryQueueService
from local.host.bindings import queue_argument, timer_argument
from local.host.definition import load_app
from local.host.invoke import InvocationError
from shared.app import forget
from tests.functions.trigger_parts import routes
from tests.runtime.runtime_parts import (
    ROOT,
    call,
    clean_environment,
    event,
    http,
    in_worker,
    needs_worker,
    without_chance,
)

pytestmark = [pytest.mark.real_time, needs_worker]

STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
KEYS = Keys(master="master", function="function", event_grid="event-grid")
ID = "0123456789abcdef"
EVENTS = ("grid_write", "grid_delete", "cloud_write", "cloud_delete", "grid_write_bare")
DROPPED = ("grid_action", "grid_child", "grid_failure", "grid_other_type", "grid_validation")
HTTP = (
    http("list_connections", "GET", "/api/connections"),
    http("get_connection", "GET", f"/api/connections/{ID}", id=ID),
    http("get_journal", "GET", f"/api/connections/{ID}/journal?limit=5", id=ID),
    http("get_journal", "GET", f"/api/connections/{ID}/journal?limit=0", id=ID),
    http("list_events", "GET", "/api/events?limit=5"),
    http("get_checks", "GET", f"/api/connections/{ID}/checks?limit=5", id=ID),
    http("check_connection", "POST", f"/api/connections/{ID}/check", id=ID),
    http("reconcile_connection", "POST", f"/api/connections/{ID}/reconcile", id=ID),
    http(
        "decide_on_connection", "POST", f"/api/connections/{ID}/decisions", body='{"decision": "forget-target"}', id=ID
    ),
    http("reconcile_endpoint", "POST", "/api/reconcile", body='{"endpoint": "x"}'),
    http("get_plan", "GET", "/api/plan"),
    http("get_connection_plan", "GET", f"/api/connections/{ID}/plan", id=ID),
    http("get_removals", "GET", "/api/removals"),
    http("decide", "POST", "/api/decisions", body='{"decision": "confirm-removals", "stop": "one"}'),
    http("get_recovered", "GET", "/api/recovered"),
    http("get_pause", "GET", "/api/pause"),
    http("set_pause", "POST", "/api/pause", body='{"minutes": 5}'),
    http("lift_pause", "DELETE", "/api/pause"),
    http("get_operation", "GET", f"/api/operations/{ID}", operation=ID),
    http("replay_poison", "POST", "/api/poison/replay?limit=5"),
    http("openapi", "GET", "/api/openapi.json"),
    http("dashboard", "GET", "/api/dashboard"),
    http("dashboard_connection", "GET", f"/api/dashboard/{ID}", id=ID),
    http("dashboard_file", "GET", "/api/dashboard/files/b/main.js", build="b", name="main.js"),
    http("dashboard_file", "GET", "/api/dashboard/files/b/nothing.js", build="b", name="nothing.js"),
    http("reconcile_endpoint", "POST", "/api/reconcile", body="no JSON"),
    http("reconcile_endpoint", "POST", "/api/reconcile", body=json.dumps({"endpoint": "x" * 100_000})),
)
DOCTOR = http("doctor", "GET", "/api/doctor")
STATUS = {
    "/api/openapi.json": 200,
    "/api/dashboard": 200,
    f"/api/dashboard/{ID}": 200,
    "/api/dashboard/files/b/main.js": 200,
    "/api/dashboard/files/b/nothing.js": 404,
    f"/api/connections/{ID}/journal?limit=0": 400,
}
"""What is public needs no settings, and what cannot be meant is told before them; all else is 503."""


class SmallHost:
    """The small host in this process, its queues in memory; nothing listens, so what is sent stays."""

    def __init__(self) -> None:
        clock = LoopClock()
        self.queues = MemoryQueueService(clock)
        app = load_app(ROOT)
        app.functions_bindings = None  # the library would call a second indexing a duplicate
        settings = HostSettings.read(ROOT)
        self.host = FunctionsHost(app, clock, queues=self.queues, keys=KEYS, environ=STORAGE, settings=settings)
        transport = AsgiTransport(self.host.app)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://worker", headers={"x-functions-key": "master"}
        )

    async def answer(self, invocation: dict[str, Any]) -> httpx.Response:
        """What the host answers to the HTTP call."""
        value = invocation["value"]
        return await self.client.request(value["method"], value["url"], content=value["body"])

    async def deliver(self, body: Any) -> list[Any]:
        """Deliver an event; returns the messages that it made, decoded."""
        queue = self.queues.queue("AzureWebJobsStorage", "reconcile")
        before = len(queue.messages)
        answer = await self.client.post(
            "/runtime/webhooks/eventgrid?functionName=endpoint_events",
            content=json.dumps([body]),  # as Event Grid does: one event per request, in an array
            headers={"aeg-event-type": "Notification"},
        )
        assert answer.status_code == httpx.codes.ACCEPTED
        return [json.loads(base64.b64decode(message.content)) for message in queue.messages[before:]]


@pytest.fixture
async def small(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallHost]:
    for name in set(os.environ) - set(clean_environment(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AzureWebJobsStorage", STORAGE["AzureWebJobsStorage"])
    forget()
    host = SmallHost()
    yield host
    await host.client.aclose()
    await host.host.stop()
    forget()


async def test_the_worker_finds_exactly_the_functions_that_the_small_host_finds(small: SmallHost) -> None:
    found, _ = await in_worker([], STORAGE)
    here = {name: one.trigger for name, one in small.host.definitions.items()}
    assert {one["name"]: one["trigger"]["type"] for one in found} == here
    outputs = [(one["name"], b["queueName"]) for one in found for b in one["bindings"] if b["type"] == "queue"]
    assert outputs == [("endpoint_events", "reconcile")]


def test_every_http_function_is_invoked() -> None:
    invoked = {one["function"] for one in (*HTTP, DOCTOR)}
    assert invoked == {route.function for route in routes()}


async def test_http_functions_say_what_is_wrong_in_both(small: SmallHost) -> None:
    _, results = await in_worker(HTTP, STORAGE)
    for invocation, result in zip(HTTP, results, strict=True):
        here = await small.answer(invocation)
        assert result["ok"], result["error"]
        there = result["returned"]
        assert int(there["status"]) == here.status_code
        kind = next(value for name, value in there["headers"].items() if name.lower() == "content-type")
        assert kind == here.headers["content-type"]
        if kind.startswith("application/json"):
            assert without_chance(json.loads(there["body"])) == without_chance(here.json())
        else:
            assert there["body"] == here.text
        assert here.status_code == STATUS.get(invocation["value"]["url"].removeprefix("http://worker"), 503)


async def test_the_doctor_finds_the_same_in_both(small: SmallHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AzureWebJobsStorage")
    _, [result] = await in_worker([DOCTOR], {})
    there, here = json.loads(result["returned"]["body"]), (await small.answer(DOCTOR)).json()
    assert there["findings"] == here["findings"]
    assert {"AZURE_SUBSCRIPTIONS", "AzureWebJobsStorage"} <= {one["what"].split(":")[0] for one in here["findings"]}


async def test_events_of_both_schemas_become_the_same_message_in_both(small: SmallHost) -> None:
    calls = [call("endpoint_events", "event", "json", event(name)) for name in EVENTS]
    _, results = await in_worker(calls, {})
    for name, result in zip(EVENTS, results, strict=True):
        assert result["ok"], result["error"]
        [here] = await small.deliver(event(name))
        assert set(result["outputs"]) == {"messages"}, name
        there = json.loads(result["outputs"]["messages"])
        assert there == here, name
        assert set(there) == {"v", "endpoint", "cause", "correlationId"}


async def test_what_is_no_event_of_an_endpoint_is_dropped_without_an_error_in_both(small: SmallHost) -> None:
    bodies = [*(event(name) for name in DROPPED), {}, [], "text", 7, None, {"data": {"operationName": 3}}]
    calls = [call("endpoint_events", "event", "json", body) for body in bodies]
    _, results = await in_worker(calls, {})
    for body, result in zip(bodies, results, strict=True):
        assert result["ok"], result["error"]
        assert not result["outputs"].get("messages"), body
        assert await small.deliver(body) == []


async def test_what_is_not_even_json_is_dropped_without_an_error() -> None:
    """Only the worker could get it: the host answers 400 to such a delivery."""
    _, results = await in_worker([call("endpoint_events", "event", "string", text) for text in ("{", "")], {})
    assert [(result["ok"], result["outputs"].get("messages")) for result in results] == [(True, None)] * 2


async def test_a_message_or_a_tick_fails_so_that_the_platform_tries_again(small: SmallHost) -> None:
    calls = [
        call("reconcile", "message", "string", "no JSON"),
        call("reconcile", "message", "string", '{"v":1,"endpoint":"/subscriptions/x"}'),
        call("check_health", "timer", "timer"),
    ]
    _, results = await in_worker(calls, STORAGE)
    assert [result["ok"] for result in results] == [False, False, False]
    assert "The queue message is no JSON" in results[0]["error"]
    assert "AZURE_SUBSCRIPTIONS: required" in results[2]["error"]
    inputs = [queue_argument(one["value"].encode(), {"Id": "1"}) for one in calls[:2]]
    inputs.append(timer_argument(past_due=False, status=None))
    for one, argument, result in zip(calls, inputs, results, strict=True):
        with pytest.raises(InvocationError) as failed:
            await small.host.invoke(one["function"], argument)
        assert str(failed.value) in result["error"]
