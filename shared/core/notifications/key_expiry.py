"""Which events tell that an Elastic Cloud API key comes to its end, and their document in table `control`.

Pure; used by `shared.notifications.outbox` at the end of each sweep. Each of `DAYS` is told once for each key.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.model.json_names import named
from shared.core.model.json_values import stored_instant
from shared.core.model.notices import KeyData, Notice, Type, notice_document, notice_id, stored_notice

DAYS = (0, 3, 14)
"""Days that are left when they are told; 0: the key has expired."""


@dataclass(frozen=True, slots=True)
class KeyMemory:
    """An organization's API key."""

    expires_at: datetime
    """As Elastic Cloud last said; an expired key gets no answer that would say so again."""
    told: int | None = None
    """The one of `DAYS` that was told last."""


@dataclass(frozen=True, slots=True)
class KeyNotices:
    """What is known and was told of all API keys, and what waits to be sent."""

    keys: Mapping[str, KeyMemory] = field(default_factory=dict)
    """By organization."""
    outbox: tuple[Notice, ...] = ()


def see_keys(memory: KeyNotices, seen: Mapping[str, datetime | None], organizations: Collection[str]) -> KeyNotices:
    """The memory after Elastic Cloud has answered: the end of each key that it answered to; None: it has none.

    Of organizations that the settings do not have any more nothing is known, and nothing is told.
    """
    keys = {name: known for name, known in memory.keys.items() if name not in seen and name in organizations}
    outbox = tuple(notice for notice in memory.outbox if notice.data.get("organization") in organizations)
    for name, expires_at in seen.items():
        if expires_at is not None:
            known = memory.keys.get(name)
            keys[name] = known if known and known.expires_at == expires_at else KeyMemory(expires_at)
    return replace(memory, keys=keys, outbox=outbox)


def note_keys(memory: KeyNotices, now: datetime, correlation_id: str) -> KeyNotices:
    """The memory with an event in the outbox for each key whose end is to be told now."""
    keys, outbox = dict(memory.keys), list(memory.outbox)
    for name, known in memory.keys.items():
        left = (known.expires_at - now) / timedelta(days=1)
        due = next((days for days in DAYS if left <= days), None)
        if due is None or (known.told is not None and due >= known.told):
            continue
        keys[name] = replace(known, told=due)
        outbox.append(_notice(name, known.expires_at, due, now, correlation_id))
    return KeyNotices(keys, tuple(outbox))


def _notice(name: str, expires_at: datetime, due: int, now: datetime, correlation_id: str) -> Notice:
    data = KeyData(
        organization=name,
        expires_at=expires_at.isoformat(),
        days_left=max(0, math.floor((expires_at - now) / timedelta(days=1))),
        next_step="Create a new API key in Elastic Cloud and store it where the setting of the key comes from.",
        correlation_id=correlation_id,
    )
    return Notice(
        id=notice_id("key", name, expires_at.isoformat(), due),
        type=Type.KEY_EXPIRING,
        subject=f"/ecApiKeys/{name}",
        time=now,
        data=named(data),
    )


def to_document(memory: KeyNotices) -> dict[str, Any]:
    """The memory as JSON values."""
    return {
        "keys": {
            name: {"expiresAt": known.expires_at.isoformat(), "told": known.told} for name, known in memory.keys.items()
        },
        "outbox": [notice_document(notice) for notice in memory.outbox],
    }


def from_document(document: Mapping[str, Any]) -> KeyNotices:
    """Read it back. A damaged one counts as empty: what was told is then told again, with the same ids."""
    try:
        keys = {
            str(name): KeyMemory(stored_instant(known["expiresAt"]), _days_told(known["told"]))
            for name, known in document["keys"].items()
        }
        outbox = tuple(stored_notice(entry) for entry in document["outbox"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return KeyNotices()
    return KeyNotices(keys, outbox)


def _days_told(days: object) -> int | None:
    if days is not None and days not in DAYS:
        raise ValueError(days)
    return days
