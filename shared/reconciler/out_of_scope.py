"""Endpoints that the app stays away from: out of scope by the settings, or ignored by their tag.

Used by `reconcile` and `branches` for one endpoint, and by the sweep for all. Nothing that was made for such an
endpoint is changed or removed; its record says why, and remembers it for when the endpoint is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from shared.context import Context, log
from shared.core.guards.modes import IGNORED_BY_TAG, Mode, asked_mode, ignored
from shared.core.guards.scope import OUT_OF_SCOPE, outside, outside_by_id
from shared.core.model.arm_ids import ArmId, connection_id, parse_endpoint_id
from shared.core.model.conditions import RECOGNISED, Condition
from shared.core.model.errors import AutopilotError, InvalidInput
from shared.core.model.messages import WorkMessage
from shared.core.model.record import Connection
from shared.core.model.resources import Endpoint
from shared.core.model.services import Kind, recognise
from shared.reconciler.run_state import Run


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


def is_aside(context: Context, endpoint: Endpoint) -> bool:
    """Whether the app stays away from an endpoint that was listed."""
    return asked_mode(endpoint, context.rules.scope) == Mode.IGNORE


def newly_aside(context: Context, listed: Mapping[str, Endpoint], known: Mapping[str, Connection]) -> Iterator[ArmId]:
    """The endpoints whose record does not say yet that they are left alone. What is out of scope needs no record."""
    scope = context.rules.scope
    for endpoint in listed.values():
        if not is_aside(context, endpoint):
            continue
        record = known.get(connection_id(endpoint.id.text))
        reason = IGNORED_BY_TAG if outside(scope, endpoint) is None else OUT_OF_SCOPE
        wanted = reason == IGNORED_BY_TAG and recognise(endpoint.alias).kind is Kind.HOSTED
        if wanted if record is None else not _says(record, reason):
            yield endpoint.id
    for record in known.values():
        endpoint_id = _endpoint_id(record)
        if endpoint_id is not None and outside_by_id(scope, endpoint_id) and not _says(record, OUT_OF_SCOPE):
            yield endpoint_id


def _says(record: Connection, reason: str) -> bool:
    recognised = record.condition(RECOGNISED)
    return recognised is not None and recognised.reason == reason


def _endpoint_id(record: Connection) -> ArmId | None:
    try:
        return parse_endpoint_id(record.endpoint_id)
    except InvalidInput:
        return None
