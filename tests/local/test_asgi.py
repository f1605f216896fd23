"""An app in this process is asked and answers as over a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.asgi import AsgiTransport, call

if TYPE_CHECKING:
    from starlette.requests import Request


async def told(request: Request) -> Response:
    """What arrived."""
    return JSONResponse(
        {
            "method": request.method,
            "url": str(request.url),
            "path": request.path_params["path"],
            "query": request.query_params.multi_items(),
            "x": request.headers.getlist("x"),
            "body": (await request.body()).decode(),
        },
        headers={"x-said": "yes"},
    )


async def broken(request: Request) -> Response:
    raise LookupError(request.url.path)


APP = Starlette(
    routes=[
        Route("/broken", broken),
        Route("/{path:path}", told, methods=["GET", "PUT", "HEAD"]),
    ]
)
URL = "https://cloud.local:1234/a%20b/c%2Fd?one=1&one=%C3%A9&empty="


@pytest.mark.parametrize("transport", [AsgiTransport(APP), httpx.ASGITransport(APP)], ids=["ours", "as httpx does"])
async def test_all_of_a_request_arrives_and_all_of_the_answer_comes_back(transport: httpx.AsyncBaseTransport) -> None:
    async with httpx.AsyncClient(transport=transport) as client:
        answer = await client.put(URL, content="wörter".encode(), headers=[("X", "1"), ("x", "2")])
    assert (answer.status_code, answer.headers["x-said"]) == (200, "yes")
    assert answer.json() == {
        "method": "PUT",
        "url": "https://cloud.local:1234/a b/c/d?one=1&one=%C3%A9&empty=",
        "path": "a b/c/d",
        "query": [["one", "1"], ["one", "é"], ["empty", ""]],
        "x": ["1", "2"],
        "body": "wörter",
    }


async def test_the_host_is_that_of_the_url_unless_a_header_names_another() -> None:
    for sent, host in (([], "cloud.local"), ([("Host", "front.local")], "front.local")):
        answer = await call(APP, "GET", urlsplit("https://cloud.local/x"), sent, b"")
        assert f'"url":"https://{host}/x"'.encode() in answer.body


async def test_an_answer_to_head_has_no_body_and_a_method_that_is_not_served_is_refused() -> None:
    assert (await call(APP, "HEAD", urlsplit("https://cloud.local/x"), [], b"")).body == b""
    assert (await call(APP, "PATCH", urlsplit("https://cloud.local/x"), [], b"")).status == 405


async def test_what_the_app_raises_is_raised_to_the_caller() -> None:
    async with httpx.AsyncClient(transport=AsgiTransport(APP)) as client:
        with pytest.raises(LookupError, match="/broken"):
            await client.get("https://cloud.local/broken")
