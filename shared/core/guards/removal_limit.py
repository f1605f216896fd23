"""How many destructive steps may be taken between two sweeps, and what a person allowed beyond that (S6). Pure.

Kept by `shared.installation.removal_limit` for the whole installation. A slip in a listing, a tag policy or a change of
settings can make a thousand connections look unwanted at once; each removal by itself would be right. So the steps are
counted: a sweep that would have more than the limit taken stops all of them, and only a person who has seen the number
goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CONFIRMED_FOR = timedelta(hours=1)
"""How long a confirmation lasts; what is not removed by then is asked about again."""

SHOWN = 50
"""Connections that a stop names."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A sweep found more to remove than it may."""

    id: str
    at: datetime
    steps: int
    connections: tuple[str, ...] = ()
    """Ids of those that it is about, the first ones."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be removed until the next sweep."""

    used: int = 0
    """Destructive steps since the last sweep."""
    stopped: Stop | None = None
    confirmed: int = 0
    """Steps that a person allowed and that were not taken yet."""
    confirmed_until: datetime | None = None

    def _confirmed(self, now: datetime) -> int:
        return self.confirmed if self.confirmed_until is not None and now < self.confirmed_until else 0

    def consume(self, steps: int, limit: int, now: datetime) -> Allowance | None:
        """The allowance after taking so many steps; None: they may not be taken now."""
        if steps <= self._confirmed(now):
            return replace(self, confirmed=self.confirmed - steps)
        if self.stopped is not None or self.used + steps > limit:
            return None
        return replace(self, used=self.used + steps)

    def swept(self, stop_id: str, wanted: dict[str, int], limit: int, now: datetime) -> Allowance:
        """The allowance for the time after a sweep that wants so many steps taken, by connection."""
        steps = sum(wanted.values())
        if steps <= max(limit, self._confirmed(now)):
            keep = bool(self._confirmed(now))
            return replace(self, used=0, stopped=None) if keep else Allowance()
        connections = tuple(sorted(wanted))[:SHOWN]
        known = self.stopped
        if known is not None and (known.steps, known.connections) == (steps, connections):
            return replace(self, used=0, confirmed=0, confirmed_until=None)
        return Allowance(stopped=Stop(stop_id, now, steps, connections))

    def confirm(self, stop_id: str, now: datetime) -> Allowance | None:
        """The allowance once a person has confirmed a stop; None: that is not the present one."""
        if self.stopped is None or self.stopped.id != stop_id:
            return None
        return Allowance(confirmed=self.stopped.steps, confirmed_until=now + CONFIRMED_FOR)
