"""HTTP triggers: what would be done and why, for one connection or all; and the word to go on with many removals.

`?format=text`, or `Accept: text/plain`, answers the plan in the manner of `terraform plan`.
"""

from __future__ import annotations

import azure.functions as func

from functions.responses import answered, body_of, ok, text, wants_text
from shared.api.plans import plan_all, plan_connection
from shared.api.removals import STOP_EXAMPLE, confirm_removals, show_removals
from shared.app import start
from shared.core.reports.plan_text import counts, preview_document, preview_text

blueprint = func.Blueprint()


@blueprint.function_name("get_plan")
@blueprint.route(route="plan", methods=["GET"])
@answered
async def get_plan(req: func.HttpRequest) -> func.HttpResponse:
    """What the next runs would do for every connection; changes nothing."""
    previews, errors = await plan_all(start())
    if wants_text(req):
        return text(preview_text(previews, errors))
    connections = [preview_document(preview) for preview in previews]
    return ok({"connections": connections, "summary": counts(previews), "errors": errors})


@blueprint.function_name("get_connection_plan")
@blueprint.route(route="connections/{id}/plan", methods=["GET"])
@answered
async def get_connection_plan(req: func.HttpRequest) -> func.HttpResponse:
    """What the next run would do for one connection; changes nothing."""
    preview = await plan_connection(start(), req.route_params["id"])
    return text(preview_text([preview])) if wants_text(req) else ok(preview_document(preview))


@blueprint.function_name("get_removals")
@blueprint.route(route="removals", methods=["GET"])
@answered
async def get_removals(req: func.HttpRequest) -> func.HttpResponse:
    """How much may be removed, and what a sweep stopped at."""
    del req
    return ok(await show_removals(start()))


@blueprint.function_name("confirm_removals")
@blueprint.route(route="removals/confirm", methods=["POST"])
@answered
async def post_removals_confirm(req: func.HttpRequest) -> func.HttpResponse:
    """Let the removals that a sweep stopped at go on: `{"stop": "<id>"}`."""
    return ok(await confirm_removals(start(), body_of(req, example=STOP_EXAMPLE).get("stop")))
