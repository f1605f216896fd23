"""What a person decides on one connection, kept until a run has carried it out. Pure.

Made by `api.connection_decisions`, kept by `installation.decided`, carried out by the reconciler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ConnectionDecision(StrEnum):
    """The decisions on one connection; a body of `POST /api/connections/{id}/decisions` names one."""

    FORGET_TARGET = "forget-target"
    """A target that still is listed is gone: what we associated with it counts as removed."""
    MOVE_ORGANIZATION = "move-organization"
    """The endpoint's connection moves to the organization that it belongs to by now."""

    REMOVE = "remove"
    """What was made for an endpoint that is gone is taken away, though its tag asked to observe, or to retain it."""
    HAND_OVER = "hand-over"
    """What was made for an endpoint that is gone is left, and is a person's from now on."""

    @property
    def does(self) -> str:
        """What the next run does, for the one who decides."""
        return _DOES[self]

    @property
    def field(self) -> str:
        """The field of the body that says what it is about."""
        return _ABOUT[self][0]

    @property
    def about(self) -> str:
        """What that field holds."""
        return _ABOUT[self][1]


_ABOUT = {
    ConnectionDecision.FORGET_TARGET: ("target", "Id of the deployment, from the connection's associations."),
    ConnectionDecision.MOVE_ORGANIZATION: ("organization", "Name of the organization that it moves to."),
    ConnectionDecision.REMOVE: ("endpoint", "Name of the endpoint that is gone."),
    ConnectionDecision.HAND_OVER: ("endpoint", "Name of the endpoint that is gone."),
}

_DOES = {
    ConnectionDecision.FORGET_TARGET: "The association with the target counts as removed; the target stays as it is.",
    ConnectionDecision.MOVE_ORGANIZATION: "The policy is made in that organization; what was made in the former one is "
    "taken away, so deployments there lose this endpoint.",
    ConnectionDecision.REMOVE: "After the grace period the app takes away what it made for the endpoint, under all its "
    "rules of safety: GET /api/connections/<id>/plan lists it.",
    ConnectionDecision.HAND_OVER: "The app leaves all that it made for the endpoint, and looks after it no more: "
    "GET /api/connections/<id> lists it under left.",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision; `subject`: the target, or the organization, that it is about."""

    decision: ConnectionDecision
    subject: str

    def __str__(self) -> str:
        return f"{self.decision} {self.subject}"

    @property
    def request(self) -> str:
        """What a person sends, as next steps spell it; `asked_in` reads it there again, for a button."""
        body = f'{{"decision": "{self.decision}", "{self.decision.field}": "{self.subject}"}}'
        return f"POST /api/connections/<id>/decisions {body}"

    def document(self) -> dict[str, str]:
        """It as JSON values."""
        return {"decision": self.decision, "subject": self.subject}


_REQUEST = re.compile(r'/decisions \{"decision": "(?P<decision>[a-z-]+)", "[a-z]+": "(?P<subject>[^"]+)"\}')


def asked_in(next_step: str) -> Iterator[Decided]:
    """The decisions that a next step asks a person for, each by its `request`."""
    for one in _REQUEST.finditer(next_step):
        if one["decision"] in {*ConnectionDecision}:
            yield Decided(ConnectionDecision(one["decision"]), one["subject"])


def decided_in(document: Mapping[str, Any]) -> tuple[Decided, ...]:
    """The decisions of a stored document; raises ValueError, KeyError or TypeError where it cannot be understood."""
    return tuple(
        Decided(ConnectionDecision(one["decision"]), str(one["subject"])) for one in document.get("decisions", ())
    )
