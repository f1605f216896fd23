"""Probation: what Event Grid does to an endpoint that keeps failing. One for each subscription; asked by `delivery`.

Microsoft documents that new deliveries and retries wait then, "in some cases up to several hours", and ten failures as
an example; the figures are not documented, so they are switches, and off at the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.clock import LoopClock
    from local.eventgrid.settings import EventGridSettings


@dataclass(eq=False)
class Probation:
    """Whether an endpoint is left alone for a while, and until when."""

    clock: LoopClock
    settings: EventGridSettings
    failures: int = 0
    """In a row."""
    until: datetime | None = None

    def note(self, *, delivered: bool) -> None:
        """An attempt has ended."""
        self.failures = 0 if delivered else self.failures + 1
        if delivered:
            self.until = None
        elif self.settings.probation_after is not None and self.failures >= self.settings.probation_after:
            seconds = self.settings.probation_seconds * self.settings.time_scale
            self.until = self.clock.now() + timedelta(seconds=seconds)

    async def passed(self, deadline: datetime) -> bool:
        """Wait until the endpoint may be tried again; False when that would be after `deadline`."""
        while self.until is not None and (now := self.clock.now()) < self.until:
            await self.clock.sleep((min(self.until, deadline) - now).total_seconds())
            if self.clock.now() >= deadline:
                return False
        return True
