"""HTTP triggers: what would be done and why, for one connection or all; and decisions for the whole installation.

`?format=text`, or `Accept: text/plain`, answers the plan in the manner of `terraform plan`.
"""

from __future__ import annotations

import azure.functions as func

from functions.responses import asked, body_of, number, ok, text, wants_text
from functions.routing import GET, POST, route
from shared.app import started

blueprint = func.Blueprint()
PAGED = ("format", "plans", "cursor")


@route(blueprint, GET, "plan", "What the next runs would do for every connection.", answers="Plans", takes=PAGED)
async def get_plan(req: func.HttpRequest) -> func.HttpResponse:
    """What the next runs would do, by the connections' names, a page at a time; changes nothing."""
    from shared.api.listing import PAGE
    from shared.api.plans import plan_page
    from shared.core.reports.plan_text import counts, preview_document, preview_text

    readable = wants_text(req)
    limit = number(req, "limit", default=PAGE if readable else 100, low=1, high=PAGE)
    page = await plan_page(await started(), limit=limit, cursor=req.params.get("cursor"))
    if readable:
        more = f"There are more: add &cursor={page.next} for the page that follows.\n" if page.next else ""
        return text(preview_text(page.previews, page.errors) + more)
    items = [preview_document(preview) for preview in page.previews]
    summary = counts(page.previews)
    return ok({"items": items, "next": page.next, "of": page.total, "summary": summary, "errors": list(page.errors)})


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
