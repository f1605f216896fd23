"""Old rows of all tables are deleted here, by one list of table, age and exception. Called by `sweep`.

Diaries are pruned once a day for each connection, at a minute of its own, so that no sweep prunes all. Whether a
record goes, the record itself tells, so each sweep looks. What is listed for the whole installation is so once a day.
What others write meanwhile stays; what cannot be deleted now stays until the next time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32

from shared.context import Context, log
from shared.core.guards.first_and_last_policy import ROW_KEPT, TARGET_ROWS
from shared.core.model import conditions as c
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.installation import decided, operations, things
from shared.installation.last_sweep import instant_in, recall
from shared.settings import Settings
from shared.sweep.records import StoredRecord

_MINUTES_OF_A_DAY = 24 * 60
_INSTALLATION = "installation"
"""In place of a connection's id: what is of no connection has its turn too."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long the rows of a table are kept, and which of them stay longer."""

    table: str
    days: Callable[[Settings], int]
    exception: str
    delete: Callable[[Context, StoredRecord, datetime], Awaitable[None]] | None = None
    """Delete what is older than a moment, of one connection."""
    delete_all: Callable[[Context, datetime], Awaitable[None]] | None = None
    """The same for the whole installation."""
    daily: bool = True
    """Looked at once a day, because it takes a request to find out; else by each sweep."""


async def _journal(context: Context, stored: StoredRecord, oldest: datetime) -> None:
    await context.storage.journal.prune(stored.record.id, oldest)


async def _checks(context: Context, stored: StoredRecord, oldest: datetime) -> None:
    await context.storage.checks.prune(stored.record.id, oldest)


async def _hosts(context: Context, stored: StoredRecord, oldest: datetime) -> None:
    del oldest  # as long as something is tested, the tests themselves delete what is tested no more
    if stored.record.status.phase in {Phase.REMOVED, Phase.IGNORED}:
        hosts, name = context.storage.hosts, stored.record.id
        await hosts.write(name, (), [row async for row in hosts.list(name)])


async def _connection(context: Context, stored: StoredRecord, oldest: datetime) -> None:
    if _long_removed(stored.record, oldest):
        await context.storage.connections.delete(stored.row)


async def _control(context: Context, oldest: datetime) -> None:
    del oldest  # a worker's clock: leases know the storage service's time only
    await context.leases.prune(timedelta(days=1))
    await decided.prune(context)
    await operations.prune(context)
    await _targets(context)


async def _targets(context: Context) -> None:
    """Notes of targets that no request was noted for, and no look taken of, for long."""
    async for row in context.storage.control.list(TARGET_ROWS):
        if row.read_at is not None and row.written_at is not None and row.read_at - row.written_at > ROW_KEPT:
            with suppress(AutopilotError):  # it is looked at again tomorrow
                await context.storage.control.delete(row)


async def _things(context: Context, oldest: datetime) -> None:
    await things.prune(context, oldest)


RULES = (
    Rule("journal", lambda settings: settings.timing.journal_days, "none", _journal),
    Rule("checks", lambda settings: settings.timing.checks_days, "none", _checks),
    Rule("hosts", lambda _: 1, "all but those of connections that are removed or out of scope", _hosts),
    Rule(
        "connections",
        lambda settings: settings.timing.journal_days,
        "all that are not removed; of those that are, what is retained or has something left to tell: the endpoint's "
        "tag, which asked for it, went with the endpoint, and without the record the markers alone would speak",
        _connection,
        daily=False,
    ),
    Rule(
        "control",
        lambda _: 1,
        "all but what runs leave: of those, leases that are held or ended since, words whose guard message is due or "
        "was due since, and work that no guard message tells of, which the next run takes; of what people decided on a "
        "connection, and of what they asked for, what is not a week old, of the notes of a target, what was written "
        "within 30 days; the others "
        "are one row for each name, written over and over",
        delete_all=_control,
    ),
    Rule(
        "things",
        lambda _: 1,
        "all whose thing is there, and all of connections that have a record; a row goes with "
        "its thing, so this finds what a worker that died has left",
        delete_all=_things,
    ),
)
"""Every table has a line."""


async def delete_old_rows(context: Context, stored: Iterable[StoredRecord]) -> None:
    """Delete what is past its age: of diaries, where the connection's turn has come since the last sweep."""
    now = context.clock.now()
    last = await _last_sweep(context)
    for one in stored:
        connection_id = one.record.id
        turn = last is not None and _day(connection_id, last) != _day(connection_id, now)
        await _of_connection(context, one, now, [rule for rule in RULES if turn or not rule.daily])
    if last is not None and _day(_INSTALLATION, last) != _day(_INSTALLATION, now):
        await _of_installation(context, now)


async def _of_installation(context: Context, now: datetime) -> None:
    for rule in RULES:
        if rule.delete_all is None:
            continue
        try:
            await rule.delete_all(context, now - timedelta(days=rule.days(context.settings)))
        except AutopilotError as error:
            log.info("old rows of %s not deleted: %s", rule.table, error)


async def _of_connection(context: Context, stored: StoredRecord, now: datetime, rules: Iterable[Rule]) -> None:
    for rule in rules:
        if rule.delete is None:
            continue
        try:
            await rule.delete(context, stored, now - timedelta(days=rule.days(context.settings)))
        except AutopilotError as error:
            log.info("old rows of %s of connection %s not deleted: %s", rule.table, stored.record.id, error)


async def _last_sweep(context: Context) -> datetime | None:
    """When the sweep before this one ended; None: there was none, or its row cannot be read."""
    try:
        return instant_in(await recall(context), "at")
    except AutopilotError as error:
        log.info("nothing that has its turn once a day is pruned by this sweep: %s", error)
        return None


def _day(connection_id: str, moment: datetime) -> date:
    """The connection's own day, which begins at another minute than that of others."""
    return (moment + timedelta(minutes=crc32(connection_id.encode()) % _MINUTES_OF_A_DAY)).date()


def _long_removed(connection: ConnectionRecord, oldest: datetime) -> bool:
    """Settled, long ago, nothing of it retained, and nothing about it still to be told."""
    removed = connection.condition(c.REMOVED)
    if (
        removed is None
        or not removed.true
        or connection.status.phase is not Phase.REMOVED
        or connection.notifications.outbox
    ):
        return False
    return removed.reason is not Reason.RETAINED and removed.since is not None and removed.since < oldest
