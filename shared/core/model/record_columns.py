"""What lists show of a connection, as columns beside its record. Pure; derived by one function, at every write.

Used by `state` for the rows, and by the HTTP lists, which read nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import READY
from shared.core.model.errors import InvalidInput
from shared.core.model.record import ConnectionRecord

LONGEST = 8_000
"""Characters of a text: a page of 1,000 rows stays small, and a column below its 64 KiB."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One connection in short; every value is a text, empty where there is nothing to say."""

    subscription: str = ""
    """In lower case; what a list of one subscription's connections is filtered by."""
    endpoint_id: str = ""
    name: str = ""
    region: str = ""
    phase: str = ""
    mode: str = ""
    """What the endpoint asks for; what holds depends on the pause and the setting too."""
    ready: str = ""
    """The status of the summary condition; reason, message, next step and since are its own too."""
    reason: str = ""
    message: str = ""
    next_step: str = ""
    since: str = ""


def columns_of(record: ConnectionRecord) -> Columns:
    """The columns of a record."""
    ready = record.condition(READY)
    return Columns(
        subscription=_subscription(record.endpoint_id),
        endpoint_id=record.endpoint_id,
        name=record.identity.name,
        region=record.identity.region,
        phase=str(record.status.phase),
        mode=str(record.identity.mode),
        ready=str(ready.status) if ready else "",
        reason=str(ready.reason) if ready else "",
        message=ready.message[:LONGEST] if ready else "",
        next_step=ready.next_step[:LONGEST] if ready else "",
        since=ready.since.isoformat() if ready and ready.since else "",
    )


def _subscription(endpoint_id: str) -> str:
    try:
        return parse_arm_id(endpoint_id).subscription_id.lower()
    except InvalidInput:
        return ""
