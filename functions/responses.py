"""The shapes of HTTP answers, one for success and one for every error. Used by the HTTP triggers and `routing`.

{"error": {"code": "ConnectionNotFound", "message": "...", "target": "...", "nextStep": "...", "correlationId": "..."},
 "app": {"version": "1.0.0", "mode": "enforce", "paused": null, "problems": []}}

`app` stands in every answer to a request with a key; where it could not be read, `problems` is null and a header says
so.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar
from http import HTTPMethod, HTTPStatus
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.app_status import forget_seen, read_app_status
from shared.core.model.callers import Asked
from shared.core.model.errors import AutopilotError, InvalidInput, RetryLater
from shared.requests import correlated

if TYPE_CHECKING:
    from shared.core.model.operations import Operation

log = logging.getLogger("privatelink.http")
LOOK_AGAIN = 2
"""Seconds after which an operation is looked at again."""
MAX_BODY = 16 * 1024
"""Bytes; a request names one endpoint."""

_OF_THE_HOST = frozenset({"code", "clientId"})
"""Parameters that the Functions host takes."""
Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

correlation: ContextVar[str] = ContextVar("correlation", default="")
"""Id of the request being answered; it goes with the work that the request asks for."""
_caller: ContextVar[str] = ContextVar("caller", default="")


def ok(body: dict[str, Any], headers: dict[str, str] | None = None) -> func.HttpResponse:
    """200 with a JSON body."""
    return _json(HTTPStatus.OK, body, headers)


def text(body: str) -> func.HttpResponse:
    """200 with plain text."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(body, status_code=200, headers=headers, mimetype="text/plain", charset="utf-8")


def table(body: str, name: str) -> func.HttpResponse:
    """200 with a table for spreadsheets, to be saved."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return func.HttpResponse(body, status_code=200, headers=headers, mimetype="text/csv", charset="utf-8")


def wants_text(req: func.HttpRequest) -> bool:
    """Whether the caller asks for text to read: by `?format=text`, or by an Accept header that names no JSON."""
    wanted = word(req, "format", "json", "text")
    accept = req.headers.get("accept", "")
    return wanted == "text" or (wanted is None and "text/plain" in accept and "json" not in accept)


def accepted(operation: Operation, **more: str) -> func.HttpResponse:
    """202 and where to follow what was asked for."""
    # Relative: the host in a request's URL is what the caller wrote into its `Host` header.
    status_url = f"/api/operations/{operation.id}"
    body = {
        "operation": operation.id,
        "connections": list(operation.generations),
        "statusUrl": status_url,
        "correlationId": correlation.get(),
        **more,
    }
    headers = {"Location": status_url, "Operation-Location": status_url, "Retry-After": str(LOOK_AGAIN)}
    return _json(HTTPStatus.ACCEPTED, body, headers)


def asked() -> Asked:
    """Who sent the request that is being answered, once it is known that they may decide."""
    return Asked(_caller.get(), correlation.get())


def json_endpoint(handler: Handler) -> Handler:
    """Turn every error of a handler into the one error shape; a bug's text stays in the log."""

    @functools.wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        correlation.set(_given_or_new(req))
        forget_seen()
        answer = await _with_app_status(await _handled(handler, req), only_read=req.method == HTTPMethod.GET)
        return _revalidated(answer, req) if req.method == HTTPMethod.GET else answer

    return wrapped


def deciding_endpoint(handler: Handler) -> Handler:
    """The same for what changes something: only for callers who may decide."""

    @functools.wraps(handler)
    async def permitted(req: func.HttpRequest) -> func.HttpResponse:
        from functions.permissions import caller_of

        _caller.set(await caller_of(req.headers))
        return await handler(req)

    return json_endpoint(permitted)


def public_endpoint(handler: Handler) -> Handler:
    """The same for what needs no key: its caller is not told the app's status and causes no read of storage."""

    @functools.wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        correlation.set(_given_or_new(req))
        return await _handled(handler, req)

    return wrapped


async def _handled(handler: Handler, req: func.HttpRequest) -> func.HttpResponse:
    try:
        with correlated(correlation.get()):
            return await handler(req)
    except AutopilotError as error:
        log.info("refused: %s correlation=%s", error, correlation.get())
        return _error(error)
    except Exception:
        from functions.errors import ErrorCode

        log.exception("failed correlation=%s", correlation.get())
        return _error_shape(
            ErrorCode.INTERNAL_ERROR.status,
            ErrorCode.INTERNAL_ERROR,
            "The app failed; its log has the details.",
            next_step=f"Look in the log for correlation id {correlation.get()}.",
        )


def _revalidated(answer: func.HttpResponse, req: func.HttpRequest) -> func.HttpResponse:
    """The answer with its version; without its body where the caller has that version."""
    if not isinstance(answer, _JsonAnswer) or answer.status_code != HTTPStatus.OK:
        return answer
    data = {name: value for name, value in answer.content.items() if name != "correlationId"}
    etag = f'"{hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:32]}"'
    answer.headers.update({"ETag": etag, "Cache-Control": "private, no-cache"})
    if etag not in req.headers.get("if-none-match", ""):
        return answer
    return func.HttpResponse(status_code=int(HTTPStatus.NOT_MODIFIED), headers=dict(answer.headers))


async def _with_app_status(answer: func.HttpResponse, *, only_read: bool) -> func.HttpResponse:
    """The answer that also says how the app stands, as it does after what was asked has been done."""
    status = await read_app_status(seen=only_read)
    if isinstance(answer, _JsonAnswer):
        answer = _JsonAnswer(answer.status_code, answer.content | {"app": status.body}, dict(answer.headers))
    answer.headers.update(status.headers)
    return answer


def body_of(req: func.HttpRequest, *, required: bool = True, example: str = "") -> dict[str, Any]:
    """The request's JSON object, which should be like the example; raises InvalidInput or BodyTooLarge.

    Without an example there is nothing to say in a body: an object is let pass, anything else is a mistake.
    """
    raw, next_step = req.get_body() or b"", f"Send {example or 'no body'}."
    if len(raw) > MAX_BODY:
        from functions.errors import BodyTooLarge

        raise BodyTooLarge(f"The body has {len(raw)} bytes; at most {MAX_BODY} are read.", next_step=next_step)
    if not raw and not required:
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is no JSON.", next_step=next_step) from error
    if not isinstance(body, dict):
        raise InvalidInput("The body is no JSON object.", next_step=next_step)
    return body


def ensure_known(req: func.HttpRequest, known: Collection[str]) -> None:
    """Raise InvalidInput for a parameter that the route does not take: it would be without effect, and unnoticed."""
    unknown = sorted(set(req.params) - set(known) - _OF_THE_HOST)
    if unknown:
        raise InvalidInput(
            f"There is no parameter {unknown[0][:40]}.",
            on=unknown[0][:40],
            next_step=f"Send {', '.join(sorted(known))} only." if known else "Send no parameter.",
        )


def number(req: func.HttpRequest, name: str, *, default: int, low: int, high: int) -> int:
    """A whole number from the query; raises InvalidInput."""
    text = req.params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise InvalidInput(f"{name} must be a whole number between {low} and {high}.", on=text[:40])
    return int(text)


def word(req: func.HttpRequest, name: str, *words: str) -> str | None:
    """One of these words from the query, None where it is not given; raises InvalidInput."""
    text = req.params.get(name)
    found = next((one for one in words if one == text), None)
    if text is not None and found is None:
        raise InvalidInput(f"{name} must be {' or '.join(words)}.", on=text[:40])
    return found


def _given_or_new(req: func.HttpRequest) -> str:
    """The caller's `x-ms-client-request-id` if it is a plain id, else a new one."""
    given = req.headers.get("x-ms-client-request-id", "")
    return given if re.match(r"^[0-9A-Za-z-]{8,64}$", given) else str(uuid.uuid4())


def _error(error: AutopilotError) -> func.HttpResponse:
    from functions.errors import code_of

    code, status = code_of(error)
    headers = {"Retry-After": str(round(error.after))} if isinstance(error, RetryLater) else {}
    return _error_shape(status, code, error.what, target=error.on, next_step=error.next_step, headers=headers)


def _error_shape(
    status: HTTPStatus,
    code: str,
    message: str,
    *,
    target: str = "",
    next_step: str = "",
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    error = {
        "code": code,
        "message": message,
        "target": target,
        "nextStep": next_step,
        "correlationId": correlation.get(),
    }
    return _json(status, {"error": error}, headers)


def _json(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> func.HttpResponse:
    more = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return _JsonAnswer(int(status), body, more)


class _JsonAnswer(func.HttpResponse):
    """An answer that still knows what it says."""

    def __init__(self, status: int, content: dict[str, Any], headers: dict[str, str]) -> None:
        super().__init__(
            json.dumps(content, indent=2), status_code=status, headers=headers, mimetype="application/json"
        )
        self.content = content
