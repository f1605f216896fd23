"""A custom topic: takes CloudEvents from a publisher, over HTTP as the service does.

Served by `local.cli.stack`, called in-process by the fast tests. It keeps what it took and delivers it to no
subscriber. What Microsoft documents of publishing is held to: the path and api-version, a bearer token for
https://eventgrid.azure.net or a key, the content type of a batch, at most 1 MB, all of a batch or none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from starlette.requests import Request

    from local.clock import LoopClock

AUDIENCE = "https://eventgrid.azure.net"
"""What a publisher's token is issued for."""
API_VERSION = "2018-01-01"
MAX_BYTES = 1024 * 1024
REQUIRED = ("id", "source", "specversion", "type")
"""Attributes that every CloudEvent 1.0 has."""
PATH = "/api/events"


@dataclass
class TopicSettings:
    """The switches; read at every request, so that a test or a user may change them at any time."""

    fail: int | Callable[[], int | None] | None = None
    """A status that every request is answered with instead; 403 is what an identity without the role gets."""
    hang_seconds: float = 0.0
    """How long an answer takes."""
    lose_answers: bool = False
    """The events are taken, and the answer is a 503."""


@dataclass
class CustomTopic:
    """The topic; `app` answers, `events` has what was taken, oldest first."""

    clock: LoopClock
    check_token: Callable[[str], bool] | None = None
    key: str = "bG9jYWwtdG9waWMta2V5"
    file: Path | None = None
    """Where each event that was taken is also written, as a line of JSON."""
    settings: TopicSettings = field(default_factory=TopicSettings)
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[datetime, int]] = field(default_factory=list)
    """When something came, and the status that it was answered with."""

    def __post_init__(self) -> None:
        self.app = Starlette(routes=[Route(PATH, self._serve, methods=["POST"])])

    async def _serve(self, request: Request) -> Response:
        raw, at = await request.body(), self.clock.now()
        if self.settings.hang_seconds:
            await self.clock.sleep(self.settings.hang_seconds)
        fail = self.settings.fail() if callable(self.settings.fail) else self.settings.fail
        answer = _refusal(fail, "made by a switch") if fail else self._answer(request, raw)
        self.requests.append((at, answer.status_code))
        return answer

    def _answer(self, request: Request, raw: bytes) -> Response:
        if not self._signed_in(request):
            return _refusal(
                401, "Request must contain one of the following authorization signature: aeg-sas-key, Bearer."
            )
        if request.query_params.get("api-version") != API_VERSION:
            return _refusal(400, "The api-version of the request is missing or not supported.")
        if len(raw) > MAX_BYTES:
            return _refusal(413, f"The maximum size ({MAX_BYTES}) has been exceeded.")
        if not request.headers.get("content-type", "").startswith("application/cloudevents-batch+json"):
            return _refusal(400, "This resource is configured for 'CloudEventSchemaV1_0': wrong content type.")
        events = _batch(raw)
        if events is None:
            return _refusal(400, "This resource is configured to receive event in 'CloudEventV10' schema.")
        self._take(events)
        return _refusal(503, "made by a switch") if self.settings.lose_answers else Response(status_code=200)

    def _signed_in(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self.check_token is None or self.check_token(token)
        return request.headers.get("aeg-sas-key") == self.key

    def _take(self, events: list[dict[str, Any]]) -> None:
        self.events += events
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


def _batch(raw: bytes) -> list[dict[str, Any]] | None:
    """The events of a batch; None when it is none, or one of them is no CloudEvent 1.0."""
    try:
        events = json.loads(raw)
    except ValueError:
        return None
    good = isinstance(events, list) and all(isinstance(event, dict) and _is_cloud_event(event) for event in events)
    return events if good else None


def _is_cloud_event(event: dict[str, Any]) -> bool:
    given = all(isinstance(event.get(name), str) and event[name] for name in REQUIRED)
    # Names of attributes, extensions included, are lower-case letters and digits.
    return given and event["specversion"] == "1.0" and all(name.isalnum() and name.islower() for name in event)


_CODES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 413: "PayloadTooLarge"}


def _refusal(status: int, message: str) -> JSONResponse:
    code = _CODES.get(status, "ServiceError")
    error = {"code": code, "message": message, "details": [{"code": "InputJsonInvalid", "message": message}]}
    return JSONResponse({"error": error}, status_code=status)
