"""What an entry of the catalogue is. Used by the modules that hold the entries and by `shared.core.reasons`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.core.model.reasons import Reason


class Hop(StrEnum):
    """A part of the path, in the order of the traffic; `APP` is not on it."""

    NETWORK = "network"
    DNS = "dns"
    ENDPOINT = "endpoint"
    APPROVAL = "approval"
    POLICY = "policy"
    DEPLOYMENT = "deployment"
    APP = "app"
    """The app itself: what it may do, whom it can reach."""


@dataclass(frozen=True, slots=True)
class ReasonDoc:
    """What is true of every case of a reason. The code that gives it adds the names and addresses of the case."""

    reason: Reason
    symptom: str
    """What is seen."""
    cause: str
    """Why it is so."""
    remedy: str = ""
    """What a person does; empty: nothing, all is well."""
    hop: Hop | None = None
    """Where on the path; None: where the condition belongs that has this reason."""
