"""What was recovered, as a person sees it: one list, and one word that makes all of it the app's. Called over HTTP."""

from __future__ import annotations

from typing import Any

from shared.context import Context
from shared.core.model.callers import Asked
from shared.core.model.errors import InvalidInput, NotFound
from shared.core.model.things import Thing
from shared.installation.recovered import RecoveredList, confirm_recovered, recovered_list

EXAMPLE = '{"decision": "confirm-recovered", "list": "<id>"}'


class RecoveredListNotFound(NotFound):
    """The list is another one by now, or nothing is recovered."""


async def show_recovered(context: Context) -> dict[str, Any]:
    """Everything that waits for the one confirmation."""
    return _shown(await recovered_list(context))


async def confirm(context: Context, list_id: object, asked: Asked) -> dict[str, Any]:
    """Make all of a list the app's, and answer with it; raises InvalidInput or RecoveredListNotFound."""
    if not isinstance(list_id, str) or not list_id:
        raise InvalidInput(
            "The body names no list.", next_step=f"Send {EXAMPLE}; GET /api/recovered shows the present one."
        )
    confirmed = await confirm_recovered(context, list_id, asked)
    if confirmed is None:
        raise RecoveredListNotFound(
            "The list of what was recovered is another one now, or empty.",
            on=list_id[:80],
            next_step="Read GET /api/recovered and look at what it shows.",
        )
    return _shown(confirmed)


def _shown(found: RecoveredList) -> dict[str, Any]:
    return {"list": found.id or None, "count": len(found.things), "entries": [_thing(one) for one in found.things]}


def _thing(thing: Thing) -> dict[str, Any]:
    return {"id": thing.id, "in": thing.scope, "connections": list(thing.connections)}
