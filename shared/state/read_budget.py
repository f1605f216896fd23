"""The installation's share of Azure's limits: how many private DNS reads, and new zones, a subscription has left.

A subscription has 500 private DNS reads in five minutes (by Microsoft's older pages; by the newer ones a figure for
each zone), and by both 40 changes of zones in a minute. All runs of all instances share them, and so do people and
their pipelines. So who reads takes from one row of table `control` first, and who finds nothing left gets a turn:
the moment to come back at, behind those who asked before. What Azure's answers say is left goes into the same row.
The row also keeps how long the operations of a kind take, so that a new process need not find out by reads.
Asked by `reconciler.dns_branch` and `sweep.zones` before they read; `clouds.azure.clients` sends no read without.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.model.errors import AutopilotError, Throttled
from shared.core.model.json_values import entries, mapping, stored_instant
from shared.state.control import update

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.state.ports import ControlTable

log = logging.getLogger("privatelink.state")
PATIENCE = 5.0
"""Seconds that a read waits for storage to count it."""
ROW = "azure-reads-"
"""Before the subscription, in lower case."""
REMAINING = "x-ms-ratelimit-remaining-subscription-resource-requests"
"""What a provider that has a limit of its own says is left of it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of something the app takes in a while."""

    name: str
    most: int
    """In each `seconds`; the rest is left to people and their tools."""
    seconds: float
    step: float
    """Seconds that are counted together."""
    at_once: int
    """Taken from the row together: a process that needs little asks seldom."""


READS = Limit("reads", most=400, seconds=300, step=10, at_once=12)
"""Its `most` is a setting's default."""
ZONES = Limit("zones", most=36, seconds=60, step=2, at_once=1)
LEFT_TO_OTHERS = 60
"""Reads that Azure must say are left in the window: a setting's default."""
TRIAL = 12
"""Reads that may be taken, some time after too few were left, to hear how many are left now."""
TRIAL_AFTER = timedelta(seconds=30)
KNOWN_FOR = timedelta(seconds=READS.seconds)
"""How long what Azure said is left is more than nothing known."""
UNCLAIMED = 30.0
"""Seconds after which a turn that was not taken is the next one's."""
POOL_SECONDS = 60.0
"""How long a process may use what it took: it counts from when it was taken."""
LONGEST_USUAL = 3600.0
"""Seconds of an operation that tell anything of the next one."""
MOST_KEPT = 24
"""Reads in a process's pool from which a run is served without asking the row."""


@dataclass(slots=True)
class Taken:
    """What was taken of one limit, and the turns that were given, each as seconds of an epoch and a number."""

    given: list[tuple[float, int]] = field(default_factory=list)
    turns: list[tuple[float, int]] = field(default_factory=list)

    def take(self, limit: Limit, now: float, least: int, most: int) -> tuple[int, float]:
        """As many as there are, from `least` to `most`; or none, and the moment of the turn that is given instead."""
        self._forget_old(limit, now)
        at, due = _step(now, limit), sum(number for when, number in self.turns if when <= now)
        if due or not self.turns:
            self._claim(min(least, due), now)
            free = limit.most - self._load(limit, at)
            if free >= least:
                self.given.append((at, min(most, free)))
                return min(most, free), now
        turn = self._next_turn(limit, max([at, *(when for when, _ in self.turns)]), least)
        self.turns.append((turn, least))
        return 0, turn

    def give(self, limit: Limit, now: float, number: int) -> int:
        """So many are taken, also above the limit."""
        self._forget_old(limit, now)
        self.given.append((_step(now, limit), number))
        return number

    def _forget_old(self, limit: Limit, now: float) -> None:
        self.given = _together(one for one in self.given if one[0] > now - limit.seconds - limit.step)
        self.turns = _together(one for one in self.turns if one[0] > now - UNCLAIMED)

    def _claim(self, number: int, now: float) -> None:
        """Count off what is taken now from the turns that are due."""
        left = []
        for when, held in sorted(self.turns):
            used = min(number, held) if when <= now else 0
            number -= used
            left += [(when, held - used)] if held > used else []
        self.turns = left

    def _load(self, limit: Limit, at: float) -> int:
        """What the time that ends then has been asked for already."""
        begins = at - limit.seconds - limit.step
        return sum(number for when, number in (*self.given, *self.turns) if begins < when <= at)

    def _next_turn(self, limit: Limit, earliest: float, least: int) -> float:
        ends = sorted(when + limit.seconds + limit.step for when, _ in (*self.given, *self.turns))
        for at in (earliest, *(one for one in ends if one > earliest)):
            if self._load(limit, at) + least <= limit.most:
                return at
        return earliest + limit.seconds


@dataclass(slots=True)
class Row:
    """What the row of a subscription says."""

    limits: dict[str, Taken] = field(default_factory=dict)
    remaining: int | None = None
    """Reads that Azure said are left; None: it said nothing of it."""
    left_at: datetime | None = None
    usual: dict[str, float] = field(default_factory=dict)
    """Seconds that an operation of a kind took when one was last seen to its end."""

    def take(
        self, limit: Limit, now: datetime, least: int, most: int, left_to_others: int = LEFT_TO_OTHERS
    ) -> tuple[int, float]:
        """See `Taken.take`; reads are asked for of what Azure said is left, too."""
        taken, seconds = self.limits.setdefault(limit.name, Taken()), now.timestamp()
        if limit.name == ZONES.name and self.left_at is not None and now - self.left_at < KNOWN_FOR:
            # Azure says what is left of all reads: the older limits are in force, and have no such one.
            return least, seconds
        if limit.name == READS.name and self.remaining is not None and self.left_at is not None:
            age = now - self.left_at
            since = sum(number for when, number in taken.given if when > _step(self.left_at.timestamp(), limit))
            left = self.remaining - since - left_to_others
            if age < KNOWN_FOR and self.remaining > limit.most + left_to_others and left >= least:
                return taken.give(limit, seconds, min(most, left)), seconds  # Azure allows it more than it documents
            if age < KNOWN_FOR and left < least:
                if age < TRIAL_AFTER or since:
                    return 0, seconds + TRIAL_AFTER.total_seconds()
                most = min(most, TRIAL)
            elif age < KNOWN_FOR:
                most = min(most, left)
        return taken.take(limit, seconds, least, max(least, most))

    def note_remaining(self, number: int, at: datetime) -> None:
        """What an answer said is left, unless a later one did."""
        if self.left_at is None or at >= self.left_at:
            self.remaining, self.left_at = number, at

    def document(self) -> dict[str, Any]:
        """As JSON."""
        known = {} if self.left_at is None else {"left": self.remaining, "left_at": self.left_at.isoformat()}
        taken = {name: {"given": one.given, "turns": one.turns} for name, one in self.limits.items()}
        return {**known, **taken, **({"usual": self.usual} if self.usual else {})}


def row_from(document: Mapping[str, Any] | None) -> Row:
    """What a row says; what cannot be read counts as nothing taken, for it is only a few minutes old."""
    row, found = Row(), mapping(document)
    for limit in (READS, ZONES):
        taken = mapping(found.get(limit.name))
        row.limits[limit.name] = Taken(_numbers(taken.get("given")), _numbers(taken.get("turns")))
    usual = mapping(found.get("usual")).items()
    row.usual = {kind: float(one) for kind, one in usual if type(one) in {int, float} and 0 < one <= LONGEST_USUAL}
    left = found.get("left")
    try:
        at = stored_instant(found.get("left_at"))
    except ValueError:
        return row
    row.remaining, row.left_at = (left if type(left) is int else None), at
    return row


def _numbers(value: object) -> list[tuple[float, int]]:
    pairs = [one for one in entries(value) if isinstance(one, list) and len(one) == 2]  # noqa: PLR2004
    return [(float(a), b) for a, b in pairs if type(a) in {int, float} and type(b) is int and 0 < b < 10**6]


def _together(pairs: Any) -> list[tuple[float, int]]:
    found: dict[float, int] = {}
    for when, number in pairs:
        found[when] = found.get(when, 0) + number
    return sorted(found.items())


def _step(seconds: float, limit: Limit) -> float:
    return seconds - seconds % limit.step


class NoReadsLeft(Throttled):
    """The installation has no more of a subscription's limit for now."""


@dataclass(slots=True)
class _Pool:
    """What this process has taken and not used."""

    free: list[tuple[float, int]] = field(default_factory=list)
    """Each with the loop's time until which it may be used."""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    heard: tuple[int, datetime] | None = None
    """What the last answer said is left; told to the row with the next question."""

    def count(self) -> int:
        """How many may be used."""
        now = _now()
        self.free = [one for one in self.free if one[0] > now]
        return sum(number for _, number in self.free)

    def use(self) -> bool:
        """Use one, if there is one."""
        if not self.count():
            return False
        (until, number), *others = self.free
        self.free = [(until, number - 1), *others] if number > 1 else others
        return True


class ReadBudget:
    """Asked before reads; one for a process, all with the same rows."""

    def __init__(
        self, control: ControlTable, clock: Clock, reads: int = READS.most, left_to_others: int = LEFT_TO_OTHERS
    ) -> None:
        self._control, self._clock = control, clock
        self._reads, self._left_to_others = replace(READS, most=reads), left_to_others
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._usual, self._learned = dict[str, float](), dict[str, float]()

    async def ask(self, subscription_id: str, number: int) -> None:
        """Take so many reads for what is about to begin; raises NoReadsLeft, with the time of the turn it is given."""
        pool = self._pool(subscription_id, self._reads)
        async with pool.asking:
            if pool.count() < number + MOST_KEPT:
                await self._take(pool, subscription_id, number, self._reads)

    async def before_read(self, subscription_id: str) -> None:
        """A private DNS read goes out now; where none is left in this process, a few more are taken.

        Storage that does not answer holds up no read: work fails by itself then, and the doctor says how Azure is.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self._spend(subscription_id, self._reads)
        except NoReadsLeft:
            raise
        except (AutopilotError, TimeoutError) as error:
            log.info("reads of %s are not counted: %s", subscription_id, error)

    async def before_zone(self, subscription_id: str) -> None:
        """A zone is made, changed or deleted now."""
        await self._spend(subscription_id, ZONES)

    def note_remaining(self, subscription_id: str, headers: Mapping[str, str]) -> None:
        """What an answer to a private DNS read says is left."""
        text = headers.get(REMAINING) or ""
        if text.isdecimal():
            self._pool(subscription_id, READS).heard = int(text), self._clock.now()

    def usual(self, kind: str) -> float | None:
        """Seconds that operations of a kind take, by the last one that any process saw end; None: none did."""
        return self._usual.get(kind)

    def learned(self, kind: str, seconds: float) -> None:
        """One took so long; the next question tells the row, and so the other processes."""
        if 0 < seconds <= LONGEST_USUAL:
            self._usual[kind] = self._learned[kind] = round(seconds, 2)

    async def _spend(self, subscription_id: str, limit: Limit) -> None:
        pool = self._pool(subscription_id, limit)
        if pool.use():
            return
        async with pool.asking:
            if not pool.count():
                await self._take(pool, subscription_id, 1, limit)
            pool.use()

    def _pool(self, subscription_id: str, limit: Limit) -> _Pool:
        return self._pools.setdefault((subscription_id.lower(), limit.name), _Pool())

    async def _take(self, pool: _Pool, subscription_id: str, number: int, limit: Limit) -> None:
        taken, turn = 0, 0.0

        def taking(document: Mapping[str, Any] | None) -> dict[str, Any]:
            nonlocal taken, turn
            row = row_from(document)
            heard = self._pool(subscription_id, READS).heard
            if heard is not None:
                row.note_remaining(*heard)
            row.usual |= self._learned
            self._usual |= row.usual
            most = max(number, limit.at_once)
            taken, turn = row.take(limit, self._clock.now(), number, most, self._left_to_others)
            return row.document()

        await update(self._control, self._clock, f"{ROW}{subscription_id.lower()}", taking, mend=True)
        if not taken:
            raise _none_left(subscription_id, limit, max(1.0, turn - self._clock.now().timestamp()))
        pool.free.append((_now() + POOL_SECONDS, taken))


def _none_left(subscription_id: str, limit: Limit, after: float) -> NoReadsLeft:
    what = "reads of private DNS" if limit.name == READS.name else "changes of private DNS zones"
    return NoReadsLeft(
        f"The {what} that this installation allows itself in {limit.seconds:.0f} s are used up; it is this endpoint's "
        f"turn in {after:.0f} s.",
        on=f"/subscriptions/{subscription_id}",
        after=after,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
