"""HTTP triggers: pausing all changes in Azure and Elastic Cloud for a while, and lifting the pause."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions.responses import answered, body_of, correlation, ok
from shared.app import start
from shared.core.guards.pause import EXAMPLE, Pause
from shared.installation import pause

blueprint = func.Blueprint()


@blueprint.function_name("get_pause")
@blueprint.route(route="pause", methods=["GET"])
@answered
async def get_pause(req: func.HttpRequest) -> func.HttpResponse:
    """The present pause."""
    del req
    return ok(_shown(await pause.present_pause(start())))


@blueprint.function_name("set_pause")
@blueprint.route(route="pause", methods=["POST"])
@answered
async def set_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Begin a pause, or give the present one another end: `{"minutes": 60}` or `{"until": "..."}`, and a `reason`."""
    body = body_of(req, required=False, example=EXAMPLE)
    return ok(_shown(await pause.pause(start(), body, correlation.get())))


@blueprint.function_name("lift_pause")
@blueprint.route(route="pause", methods=["DELETE"])
@answered
async def lift_pause(req: func.HttpRequest) -> func.HttpResponse:
    """End the pause now; the next sweep takes up what waited."""
    del req
    await pause.lift_pause(start(), correlation.get())
    return ok(_shown(None))


def _shown(found: Pause | None) -> dict[str, Any]:
    return {"paused": False if found is None else found.document()}
