"""How many connections may be torn down without a person's word, and when all removals stop (S6). Pure.

Kept by `shared.installation.removal_limit` for the whole installation. A slip in a listing, a tag policy or a change of
settings can make a thousand connections look unwanted at once; each removal by itself would be right. So connections
are counted that stand for removal, before the first of them is torn down, and with them those that were torn down
within a day. More than the limit, and none goes until a person has seen which they are, or until they are fewer.

A connection whose deletion an event told and a read by id confirmed (`deletion.confirmed`) does not count: two sources
without a common cause say of this one endpoint that it is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

DAY = timedelta(days=1)
"""How long a connection that was torn down unconfirmed counts: a limit that fills up sooner only slows a flood."""

CONFIRMED_FOR = timedelta(hours=1)
"""How long a person's word lasts; what is not removed by then is asked about again."""

SHOWN = 50
"""Connections that a stop names."""

SMALLEST, SHARE = 10, 0.05
"""Where no limit is set: the larger of so many connections and this share of those on record."""


def limit_for(setting: int | None, on_record: int) -> int:
    """How many connections may stand for removal at once."""
    return setting if setting is not None else max(SMALLEST, int(on_record * SHARE))


@dataclass(frozen=True, slots=True)
class Stop:
    """More connections stood for removal than may."""

    id: str
    at: datetime
    count: int
    """How many, with those that were torn down within a day."""
    connections: tuple[str, ...] = ()
    """Ids of those that stand for removal."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found, by connection id."""

    unwanted: Collection[str] = ()
    """Those that would lose something, unconfirmed."""
    unseen: Collection[str] = ()
    """Those of which it could not be read whether they still are wanted."""


@dataclass(frozen=True, slots=True)
class Removals:
    """What stands for removal, what was torn down, and what a person allowed."""

    limit: int = SMALLEST
    """As the last sweep found it."""
    standing: frozenset[str] = frozenset()
    """Connections that stand for removal, unconfirmed."""
    torn: Mapping[str, datetime] = field(default_factory=dict)
    """Those torn down unconfirmed, and when."""
    changed: frozenset[str] = frozenset()
    """Living ones that have lost something since the last sweep."""
    stopped: Stop | None = None
    allowed: frozenset[str] = frozenset()
    """Those that a person allowed."""
    allowed_until: datetime | None = None

    def may(self, connection_id: str, now: datetime) -> bool:
        """Whether a person allowed it."""
        return connection_id in self._allowed(now)

    def stand(self, connection_id: str, stop_id: str, now: datetime) -> Removals:
        """The same once the connection stands for removal; with it, they may be too many."""
        return replace(self, standing=self.standing | {connection_id}).judged(stop_id, now)

    def withdraw(self, connection_id: str) -> Removals:
        """The same once the connection is wanted again, or nothing of it is left. A stop waits for the next sweep."""
        return replace(self, standing=self.standing - {connection_id})

    def tear_down(self, connection_id: str, stop_id: str, now: datetime, *, gone: bool) -> tuple[Removals, bool]:
        """The same with the connection torn down (`gone`), or changed; False: it may not be now."""
        if self.may(connection_id, now):
            return self.withdraw(connection_id), True
        known = self.stand(connection_id, stop_id, now)
        if known.stopped is not None:
            return known, False
        known = known.withdraw(connection_id)
        if gone:
            return replace(known, torn={**known.torn, connection_id: now}), True
        return replace(known, changed=known.changed | {connection_id}), True

    def swept(self, found: Swept, stop_id: str, limit: int, now: datetime) -> Removals:
        """The same after a sweep. What it could not read stands as it stood: not seen is not wanted again."""
        stood = self.standing | frozenset(self.stopped.connections if self.stopped else ())
        standing = frozenset(found.unwanted) | (stood & frozenset(found.unseen))
        swept = replace(self, limit=limit, standing=standing, changed=frozenset(), stopped=None)
        judged = swept.judged(stop_id, now)
        before, after = self.stopped, judged.stopped
        if before and after and (before.count, before.connections) == (after.count, after.connections):
            return replace(judged, stopped=before)  # a person can confirm what they saw
        return judged

    def confirm(self, stop_id: str, now: datetime) -> Removals | None:
        """The same once a person has confirmed a stop; None: that is not the present one."""
        if self.stopped is None or self.stopped.id != stop_id:
            return None
        named = frozenset(self.stopped.connections)
        return replace(self, stopped=None, allowed=named, allowed_until=now + CONFIRMED_FOR, torn={})

    def _allowed(self, now: datetime) -> frozenset[str]:
        return self.allowed if self.allowed_until is not None and now < self.allowed_until else frozenset()

    def judged(self, stop_id: str, now: datetime) -> Removals:
        """The same with a stop, where there are too many."""
        torn = {key: at for key, at in self.torn.items() if now - at < DAY}
        allowed = self._allowed(now)
        standing = self.standing - allowed
        known = replace(self, torn=torn, allowed=allowed, allowed_until=self.allowed_until if allowed else None)
        count = len(standing | torn.keys() | (self.changed - allowed))
        if not standing or count <= self.limit or self.stopped is not None:
            return known
        return replace(known, stopped=Stop(stop_id, now, count, tuple(sorted(standing))))
