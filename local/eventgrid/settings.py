"""How Event Grid behaves: documented figures as defaults, and the switches that make it unkind.

Read by `local.eventgrid.grid` at every event and every attempt, so a test or a user may change it at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
Switch = bool | Callable[[Event], bool]
"""Always, never, or decided event by event."""


def is_on(switch: Switch, event: Event) -> bool:
    """Whether `switch` applies to `event`."""
    return switch(event) if callable(switch) else switch


@dataclass
class EventGridSettings:
    """All switches; times in seconds."""

    # Microsoft: "Event Grid message delivery and retry". The last wait repeats.
    retry_schedule: tuple[float, ...] = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
    retry_jitter: float = 0.1
    """Each wait is longer or shorter by up to this share of it."""
    answer_timeout: float = 30.0
    max_delivery_attempts: int = 30
    event_time_to_live_minutes: float = 1440.0
    dead_letter_delay: float = 300.0
    time_scale: float = 1.0
    """All times but the answer's are multiplied by this, time to live included; 0.1 makes an hour six minutes."""
    probation_after: int | None = None
    """So many failures in a row, and all deliveries to the endpoint wait, new ones too; None: they never do."""
    probation_seconds: float = 3600.0
    """How long they wait then, and again after each further failure. Neither figure is documented."""

    delivery_delay: float | Callable[[Event], float] = 0.0
    """Before the first attempt. A callable can turn the order of two events round."""
    reorder_within: float = 0.0
    """Each event also waits a random time up to this, so that order is lost."""
    duplicate: Switch = False
    """Delivered twice, as at-least-once delivery may."""
    drop: Switch = False
    """Lost for good: no document says so, and it was seen in practice."""
    bare_evidence: Switch = False
    """`evidence` is [] and `claims` is {}, as some real events have it."""
