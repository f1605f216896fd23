"""The log of HTTP exchanges: one JSON line for each request and its answer, to be checked against the official APIs.

`local.cli.stack` wraps each simulator's ASGI app with `ExchangeLog.record`; Event Grid's deliveries call `write`.
A line holds `at`, `service`, `method`, `url` (absolute, percent-encoding as it came over the wire), headers, bodies
(JSON where the content type says so) and `status` (null when no answer was given). Credentials are replaced before
anything is kept.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from local.clock import LoopClock

if TYPE_CHECKING:
    from pathlib import Path

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

REDACTED = "REDACTED"
_SECRET_HEADERS = {
    "x-functions-key", "x-autopilot-key", "x-identity-header", "aeg-sas-key", "aeg-sas-token", "cookie", "set-cookie",
}  # fmt: skip
_SECRET_PARAMETERS = re.compile(r"([?&](?:code|sig)=)[^&#\s]*", re.IGNORECASE)
_SECRET_FIELDS = {"access_token", "refresh_token", "client_secret"}


LIMIT = 100 * 2**20
"""Bytes of a file: an instance that runs for days takes twice as much, and an hour's exchanges are there."""


class ExchangeLog:
    """Writes exchanges to `path` as they end; without a path keeps them in `exchanges`."""

    def __init__(
        self, path: Path | None = None, *, clock: LoopClock | None = None, keep: bool | None = None, limit: int = LIMIT
    ) -> None:
        """`limit`: bytes of a file; the one before it is kept beside it, and what is older is gone."""
        self.exchanges: list[dict[str, Any]] = []
        self._path, self._limit, self._written = path, limit, 0
        self._keep = path is None if keep is None else keep
        self._clock = clock or LoopClock()
        self._lock = threading.Lock()

    def record(self, app: AsgiApp, service: str) -> AsgiApp:
        """Return `app` with every HTTP exchange written down under the name `service`."""

        async def recorded(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            exchange = _Exchange(scope, service, self.timestamp())
            try:
                await app(scope, exchange.receiving(receive), exchange.sending(send))
            finally:
                self.write(exchange.line())

        return recorded

    def timestamp(self) -> str:
        """Now, as a line's `at`."""
        return self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def write(self, exchange: dict[str, Any]) -> None:
        """Write one exchange, without its credentials. Without `at` it is called in the event loop, else anywhere."""
        line = redacted({"at": self.timestamp(), **exchange} if "at" not in exchange else exchange)
        with self._lock:
            if self._keep:
                self.exchanges.append(line)
            if self._path is not None:
                self._append(self._path, (json.dumps(line, ensure_ascii=False) + "\n").encode())

    def _append(self, path: Path, line: bytes) -> None:
        if self._written and self._written + len(line) > self._limit:
            path.replace(earlier(path))
            self._written = 0
        with path.open("ab") as file:
            file.write(line)
        self._written += len(line)


def earlier(path: Path) -> Path:
    """Where the exchanges before those of `path` are."""
    return path.with_name(f"{path.stem}.earlier{path.suffix}")


class _Exchange:
    """Looks at the messages of one request as they pass."""

    def __init__(self, scope: Message, service: str, at: str) -> None:
        self._scope, self._service, self._at = scope, service, at
        self._request, self._response = bytearray(), bytearray()
        self._status: int | None = None
        self._response_headers: Headers = ()
        self._gone = False

    def receiving(self, receive: Receive) -> Receive:
        async def wrapped() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._request += message.get("body", b"")
            elif self._status is None:
                self._gone = True  # the caller hung up; no answer of the app reaches it
            return message

        return wrapped

    def sending(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if self._gone:
                pass
            elif message["type"] == "http.response.start":
                self._status, self._response_headers = message["status"], message.get("headers", ())
            elif message["type"] == "http.response.body":
                self._response += message.get("body", b"")
            await send(message)

        return wrapped

    def line(self) -> dict[str, Any]:
        request_headers, response_headers = header_dict(self._scope["headers"]), header_dict(self._response_headers)
        return {
            "at": self._at,
            "service": self._service,
            "method": self._scope["method"],
            "url": request_url(self._scope),
            "request_headers": request_headers,
            "request_body": body_value(bytes(self._request), request_headers),
            "status": self._status,
            "response_headers": response_headers,
            "response_body": body_value(bytes(self._response), response_headers),
        }


def request_url(scope: Message) -> str:
    """The absolute URL of an ASGI request, percent-encoding as it came over the wire."""
    headers = header_dict(scope["headers"])
    host, port = scope.get("server") or ("unknown", None)
    place = headers.get("host") or (f"{host}:{port}" if port else host)
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    return f"{scope.get('scheme', 'http')}://{place}{path.decode('latin-1')}" + (f"?{query.decode()}" if query else "")


def header_dict(headers: Headers) -> dict[str, Any]:
    """Headers as the log has them: lower-case names; a name that came twice has a list."""
    result: dict[str, Any] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in result:
            before = result[name]
            result[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            result[name] = value
    return result


def body_value(body: bytes, headers: Mapping[str, Any]) -> Any:
    """A body as the log has it: decoded JSON where the content type says JSON, else text; None if there was none."""
    if not body:
        return None
    text = body.decode("utf-8", errors="replace")
    if "json" in str(headers.get("content-type", "")).lower():
        try:
            return json.loads(text)
        except ValueError:
            return text  # what came is what is judged, wrong JSON included
    return text


def redacted(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return the exchange without credentials; the scheme of an `Authorization` stays."""
    result = {**exchange, "url": _without_parameters(str(exchange["url"]))}
    for name in ("request_headers", "response_headers"):
        result[name] = {key: _header(key, value) for key, value in (exchange.get(name) or {}).items()}
    for name in ("request_body", "response_body"):
        result[name] = _body(exchange.get(name))
    return result


def _without_parameters(text: str) -> str:
    return _SECRET_PARAMETERS.sub(rf"\1{REDACTED}", text)


def _header(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_header(name, one) for one in value]
    if name.lower() in ("authorization", "proxy-authorization"):
        scheme, _, secret = str(value).partition(" ")
        return f"{scheme} {REDACTED}" if secret else REDACTED
    return REDACTED if name.lower() in _SECRET_HEADERS else _without_parameters(str(value))


def _body(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REDACTED if key in _SECRET_FIELDS else _body(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_body(inner) for inner in value]
    return value
