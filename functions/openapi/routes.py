"""Every route of the HTTP API, one row each, in the order of the document. Used by `document`.

A new route needs a row here: its function's name, method and path as its decorator has them, one sentence, what it
answers (a name in `bodies.answers`, or media types), and what it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus

GET, POST, DELETE = HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.DELETE


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `takes`: names of `document.PARAMETERS`; those of the path are found there too."""

    function: str
    method: HTTPMethod
    path: str
    summary: str
    answers: str
    takes: tuple[str, ...] = ()
    sends: str = ""
    """Name of the body in `bodies.requests`; empty: none is read."""
    must_send: bool = True
    status: HTTPStatus = HTTPStatus.OK
    keyed: bool = True
    """Whether it needs a function key."""
    may_miss: bool = False
    """Whether it answers 404 for something that is not in its path."""


_LIMITED = ("limit", "before")
FILES = "text/css, text/javascript, image/svg+xml"

ROUTES: tuple[Route, ...] = (
    Route("list_connections", GET, "connections", "Every connection in short.", "Connections"),
    Route("get_connection", GET, "connections/{id}", "One connection in full.", "Connection"),
    Route(
        "get_journal", GET, "connections/{id}/journal", "What was done and decided, newest first.", "Journal", _LIMITED
    ),
    Route("get_checks", GET, "connections/{id}/checks", "Every health check, newest first.", "Checks", _LIMITED),
    Route(
        "check_connection", POST, "connections/{id}/check", "Test a connection now.", "Accepted",
        sends="Nothing", must_send=False, status=HTTPStatus.ACCEPTED,
    ),
    Route(
        "reconcile_connection", POST, "connections/{id}/reconcile", "Run a connection again now.", "Accepted",
        sends="Nothing", must_send=False, status=HTTPStatus.ACCEPTED,
    ),
    Route(
        "reconcile_endpoint", POST, "reconcile", "Run a private endpoint in scope, known or not.", "Accepted",
        sends="Endpoint", status=HTTPStatus.ACCEPTED,
    ),
    Route("get_plan", GET, "plan", "What the next runs would do for every connection.", "Plans", ("format",)),
    Route(
        "get_connection_plan", GET, "connections/{id}/plan", "What the next run would do.", "Plan", ("format",)
    ),
    Route("get_removals", GET, "removals", "What may be removed, and what a sweep stopped at.", "Removals"),
    Route(
        "confirm_removals", POST, "removals/confirm", "Let the removals that a sweep stopped at go on.", "Removals",
        sends="Stop", may_miss=True,
    ),
    Route("get_pause", GET, "pause", "The present pause.", "Paused"),
    Route("set_pause", POST, "pause", "Change nothing until then.", "Paused", sends="Pause", must_send=False),
    Route("lift_pause", DELETE, "pause", "End the pause.", "Paused"),
    Route("doctor", GET, "doctor", "What is wrong with the installation itself.", "Doctor", ("format",)),
    Route("replay_poison", POST, "poison/replay", "Handle again what failed eight times.", "Replayed", ("messages",)),
    Route("openapi", GET, "openapi.json", "This document.", "application/json", keyed=False),
    Route("dashboard", GET, "dashboard", "The page of all connections.", "text/html", keyed=False),
    Route("dashboard_connection", GET, "dashboard/{id}", "The page of one connection.", "text/html", keyed=False),
    Route("dashboard_file", GET, "dashboard/files/{name}", "A file of the page.", FILES, keyed=False),
)  # fmt: skip
