"""Endpoints that the app stays away from: out of scope by the settings, or ignored by their tag.

Used by `reconcile` and `branches` for one endpoint, and by the sweep for all. Nothing that was made for such an
endpoint is changed or removed; its record says why, and remembers it for when the endpoint is gone.
"""

from __future__ import annotations

from dataclasses import replace

from shared.context import Context, log
from shared.core.arm_ids import ArmId
from shared.core.conditions import Condition
from shared.core.errors import AutopilotError
from shared.core.messages import WorkMessage
from shared.core.model import Endpoint
from shared.core.modes import Mode, asked_mode, ignored
from shared.core.scope import outside, outside_by_id
from shared.run import Run


async def is_stranger(context: Context, message: WorkMessage) -> bool:
    """Whether an endpoint without a record is out of scope, so that it gets none.

    Where its location or tags matter this takes a look at it, once in its life. A person who names it is owed an
    answer, which only a record can give.
    """
    scope = context.rules.scope
    if outside_by_id(scope, message.endpoint) is not None:
        return True
    if scope.told_by_id or message.cause == "manual":
        return False
    try:
        return outside(scope, await context.endpoints.get(message.endpoint)) is not None
    except AutopilotError as error:
        log.info("scope of %s not told, the run will: %s", message.endpoint.text, error)
        return False


def aside_by_id(run: Run, endpoint: ArmId) -> Condition | None:
    """Why the endpoint is not even read, and its record put right; None: it is to be read."""
    found = outside_by_id(run.context.rules.scope, endpoint)
    if found is None:
        return None
    run.connection = replace(run.connection, mode=Mode.IGNORE, planned=())
    return found.condition


def aside_for(run: Run, endpoint: Endpoint) -> Condition | None:
    """Why nothing is done for an endpoint that was read; None: it is handled. Either way the record knows its mode."""
    scope = run.context.rules.scope
    mode = asked_mode(endpoint, scope)
    run.connection = replace(run.connection, mode=mode)
    if mode != Mode.IGNORE:
        return None
    run.connection = replace(
        run.connection,
        endpoint_id=endpoint.id.text,
        name=endpoint.name,
        alias=endpoint.alias,
        location=endpoint.location,
        planned=(),
    )
    found = outside(scope, endpoint)
    return ignored(endpoint) if found is None else found.condition
