"""Whose a resource is: made by this app, or made by others and used. Part of a connection's record; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Owner(StrEnum):
    """Whose a resource is."""

    OURS = "ours"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Owned:
    """A resource in Azure that the connection uses."""

    id: str
    owner: Owner
