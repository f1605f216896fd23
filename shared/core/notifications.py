"""Which events tell what becomes of a connection, and of the Elastic Cloud API key. Pure; used by `shared.notify`.

Nothing here compares "before" with "after": what a connection is now is compared with what was last told, so a run that
died in between takes nothing with it. docs/notifications.md is for receivers; `docs/notifications.schema.json` is held
to what is made here by a test.

* The first state worth telling, and a removal, are told at once.
* Any later change is told once it has lasted (`lasting`): what comes and goes in between is not.
* Of what was never told, no end is told.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.core.conditions import READY, Phase
from shared.core.connection import Connection
from shared.core.notices import Notice, Notices

MOST_WAITING = 20
"""Events of one connection in its outbox; past that the oldest is dropped."""

KEY_DAYS = (0, 3, 14)
"""Days that are left of the API key when they are told; 0: it has expired."""

_TEXT = 500
"""Characters of a free text in an event."""


class Type(StrEnum):
    """Every type of event."""

    READY = "ElasticPrivateLink.ConnectionReady"
    DEGRADED = "ElasticPrivateLink.ConnectionDegraded"
    BLOCKED = "ElasticPrivateLink.ConnectionBlocked"
    REMOVING = "ElasticPrivateLink.ConnectionRemoving"
    REMOVED = "ElasticPrivateLink.ConnectionRemoved"
    KEY_EXPIRING = "ElasticPrivateLink.KeyExpiring"


_TYPES = {
    Phase.READY: Type.READY,
    Phase.DEGRADED: Type.DEGRADED,
    Phase.BLOCKED: Type.BLOCKED,
    Phase.REMOVING: Type.REMOVING,
    Phase.REMOVED: Type.REMOVED,
}
_GONE = {Phase.REMOVING, Phase.REMOVED}


def note(connection: Connection, now: datetime, *, lasting: timedelta, correlation_id: str) -> Connection:
    """The record with the event of its present state in the outbox, if that is to be told now."""
    notices, state = connection.notices, _state(connection)
    if not state or state == notices.told:
        return replace(connection, notices=replace(notices, turned="", turned_at=None))
    since = notices.turned_at if notices.turned == state and notices.turned_at else now
    told_phase = notices.told.partition(" ")[0]
    at_once = not told_phase or connection.phase in _GONE or told_phase in _GONE
    if not at_once and now - since < lasting:
        return replace(connection, notices=replace(notices, turned=state, turned_at=since))
    number = notices.number + 1
    notice = Notice(
        id=_id(connection.id, number, state, since.isoformat()),
        type=_TYPES[connection.phase],
        subject=connection.endpoint_id,
        time=since,
        data=_data(connection, number, told_phase, correlation_id),
    )
    outbox = (*notices.outbox, notice)[-MOST_WAITING:]
    return replace(connection, notices=Notices(told=state, number=number, outbox=outbox))


def _state(connection: Connection) -> str:
    """What is compared with what was told; empty when the phase is none to tell."""
    phase = connection.phase
    if phase not in _TYPES or (phase in _GONE and not connection.notices.told):
        return ""
    if phase is not Phase.BLOCKED:
        return str(phase)
    # Another reason asks somebody for something else. The reasons of Degraded come and go by themselves.
    ready = connection.condition(READY)
    return f"{phase} {ready.reason if ready else ''}"


def _data(connection: Connection, number: int, told_phase: str, correlation_id: str) -> dict[str, Any]:
    ready = connection.condition(READY)
    return {
        "connection": connection.id,
        "endpoint": connection.endpoint_id,
        "name": connection.name,
        "region": connection.region,
        "phase": str(connection.phase),
        "previousPhase": told_phase or None,
        "reason": ready.reason if ready else "",
        "message": ready.message[:_TEXT] if ready else "",
        "nextStep": ready.next_step[:_TEXT] if ready else "",
        "sequence": number,
        "correlationId": correlation_id,
    }


def sent(notices: Notices, ids: frozenset[str]) -> Notices:
    """The same once the topic has taken these events."""
    return replace(notices, outbox=tuple(notice for notice in notices.outbox if notice.id not in ids))


# -- the API key ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyMemory:
    """What was told of an organization's API key."""

    expires_at: datetime
    told: int
    """The days of `KEY_DAYS` that were told last."""


@dataclass(frozen=True, slots=True)
class KeyNotices:
    """What was told of all API keys, and what waits to be sent."""

    keys: Mapping[str, KeyMemory] = field(default_factory=dict)
    """By organization."""
    outbox: tuple[Notice, ...] = ()


def note_key(
    memory: KeyNotices, organization: str, expires_at: datetime, now: datetime, correlation_id: str
) -> KeyNotices:
    """The memory with the event of a key's approaching end in the outbox, if that is to be told now."""
    left = (expires_at - now) / timedelta(days=1)
    due = next((days for days in KEY_DAYS if left <= days), None)
    known = memory.keys.get(organization)
    told = known.told if known is not None and known.expires_at == expires_at else math.inf
    if due is None or due >= told:
        return memory
    notice = Notice(
        id=_id("key", organization, expires_at.isoformat(), due),
        type=Type.KEY_EXPIRING,
        subject=f"/elasticApiKeys/{organization}",
        time=now,
        data={
            "organization": organization,
            "expiresAt": expires_at.isoformat(),
            "daysLeft": max(0, math.floor(left)),
            "nextStep": "Make a new API key in Elastic Cloud and store it where ELASTIC_API_KEY comes from.",
            "correlationId": correlation_id,
        },
    )
    keys = {**memory.keys, organization: KeyMemory(expires_at, due)}
    return KeyNotices(keys, (*memory.outbox, notice)[-MOST_WAITING:])


def _id(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
