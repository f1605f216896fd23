"""The decisions on a connection that its next steps ask a person for, each with what it does. Used by `views`; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.core.model.decisions import ConnectionDecision
from shared.core.model.record import ConnectionRecord

_NAMED = re.compile(r'\{"decision": "(?P<decision>[a-z-]+)", "[a-z]+": "(?P<subject>[^"]+)"\}')
"""The body that a next step tells a person to send."""
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
    return tuple(Offered(str(one), one.field, subject, one.does) for one, subject in found)


def _asked_for(record: ConnectionRecord) -> Iterator[tuple[ConnectionDecision, str]]:
    for condition in record.status.conditions:
        for body in _NAMED.finditer("" if condition.true else condition.next_step):
            if body["decision"] in {*ConnectionDecision}:
                decision = ConnectionDecision(body["decision"])
                yield decision, body["subject"]
                if decision in _EITHER:
                    yield _EITHER[decision], body["subject"]
