"""A route of the HTTP API, declared once: the trigger that the host registers and the row of the OpenAPI document.

    @route(blueprint, GET, "connections/{id}", "One connection in full.", answers="Connection")
    async def get_connection(req): ...

Used by the modules of HTTP triggers; `openapi` makes the document from `declared()`. Bodies are named here, and looked
up there when a caller first asks for the document, so that loading the app loads no schema.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus

import azure.functions as func

from functions.responses import Handler, deciding_endpoint, ensure_known, json_endpoint, public_endpoint

GET, POST, DELETE = HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.DELETE


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `takes`: names of `openapi.document.PARAMETERS`; those of the path are found there too."""

    function: str
    method: HTTPMethod
    path: str
    summary: str
    answers: str
    """A name in `openapi.bodies.answers`, or media types."""
    takes: tuple[str, ...] = ()
    sends: str = ""
    """Name of the body in `openapi.bodies.requests`; empty: none is read."""
    must_send: bool = True
    status: HTTPStatus = HTTPStatus.OK
    keyed: bool = True
    """Whether it needs a function key. An answer without one does not tell the app's status."""
    may_miss: bool = False
    """Whether it answers 404 for something that is not in its path."""
    limited: bool = False
    """Whether it answers 429 to too many requests of a kind."""

    @property
    def query(self) -> tuple[str, ...]:
        """The parameters that it takes, by the names that callers write."""
        return tuple(_WRITTEN.get(name, name) for name in self.takes)

    @property
    def decides(self) -> bool:
        """Whether it changes something: a function key alone is not enough then."""
        return self.method is not GET


_WRITTEN = {"messages": "limit", "page": "limit", "diary": "cursor", "table": "format", "plans": "limit"}
"""Parameters whose name in `openapi.document.PARAMETERS` is not the one that callers write."""
_declared: dict[str, Route] = {}


def route(
    blueprint: func.Blueprint,
    method: HTTPMethod,
    path: str,
    summary: str,
    *,
    answers: str,
    takes: tuple[str, ...] = (),
    sends: str = "",
    must_send: bool = True,
    status: HTTPStatus = HTTPStatus.OK,
    keyed: bool = True,
    may_miss: bool = False,
    limited: bool = False,
) -> Callable[[Handler], Handler]:
    """Register a handler as the trigger of a route; its name is the function's name and the operation's id."""

    def register(handler: Handler) -> Handler:
        row = Route(
            handler.__name__, method, path, summary, answers, takes, sends, must_send, status, keyed, may_miss, limited
        )
        if row.function in _declared:
            raise ValueError(f"two routes are declared by functions of the name {row.function}")
        _declared[row.function] = row
        answer = _answering(row, handler)
        level = func.AuthLevel.FUNCTION if keyed else func.AuthLevel.ANONYMOUS
        trigger = blueprint.route(route=path, methods=[str(method)], auth_level=level)
        blueprint.function_name(row.function)(trigger(answer))
        return handler

    return register


def _answering(row: Route, handler: Handler) -> Handler:
    """The handler with all that routes of its kind share."""
    if not row.keyed:
        return public_endpoint(handler)

    @functools.wraps(handler)
    async def checked(req: func.HttpRequest) -> func.HttpResponse:
        ensure_known(req, row.query)
        return await handler(req)

    return deciding_endpoint(checked) if row.decides else json_endpoint(checked)


def declared() -> tuple[Route, ...]:
    """Every route of the modules that are loaded, in the order of paths and methods."""
    return tuple(sorted(_declared.values(), key=lambda row: (row.path, _METHODS.index(row.method))))


_METHODS = (GET, POST, DELETE)
