"""The URLs of the host answer as those of the real one."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"id": "1", "subject": "/s", "eventType": "T", "data": {}, "eventTime": "2026-02-03T04:05:06.1234567Z"}


async def test_a_route_gets_its_parameters_query_headers_and_body(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.route(route="connections/{id}/journal", methods=["POST"])
    async def journal(req: func.HttpRequest) -> func.HttpResponse:
        got = [
            dict(req.route_params),
            dict(req.params),
            req.headers["x-a"],
            req.get_json(),
            req.url,
        ]
        return func.HttpResponse(
            json.dumps(got), status_code=202, headers={"Location": "/x"}, mimetype="application/json"
        )

    answer = await start().client.post("/api/Connections/a%20b/journal?top=5", json={"n": 1}, headers={"X-A": "1"})
    url = "http://host/api/Connections/a%20b/journal?top=5"
    assert answer.json() == [{"id": "a b"}, {"top": "5"}, "1", {"n": 1}, url]
    assert (answer.status_code, answer.headers["location"]) == (202, "/x")
    assert answer.headers["content-type"] == "application/json"


async def test_unknown_routes_and_methods_are_404_without_a_body(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.route(route="things/{id:int}", methods=["GET"])
    def thing(req: func.HttpRequest) -> str:
        return req.route_params["id"]

    client = start().client
    assert (await client.get("/api/things/7")).text == "7"
    for method, path in [("GET", "/api/things/x"), ("DELETE", "/api/things/7"), ("GET", "/api/things"), ("GET", "/x")]:
        answer = await client.request(method, path)
        assert (answer.status_code, answer.content) == (404, b"")


async def test_routes_are_tried_in_the_order_of_their_functions_names_as_the_real_host_does(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.route(route="things/{id}", methods=["GET"])
    def b_thing(req: func.HttpRequest) -> str:
        return "parameter " + req.route_params["id"]

    @app.route(route="things/all", methods=["GET"])
    def c_hidden(req: func.HttpRequest) -> str:
        return "literal"

    @app.route(route="things/none", methods=["GET"])
    def a_first(req: func.HttpRequest) -> str:
        return "none"

    @app.route(route="things/{id}", methods=["POST"])
    def change(req: func.HttpRequest) -> str:
        return "changed"

    @app.route(route="rest/{*path}")
    def rest(req: func.HttpRequest) -> str:
        return "rest " + req.route_params["path"]

    client = start().client
    assert (await client.get("/api/things/all")).text == "parameter all"
    assert (await client.get("/api/things/none")).text == "none"
    assert (await client.get("/api/things/a%2Fb")).text == "parameter a%2Fb"
    assert (await client.post("/api/things/all")).text == "changed"
    assert (await client.get("/api/rest/a/b")).text == "rest a/b"


@pytest.mark.parametrize(
    ("level", "key", "status"),
    [
        ("FUNCTION", "", 401),
        ("FUNCTION", "wrong", 401),
        ("FUNCTION", "the-function-key", 200),
        ("FUNCTION", "the-master-key", 200),
        ("FUNCTION", "the-event-grid-key", 401),
        ("ADMIN", "the-function-key", 401),
        ("ADMIN", "the-master-key", 200),
        ("ANONYMOUS", "", 200),
    ],
)
async def test_keys_open_what_their_level_allows(
    app: func.FunctionApp, start: Callable[..., Any], level: str, key: str, status: int
) -> None:
    @app.route(route="door", auth_level=func.AuthLevel[level])
    def door(req: func.HttpRequest) -> str:
        return "open"

    client = start().client
    assert (await client.get("/api/door", headers={"x-functions-key": key})).status_code == status
    assert (await client.get("/api/door", params={"code": key}, headers={"x-functions-key": ""})).status_code == status


async def test_a_failing_function_answers_500_with_nothing_in_it(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.route(route="fails")
    async def fails(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("a secret")

    @app.route(route="nonsense")
    async def nonsense(req: func.HttpRequest) -> Any:
        return {"not": "an answer"}

    client = start().client
    for path in ("/api/fails", "/api/nonsense"):
        answer = await client.get(path)
        assert (answer.status_code, answer.content) == (500, b"")


async def test_an_invocation_is_one_log_line_without_payload(
    app: func.FunctionApp, start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    @app.route(route="echo")
    async def echo(req: func.HttpRequest, context: func.Context) -> str:
        return f"{context.function_name} {context.invocation_id}"

    caplog.set_level("INFO", "local.host")
    answer = await start().client.post("/api/echo?q=payload", content=b"payload")
    name, invocation = answer.text.split()
    assert name == "echo"
    assert [record.getMessage() for record in caplog.records] == [
        f"Executed 'Functions.echo' (Succeeded, Id={invocation}, Duration=0ms)"
    ]


async def test_a_function_past_its_time_fails(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    @app.route(route="slow")
    async def slow(req: func.HttpRequest) -> str:
        await asyncio.sleep(3600)
        return "never"

    assert (await start().client.get("/api/slow")).status_code == 500
    assert asyncio.get_running_loop().time() == pytest.approx(1800, abs=1)


async def test_an_http_function_may_also_send_messages(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    @app.route(route="both")
    @app.queue_output(arg_name="work", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
    def both(req: func.HttpRequest, work: func.Out[str]) -> func.HttpResponse:
        work.set(["one", "two"])  # type: ignore[arg-type]  # the library takes a list too
        return func.HttpResponse(status_code=202)

    running = start()
    assert (await running.client.post("/api/both")).status_code == 202
    assert [message.content for message in running.queues.queues["work"].messages] == ["b25l", "dHdv"]


async def test_event_grid_validates_and_delivers_each_event_as_raw_json(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    got: list[str] = []

    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: str) -> None:
        got.append(event)

    running = start()
    handshake = await running.webhook([{"data": {"validationCode": "abc"}}], kind="SubscriptionValidation")
    assert (handshake.status_code, handshake.json()) == (200, {"validationResponse": "abc"})
    assert (await running.webhook([EVENT, {**EVENT, "id": "2"}])).status_code == 202
    assert (await running.webhook({"specversion": "1.0", "id": "3"})).status_code == 202
    assert [json.loads(text)["id"] for text in got] == ["1", "2", "3"]
    assert (await running.webhook({}, kind="Unsubscribe")).status_code == 202
    assert len(got) == 3


async def test_cloud_events_are_agreed_on_by_options(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: str) -> None:
        return None

    url = "/runtime/webhooks/eventgrid?functionName=on_event&code=the-event-grid-key"
    headers = {"WebHook-Request-Origin": "eventgrid.azure.net", "x-functions-key": ""}
    answer = await start().client.options(url, headers=headers)
    assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")


async def test_typed_event_arguments_come_from_the_library(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    got: list[func.EventGridEvent] = []

    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: func.EventGridEvent) -> None:
        got.append(event)

    assert (await start().webhook([EVENT])).status_code == 202
    assert (got[0].subject, got[0].event_type) == ("/s", "T")


async def test_a_host_that_starts_refuses_what_event_grid_delivers_until_its_keys_are_loaded(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.event_grid_trigger(arg_name="event")
    def on_event(event: str) -> None:
        del event

    running = start(refuse_deliveries=5.0)
    await running.host.start()
    await running.clock.sleep(4.9)
    assert (await running.webhook([{"id": "1"}])).status_code == 401
    await running.clock.sleep(0.2)
    assert (await running.webhook([{"id": "1"}])).status_code == 202


async def test_event_grid_is_told_what_went_wrong(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: str) -> None:
        if json.loads(event)["id"] == "bad":
            raise ValueError("cannot take it")

    running = start()
    failed = await running.webhook([EVENT, {**EVENT, "id": "bad"}])
    assert (failed.status_code, failed.text) == (500, "cannot take it")
    assert (await running.webhook([EVENT], name="other")).status_code == 404
    assert (await running.webhook([EVENT], kind="Strange")).status_code == 400
    assert (await running.webhook([EVENT], kind="notification")).status_code != 400, "as HTTP: case says nothing"
    assert (await running.webhook("no event")).status_code == 500, "a parser's failure, so Event Grid tries again"
    url = "/runtime/webhooks/eventgrid?functionName=on_event"
    assert (await running.client.post(url, json=[EVENT])).status_code == 401  # a function key is no system key


async def test_events_of_a_request_run_in_parallel_and_are_awaited(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: str) -> None:
        await asyncio.sleep(20)

    assert (await start().webhook([EVENT] * 3)).status_code == 202
    assert asyncio.get_running_loop().time() == pytest.approx(20, abs=1)


async def test_admin_lists_and_runs_functions_for_the_master_key_only(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    got: list[Any] = []

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        got.append((message.get_body(), message.dequeue_count))

    @app.timer_trigger(arg_name="timer", schedule="%TICK%")
    async def tick(timer: func.TimerRequest) -> None:
        got.append(timer.past_due)

    @app.route(route="door")
    async def door(req: func.HttpRequest) -> str:
        return ""

    running = start()
    master = {"x-functions-key": "the-master-key"}
    assert (await running.client.get("/admin/functions")).status_code == 401
    listed = (await running.client.get("/admin/functions", headers=master)).json()
    assert [one["name"] for one in listed] == ["work", "tick", "door"]
    assert (await running.client.get("/admin/host/status", headers=master)).json()["state"] == "Running"
    assert (await running.client.get("/admin/host/ping")).status_code == 200
    assert (await running.run_by_hand("work", {"input": "hello"})).status_code == 202
    assert (await running.run_by_hand("tick", {})).status_code == 202
    assert (await running.run_by_hand("door", {})).status_code == 400
    assert (await running.run_by_hand("absent", {})).status_code == 404
    assert (await running.run_by_hand("work", ["no object"])).status_code == 400
    await asyncio.sleep(0.1)
    assert got == [(b"hello", 0), False]
