"""HTTP triggers: what would be done and why, for one connection or all; and decisions for the whole installation.

`?format=text`, or `Accept: text/plain`, answers the plan in the manner of `terraform plan`.
"""

from __future__ import annotations

import azure.functions as func

from functions.responses import asked, body_of, ok, text, wants_text
from functions.routing import GET, POST, route
from shared.app import started

blueprint = func.Blueprint()


@route(blueprint, GET, "plan", "What the next runs would do for every connection.", answers="Plans", takes=("format",))
async def get_plan(req: func.HttpRequest) -> func.HttpResponse:
    """What the next runs would do for every connection; changes nothing."""
    from shared.api.plans import plan_all
    from shared.core.reports.plan_text import counts, preview_document, preview_text

    previews, errors = await plan_all(await started())
    if wants_text(req):
        return text(preview_text(previews, errors))
    connections = [preview_document(preview) for preview in previews]
    return ok({"connections": connections, "summary": counts(previews), "errors": errors})


@route(blueprint, GET, "connections/{id}/plan", "What the next run would do.", answers="Plan", takes=("format",))
async def get_connection_plan(req: func.HttpRequest) -> func.HttpResponse:
    """What the next run would do for one connection; changes nothing."""
    from shared.api.plans import plan_connection
    from shared.core.reports.plan_text import preview_document, preview_text

    preview = await plan_connection(await started(), req.route_params["id"])
    return text(preview_text([preview])) if wants_text(req) else ok(preview_document(preview))


@route(
    blueprint,
    GET,
    "removals",
    "What stands for removal, and what was stopped.",
    answers="Removals",
)
async def get_removals(req: func.HttpRequest) -> func.HttpResponse:
    """How much may be removed, and what a sweep stopped at."""
    del req
    from shared.api import removals

    return ok(await removals.show_removals(await started()))


@route(blueprint, GET, "recovered", "What has the app's marks and no row, for one confirmation.", answers="Recovered")
async def get_recovered(req: func.HttpRequest) -> func.HttpResponse:
    """Everything that waits for a person's word that it is the app's."""
    del req
    from shared.api import recovered

    return ok(await recovered.show_recovered(await started()))


@route(
    blueprint,
    POST,
    "decisions",
    "Decide for the whole installation, for example that stopped removals go on.",
    answers="Decided",
    sends="Decision",
    may_miss=True,
)
async def decide(req: func.HttpRequest) -> func.HttpResponse:
    """Decide for the whole installation: `{"decision": "confirm-removals", "stop": "<id>"}`."""
    from shared.api import decisions

    return ok(await decisions.decide(await started(), body_of(req, example=decisions.EXAMPLE), asked()))
