"""What a person decides on one connection: it is checked, kept, written into the journal, and sent to work.

Called over HTTP. The next run carries the decision out (`installation.decided`), under its lease like all other work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.api import operations
from shared.api.queries import find_connection
from shared.context import Context
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.callers import Asked
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.errors import InvalidInput
from shared.core.model.operations import Operation, OperationKind
from shared.core.model.organizations import DEFAULT
from shared.core.model.record import ConnectionRecord
from shared.installation import decided
from shared.state.codec import record_in

EXAMPLE = " or ".join(f'{{"decision": "{one}", "{one.field}": "..."}}' for one in ConnectionDecision)


def _forget_target(context: Context, record: ConnectionRecord, target: str) -> None:
    del context
    if record.association(target) is None:
        known = ", ".join(one.target_id for one in record.elastic.associations) or "none"
        raise InvalidInput(
            "The connection is associated with no such target.", on=target[:80], next_step=f"Name one of: {known}."
        )


def _move_organization(context: Context, record: ConnectionRecord, organization: str) -> None:
    del record
    options = context.options
    known = [*([DEFAULT] if options.has_default_organization else []), *(one.name for one in options.organizations)]
    if organization not in known:
        raise InvalidInput(
            "The settings have no such organization.",
            on=organization[:80],
            next_step=f"Name one of: {', '.join(known)}.",
        )


def _of_missing(context: Context, record: ConnectionRecord, endpoint: str) -> None:
    del context
    if endpoint != record.identity.name:
        raise InvalidInput(
            "The connection is that of another endpoint.",
            on=endpoint[:80],
            next_step=f"Name {record.identity.name}, if that is the one.",
        )
    if record.removal.missing_since is None:
        raise InvalidInput(
            "The endpoint is not gone, as far as the app knows.",
            on=endpoint[:80],
            next_step="Delete the endpoint first; to have it left alone, tag it elastic-privatelink=ignore.",
        )


CHECKS: Mapping[ConnectionDecision, Callable[[Context, ConnectionRecord, str], None]] = {
    ConnectionDecision.FORGET_TARGET: _forget_target,
    ConnectionDecision.MOVE_ORGANIZATION: _move_organization,
    ConnectionDecision.REMOVE: _of_missing,
    ConnectionDecision.HAND_OVER: _of_missing,
}
"""What each decision is checked for before it is kept: the connection's record, and what the decision is about.

Each raises InvalidInput where the decision means nothing. The run that carries it out decides by what it reads then.
"""


async def decide(context: Context, wanted: str, body: Mapping[str, Any], asked: Asked) -> tuple[Operation, str]:
    """Keep a decision for the next run; returns the operation, and what that run does.

    Raises ConnectionNotFound, InvalidConnectionId or InvalidInput.
    """
    row = await find_connection(context, wanted)
    record, decision = record_in(row), _decision(body)
    CHECKS[decision.decision](context, record, decision.subject)
    await decided.leave(context, row.connection_id, decision)
    await decided.note(context, record, decision, asked)
    operation = await operations.ask(context, OperationKind.DECISION, [parse_endpoint_id(record.endpoint_id)], asked)
    return operation, decision.decision.does


def _decision(body: Mapping[str, Any]) -> Decided:
    try:
        decision = ConnectionDecision(str(body.get("decision")))
    except ValueError as error:
        known = ", ".join(ConnectionDecision)
        raise InvalidInput(
            f"The body names no decision on a connection; there are {known}.", next_step=f"Send {EXAMPLE}."
        ) from error
    subject = body.get(decision.field)
    if not isinstance(subject, str) or not subject:
        raise InvalidInput(f"The body names no {decision.field}.", next_step=f"Send {EXAMPLE}.")
    return Decided(decision, subject)
