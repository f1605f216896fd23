"""What a person decides for the whole installation; the answer is how it stands then. Called over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.api.removals import STOP_EXAMPLE, confirm_removals
from shared.context import Context
from shared.core.model.errors import InvalidInput

Body = Mapping[str, Any]

EXAMPLE = STOP_EXAMPLE


async def _confirm_removals(context: Context, body: Body) -> dict[str, Any]:
    return {"removals": await confirm_removals(context, body.get("stop"))}


DECISIONS: Mapping[str, Callable[[Context, Body], Awaitable[dict[str, Any]]]] = {
    "confirm-removals": _confirm_removals,
}
"""By the word that asks for each."""


async def decide(context: Context, body: Body) -> dict[str, Any]:
    """Carry a decision out; raises InvalidInput where there is none of that name, and what the decision raises."""
    asked = body.get("decision")
    decision = DECISIONS.get(asked) if isinstance(asked, str) else None
    if decision is None:
        known = ", ".join(DECISIONS)
        raise InvalidInput(f"The body names no decision; there is {known}.", next_step=f"Send {EXAMPLE}.")
    return {"decision": asked, **await decision(context, body)}
