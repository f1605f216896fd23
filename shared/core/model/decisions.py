"""What a person decides on one connection, kept until a run has carried it out. Pure.

Made by `api.connection_decisions`, kept by `installation.decided`, carried out by the reconciler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ConnectionDecision(StrEnum):
    """The decisions on one connection; a body of `POST /api/connections/{id}/decisions` names one."""

    FORGET_TARGET = "forget-target"
    """A target that still is listed is gone: what we associated with it counts as removed."""
    MOVE_ORGANIZATION = "move-organization"
    """The endpoint's connection moves to the organization that it belongs to by now."""

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
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision; `subject`: the target, or the organization, that it is about."""

    decision: ConnectionDecision
    subject: str

    def __str__(self) -> str:
        return f"{self.decision} {self.subject}"

    def document(self) -> dict[str, str]:
        """It as JSON values."""
        return {"decision": self.decision, "subject": self.subject}


def decided_in(document: Mapping[str, Any]) -> tuple[Decided, ...]:
    """The decisions of a stored document; raises ValueError, KeyError or TypeError where it cannot be understood."""
    return tuple(
        Decided(ConnectionDecision(one["decision"]), str(one["subject"])) for one in document.get("decisions", ())
    )
