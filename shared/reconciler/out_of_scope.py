"""Endpoints that the app stays away from: out of scope by the settings, or ignored by their tag.

Used by `loop` and `branches` for one endpoint; `core.planning.triage` finds those that a sweep lists. Nothing that was
made for such an endpoint is changed or removed; its record says why, and remembers it for when the endpoint is gone.
"""

from __future__ import annotations

from dataclasses import replace

from shared.context import Context, log
from shared.core.guards.modes import asked_mode, ignored
from shared.core.guards.scope import outside, outside_by_id
from shared.core.model.arm_ids import ArmId
from shared.core.model.conditions import Condition
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.resources import Endpoint
from shared.core.options.installation import Mode
from shared.reconciler.run_state import Run


async def new_endpoint_out_of_scope(context: Context, message: WorkMessage) -> bool:
    """Whether an endpoint without a record is out of scope, so that it gets none.

    Where its location or tags matter this takes a look at it, once in its life. A person who names it is owed an
    answer, which only a record can give.
    """
    scope = context.options.scope
    if outside_by_id(scope, message.endpoint) is not None:
        return True
    if scope.told_by_id or message.cause is Cause.MANUAL:
        return False
    try:
        return outside(scope, await context.endpoints.get(message.endpoint)) is not None
    except AutopilotError as error:
        log.info("scope of %s not told, the run will: %s", message.endpoint.text, error)
        return False


def skip_condition_by_id(run: Run, endpoint: ArmId) -> Condition | None:
    """Why the endpoint is not even read, and its record put right; None: it is to be read."""
    found = outside_by_id(run.context.options.scope, endpoint)
    if found is None:
        return None
    run.record = run.record.with_identity(mode=Mode.IGNORE).with_status(planned=())
    return found.condition


def skip_condition(run: Run, endpoint: Endpoint) -> Condition | None:
    """Why nothing is done for an endpoint that was read; None: it is handled. Either way the record knows its mode."""
    scope = run.context.options.scope
    mode = asked_mode(endpoint, scope)
    run.record = run.record.with_identity(mode=mode)
    if mode != Mode.IGNORE:
        return None
    run.record = (
        replace(run.record, endpoint_id=endpoint.id.text)
        .with_identity(name=endpoint.name, alias=endpoint.alias, location=endpoint.location)
        .with_status(planned=())
    )
    found = outside(scope, endpoint)
    return ignored(endpoint) if found is None else found.condition
