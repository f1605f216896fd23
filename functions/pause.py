"""HTTP triggers: pausing all changes in Azure and Elastic Cloud for a while, and lifting the pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.responses import asked, body_of, ok
from functions.routing import DELETE, GET, POST, route
from shared.app import start

if TYPE_CHECKING:
    from shared.core.guards.pause import Pause

blueprint = func.Blueprint()


@route(blueprint, GET, "pause", "The present pause.", answers="Paused")
async def get_pause(req: func.HttpRequest) -> func.HttpResponse:
    """The present pause."""
    del req
    from shared.installation import pause

    return ok(_shown(await pause.present_pause(start())))


@route(blueprint, POST, "pause", "Change nothing until then.", answers="Paused", sends="Pause", must_send=False)
async def set_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Begin a pause, or give the present one another end: `{"minutes": 60}` or `{"until": "..."}`, and a `reason`."""
    from shared.core.guards.pause import EXAMPLE
    from shared.installation import pause

    body = body_of(req, required=False, example=EXAMPLE)
    return ok(_shown(await pause.pause(start(), body, asked())))


@route(blueprint, DELETE, "pause", "End the pause.", answers="Paused")
async def lift_pause(req: func.HttpRequest) -> func.HttpResponse:
    """End the pause now; the next sweep takes up what waited."""
    del req
    from shared.installation import pause

    await pause.lift_pause(start(), asked())
    return ok(_shown(None))


def _shown(found: Pause | None) -> dict[str, Any]:
    return {"paused": None if found is None else found.document()}
