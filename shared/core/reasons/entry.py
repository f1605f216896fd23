"""What an entry of the catalogue is. Used by the modules that hold the entries and by `shared.core.reasons`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
class Reason:
    """One reason that the product can give."""

    name: str
    symptom: str
    """What is seen."""
    cause: str
    """Why it is so."""
    fix: str = ""
    """What a person does; empty: nothing, all is well."""
    hop: Hop | None = None
    """Where on the path; None: where the condition belongs that has this reason."""
