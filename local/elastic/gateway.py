"""The API's front: routing, keys, rate limit, faults, errors and the record of requests; built by `ElasticCloud`."""

from __future__ import annotations

import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.elastic.errors import ApiError, invalid_json
from local.elastic.model import RequestRecord
from local.elastic.operations import Call, Kind, Operation, Reply
from local.elastic.views import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from local.clock import LoopClock
    from local.elastic.settings import ElasticSettings, Fault

PREFIX = "/api/v1"
KEY_LIFE = timedelta(days=90)
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


class Gateway:
    """Takes HTTP requests to the operations."""

    def __init__(self, clock: LoopClock, settings: ElasticSettings, api_key: str, operations: list[Operation]) -> None:
        self._clock = clock
        self._settings = settings
        self.api_key = api_key
        self._routes = [(_pattern(operation.path), operation) for operation in operations]
        self._started_at: datetime | None = None
        self._interval: tuple[datetime, int] | None = None
        self.requests: list[RequestRecord] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._serve, methods=_METHODS)])

    async def _serve(self, request: Request) -> Response:
        raw = await request.body()
        await self._clock.sleep(self._settings.latency_seconds / 2)
        if self._started_at is None:
            self._started_at = self._clock.now()
        at, path = self._clock.now(), request.url.path
        operation, values = self._route(request.method, path)
        headers: dict[str, str] = {}
        try:
            response = self._answer(request, raw, operation, values, headers)
        except ApiError as error:
            response = self._refusal(error)
        response.headers.update(headers | {"Date": format_datetime(at, usegmt=True)})
        name = operation.name if operation else "unknown"
        caller = request.headers.get("x-ms-client-request-id", "")
        self.requests.append(RequestRecord(request.method, path, name, response.status_code, at, caller))
        await self._clock.sleep(self._settings.latency_seconds / 2)
        return response

    def _answer(
        self,
        request: Request,
        raw: bytes,
        operation: Operation | None,
        values: Mapping[str, str],
        headers: dict[str, str],
    ) -> Response:
        method, path = request.method, request.url.path
        if self._settings.outage is not None:
            return _html(self._settings.outage)
        fault = _first(self._settings.faults, method, path)
        if fault is not None:
            return fault
        self._authenticate(request, headers)
        self._spend(headers)
        if operation is None:
            raise self._no_route(path)
        call = Call(values, _query(request, operation.query), _body(request, raw, operation), request.headers)
        reply = operation.run(call)
        return _first(self._settings.faults_after, method, path) or _respond(reply)

    def _route(self, method: str, path: str) -> tuple[Operation | None, Mapping[str, str]]:
        for pattern, operation in self._routes:
            match = pattern.fullmatch(path)
            if match and operation.method == method:
                return operation, match.groupdict()
        return None, {}

    def _no_route(self, path: str) -> ApiError:
        if any(pattern.fullmatch(path) for pattern, _ in self._routes):
            return ApiError(405, "root.method_not_allowed", "The method is not supported for this resource.")
        return ApiError(404, "root.resource_not_found", "The requested resource could not be found.")

    def _authenticate(self, request: Request, headers: dict[str, str]) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "apikey" or not key:
            raise ApiError(401, "root.unauthorized", "You are not authorized to perform this action.")
        expires_at = self._expires_at() if self._settings.api_key_has_end else datetime.max.replace(tzinfo=UTC)
        if not hmac.compare_digest(key.strip().encode(), self.api_key.encode()) or self._clock.now() >= expires_at:
            # Code and text as clients have reported them (elastic/terraform-provider-ec issue 491).
            raise ApiError(401, "root.unauthenticated", "The supplied authentication is invalid")
        if self._settings.api_key_has_end:
            headers["X-Elastic-Api-Key-Expiration"] = timestamp(expires_at)

    def _expires_at(self) -> datetime:
        return self._settings.api_key_expires_at or (self._started_at or self._clock.now()) + KEY_LIFE

    def _spend(self, headers: dict[str, str]) -> None:
        """Count the request against the budget of the interval."""
        limit = self._settings.rate_limit
        if limit is None:
            return
        length = timedelta(seconds=self._settings.rate_limit_interval_seconds)
        now = self._clock.now()
        begin, used = self._interval or (now, 0)
        if now - begin >= length:
            begin, used = now, 0
        self._interval = (begin, used + 1)
        headers["x-ratelimit-interval"] = f"{length.total_seconds():g}"
        headers["x-ratelimit-limit"] = str(limit)
        headers["x-ratelimit-remaining"] = str(max(0, limit - used - 1))
        if used >= limit:
            if self._settings.retry_after_seconds is not None:
                headers["Retry-After"] = str(self._settings.retry_after_seconds)
            raise ApiError(429, "root.too_many_requests", "Too many requests.")

    def _refusal(self, error: ApiError) -> Response:
        if self._settings.html_errors:
            return _html(error.status)
        return JSONResponse(error.body(), error.status, {"x-cloud-error-codes": error.code})


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _query(request: Request, known: Mapping[str, Kind]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name not in known or name in values:
            raise ApiError(
                400, "root.malformed_request", f"Query parameter [{name}] is unknown or given twice.", (name,)
            )
        values[name] = _parsed(name, text, known[name])
    return values


def _parsed(name: str, text: str, kind: Kind) -> Any:
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "integer" and text.isascii() and text.isdigit():
        return int(text)
    if kind == "string":
        return text
    raise ApiError(400, "root.malformed_request", f"Query parameter [{name}] is no {kind}.", (name,))


def _body(request: Request, raw: bytes, operation: Operation) -> Any:
    if operation.body == "none" or (operation.body == "optional" and not raw):
        return None
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise ApiError(415, "root.unsupported_media_type", "The request's Content-Type is not supported.")
    try:
        return json.loads(raw, parse_constant=_no_number)
    except ValueError:
        raise invalid_json("the body is no JSON") from None


def _no_number(word: str) -> None:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(word)


def _first(faults: list[Fault], method: str, path: str) -> Response | None:
    for fault in list(faults):
        answer = fault(method, path)
        if answer is not None:
            status, body = answer
            return _html(status, body) if isinstance(body, str) else JSONResponse(body, status)
    return None


def _respond(reply: Reply) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status, headers=reply.headers)
    return JSONResponse(reply.body, reply.status, reply.headers)


def _html(status: int, page: str | None = None) -> Response:
    text = page or f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Response(text, status, media_type="text/html")
