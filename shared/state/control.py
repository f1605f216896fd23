"""Table `control`: documents of the whole installation, changed by `update`, and the `lease` that a row can be.

Used by every module that keeps a document there; a sweep holds a lease by `lease`, runs over a connection by `take`
(`state.leases`). Every write is conditional on the row's ETag. What a lost race means is the caller's word: try again,
raise, or skip.

A lease is what only one worker may hold at a time. There is one kind for all:

* Two workers' clocks are never compared. A lease is over when its row was last written `LASTING` seconds before it was
  read, both by the storage service: the row's `Timestamp`, and the `Date` of the answer. The holder measures the same
  time on its own clock, as a duration, from before its write was sent; so its time is over first.
* The holder renews it every `RENEW_EVERY` seconds while it works, and is broken off `MARGIN` seconds before the end:
  no await of it outlasts its lease, even when storage does not answer any more.
* It stands in a row of its own, which only its holder and the one that takes it over write; the holder may change the
  row's document, and that write has the lease's own ETag. A row without a document is there while the lease is held.
* A row that cannot be understood is a lease like any other, of an unknown holder: its `Timestamp` ends it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.model.errors import AutopilotError, LeaseLost, LostRace, Permanent, RetryLater
from shared.core.model.json_values import is_newer
from shared.state.rows import ControlRow

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.state.ports import ControlTable


Document = Mapping[str, Any]
T = TypeVar("T")

TRIES = 8
"""Lost races in a row before the caller is told to come back later."""
PAUSE = 0.05
"""Seconds between two of them."""


class DamagedRow(Permanent):
    """A document that cannot be understood; only what needs it stops."""


class NewerRow(DamagedRow):
    """A document that a newer version of the app wrote: it is whole, and this version leaves it as it is."""


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
    mend: bool = False,
    must: bool = False,
) -> None:
    """Store what `change` makes of the document; None, in and out, stands for no row. No write where it is the same.

    `mend`: a row that is damaged counts as none and is written over; else it raises DamagedRow. One that a newer
    version wrote is left as it is; where it `must` be changed, because a person asked for it, that raises NewerRow.
    """
    for _ in range(TRIES):
        row = await table.get(name)
        after = change(None) if row is None else _result_of(row, change, mend=mend, must=must)
        if (row is None and after is None) or (row is not None and after is not None and after == row.document):
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
    """What a row's document says; raises DamagedRow, which names the row and how to mend it, or NewerRow."""
    if is_newer(row.document):
        what, step = "A newer version of the app wrote this row.", "Deploy the newer version of the app again."
        raise NewerRow(what, on=f"table control, {row.name}", next_step=step)
    try:
        if not isinstance(row.document, Mapping):
            raise TypeError  # noqa: TRY301 - one place makes the error
        return parse(row.document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRow(
            f"The row cannot be understood ({type(error).__name__}).",
            on=f"table control, {row.name}",
            next_step='Send POST /api/decisions {"decision": "take-over-row", "table": "control", '
            f'"row": "{row.name}"}}: what it says is made anew.',
        ) from error


def _result_of(
    row: ControlRow, change: Callable[[Document | None], Document | None], *, mend: bool, must: bool
) -> Document | None:
    try:
        return understood(row, change)
    except NewerRow as error:
        if must or not mend:
            raise
        change(None)
        log.info("not written: %s", error)
        return row.document
    except DamagedRow:
        if not mend:
            raise
        return change(None)


# -- leases ------------------------------------------------------------------------------------------------------------


log = logging.getLogger("privatelink.state")

LASTING = 20.0
"""Seconds after its last renewal that a lease is free: so long a worker that was killed holds others up."""
RENEW_EVERY = 5.0
"""Seconds between two renewals: three may fail, and the lease still stands."""
MARGIN = 3.0
"""Seconds before the end that the holder stops: two front ends of the service may differ a little."""
_TRY_AGAIN = 1.0
"""Seconds after a renewal that failed."""
_SOON = 0.05
"""Seconds before the next look at least: due by one rounding and not by another, it would be looked at without end."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease, and for how many seconds more unless it is renewed; none are left once it is over."""

    name: str
    seconds_left: float


@dataclass(slots=True)
class HeldLease:
    """A lease that was taken."""

    _table: ControlTable
    _clock: Clock
    name: str
    holder: str
    _etag: str | None
    document: dict[str, Any] = field(default_factory=dict)
    """Stored with it."""
    taken_over: bool = False
    """It was another one's, and expired: that one may still be at work."""
    lost: bool = False
    """Another one has it now, or it was given back."""
    _since: float = 0.0
    """When the last write of it that succeeded was sent, on the event loop's clock: no wrong time of day, no jumps."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _bound: asyncio.Timeout | None = None
    _given_back: bool = False

    def remaining(self) -> float:
        """Seconds in which the holder may still work; none are left once the lease is lost."""
        return 0.0 if self.lost else self._ends_at() - _now()

    async def keep(self) -> None:
        """Renew it unless that was done a moment ago; raises LeaseLost."""
        if self.lost or _now() - self._since >= RENEW_EVERY:
            await self.renew()

    async def renew(self) -> None:
        """Hold on for as long again from now; raises LeaseLost."""
        async with self._turn:
            for _ in range(2):
                if self.lost:
                    break
                try:
                    await self.write()
                except LostRace:
                    row = await self._table.get(self.name)
                    if row is not None and _holder_name(row) == self.holder:
                        self._etag = row.etag  # our own write, whose answer was lost
                    else:
                        self.lost = True
                else:
                    return
        raise LeaseLost("Another one holds this lease now.", on=self.name, after=5.0)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """Renew it while the block runs, and break the block off when the lease's time is over; raises LeaseLost."""
        broken: list[BaseException] = []
        try:
            async with asyncio.timeout_at(self._ends_at()) as self._bound:
                renewals = asyncio.create_task(self._renew_again_and_again())
                try:
                    yield
                finally:
                    renewals.cancel()
                    ended = await asyncio.gather(renewals, return_exceptions=True)
                    broken = [one for one in ended if isinstance(one, BaseException)]
        except TimeoutError as error:
            if self._bound is None or not self._bound.expired():
                raise
            for one in broken:
                if not isinstance(one, asyncio.CancelledError):
                    raise one from None
            raise LeaseLost("The lease's time was over before the work was done.", on=self.name, after=5.0) from error
        finally:
            self._bound = None

    async def _renew_again_and_again(self) -> None:
        while self._given_back or not self.lost:
            due = RENEW_EVERY if self._given_back else self._since + RENEW_EVERY - _now()
            await self._clock.sleep(max(due, _SOON))
            if self._given_back:
                continue  # until it is taken again: what the block does meanwhile, it does without the lease
            try:
                async with asyncio.timeout(RENEW_EVERY):
                    await self.keep()
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                if not isinstance(error, AutopilotError | TimeoutError) or isinstance(error, LeaseLost):
                    self._break_off()  # without renewals there is no more work
                    raise
                log.warning("lease %s not renewed: %r", self.name, error)
                await self._clock.sleep(_TRY_AGAIN)

    def _break_off(self) -> None:
        if self._bound is not None and not self._bound.expired():
            self._bound.reschedule(_now())

    async def give_back(self) -> None:
        """Let it go, and store the document if there is one. Raises LostRace where another one has it."""
        async with self._turn:
            self.lost = self._given_back = True
            if self._bound is not None and not self._bound.expired():
                self._bound.reschedule(None)
            row = ControlRow(self.name, self.document, self._etag)
            await (self._table.put(row) if self.document else self._table.delete(row))

    async def take_again(self) -> bool:
        """Take it a moment after it was given back; False: another one was quicker."""
        async with self._turn:
            self._etag = None
            try:
                await self.write()
            except LostRace:
                return False
            self.lost = self._given_back = False
            return True

    async def write(self) -> None:
        """Store it as it would be from now on, over the version that was read; raises LostRace."""
        sent = _now()
        document = {**self.document, "holder": self.holder}
        self._etag = (await self._table.put(ControlRow(self.name, document, self._etag))).etag
        self._since = sent
        if self._bound is not None and not self._bound.expired():
            self._bound.reschedule(self._ends_at())

    def _ends_at(self) -> float:
        return self._since + LASTING - MARGIN


@asynccontextmanager
async def lease(table: ControlTable, clock: Clock, name: str, *, holder: str) -> AsyncIterator[HeldLease | None]:
    """Hold what only one may hold at a time; None: another one holds it, or was quicker.

    Renewed while the block runs, and given back at its end. Raises what the storage raises when it is taken, and
    LeaseLost where the block is broken off because the lease could not be renewed.
    """
    held = await _taken(table, clock, name, holder)
    if held is None:
        yield None
        return
    try:
        async with held.renewing():
            yield held
    finally:
        try:
            await held.give_back()
        except AutopilotError as error:
            log.warning("lease %s was not given back, it will expire: %s", name, error)


async def _taken(table: ControlTable, clock: Clock, name: str, holder: str) -> HeldLease | None:
    for _ in range(2):  # where our own write's answer was lost, a second look finds it ours
        with suppress(LostRace):
            found = await take(table, clock, name, holder=holder)
            return found if isinstance(found, HeldLease) else None
    return None


async def take(table: ControlTable, clock: Clock, name: str, *, holder: str) -> HeldLease | Holder:
    """Take a lease, or say who has it.

    Raises LostRace: another one was quicker, or it is taken and the answer was lost; taking it once more tells which.
    """
    look = await table.look(name)
    row = look.row or ControlRow(name)
    present = holder_in(row, look.read_at)
    others = present is not None and present.name != holder
    if present is not None and others and present.seconds_left > 0:
        return present
    held = HeldLease(table, clock, name, holder, row.etag, _document(row), taken_over=others)
    await held.write()
    return held


def holder_in(row: ControlRow, read_at: datetime | None) -> Holder | None:
    """Who has the lease that stands in a row, or had it when it died."""
    name = _holder_name(row)
    if name is None:
        return None
    age = age_of(row, read_at)
    return Holder(name, LASTING if age is None else min(LASTING, LASTING - age.total_seconds()))


def age_of(row: ControlRow, read_at: datetime | None) -> timedelta | None:
    """How long ago a row was written when it was read, by the service alone; None where it did not tell."""
    return None if row.written_at is None or read_at is None else read_at - row.written_at


async def holder_of(table: ControlTable, name: str) -> Holder | None:
    """Who has a lease, or had it when it died."""
    row, read_at = await table.look(name)
    return None if row is None else holder_in(row, read_at)


def _holder_name(row: ControlRow) -> str | None:
    """The holder; a row that is damaged has one that is not known; None: only a document is left there."""
    try:
        return understood(row, lambda document: str(document["holder"]) if "holder" in document else None)
    except DamagedRow:
        return ""


def _document(row: ControlRow) -> dict[str, Any]:
    def rest(document: Document) -> dict[str, Any]:
        return {key: value for key, value in document.items() if key != "holder"}

    with suppress(DamagedRow):
        return understood(row, rest)
    return {}


def _now() -> float:
    return asyncio.get_running_loop().time()
