"""The OpenAPI 3.1 document: the declared routes with the parameters, errors and headers that routes share. Pure."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from functions.openapi import bodies
from functions.openapi.from_types import Schema
from functions.routing import Route
from shared.api.listing import PAGE, SORTS
from shared.core.model.conditions import Phase
from shared.version import VERSION

PARAMETERS: dict[str, Schema] = {
    "id": {"name": "id", "in": "path", "required": True, "schema": bodies.CONNECTION_ID},
    "operation": {"name": "operation", "in": "path", "required": True, "schema": bodies.OPERATION_ID},
    "build": {"name": "build", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    "name": {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "Entries at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
    },
    "diary": {
        "name": "cursor",
        "in": "query",
        "description": "Where the page begins: the `next` of the page before.",
        "schema": bodies.PAGE_KEY,
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "Where the page begins: the `next` of the page before, sorted the same way.",
        "schema": {"type": "string", "minLength": 1},
    },
    "page": {
        "name": "limit",
        "in": "query",
        "description": "Connections at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": PAGE, "default": PAGE},
    },
    "plans": {
        "name": "limit",
        "in": "query",
        "description": "Connections at most; 1,000 as text.",
        "schema": {"type": "integer", "minimum": 1, "maximum": PAGE, "default": 100},
    },
    "sort": {
        "name": "sort",
        "in": "query",
        "description": "What comes first; a minus before it for the other way round.",
        "schema": {"type": "string", "enum": [f"{sign}{name}" for name in SORTS for sign in ("", "-")]},
    },
    **{
        name: {"name": name, "in": "query", "description": about, "schema": schema}
        for name, about, schema in (
            (
                "phase",
                "Only those in this phase; with a minus before it, all others.",
                {"type": "string", "enum": [f"{sign}{one}" for one in Phase for sign in ("", "-")]},
            ),
            ("region", "Only those to this region.", bodies.TEXT),
            ("subscription", "Only those of this subscription.", bodies.TEXT),
            ("target", "Only those that lead to this deployment or project, by id or name.", bodies.TEXT),
            ("q", "Only those in whose texts each of these words stands.", bodies.TEXT),
        )
    },
    "family": {
        "name": "family",
        "in": "query",
        "description": "Only connections to targets of this family: deployments (`hosted`) or projects (`serverless`).",
        "schema": bodies.FAMILY,
    },
    "since": {
        "name": "since",
        "in": "query",
        "description": "Only what happened since then, a time with a zone; a day ago unless it says.",
        "schema": bodies.MOMENT,
    },
    "outcome": {
        "name": "outcome",
        "in": "query",
        "description": "Only entries that ended so, for example `done`, `failed` or `decided`.",
        "schema": bodies.TEXT,
    },
    "messages": {
        "name": "limit",
        "in": "query",
        "description": "Messages at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
    },
    "table": {
        "name": "format",
        "in": "query",
        "description": "`csv` for all that match, as a table for spreadsheets; `limit` and `cursor` mean nothing then.",
        "schema": {"type": "string", "enum": ["json", "csv"], "default": "json"},
    },
    "format": {
        "name": "format",
        "in": "query",
        "description": "`text` to read; an Accept header with text/plain and no JSON says the same.",
        "schema": {"type": "string", "enum": ["json", "text"], "default": "json"},
    },
}
ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be understood, or asks for what is out of scope.",
    HTTPStatus.FORBIDDEN: "The caller may only read: a deciding key is missing.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many endpoints that no record tells of were named within a minute.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The app failed; its log has the details.",
    HTTPStatus.CONFLICT: "A person must act first; the error says how.",
    HTTPStatus.BAD_GATEWAY: "A cloud refuses the app: a right or a key of it is missing; the error says which.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Settings are wrong, or a service does not answer now.",
}
HEADERS: dict[str, Schema] = {
    "X-Privatelink-Mode": {"description": "`unknown` where it could not be read.", "schema": bodies.TEXT},
    "X-Privatelink-Paused-Until": {"description": "Only while the app is paused.", "schema": bodies.TEXT},
    "Location": {"description": "Where to look.", "required": True, "schema": bodies.URL},
    "Operation-Location": {"description": "The same.", "required": True, "schema": bodies.URL},
    "Retry-After": {"description": "Seconds, where the service said so.", "schema": {"type": "integer"}},
}
ABOUT = """\
Private connections of Azure virtual networks to Elastic Cloud's deployments and projects, as the app keeps them.

Every answer to a request with a key says how the app stands, in `app` and in headers. Every error has one shape. Give
`x-ms-client-request-id` to find what a request caused: 8 to 64 letters, digits and hyphens.

A function key lets a caller read. What changes something also needs a deciding key, in the header `x-autopilot-key`.
"""
_DECIDING: list[dict[str, list[str]]] = [{"header": [], "deciding": []}, {"query": [], "deciding": []}]
"""What a route that changes something asks for: both keys."""
_ALSO = {"format": "text/plain", "table": "text/csv"}
"""What a route answers beside JSON, by the parameter that asks for it."""
_STATUS = ("X-Privatelink-Mode", "X-Privatelink-Paused-Until")


@cache
def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """The whole document, as JSON values; not to be changed."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/api/{route.path}", {})[route.method.lower()] = _operation(route)
    schemas = {name: _with_app(schema) for name, schema in bodies.answers().items()}
    error = {"type": "object", "properties": {"error": bodies.ERROR, "app": _ref("schemas", "App")}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Private Link Autopilot", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"header": []}, {"query": []}],
        "paths": paths,
        "components": {
            "schemas": schemas | bodies.requests() | bodies.shared() | {"Error": error | {"required": ["error"]}},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {
                "header": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "query": {"type": "apiKey", "in": "query", "name": "code"},
                "deciding": {"type": "apiKey", "in": "header", "name": "x-autopilot-key"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.function,
        "summary": route.summary,
        "parameters": [_ref("parameters", name) for name in (*re.findall(r"{(\w+)}", route.path), *route.takes)],
        "responses": {str(int(route.status)): _answer(route), **_refusals(route)},
    }
    if route.sends:
        content = {"application/json": {"schema": _ref("schemas", route.sends)}}
        operation["requestBody"] = {"required": route.must_send, "content": content}
    if not route.keyed:
        return operation | {"security": []}
    return operation | ({"security": _DECIDING} if route.decides else {})


def _answer(route: Route) -> dict[str, Any]:
    accepted = ("Location", "Operation-Location", "Retry-After") if route.status is HTTPStatus.ACCEPTED else ()
    headers = [*(_STATUS if route.keyed else ()), *accepted]
    answer: dict[str, Any] = {"description": route.status.phrase, "headers": _headers(headers)}
    if "/" in route.answers:
        return answer | {"content": {kind: {} for kind in route.answers.split(", ")}}
    content = {"application/json": {"schema": _ref("schemas", route.answers)}}
    also = {kind: {"schema": bodies.TEXT} for name, kind in _ALSO.items() if name in route.takes}
    return answer | {"content": content | also}


def _refusals(route: Route) -> dict[str, Any]:
    statuses = [HTTPStatus.INTERNAL_SERVER_ERROR]
    if route.keyed:
        statuses += [HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY]
        statuses += [HTTPStatus.SERVICE_UNAVAILABLE]
    if "{id}" in route.path and route.keyed:
        statuses += [HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND]
    if "{name}" in route.path or route.may_miss:
        statuses += [HTTPStatus.NOT_FOUND]
    if route.sends or route.takes:
        statuses += [HTTPStatus.BAD_REQUEST]
    if route.sends:
        statuses += [HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
    if route.decides:
        statuses += [HTTPStatus.FORBIDDEN]
    if route.limited:
        statuses += [HTTPStatus.TOO_MANY_REQUESTS]
    refusals = {str(int(status)): _refusal(status, route) for status in sorted(set(statuses))}
    return refusals | ({"401": {"description": "No key; answered by the Functions host."}} if route.keyed else {})


def _refusal(status: HTTPStatus, route: Route) -> dict[str, Any]:
    later = ("Retry-After",) if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS} else ()
    return {
        "description": ERRORS[status],
        "headers": _headers([*(_STATUS if route.keyed else ()), *later]),
        "content": {"application/json": {"schema": _ref("schemas", "Error")}},
    }


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: _ref("headers", name) for name in names}


def _with_app(schema: Schema) -> Schema:
    properties = {**schema["properties"], "app": _ref("schemas", "App")}
    return {**schema, "properties": properties, "required": sorted((*schema["required"], "app"))}


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
