"""The limit of destructive steps (S6), kept for the whole installation in table `control`.

Used by `elastic_branch`, `deleted`, the sweep and the HTTP API.
What may be taken is taken before the steps are: a worker that dies in between has used up some of it, never too little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from shared.context import Context
from shared.core.guards.removal_limit import Allowance, Stop
from shared.core.model.errors import Blocked
from shared.core.model.reasons import Reason
from shared.core.reasons import explain
from shared.state import control

NAME = "removals"


async def consume(context: Context, steps: int) -> None:
    """Take so many destructive steps out of what is allowed; raises Blocked when it is too little."""
    limit, now = context.settings.removal.limit, context.clock.now()

    def taken(allowance: Allowance) -> Allowance:
        left = allowance.consume(steps, limit, now)
        if left is None:
            raise _refused(allowance, steps, limit)
        return left

    if steps:
        await _change(context, taken)


async def swept(context: Context, stop_id: str, wanted: Mapping[str, int]) -> Allowance:
    """Begin a new period with what a sweep wants removed, by connection id; the answer says whether it is stopped."""
    limit, now = context.settings.removal.limit, context.clock.now()
    return await _change(context, lambda allowance: allowance.swept(stop_id, dict(wanted), limit, now))


async def confirm(context: Context, stop_id: str) -> Allowance | None:
    """Allow what the sweep stopped at; None: that is not what it stopped at."""
    now = context.clock.now()
    allowance = (await read(context)).confirm(stop_id, now)
    return None if allowance is None else await _change(context, lambda known: known.confirm(stop_id, now) or known)


async def read(context: Context) -> Allowance:
    """What is allowed now."""
    return await control.read(context.storage.control, NAME, _from_document, Allowance())


async def _change(context: Context, change: Callable[[Allowance], Allowance]) -> Allowance:
    new = Allowance()

    def changed_document(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal new
        known = Allowance() if document is None else _from_document(document)
        new = change(known)
        return document if new == known else _to_document(new)

    await control.update(context.storage.control, context.clock, NAME, changed_document)
    return new


def _refused(allowance: Allowance, steps: int, limit: int) -> Blocked:
    stopped = allowance.stopped
    if stopped is not None:
        what = f"The sweep found {stopped.steps} destructive steps to take and stopped; REMOVAL_LIMIT is {limit}."
        step = 'Look at GET /api/removals and, if they are right, POST /api/removals/confirm {"stop": "<its id>"}.'
    else:
        what = f"{allowance.used} destructive steps were taken since the last sweep; {steps} more exceed {limit}."
        step = "Wait for the next sweep: it goes on, or stops and asks if it finds more than REMOVAL_LIMIT allows."
    return Blocked(explain(Reason.REMOVAL_LIMIT_REACHED, what, step))


def _to_document(allowance: Allowance) -> dict[str, Any]:
    document = asdict(allowance)
    until, stopped = allowance.confirmed_until, allowance.stopped
    document["confirmed_until"] = until.isoformat() if until else None
    if stopped is not None:
        document["stopped"] |= {"at": stopped.at.isoformat(), "connections": list(stopped.connections)}
    return document


def _from_document(document: Mapping[str, Any]) -> Allowance:
    stopped, until = document.get("stopped"), document.get("confirmed_until")
    return Allowance(
        used=int(document.get("used") or 0),
        stopped=_stop(stopped) if stopped else None,
        confirmed=int(document.get("confirmed") or 0),
        confirmed_until=datetime.fromisoformat(until) if until else None,
    )


def _stop(document: Mapping[str, Any]) -> Stop:
    return Stop(
        str(document["id"]),
        datetime.fromisoformat(document["at"]),
        int(document["steps"]),
        tuple(document.get("connections") or ()),
    )
