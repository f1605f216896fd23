"""What a person decides for the whole installation; the answer is how it stands then. Called over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.api import recovered
from shared.api.damaged_rows import EXAMPLE as ROW_EXAMPLE
from shared.api.damaged_rows import take_over_row
from shared.api.removals import STOP_EXAMPLE, confirm_removals
from shared.context import Context
from shared.core.model.callers import Asked
from shared.core.model.errors import InvalidInput
from shared.core.reports.app_health import Code
from shared.installation import app_health

Body = Mapping[str, Any]

EXAMPLE = f"{STOP_EXAMPLE}, {recovered.EXAMPLE} or {ROW_EXAMPLE}"


async def _confirm_removals(context: Context, body: Body, asked: Asked) -> dict[str, Any]:
    shown = await confirm_removals(context, body.get("stop"), asked)
    await app_health.decided(context, Code.REMOVALS_STOPPED)
    return {"removals": shown}


async def _confirm_recovered(context: Context, body: Body, asked: Asked) -> dict[str, Any]:
    shown = await recovered.confirm(context, body.get("list"), asked)
    await app_health.decided(context, Code.RECOVERED_UNCONFIRMED)
    return {"recovered": shown}


async def _take_over_row(context: Context, body: Body, asked: Asked) -> dict[str, Any]:
    return {"taken": await take_over_row(context, body.get("table"), body.get("row"), asked)}


DECISIONS: Mapping[str, Callable[[Context, Body, Asked], Awaitable[dict[str, Any]]]] = {
    "confirm-removals": _confirm_removals,
    "confirm-recovered": _confirm_recovered,
    "take-over-row": _take_over_row,
}
"""By the word that asks for each."""


async def decide(context: Context, body: Body, asked: Asked) -> dict[str, Any]:
    """Carry a decision out; raises InvalidInput where there is none of that name, and what the decision raises."""
    word = body.get("decision")
    decision = DECISIONS.get(word) if isinstance(word, str) else None
    if decision is None:
        known = ", ".join(DECISIONS)
        raise InvalidInput(f"The body names no decision; there are {known}.", next_step=f"Send {EXAMPLE}.")
    nothing = {"removals": None, "recovered": None, "taken": None}
    return {"decision": word, **nothing, **await decision(context, body, asked)}
