"""HTTP triggers for whoever operates the app: sending poisoned messages again."""

from __future__ import annotations

import azure.functions as func

from functions.answers import answered, correlation, number, ok
from shared import poison
from shared.app import start

blueprint = func.Blueprint()


@blueprint.function_name("replay_poison")
@blueprint.route(route="poison/replay", methods=["POST"])
@answered
async def replay_poison(req: func.HttpRequest) -> func.HttpResponse:
    """Put what the platform gave up on back on the work queue: `limit` messages at most, 100 unless given."""
    limit = number(req, "limit", default=100, low=1, high=500)
    return ok(await poison.replay(start(), limit, correlation.get()))
