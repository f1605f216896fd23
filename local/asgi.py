"""Calls of an ASGI app in this process: what every fast test sends its requests through.

Used by the transports of the SDKs (`arm.transport`), by `World` and by tests. In place of `httpx.ASGITransport`, which
looks for a library on the disk with each request, and below an Azure SDK needs a whole HTTP client around it: measured,
a fifth of what a test with the local clouds costs.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What the app answered."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""


async def call(app: ASGIApp, method: str, url: SplitResult, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """One request and its whole answer; what the app raises is raised here."""
    sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if not any(name == b"host" for name, _ in sent):
        sent.insert(0, (b"host", url.netloc.encode("ascii", "replace")))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "headers": sent,
        "scheme": url.scheme,
        "path": unquote(url.path) or "/",
        "raw_path": url.path.encode("ascii", "replace"),
        "query_string": url.query.encode("ascii", "replace"),
        "server": (url.hostname, url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
    answer, parts, unread = Answer(), [], [body]

    async def receive() -> dict[str, Any]:
        if not unread:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": unread.pop(), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        elif method != "HEAD":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    answer.body = b"".join(parts)
    return answer


class AsgiTransport(httpx.AsyncBaseTransport):
    """An httpx client's transport to an app in this process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the app."""
        asked = request.url
        path, _, query = asked.raw_path.decode("ascii").partition("?")
        url = SplitResult(asked.scheme, asked.netloc.decode("ascii"), path, query, "")
        headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        answer = await call(self._app, request.method, url, headers, await request.aread())
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))
