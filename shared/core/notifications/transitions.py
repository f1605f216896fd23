"""Which events tell what becomes of a connection, and when. Pure; used by `shared.notifications.outbox`.

Nothing here compares "before" with "after": what a connection is now is compared with what was last told, so a run that
died in between takes nothing with it. `docs/notifications.md` is for receivers; tests hold its JSON Schema to what is
made here.

* The first state worth telling, and a removal, are told at once.
* Any later change is told once it has lasted (`lasting`): what comes and goes in between is not.
* Of what was never told, no end is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.model.conditions import READY, Phase
from shared.core.model.json_names import named
from shared.core.model.notices import ConnectionData, Notice, NotificationState, Type, notice_id
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord

MOST_WAITING = 20
"""Events of one connection in its outbox; past that the oldest is dropped."""

_TEXT = 500
"""Characters of a free text in an event."""

_TYPES = {
    Phase.READY: Type.READY,
    Phase.DEGRADED: Type.DEGRADED,
    Phase.BLOCKED: Type.BLOCKED,
    Phase.REMOVING: Type.REMOVING,
    Phase.REMOVED: Type.REMOVED,
}
_GONE = {Phase.REMOVING, Phase.REMOVED}


def note(connection: ConnectionRecord, now: datetime, *, lasting: timedelta, correlation_id: str) -> ConnectionRecord:
    """The record with the event of its present state in the outbox, if that is to be told now."""
    notices, state = connection.notifications, _state(connection)
    if not state or state == notices.last_sent:
        return replace(connection, notifications=replace(notices, pending="", pending_since=None))
    since = notices.pending_since if notices.pending == state and notices.pending_since else now
    told_phase = notices.last_sent.partition(" ")[0]
    at_once = not told_phase or connection.status.phase in _GONE or told_phase in _GONE
    if not at_once and now - since < lasting:
        return replace(connection, notifications=replace(notices, pending=state, pending_since=since))
    number = notices.number + 1
    notice = Notice(
        id=notice_id(connection.id, number, state, since.isoformat()),
        type=_TYPES[connection.status.phase],
        subject=connection.endpoint_id,
        time=since,
        data=_data(connection, number, told_phase, correlation_id),
    )
    outbox = (*notices.outbox, notice)[-MOST_WAITING:]
    return replace(connection, notifications=NotificationState(last_sent=state, number=number, outbox=outbox))


def note_repairs(
    connection: ConnectionRecord, repairs: Sequence[str], now: datetime, *, correlation_id: str
) -> ConnectionRecord:
    """The record with the event of what a run has put right in the outbox."""
    notices = connection.notifications
    number = notices.number + 1
    told = {"reason": str(Reason.RESTORED_AGAIN), "message": " ".join(repairs)[:_TEXT]}
    notice = Notice(
        id=notice_id(connection.id, number, "repaired", now.isoformat()),
        type=Type.REPAIRED,
        subject=connection.endpoint_id,
        time=now,
        data={**_data(connection, number, notices.last_sent.partition(" ")[0], correlation_id), **told},
    )
    outbox = (*notices.outbox, notice)[-MOST_WAITING:]
    return replace(connection, notifications=replace(notices, number=number, outbox=outbox))


def _state(connection: ConnectionRecord) -> str:
    """What is compared with what was told; empty when the phase is none to tell."""
    phase = connection.status.phase
    ready = connection.condition(READY)
    if ready is not None and ready.reason is Reason.AWAITING_EARLIER_REQUEST:
        return ""  # it ends by itself within minutes, and no person can do anything about it
    if phase not in _TYPES or (phase in _GONE and not connection.notifications.last_sent):
        return ""
    if phase is not Phase.BLOCKED:
        return str(phase)
    # Another reason has another next step. The reasons of Degraded come and go by themselves.
    return f"{phase} {ready.reason if ready else ''}"


def _data(connection: ConnectionRecord, number: int, told_phase: str, correlation_id: str) -> Mapping[str, Any]:
    ready = connection.condition(READY)
    data = ConnectionData(
        connection=connection.id,
        endpoint=connection.endpoint_id,
        name=connection.identity.name,
        family=str(connection.identity.family) if connection.identity.region else "",
        region=connection.identity.region,
        phase=str(connection.status.phase),
        previous_phase=told_phase or None,
        reason=ready.reason if ready else "",
        message=ready.message[:_TEXT] if ready else "",
        next_step=ready.next_step[:_TEXT] if ready else "",
        sequence=number,
        correlation_id=correlation_id,
    )
    return named(data)


def sent(connection: ConnectionRecord, ids: frozenset[str]) -> ConnectionRecord:
    """The record once the topic has taken these events."""
    left = tuple(notice for notice in connection.notifications.outbox if notice.id not in ids)
    return replace(connection, notifications=replace(connection.notifications, outbox=left))
