"""What is remembered of notifications: events on their way, and what was last told. Part of a connection's record.

An event is made and stored in the same write as what it tells, and sent from there by `shared.notify`; so it is the same
however often it is sent, and none is lost with a process. The rules of what is told are in `notifications`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Notice:
    """An event as it is sent: the attributes of a CloudEvent, but for its source, which is the installation."""

    id: str
    """The same at every attempt: receivers drop what they have seen."""
    type: str
    subject: str
    time: datetime
    """When it happened, not when it was sent."""
    data: Mapping[str, Any]
    """JSON values."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What a connection's receivers have been told, and what waits to be sent."""

    told: str = ""
    """The state that the last event told; empty: none yet."""
    turned: str = ""
    """A state that differs from what was told, and has not lasted long enough to be told."""
    turned_at: datetime | None = None
    number: int = 0
    """Of the last event; each of a connection's events has the next one."""
    outbox: tuple[Notice, ...] = ()
    """Oldest first."""
