"""Notifications: stored with what they tell, sent afterwards, forgotten once the topic has taken them.

    run ends ─▶ recorded ─▶ stored with the record ─▶ lease let go ─▶ deliver ─▶ taken out of the record
    sweep    ─▶ after_sweep: what was left, what has lasted long enough, API keys that come to their end

At least once: if the process dies in between, the event is in the record until it was sent, and a second sending has
the same id. A topic that fails or hangs holds nothing up: sending begins when the work is done, takes `SEND_SECONDS` at
most, and after a failure only sweeps try again for `REST`. Without the setting NOTIFY_TOPIC_ENDPOINT nothing here does
anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.clock import Clock
from shared.clouds.azure.event_grid import Topic
from shared.context import Context, log
from shared.core.model.conditions import count
from shared.core.model.errors import AutopilotError, InvalidInput, LostRace
from shared.core.model.notices import Notice
from shared.core.model.record import ConnectionRecord
from shared.core.notifications.key_expiry import KeyNotices, note_keys, see_keys
from shared.core.notifications.key_expiry import from_document as key_notices_from
from shared.core.notifications.key_expiry import to_document as key_document
from shared.core.notifications.transitions import note, note_repairs, sent
from shared.state.codec import holding, record_in
from shared.state.control import OnLostRace, update
from shared.state.rows import ConnectionRow

SEND_SECONDS = 10.0
"""For one request, signing in included."""

SWEEP_SECONDS = 60.0
"""For all that one sweep sends; the next sweep comes."""

REST = timedelta(minutes=1)
"""After a failure: how long runs leave the topic alone."""

BATCH = 50
"""Events in one request: less than a megabyte even at their longest."""

KEYS = "notifications"
"""Name of the document in table `control`."""

ATTEMPTS = 3
"""At a row that others write at the same time."""


def recorded(
    context: Context, connection: ConnectionRecord, correlation_id: str, repairs: Sequence[str] = ()
) -> ConnectionRecord:
    """The record as it is to be stored: with the event of what it has become, if that is to be told now.

    `repairs`: what the run has put right, which a setting has told too.
    """
    if context.topic is None:
        return connection
    noted = _noted(context, connection, correlation_id)
    if repairs and context.settings.notify.repairs:
        noted = note_repairs(noted, repairs, context.clock.now(), correlation_id=correlation_id)
    kept = {notice.id for notice in noted.notifications.outbox}
    for notice in connection.notifications.outbox:
        if notice.id not in kept:
            log.warning("notification dropped, too many wait: %s of %s id=%s", notice.type, connection.id, notice.id)
    return noted


def _noted(context: Context, connection: ConnectionRecord, correlation_id: str) -> ConnectionRecord:
    lasting = timedelta(seconds=context.settings.notify.after_seconds)
    return note(connection, context.clock.now(), lasting=lasting, correlation_id=correlation_id)


async def deliver(context: Context, row: ConnectionRow, connection: ConnectionRecord) -> None:
    """Send what waits in a record that has just been stored as `row`; raises nothing."""
    topic, outbox = context.topic, connection.notifications.outbox
    if topic is None or not outbox or _rests(topic, context.clock.now()):
        return
    if await published(context.clock, topic, outbox):
        await _forget(context, row, outbox)


async def after_sweep(
    context: Context,
    connections: Iterable[ConnectionRecord],
    keys: Mapping[str, datetime | None],
    correlation_id: str,
) -> None:
    """Send what runs have left, and what has lasted long enough; raises nothing.

    `keys`: the end of the API key of each organization that has answered, None where it has none.
    """
    topic = context.topic
    if topic is None:
        return
    told = [c for c in connections if c.notifications.outbox or _noted(context, c, correlation_id) != c]
    try:
        async with asyncio.timeout(SWEEP_SECONDS):
            if await _tell_keys(context, topic, keys, correlation_id):
                await _tell_left_over(context, topic, told, correlation_id)
    except TimeoutError:
        log.warning("notifications are left for the next sweep for lack of time correlation=%s", correlation_id)
    except AutopilotError as error:
        log.warning("notifications are left for the next sweep: %s correlation=%s", error, correlation_id)


# -- sending -------------------------------------------------------------------------------------------------------


def _rests(topic: Topic, now: datetime) -> bool:
    return topic.rests_until is not None and now < topic.rests_until


async def published(clock: Clock, topic: Topic, notices: Sequence[Notice]) -> bool:
    """Whether the topic has taken them all."""
    started, error = time.monotonic(), ""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await topic.publish(notices)
    except TimeoutError:
        error = f"No answer within {SEND_SECONDS:.0f} s."
    except AutopilotError as refused:
        error = str(refused)
    except Exception as bug:  # noqa: BLE001 - see below
        # The work is done and stored: nothing about telling it may have it done again.
        log.exception("notifications could not be sent")
        error = type(bug).__name__
    topic.rests_until = clock.now() + REST if error else None
    if error:
        log.warning("%s not sent, kept: %s", count(len(notices), "notification"), error)
    telemetry.notifications_sent(len(notices), error, round((time.monotonic() - started) * 1000))
    return not error


async def _forget(context: Context, row: ConnectionRow, notices: Sequence[Notice]) -> None:
    """Take what was sent out of the record. Where that fails it is sent again: receivers know the id."""
    ids, table = frozenset(notice.id for notice in notices), context.storage.connections
    for _ in range(ATTEMPTS):
        try:
            await table.replace(holding(row, sent(record_in(row), ids)))
        except LostRace:
            again = await _read(context, row.connection_id)
            if again is None:
                return
            row = again
        except AutopilotError as error:
            log.warning("sent notifications of %s stay in its record: %s", row.connection_id, error)
            return
        else:
            return


async def _read(context: Context, connection_id: str) -> ConnectionRow | None:
    """A row that no run holds: a run that holds it would write over it, and sends by itself when it ends."""
    try:
        running, row = await context.leases.running(connection_id), await context.storage.connections.get(connection_id)
    except AutopilotError as error:
        log.warning("record of %s not read for its notifications: %s", connection_id, error)
        return None
    return None if running else row


# -- what the sweep sends ------------------------------------------------------------------------------------------


async def _tell_left_over(
    context: Context, topic: Topic, connections: Sequence[ConnectionRecord], correlation_id: str
) -> None:
    """In batches of whole outboxes, so that each connection's events stay in order; ends with the first failure."""
    batch: list[tuple[ConnectionRow, tuple[Notice, ...]]] = []
    for number, connection in enumerate(connections, 1):
        found = await _stored(context, connection, correlation_id)
        if found is not None:
            batch.append(found)
        full = sum(len(outbox) for _, outbox in batch) > BATCH // 2
        if batch and (full or number == len(connections)):
            if not await published(context.clock, topic, [notice for _, outbox in batch for notice in outbox]):
                return
            await asyncio.gather(*(_forget(context, row, outbox) for row, outbox in batch))
            batch = []


async def _stored(
    context: Context, connection: ConnectionRecord, correlation_id: str
) -> tuple[ConnectionRow, tuple[Notice, ...]] | None:
    """A record as it is now, with the event that is due stored in it; None if there is nothing to send."""
    row = await _read(context, connection.id)
    if row is None:
        return None
    try:
        present = record_in(row)
    except InvalidInput as error:  # the sweep has read it a moment ago
        log.warning("notifications of %s are not sent: %s", connection.id, error)
        return None
    noted = recorded(context, present, correlation_id)
    if noted != present:
        try:
            row = await context.storage.connections.replace(holding(row, noted))
        except AutopilotError as error:
            log.info("record of %s changed meanwhile, its notifications wait: %s", connection.id, error)
            return None
    return (row, noted.notifications.outbox) if noted.notifications.outbox else None


async def _tell_keys(context: Context, topic: Topic, keys: Mapping[str, datetime | None], correlation_id: str) -> bool:
    """Tell the approaching end of API keys; False when the topic took nothing."""
    noted = KeyNotices()

    def seen(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal noted
        memory = KeyNotices() if document is None else key_notices_from(document)
        known = see_keys(memory, keys, set(context.elastic.names))
        noted = note_keys(known, context.clock.now(), correlation_id)
        return document if noted == memory else key_document(noted)

    await update(context.storage.control, context.clock, KEYS, seen, lost=OnLostRace.RAISE, mend=True)
    if not noted.outbox:
        return True
    if not await published(context.clock, topic, noted.outbox):
        return False
    told = key_document(replace(noted, outbox=()))
    await update(context.storage.control, context.clock, KEYS, lambda _: told, lost=OnLostRace.RAISE)
    return True
