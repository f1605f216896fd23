"""Documents of the whole installation in table `control`: changed by `update`, held by `lease`.

Used by every module that keeps one there. Every write is conditional on the row's ETag. What a lost race means is the
caller's word: try again, raise, or skip.
All leases are of one kind: those of sweeps and removals, by `lease`, and those of runs, by `take` (`state.leases`).
A lease stands in a row of its own, which only its holder and the one that takes it over write; the holder may change
the row's document, and that write has the lease's own ETag. A row without a document is there while the lease is held.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.model.errors import AutopilotError, LeaseLost, LostRace, Permanent, RetryLater
from shared.state.rows import ControlRow

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.state.ports import ControlTable

log = logging.getLogger("privatelink.state")

Document = Mapping[str, Any]
T = TypeVar("T")

TRIES = 8
"""Lost races in a row before the caller is told to come back later."""
PAUSE = 0.05
"""Seconds between two of them."""
RENEW_AFTER = 3.0
"""Seconds after which a holder that does something under its lease renews it."""


class DamagedRow(Permanent):
    """A document that cannot be understood; only what needs it stops."""


class OnLostRace(Enum):
    """What it means that another worker was quicker."""

    AGAIN = auto()
    """Read, change and write again; raises RetryLater when that never ends."""
    RAISE = auto()
    """Raise LostRace."""
    SKIP = auto()
    """Leave it as the other one wrote it."""


async def read(table: ControlTable, name: str, parse: Callable[[Document], T], default: T) -> T:
    """What a document says; `default` where there is none. Raises DamagedRow."""
    row = await table.get(name)
    return default if row is None else understood(row, parse)


async def update(
    table: ControlTable,
    clock: Clock,
    name: str,
    change: Callable[[Document | None], Document | None],
    *,
    lost: OnLostRace = OnLostRace.AGAIN,
) -> None:
    """Store what `change` makes of the document; None, in and out, stands for no row. No write where it is the same."""
    for _ in range(TRIES):
        row = await table.get(name)
        before = None if row is None else row.document
        after = change(None) if row is None else understood(row, change)
        if after == before:
            return
        try:
            if after is not None:
                await table.put(ControlRow(name, after, row.etag if row else None))
            elif row is not None:
                await table.delete(row)
        except LostRace:
            if lost is OnLostRace.RAISE:
                raise
            if lost is OnLostRace.SKIP:
                return
            await clock.sleep(PAUSE)
        else:
            return
    raise RetryLater("Others keep changing this document.", on=name, after=5.0)


def understood(row: ControlRow, parse: Callable[[Document], T]) -> T:
    """What a row's document says; raises DamagedRow, which names the row and how to mend it."""
    try:
        return parse(row.document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRow(
            f"The row cannot be understood ({type(error).__name__}).",
            on=f"table control, {row.name}",
            next_step="Delete the row; what it says is made anew.",
        ) from error


# -- leases --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease, and until when unless it is renewed."""

    name: str
    until: datetime


@dataclass(slots=True)
class HeldLease:
    """A lease that was taken. Its holder calls it in turn, not concurrently."""

    _table: ControlTable
    _clock: Clock
    name: str
    holder: Holder
    _lasting: timedelta
    _etag: str | None
    document: dict[str, Any] = field(default_factory=dict)
    """Stored with it."""
    taken_over: bool = False
    """It was another one's, and expired: that one may still be at work."""
    lost: bool = False
    """Another one has it now, or it was given back."""

    async def keep(self) -> None:
        """Renew it unless that was done a moment ago; raises LeaseLost."""
        age = self._clock.now() - (self.holder.until - self._lasting)
        if self.lost or not timedelta() <= age < timedelta(seconds=RENEW_AFTER):
            await self.renew()

    async def renew(self) -> None:
        """Hold on for as long again from now; raises LeaseLost."""
        for _ in range(2):
            if self.lost:
                break
            try:
                await self.write()
            except LostRace:
                row = await self._table.get(self.name)
                present = None if row is None else understood(row, _holder)
                if row is not None and present is not None and present.name == self.holder.name:
                    self._etag = row.etag  # our own write, whose answer was lost
                else:
                    self.lost = True
            else:
                return
        raise LeaseLost("Another one holds this lease now.", on=self.name, after=5.0)

    async def give_back(self) -> None:
        """Let it go, and store the document if there is one. Raises LostRace where another one has it."""
        self.lost = True
        row = ControlRow(self.name, self.document, self._etag)
        await (self._table.put(row) if self.document else self._table.delete(row))

    async def take_again(self) -> bool:
        """Take it a moment after it was given back; False: another one was quicker."""
        self._etag = None
        try:
            await self.write()
        except LostRace:
            return False
        self.lost = False
        return True

    async def write(self) -> None:
        """Store it as it would be from now on, over the version that was read; raises LostRace."""
        holder = Holder(self.holder.name, self._clock.now() + self._lasting)
        document = {**self.document, "holder": holder.name, "until": holder.until.isoformat()}
        self._etag = (await self._table.put(ControlRow(self.name, document, self._etag))).etag
        self.holder = holder


@asynccontextmanager
async def lease(
    table: ControlTable, clock: Clock, name: str, *, holder: str, lasting: timedelta
) -> AsyncIterator[HeldLease | None]:
    """Hold what only one may hold at a time; None: another one holds it, or was quicker.

    Given back at the end, or free again once `lasting` has passed. Raises what the storage raises when it is taken.
    """
    held = await _taken(table, clock, name, holder, lasting)
    if held is None:
        yield None
        return
    try:
        yield held
    finally:
        try:
            await held.give_back()
        except AutopilotError as error:
            log.warning("lease %s was not given back, it will expire: %s", name, error)


async def _taken(table: ControlTable, clock: Clock, name: str, holder: str, lasting: timedelta) -> HeldLease | None:
    for _ in range(2):  # where our own write's answer was lost, a second look finds it ours
        with suppress(LostRace):
            found = await take(table, clock, name, holder=holder, lasting=lasting)
            return found if isinstance(found, HeldLease) else None
    return None


async def take(table: ControlTable, clock: Clock, name: str, *, holder: str, lasting: timedelta) -> HeldLease | Holder:
    """Take a lease, or say who has it.

    Raises LostRace: another one was quicker, or it is taken and the answer was lost; taking it once more tells which.
    """
    row = await table.get(name) or ControlRow(name)
    present, now = understood(row, _holder), clock.now()
    others = present is not None and present.name != holder
    if present is not None and others and now < present.until:
        return present
    rest = {key: value for key, value in row.document.items() if key not in {"holder", "until"}}
    held = HeldLease(table, clock, name, Holder(holder, now), lasting, row.etag, rest, taken_over=others)
    await held.write()
    return held


def holder_in(row: ControlRow) -> Holder | None:
    """Who has the lease that stands in a row, or had it when it died; raises DamagedRow."""
    return understood(row, _holder)


async def holder_of(table: ControlTable, name: str) -> Holder | None:
    """Who has a lease, or had it when it died; raises DamagedRow."""
    return await read(table, name, _holder, None)


def _holder(document: Document) -> Holder | None:
    if not {"holder", "until"} & document.keys():
        return None
    return Holder(str(document["holder"]), datetime.fromisoformat(document["until"]))
