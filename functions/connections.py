"""HTTP triggers: list and detail of connections, journals and checks, the manual re-run and test, decisions.

Every answer is JSON; every error has one shape (see `responses`). A re-run answers 202 at once and says where to look:
the work itself goes through the queue like all other work.
"""

from __future__ import annotations

from http import HTTPStatus

import azure.functions as func

from functions.responses import LOOK_AGAIN, accepted, asked, body_of, number, ok, table, word
from functions.routing import GET, POST, route
from shared.app import started

blueprint = func.Blueprint()

PAGED = ("limit", "diary")
FILTERS = ("phase", "family", "region", "subscription", "target", "q")
"""As in `shared.api.listing`, which loads more than a route needs to be declared."""
EVENT_FILTERS = ("outcome", "region", "subscription", "q")
"""As in `shared.api.events`."""


@route(
    blueprint,
    GET,
    "connections",
    "The connections in short, filtered, sorted and in pages.",
    answers="Connections",
    takes=(*FILTERS, "sort", "page", "cursor", "table"),
)
async def list_connections(req: func.HttpRequest) -> func.HttpResponse:
    """A page of the connections in short; and how many there are of each kind. With `format=csv` all in one table."""
    from shared.api import listing, queries

    limit = number(req, "limit", default=listing.PAGE, low=1, high=listing.PAGE)
    wanted = listing.filter_of({name: req.params[name] for name in FILTERS if name in req.params})
    sort, cursor = req.params.get("sort", "name"), req.params.get("cursor")
    if word(req, "format", "json", "csv") == "csv":
        return table(await queries.export_connections(await started(), wanted, sort), "connections.csv")
    return ok(await queries.list_connections(await started(), wanted, sort=sort, limit=limit, cursor=cursor))


@route(blueprint, GET, "connections/{id}", "One connection in full.", answers="Connection")
async def get_connection(req: func.HttpRequest) -> func.HttpResponse:
    """One connection in full: conditions with next steps, what is used, private URLs."""
    from shared.api import queries

    return ok(await queries.get_connection(await started(), req.route_params["id"]))


@route(
    blueprint,
    GET,
    "connections/{id}/journal",
    "What was done and decided, newest first.",
    answers="Journal",
    takes=PAGED,
)
async def get_journal(req: func.HttpRequest) -> func.HttpResponse:
    """What was done and decided for one connection, newest first; `limit` and `cursor` page through it."""
    from shared.api import queries

    limit = number(req, "limit", default=50, low=1, high=500)
    return ok(await queries.get_journal(await started(), req.route_params["id"], limit, req.params.get("cursor")))


@route(blueprint, GET, "connections/{id}/checks", "Every health check, newest first.", answers="Checks", takes=PAGED)
async def get_checks(req: func.HttpRequest) -> func.HttpResponse:
    """Every health check of one connection, newest first; `limit` and `cursor` page through it."""
    from shared.api import queries

    limit = number(req, "limit", default=50, low=1, high=500)
    return ok(await queries.get_checks(await started(), req.route_params["id"], limit, req.params.get("cursor")))


@route(
    blueprint,
    GET,
    "events",
    "What was done and decided for all connections, newest first.",
    answers="Events",
    takes=("since", *EVENT_FILTERS, *PAGED),
)
async def list_events(req: func.HttpRequest) -> func.HttpResponse:
    """What was done and decided for all connections, those of the last day unless `since` says."""
    from shared.api import events

    limit = number(req, "limit", default=50, low=1, high=500)
    wanted = events.EventFilter(**{name: req.params[name] for name in EVENT_FILTERS if name in req.params})
    found = await events.list_events(
        await started(), wanted, since=req.params.get("since"), limit=limit, cursor=req.params.get("cursor")
    )
    return ok(found)


@route(
    blueprint,
    POST,
    "connections/{id}/check",
    "Test a connection now.",
    answers="Accepted",
    sends="Nothing",
    must_send=False,
    status=HTTPStatus.ACCEPTED,
)
async def check_connection(req: func.HttpRequest) -> func.HttpResponse:
    """Test a known connection now, repairing on the way what the app may repair."""
    from shared.api import queries

    body_of(req, required=False)
    return accepted(await queries.check_connection(await started(), req.route_params["id"], asked()))


@route(
    blueprint,
    POST,
    "connections/{id}/reconcile",
    "Run a connection again now.",
    answers="Accepted",
    sends="Nothing",
    must_send=False,
    status=HTTPStatus.ACCEPTED,
)
async def reconcile_connection(req: func.HttpRequest) -> func.HttpResponse:
    """Run a known connection again."""
    from shared.api import queries

    body_of(req, required=False)
    return accepted(await queries.rerun_connection(await started(), req.route_params["id"], asked()))


@route(
    blueprint,
    POST,
    "connections/{id}/decisions",
    "Decide something on a connection, for example that a target is gone.",
    answers="DecisionAccepted",
    sends="ConnectionDecision",
    status=HTTPStatus.ACCEPTED,
)
async def decide_on_connection(req: func.HttpRequest) -> func.HttpResponse:
    """Decide something on a connection: `{"decision": "forget-target", "target": "<id>"}`; the next run does it."""
    from shared.api import connection_decisions

    body = body_of(req, example=connection_decisions.EXAMPLE)
    operation, does = await connection_decisions.decide(await started(), req.route_params["id"], body, asked())
    return accepted(operation, does=does)


@route(
    blueprint,
    POST,
    "reconcile",
    "Run a private endpoint in scope, known or not, or all connections that a filter means.",
    answers="Accepted",
    sends="Endpoint",
    status=HTTPStatus.ACCEPTED,
    may_miss=True,
    limited=True,
)
async def reconcile_endpoint(req: func.HttpRequest) -> func.HttpResponse:
    """Run the endpoint that the body names, known or not: `{"endpoint": "<ARM id>"}`."""
    from shared.api import queries

    body = body_of(req, example=queries.EXAMPLE)
    if "filter" in body:
        return accepted(await queries.rerun_filtered(await started(), body["filter"], asked()))
    return accepted(await queries.rerun_endpoint(await started(), body.get("endpoint"), asked()))


@route(
    blueprint,
    GET,
    "operations/{operation}",
    "How what was asked for stands, and how it ended.",
    answers="Operation",
    may_miss=True,
)
async def get_operation(req: func.HttpRequest) -> func.HttpResponse:
    """An operation, to its end: its state, how each of its connections stands, and what was changed."""
    from shared.api import operations

    found = await operations.show(await started(), req.route_params["operation"])
    return ok(found, {"Retry-After": str(LOOK_AGAIN)} if found["status"] == "Running" else None)
