"""One writer per connection at a time: a lease with an expiry, kept in the connection's own row. Used by `reconcile`.

    free ──acquire──▶ held ──finish──▶ free          acquire while held: pending := true, Busy
                       │ ▲
                       └─┘ finish while pending: pending := false, the holder runs once more

* Every write is conditional on the row's ETag, so nobody ever overwrites another holder's row, whatever the clocks say.
* Work that arrives while the lease is held is not lost and does not pile up: it sets `pending` and goes; the holder's
  last write fails on the ETag, sees the flag, and the holder runs again.
* A holder that crashes leaves its lease to expire. Whoever found it busy has put one *guard message* on the queue, due
  just after the expiry. `guard_at` says when the last one is due, and no second one is sent before that. When it comes
  and the holder has renewed its lease meanwhile, it is replaced by a new one.
* Clocks differ between machines. A lease is taken over when the taker's clock has passed `lease_until`; the holder
  calls it over `SKEW` seconds earlier (`Held.remaining`) and should start nothing new then. Up to that difference two
  workers never start work at once; beyond it the ETag still protects the row: the slower one is told `LeaseLost`.
* A lease belongs to one `acquire`, not to a process: two runs in one process exclude each other too.
"""

from __future__ import annotations

import random
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.core.model.errors import AutopilotError, LeaseLost, LostRace, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.clock import Clock
    from shared.core.model.record import Connection
    from shared.state.ports import ConnectionTable, WorkQueue
    from shared.state.rows import ConnectionRow

SKEW = 10.0  # seconds that the clocks of two workers may differ; cloud machines are within one
GUARD_AFTER = 1.0  # seconds after the expiry that the guard message is due
GUARD_DUE = 2.0  # seconds before that moment from which on it may have come: the queue has a clock of its own
TRIES = 8  # lost races in a row before the work goes back to the queue


@dataclass(frozen=True, slots=True)
class Busy:
    """Another run holds the lease. It knows that there is more to do; nothing is left to do here."""

    until: datetime


@dataclass(frozen=True, slots=True)
class _Tools:
    """What `Leases` and `Held` share."""

    table: ConnectionTable
    clock: Clock
    ttl: float
    rng: random.Random

    def renewed(self, row: ConnectionRow) -> ConnectionRow:
        """The row with a lease that lasts `ttl` from now."""
        return replace(row, lease_until=self.clock.now() + timedelta(seconds=self.ttl))

    async def back_off(self, attempt: int) -> None:
        """Spread those who lost the same race."""
        await self.clock.sleep(self.rng.uniform(0.01, 0.05) * 2**attempt)


class Leases:
    """The leases on the rows of one table."""

    def __init__(
        self,
        table: ConnectionTable,
        queue: WorkQueue,
        clock: Clock,
        *,
        owner_id: str,
        ttl: float = 120.0,
        token: Callable[[], str] = lambda: secrets.token_hex(6),
        rng: random.Random | None = None,
    ) -> None:
        self._table = table
        self._queue = queue
        self._clock = clock
        self._owner_id = owner_id
        self._token = token
        self._tools = _Tools(table, clock, ttl, rng or random.Random())

    async def acquire(
        self, connection_id: str, make_row: Callable[[], ConnectionRow], guard_message: str
    ) -> Held | Busy:
        """Take the lease, making the row if there is none; or leave word with its holder."""
        owner = f"{self._owner_id}/{self._token()}"
        for attempt in range(TRIES):
            with suppress(LostRace):
                row = await self._table.get(connection_id)
                if row is None:
                    row = await self._table.insert(self._leased(replace(make_row(), etag=None), owner))
                elif row.lease_owner == owner:
                    pass  # our own write, whose answer was lost on the way
                elif (until := self._held_until(row)) is None:
                    row = await self._table.replace(self._leased(row, owner))
                else:
                    return await self._leave_word(row, until, guard_message)
                return Held(self._tools, row, owner)
            await self._tools.back_off(attempt)
        raise _too_many_races(connection_id)

    def _held_until(self, row: ConnectionRow) -> datetime | None:
        if row.lease_owner is None or row.lease_until is None or self._clock.now() >= row.lease_until:
            return None
        return row.lease_until

    def _leased(self, row: ConnectionRow, owner: str) -> ConnectionRow:
        return replace(self._tools.renewed(row), lease_owner=owner, pending=False)

    async def _leave_word(self, row: ConnectionRow, until: datetime, guard_message: str) -> Busy:
        """Set `pending`; send a guard message unless one is on its way. Written first, so that only one sender wins."""
        now = self._clock.now()
        # A guard that is just about due may be the very message this call is for.
        guarded = row.guard_at is not None and now + timedelta(seconds=GUARD_DUE) < row.guard_at
        if guarded and row.pending:
            return Busy(until)
        guard_at = row.guard_at if guarded else until + timedelta(seconds=GUARD_AFTER)
        written = await self._table.replace(replace(row, pending=True, guard_at=guard_at))
        if not guarded and guard_at is not None:
            try:
                await self._queue.send(guard_message, delay=(guard_at - now).total_seconds())
            except AutopilotError:
                # Nothing is on its way: say so, or others would rely on it. Where even that fails, `guard_at` passes.
                with suppress(AutopilotError):
                    await self._table.replace(replace(written, guard_at=None))
                raise
        return Busy(until)


class Held:
    """A lease that was taken. One run has it and calls it in turn, not concurrently."""

    def __init__(self, tools: _Tools, row: ConnectionRow, owner: str) -> None:
        self._tools = tools
        self._row = row
        self._owner = owner

    @property
    def row(self) -> ConnectionRow:
        """The row as this holder last wrote or read it."""
        return self._row

    def remaining(self) -> float:
        """Seconds in which new work may still be started; negative once the lease counts as over."""
        if self._row.lease_owner != self._owner or self._row.lease_until is None:
            return 0.0
        return (self._row.lease_until - self._tools.clock.now()).total_seconds() - SKEW

    async def save(self, record: Connection) -> None:
        """Store the record; renews the lease with the same write."""
        await self._write(lambda row: self._tools.renewed(row.holding(record)))

    async def renew(self) -> None:
        """Hold on for another `ttl` seconds."""
        await self._write(self._tools.renewed)

    async def finish(self, record: Connection | None = None) -> bool:
        """Store the record, or leave it, and let go. True: work came meanwhile, the lease is kept, run again."""

        def closed(row: ConnectionRow) -> ConnectionRow:
            final = row if record is None else row.holding(record)
            if row.pending:
                return replace(self._tools.renewed(final), pending=False)
            return replace(final, lease_owner=None, lease_until=None)

        await self._write(closed)
        return self._row.lease_owner is not None

    async def _write(self, change: Callable[[ConnectionRow], ConnectionRow]) -> None:
        """Apply `change` to the row as it is now, as long as it is ours."""
        for attempt in range(TRIES):
            if self._row.lease_owner != self._owner:
                break
            try:
                self._row = await self._tools.table.replace(change(self._row))
            except LostRace:
                await self._tools.back_off(attempt)
                await self._read_again()
            else:
                return
        else:
            raise _too_many_races(self._row.connection_id)
        raise LeaseLost("Another run holds the lease on this connection now.", on=self._row.connection_id, after=5.0)

    async def _read_again(self) -> None:
        row = await self._tools.table.get(self._row.connection_id)
        # A row that was deleted is no longer ours either.
        self._row = row if row is not None else replace(self._row, lease_owner=None, etag=None)


def _too_many_races(connection_id: str) -> RetryLater:
    return RetryLater("Others keep writing this connection's row.", on=connection_id, after=5.0)
