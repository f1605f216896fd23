"""The decisions on a connection that its next steps ask a person for, each with what it does. Used by `views`; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.core.model.decisions import ConnectionDecision, Decided, asked_in
from shared.core.model.record import ConnectionRecord

_EITHER = {ConnectionDecision.REMOVE: ConnectionDecision.HAND_OVER}
"""The other way to decide the same thing, which the next step names by its word."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A decision that can be made now."""

    decision: str
    field: str
    """The field of the body that holds the subject."""
    subject: str
    does: str
    """What the next run does."""


def offered(record: ConnectionRecord) -> tuple[Offered, ...]:
    """The decisions that a person is asked for, in the order of the conditions, each once."""
    found = dict.fromkeys(_asked_for(record))
    return tuple(Offered(str(one.decision), one.decision.field, one.subject, one.decision.does) for one in found)


def _asked_for(record: ConnectionRecord) -> Iterator[Decided]:
    for condition in record.status.conditions:
        for asked in asked_in("" if condition.true else condition.next_step):
            yield asked
            if asked.decision in _EITHER:
                yield Decided(_EITHER[asked.decision], asked.subject)
