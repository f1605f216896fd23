"""One writer per connection at a time: a lease with an expiry, and what is left for its holder. Used by the loop.

The lease itself is that of `state.control`, as sweeps have it: its time is the storage service's. A connection's own is
that its row is fenced, that work which arrives meanwhile is not lost, and that a holder which dies is followed.

    free ──acquire──▶ held ──finish──▶ free          acquire while held: pending := true, Busy
                       │ ▲
                       └─┘ finish while pending: pending := false, the holder runs once more

Two rows of table `control` belong to a connection. `lease-<id>` is written only by the holder and by the one that takes
it over; it is there while the lease is held. `word-<id>` is what others leave for the holder.

* Every write is conditional on an ETag, so no worker ever overwrites another one's row, even when clocks differ.
* The one that takes over an expired lease first rewrites the connection's row: the former holder's ETag is stale then.
  So a holder that writes with an ETag of its own time writes only while no other one has begun. One that must read
  the ETag anew, since the row was written meanwhile, renews its lease after that read and before its write.
* Work that arrives while the lease is held is not lost and does not pile up: it sets `pending` and goes. The holder
  lets go and only then looks at it, the other one leaves its word and only then looks at the lease: one of them sees
  the other.
* A holder that crashes leaves its lease to expire. A run that found it busy has put one *guard message* on the queue,
  due just after the expiry. `guard_at` says when the last one is due, by the storage service's time, and no second one
  is sent before that. When it comes and the holder has renewed its lease meanwhile, it is replaced by a new one.
* A word that cannot be understood is work that no guard message tells of.
* A lease belongs to one `acquire`, not to a process: two runs in one process exclude each other too.
"""

from __future__ import annotations

import logging
import random
import secrets
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.core.model.errors import AutopilotError, LostRace, RetryLater
from shared.core.model.record_parts import QueuedMessage
from shared.state.codec import holding
from shared.state.control import (
    LASTING,
    DamagedRow,
    Document,
    HeldLease,
    Holder,
    age_of,
    holder_in,
    holder_of,
    take,
    understood,
)
from shared.state.rows import ControlRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.clock import Clock
    from shared.core.model.record import ConnectionRecord
    from shared.state.ports import ConnectionTable, ControlTable, WorkQueue
    from shared.state.rows import ConnectionRow

log = logging.getLogger("privatelink.state")

_LEASE, _WORD = "lease-", "word-"
GUARD_AFTER = 1.0  # seconds after the expiry that the guard message is due
GUARD_DUE = 2.0  # seconds before that moment from which on it may have come: the queue has a clock of its own
_LONGEST_GUARD = LASTING + 10  # seconds: one that is due later is no message of ours, but a damaged row
TOLD_MAX = 20  # things that are told in full to one holder
TRIES = 8  # lost races in a row before the work goes back to the queue


@dataclass(frozen=True, slots=True)
class Busy:
    """Another run holds the lease. It knows that there is more to do; nothing is left to do here."""

    seconds_left: float
    """Seconds until the lease is over unless it is renewed."""


@dataclass(frozen=True, slots=True)
class _Word:
    """The row `word-<id>`: what is left for the holder. `guard_at`: when the last guard is due, service time."""

    pending: bool = False
    guard_at: datetime | None = None
    guard: QueuedMessage | None = None
    """That message in the queue, if it is known."""
    told: frozenset[str] = frozenset()
    """What the work that waits has to say by itself, beside that there is some."""

    def row(self, connection_id: str, etag: str | None) -> ControlRow:
        document: dict[str, object] = {
            "pending": self.pending,
            "guardAt": self.guard_at.isoformat() if self.guard_at else None,
        }
        if self.told:
            document["told"] = sorted(self.told)
        if self.guard is not None:
            document |= {"guardId": self.guard.id, "guardReceipt": self.guard.receipt}
        return ControlRow(_word_name(connection_id), document, etag)


def _word_of(document: Document) -> _Word:
    guard_at, guard_id = document["guardAt"], document.get("guardId")
    guard = QueuedMessage(str(guard_id), str(document.get("guardReceipt"))) if guard_id else None
    due = datetime.fromisoformat(guard_at) if guard_at else None
    return _Word(bool(document["pending"]), due, guard, frozenset(map(str, document.get("told") or ())))


def _word_in(row: ControlRow) -> _Word:
    try:
        return understood(row, _word_of)
    except DamagedRow as error:
        log.warning("taken for work that waits: %s", error)
        return _Word(pending=True)


@dataclass(frozen=True, slots=True)
class _Tools:
    """What `Leases` and `Held` share."""

    connections: ConnectionTable
    control: ControlTable
    queue: WorkQueue
    clock: Clock
    rng: random.Random

    async def word(self, connection_id: str) -> tuple[_Word, str | None, datetime]:
        """What was left, its ETag, and the service's time when it was read."""
        row, read_at = await self.control.look(_word_name(connection_id))
        return (_Word(), None, read_at) if row is None else (_word_in(row), row.etag, read_at)

    async def take_word(self, connection_id: str) -> frozenset[str]:
        """What was told with the work that was left, if any was; it is the caller's now."""
        word, etag, _ = await self.word(connection_id)
        if word.pending:
            await self.control.put(replace(word, pending=False, told=frozenset()).row(connection_id, etag))
        return word.told

    async def back_off(self, attempt: int) -> None:
        """Spread those who lost the same race."""
        await self.clock.sleep(self.rng.uniform(0.01, 0.05) * 2**attempt)


class Leases:
    """The leases on the connections of one table."""

    def __init__(
        self,
        connections: ConnectionTable,
        control: ControlTable,
        queue: WorkQueue,
        clock: Clock,
        *,
        owner_id: str,
        token: Callable[[], str] = lambda: secrets.token_hex(6),
        rng: random.Random | None = None,
    ) -> None:
        self._owner_id = owner_id
        self._token = token
        self._tools = _Tools(connections, control, queue, clock, rng or random.Random())

    async def held(self, connection_id: str) -> bool:
        """Whether a run has the lease, or had it when it died."""
        return await holder_of(self._tools.control, _lease_name(connection_id)) is not None

    async def running(self, connection_id: str) -> bool:
        """Whether a run has the lease now; one that died stops counting when its lease has expired."""
        holder = await holder_of(self._tools.control, _lease_name(connection_id))
        return holder is not None and holder.seconds_left > 0

    async def idle(self, connection_id: str) -> bool:
        """Whether no run has the lease, and no work was left for one."""
        return not await self.held(connection_id) and not (await self._tools.word(connection_id))[0].pending

    async def acquire(
        self, connection_id: str, make_row: Callable[[], ConnectionRow], guard_message: str, *, telling: str = ""
    ) -> Held | Busy:
        """Take the lease, making the connection's row if there is none; or leave word with its holder.

        `telling`: what the holder must hear of this work; the work that it leads to then has it in `Held.told`.
        """
        tools, name, fence, told = self._tools, _lease_name(connection_id), False, frozenset[str]()
        owner = f"{self._owner_id}/{self._token()}"
        for attempt in range(TRIES):
            with suppress(LostRace):
                lease = await take(tools.control, tools.clock, name, holder=owner)
                if isinstance(lease, Holder):
                    if await self._leave_word(connection_id, lease.seconds_left, guard_message, telling):
                        return Busy(lease.seconds_left)
                    continue
                fence = fence or lease.taken_over
                told |= await tools.take_word(connection_id)
                row = await tools.connections.get(connection_id)
                if row is None:
                    row = await tools.connections.insert(replace(make_row(), etag=None))
                elif fence:
                    row = await tools.connections.replace(row)
                return Held(tools, row, lease, told)
            await tools.back_off(attempt)
        raise _too_many_races(connection_id)

    async def prune(self, older: timedelta) -> None:
        """Delete what is of no more use for so long: the lease of a holder that died, and a word that was heard.

        Only the version that was read is deleted, so what a run takes or writes meanwhile stays.
        """
        async for row in self._tools.control.list(_LEASE):
            with _passed_over(row):
                holder = holder_in(row, row.read_at)
                if holder is None or (holder.seconds_left <= 0 and _longer_than(row, older)):
                    await self._fence(row.name.removeprefix(_LEASE))
                    await self._tools.control.delete(row)
        async for row in self._tools.control.list(_WORD):
            with _passed_over(row):
                word = _word_in(row)
                # One whose guard message could not be sent says not since when it waits: the next run takes it.
                if _longer_than(row, older) if word.guard_at is not None else not word.pending:
                    await self._tools.control.delete(row)

    async def _fence(self, connection_id: str) -> None:
        """A run that takes a lease which is not there does not make the former holder's ETag stale: done here."""
        row = await self._tools.connections.get(connection_id)
        if row is not None:
            await self._tools.connections.replace(row)

    async def _leave_word(self, connection_id: str, seconds_left: float, guard_message: str, telling: str) -> bool:
        """Set `pending`; send a guard message unless one is on its way. Written first, so that only one sender wins.

        False: the holder has let go meanwhile, and may not have seen it.
        """
        control, delay = self._tools.control, seconds_left + GUARD_AFTER
        word, etag, now = await self._tools.word(connection_id)
        # A guard that is just about due may be the very message this call is for.
        guarded = word.guard_at is not None and GUARD_DUE < (word.guard_at - now).total_seconds() <= _LONGEST_GUARD
        told = _joined(word.told, telling)
        if not (guarded and word.pending and told == word.told):
            guard_at = word.guard_at if guarded else now + timedelta(seconds=delay)
            waiting = _Word(pending=True, guard_at=guard_at, guard=word.guard if guarded else None, told=told)
            written = await control.put(waiting.row(connection_id, etag))
            if not guarded:
                try:
                    sent = await self._tools.queue.send(guard_message, delay=delay)
                except AutopilotError:
                    # Nothing is on its way: say so, or others would rely on it. Where even that fails, it passes.
                    with suppress(AutopilotError):
                        await control.put(replace(waiting, guard_at=None).row(connection_id, written.etag))
                    raise
                # So that the holder can withdraw it; one that it does not know of does nothing when it comes.
                with suppress(AutopilotError):
                    await control.put(replace(waiting, guard=sent).row(connection_id, written.etag))
        return await self.held(connection_id)


@dataclass(slots=True)
class Held:
    """A lease that was taken. One run has it and calls it in turn, not concurrently."""

    _tools: _Tools
    _row: ConnectionRow
    _lease: HeldLease
    told: frozenset[str] = frozenset()
    """What others have told with the work that they left, and that this run is to see to."""
    _discarded: bool = False

    @property
    def row(self) -> ConnectionRow:
        """The connection's row as this holder last wrote or read it."""
        return self._row

    def remaining(self) -> float:
        """Seconds in which this run may still work; none are left once the lease is over."""
        return self._lease.remaining()

    def renewing(self) -> AbstractAsyncContextManager[None]:
        """Renew the lease while the block runs, and break the block off when its time is over; raises LeaseLost."""
        return self._lease.renewing()

    async def renew(self) -> None:
        """Hold on for as long again from now; raises LeaseLost."""
        await self._lease.renew()

    async def save(self, record: ConnectionRecord) -> None:
        """Store the record, as long as the lease is ours; renews it where that was not done a moment ago."""
        await self._lease.keep()
        for attempt in range(TRIES):
            try:
                self._row = await self._tools.connections.replace(holding(self._row, record))
            except LostRace:
                await self._tools.back_off(attempt)
                await self._read_again()
                await self._lease.renew()  # after the read: what was read is of our time
            else:
                return
        raise _too_many_races(self._row.connection_id)

    async def finish(self, record: ConnectionRecord | None = None) -> bool:
        """Store the record, or leave it, and let go. True: work came meanwhile, the lease is ours again, run again."""
        if record is not None:
            await self.save(record)
        else:
            await self._lease.keep()
        with suppress(LostRace):  # taken over a moment ago: it is not ours to give
            await self._lease.give_back()
        return await self._take_back()

    async def discard(self) -> bool:
        """Delete the record, which says nothing, and let go. True: as with `finish`; the record is there again then."""
        await self._lease.keep()
        with suppress(LostRace):  # others wrote it a moment ago: it stays
            await self._tools.connections.delete(self._row)
            self._discarded = True
        with suppress(LostRace):
            await self._lease.give_back()
        return await self._take_back()

    async def _take_back(self) -> bool:
        """Take the lease again if work was left for its holder; another run that takes it first sees to that work."""
        connection_id = self._row.connection_id
        word, etag, _ = await self._tools.word(connection_id)
        if not word.pending:
            await self._withdraw_guard(word, etag)
            return False
        if not await self._lease.take_again():
            return False
        for attempt in range(TRIES):
            try:
                self.told = await self._tools.take_word(connection_id) | word.told
            except LostRace:
                await self._tools.back_off(attempt)
            else:
                break
        await self._read_again()
        return True

    async def _withdraw_guard(self, word: _Word, etag: str | None) -> None:
        """Take the guard message out of the queue: it guarded this lease, and there is none any more.

        The word is written first: who left one meanwhile relies on the guard, and then it stays.
        """
        if word.guard is None:
            return
        with suppress(AutopilotError):  # a guard that stays does nothing when it comes
            await self._tools.control.put(_Word().row(self._row.connection_id, etag))
            await self._tools.queue.withdraw(word.guard)

    async def _read_again(self) -> None:
        row = await self._tools.connections.get(self._row.connection_id)
        if row is None and self._discarded:
            row = await self._tools.connections.insert(replace(self._row, etag=None))
            self._discarded = False
        if row is None:  # a connection that was deleted is no longer ours either
            self._lease.lost = True
        else:
            self._row = row


def _joined(told: frozenset[str], telling: str) -> frozenset[str]:
    """All that was told; of too much only what it begins with, so that a row never grows too large."""
    if not telling:
        return told
    return told | {telling if len(told) < TOLD_MAX else telling.partition(":")[0]}


def _longer_than(row: ControlRow, older: timedelta) -> bool:
    age = age_of(row, row.read_at)
    return age is not None and age > older


def _lease_name(connection_id: str) -> str:
    return _LEASE + connection_id


def _word_name(connection_id: str) -> str:
    return _WORD + connection_id


@contextmanager
def _passed_over(row: ControlRow) -> Iterator[None]:
    """What cannot be deleted now, or understood at all, keeps no other row."""
    try:
        yield
    except AutopilotError as error:
        log.info("row %s of table control not deleted: %s", row.name, error)


def _too_many_races(connection_id: str) -> RetryLater:
    return RetryLater("Others keep writing this connection's rows.", on=connection_id, after=5.0)
