"""The exchange log says what went over the wire, and never a credential."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from local.clock import LoopClock
from local.exchanges import ExchangeLog, earlier

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

START = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


async def echo(request: Request) -> Response:
    return JSONResponse({"got": await request.json()}, 201, {"x-functions-key": "answer-secret"})


async def text(_request: Request) -> Response:
    return PlainTextResponse("{not json")


async def token(_request: Request) -> Response:
    return JSONResponse({"access_token": "very-secret", "resource": "r"})


async def crash(_request: Request) -> Response:
    raise RuntimeError("no answer")


app = Starlette(
    routes=[
        Route("/echo/{rest:path}", echo, methods=["POST"]),
        Route("/text", text),
        Route("/token", token),
        Route("/crash", crash),
    ]
)


def make_client(log: ExchangeLog, *, raise_app_exceptions: bool = True) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(log.record(app, "arm"), raise_app_exceptions=raise_app_exceptions)  # type: ignore[arg-type]  # httpx spells the scope's type narrower
    return httpx.AsyncClient(transport=transport, base_url="https://arm.local:8443")


@pytest.fixture
def log() -> ExchangeLog:
    return ExchangeLog(clock=LoopClock(START))


async def test_an_exchange_has_time_place_headers_and_decoded_bodies(log: ExchangeLog) -> None:
    async with make_client(log) as client:
        await client.post("/echo/x", json={"a": 1})
    (line,) = log.exchanges
    assert line["at"] == "2026-02-03T04:05:06.000Z"
    assert (line["service"], line["method"], line["status"]) == ("arm", "POST", 201)
    assert line["request_headers"]["content-type"] == "application/json"
    assert line["request_body"] == {"a": 1}
    assert line["response_body"] == {"got": {"a": 1}}


async def test_the_url_is_as_it_came_over_the_wire(log: ExchangeLog) -> None:
    async with make_client(log) as client:
        await client.post("/echo/a%2Fb%20c/*?x=%C3%A9&$expand=y%3D", json=None, content=b"1")
    assert log.exchanges[0]["url"] == "https://arm.local:8443/echo/a%2Fb%20c/*?x=%C3%A9&$expand=y%3D"


async def test_no_credential_is_kept_but_the_scheme_is(log: ExchangeLog) -> None:
    secrets = {"Authorization": "Bearer s3cret", "x-functions-key": "s3cret", "X-IDENTITY-HEADER": "s3cret"}
    async with make_client(log) as client:
        await client.post("/echo/x?code=s3cret&b=2", json={}, headers=secrets)
        await client.get("/token", headers={"Authorization": "s3cret"})
    first, second = log.exchanges
    assert first["request_headers"]["authorization"] == "Bearer REDACTED"
    assert first["request_headers"]["x-functions-key"] == "REDACTED"
    assert first["request_headers"]["x-identity-header"] == "REDACTED"
    assert first["response_headers"]["x-functions-key"] == "REDACTED"
    assert first["url"].endswith("?code=REDACTED&b=2")
    assert second["request_headers"]["authorization"] == "REDACTED"
    assert second["response_body"] == {"access_token": "REDACTED", "resource": "r"}
    assert "s3cret" not in json.dumps(log.exchanges)


async def test_a_body_that_is_no_json_stays_text_and_no_body_is_null(log: ExchangeLog) -> None:
    async with make_client(log) as client:
        await client.get("/text")
    assert log.exchanges[0]["request_body"] is None
    assert log.exchanges[0]["response_body"] == "{not json"


async def test_a_request_whose_handler_failed_is_written_too(log: ExchangeLog) -> None:
    async with make_client(log, raise_app_exceptions=False) as client:
        await client.get("/crash")
    assert log.exchanges[0]["status"] == 500


async def test_a_request_that_got_no_answer_has_status_null(log: ExchangeLog) -> None:
    async def silent(*_arguments: Any) -> None:
        raise ConnectionError("gone")

    transport = httpx.ASGITransport(log.record(silent, "arm"))  # type: ignore[arg-type]  # as above
    async with httpx.AsyncClient(transport=transport, base_url="https://arm.local") as client:
        with pytest.raises(ConnectionError):
            await client.get("/x")
    assert log.exchanges[0]["status"] is None


async def test_a_file_gets_one_whole_line_for_each_of_many_exchanges_at_once(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    log = ExchangeLog(path, clock=LoopClock(START))
    async with make_client(log) as client:
        await asyncio.gather(*(client.post("/echo/x", json={"n": n}) for n in range(50)))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sorted(line["request_body"]["n"] for line in lines) == list(range(50))
    assert log.exchanges == []


async def test_a_client_may_write_its_own_exchanges(log: ExchangeLog) -> None:
    url = "http://host/runtime/webhooks/eventgrid?functionName=f&code=s3cret"
    log.write({"service": "eventgrid", "method": "POST", "url": url, "status": None})
    assert log.exchanges[0]["url"] == "http://host/runtime/webhooks/eventgrid?functionName=f&code=REDACTED"
    assert log.exchanges[0]["at"] == "2026-02-03T04:05:06.000Z"


def test_the_file_is_bounded_and_the_one_before_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    log = ExchangeLog(path, clock=LoopClock(), limit=2000)
    for number in range(100):
        log.write({"at": "2026", "url": f"https://arm/{number}", "request_body": "x" * 100})
    kept = [earlier(path), path]
    assert all(one.stat().st_size <= 2000 for one in kept)
    urls = [json.loads(line)["url"] for one in kept for line in one.read_text(encoding="utf-8").splitlines()]
    assert urls == [f"https://arm/{number}" for number in range(100 - len(urls), 100)]
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["exchanges.earlier.jsonl", "exchanges.jsonl"]
