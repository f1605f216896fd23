"""The host's web side: functions under `/api`, the Event Grid webhook, and `/admin`.

One ASGI app, made by `FunctionsHost`. Status codes and bodies are those of the real host: 401 without a good key, 404
for an unknown route and for a method that no function of the route has, 500 with an empty body when a function fails.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from local.exchanges import request_url
from local.host.bindings import event_argument, http_answer, http_argument
from local.host.definition import FunctionDefinition
from local.host.invoke import InvocationError, Invoker, logger
from local.host.routes import compile_route

if TYPE_CHECKING:
    from local.exchanges import Message, Receive, Send
    from local.host.keys import Keys

RunByHand = Callable[[FunctionDefinition, str], bool]
"""Start a timer or queue function with this input; False if its trigger cannot be started by hand."""


class HostWeb:
    """Everything that the host answers."""

    def __init__(
        self,
        definitions: Mapping[str, FunctionDefinition],
        invoker: Invoker,
        keys: Keys,
        route_prefix: str,
        run_by_hand: RunByHand,
        knows_event_grid: Callable[[], bool] = lambda: True,
    ) -> None:
        """`knows_event_grid`: whether the key that Event Grid delivers with is loaded."""
        self._definitions = definitions
        self._invoker = invoker
        self._keys = keys
        self._run_by_hand, self._knows_event_grid = run_by_hand, knows_event_grid
        http = (one for _, one in sorted(definitions.items()) if one.trigger == "httpTrigger")
        self._routes = [compile_route(one, route_prefix) for one in http]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._handler(request.url.path)(request)
        await response(scope, receive, send)

    def _handler(self, path: str) -> Callable[[Request], Awaitable[Response]]:
        lower = path.lower().rstrip("/")
        if lower.startswith("/admin/"):
            return self._admin
        if lower == "/runtime/webhooks/eventgrid":
            return self._event_grid
        return self._home if not lower else self._function

    async def _home(self, _request: Request) -> Response:
        return PlainTextResponse("Your Functions app is up and running (local host)")

    def _allowed(self, request: Request, level: str) -> bool:
        return self._keys.allow(level, request.headers, request.query_params)

    async def _function(self, request: Request) -> Response:
        raw_path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
        for route in self._routes:
            parameters = route.match(raw_path)
            if parameters is None or (route.methods is not None and request.method not in route.methods):
                continue
            if not self._allowed(request, route.level):
                return Response(status_code=401)
            return await self._invoke_http(route.definition, request, parameters)
        return Response(status_code=404)

    async def _invoke_http(self, definition: FunctionDefinition, request: Request, route: dict[str, str]) -> Response:
        argument = http_argument(
            request.method,
            request_url(request.scope),
            dict(request.headers),
            dict(request.query_params),
            route,
            await request.body(),
        )
        try:
            status, headers, body = http_answer(await self._invoker.invoke(definition, argument))
        except InvocationError:
            return Response(status_code=500)
        except NotImplementedError:  # the library's word for "this is no HTTP answer"
            logger.error("Functions.%s returned something that is no HTTP answer", definition.name)
            return Response(status_code=500)
        response = Response(body, status)
        for name, value in headers:
            if name.lower() != "content-length":
                response.headers.append(name, value)
        return response

    async def _event_grid(self, request: Request) -> Response:
        if not self._knows_event_grid() or not self._allowed(request, "event_grid"):
            return Response(status_code=401)
        name = request.query_params.get("functionName", "")
        definition = self._definitions.get(name)
        if definition is None or definition.trigger != "eventGridTrigger":
            return PlainTextResponse(f"cannot find function: '{name}'", 404)
        return await self._receive(definition, request)

    async def _receive(self, definition: FunctionDefinition, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(headers={"Webhook-Allowed-Origin": request.headers.get("webhook-request-origin", "")})
        kind = request.headers.get("aeg-event-type", "").lower()
        if request.method == "POST" and kind == "unsubscribe":
            return Response(status_code=202)
        if request.method != "POST" or kind not in ("subscriptionvalidation", "notification"):
            return Response(status_code=400)
        value = _events(await request.body())
        if value is None:  # the extension throws, and no caller catches it
            return PlainTextResponse("The request content should be a JSON object or array.", 500)
        return _validated(value) if kind == "subscriptionvalidation" else await self._notify(definition, value)

    async def _notify(self, definition: FunctionDefinition, value: Any) -> Response:
        events = value if isinstance(value, list) else [value]
        calls = (self._invoker.invoke(definition, event_argument(definition, event)) for event in events)
        for result in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(result, InvocationError):
                return PlainTextResponse(str(result), 500)
            if isinstance(result, BaseException):
                raise result
        return Response(status_code=202)

    async def _admin(self, request: Request) -> Response:
        path = request.url.path.strip("/").split("/")[1:]
        if path == ["host", "ping"]:
            return Response()
        if not self._allowed(request, "admin"):
            return Response(status_code=401)
        if request.method == "GET" and path == ["host", "status"]:
            return JSONResponse({"id": "local", "state": "Running", "version": "4.0.0.0", "errors": []})
        return await self._admin_functions(request, path[1:]) if path[0] == "functions" else Response(status_code=404)

    async def _admin_functions(self, request: Request, rest: list[str]) -> Response:
        if request.method == "GET" and not rest:
            return JSONResponse([self._described(one) for one in self._definitions.values()])
        definition = self._definitions.get(rest[0]) if len(rest) == 1 else None
        if definition is None or request.method not in ("GET", "POST"):
            return Response(status_code=404)
        return (
            JSONResponse(self._described(definition))
            if request.method == "GET"
            else await self._run(request, definition)
        )

    async def _run(self, request: Request, definition: FunctionDefinition) -> Response:
        try:
            value = json.loads(await request.body() or b"{}")
        except ValueError:
            return PlainTextResponse('the body must be {"input": "..."}', 400)
        given = value.get("input", "") if isinstance(value, dict) else None
        if not isinstance(given, str | None) or not isinstance(value, dict):
            return PlainTextResponse('the body must be {"input": "..."}', 400)
        if not self._run_by_hand(definition, given or ""):
            return PlainTextResponse(f"a {definition.trigger} cannot be run here; only timers and queues can", 400)
        return Response(status_code=202)

    @staticmethod
    def _described(definition: FunctionDefinition) -> dict[str, Any]:
        binding = {"type": definition.trigger, "name": definition.argument, "direction": "IN"}
        return {"name": definition.name, "config": {"bindings": [binding]}, "isDisabled": False, "language": "python"}


def _events(body: bytes) -> Any:
    """The list of events, or the one event; None when the body is neither."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, list | dict) else None


def _validated(value: Any) -> Response:
    try:
        code = value[0]["data"]["validationCode"]
    except (LookupError, TypeError):
        return Response(status_code=400)
    return JSONResponse({"validationResponse": code})
