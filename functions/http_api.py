"""HTTP triggers: list and detail of connections, their journal and checks, the manual re-run and test.

Every answer is JSON; every error has one shape (see `answers`). A re-run answers 202 at once and says where to look:
the work itself goes through the queue like all other work.
"""

from __future__ import annotations

import azure.functions as func

from functions.responses import accepted, answered, body_of, correlation, number, ok
from shared.api import queries
from shared.app import start

blueprint = func.Blueprint()


@blueprint.function_name("list_connections")
@blueprint.route(route="connections", methods=["GET"])
@answered
async def list_connections(req: func.HttpRequest) -> func.HttpResponse:
    """Every connection, in short."""
    del req
    return ok({"connections": await queries.list_connections(start())})


@blueprint.function_name("get_connection")
@blueprint.route(route="connections/{id}", methods=["GET"])
@answered
async def get_connection(req: func.HttpRequest) -> func.HttpResponse:
    """One connection in full: conditions with next steps, what is used, private URLs."""
    return ok(await queries.get_connection(start(), req.route_params["id"]))


@blueprint.function_name("get_journal")
@blueprint.route(route="connections/{id}/journal", methods=["GET"])
@answered
async def get_journal(req: func.HttpRequest) -> func.HttpResponse:
    """What was done and decided for one connection, newest first; `limit` and `before` page through it."""
    limit = number(req, "limit", default=50, low=1, high=500)
    return ok(await queries.get_journal(start(), req.route_params["id"], limit, req.params.get("before")))


@blueprint.function_name("get_checks")
@blueprint.route(route="connections/{id}/checks", methods=["GET"])
@answered
async def get_checks(req: func.HttpRequest) -> func.HttpResponse:
    """Every health check of one connection, newest first; `limit` and `before` page through it."""
    limit = number(req, "limit", default=50, low=1, high=500)
    return ok(await queries.get_checks(start(), req.route_params["id"], limit, req.params.get("before")))


@blueprint.function_name("check_connection")
@blueprint.route(route="connections/{id}/check", methods=["POST"])
@answered
async def check_connection(req: func.HttpRequest) -> func.HttpResponse:
    """Test a known connection now, repairing on the way what the app may repair."""
    body_of(req, required=False)
    connection_id = await queries.check_connection(start(), req.route_params["id"], correlation.get())
    return accepted(req, connection_id)


@blueprint.function_name("reconcile_connection")
@blueprint.route(route="connections/{id}/reconcile", methods=["POST"])
@answered
async def reconcile_connection(req: func.HttpRequest) -> func.HttpResponse:
    """Run a known connection again."""
    body_of(req, required=False)
    connection_id = await queries.rerun_connection(start(), req.route_params["id"], correlation.get())
    return accepted(req, connection_id)


@blueprint.function_name("reconcile_endpoint")
@blueprint.route(route="reconcile", methods=["POST"])
@answered
async def reconcile_endpoint(req: func.HttpRequest) -> func.HttpResponse:
    """Run the endpoint that the body names, known or not: `{"endpoint": "<ARM id>"}`."""
    connection_id = await queries.rerun_endpoint(
        start(), body_of(req, example=queries.EXAMPLE).get("endpoint"), correlation.get()
    )
    return accepted(req, connection_id)
