"""The last sweep and what it cost, kept in table `control`: written by each sweep at its end, read by the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.context import Context, log
from shared.core.model.errors import AutopilotError
from shared.core.model.json_values import stored_instant
from shared.state.control import DamagedRow, OnLostRace, understood, update

DOCUMENT = "sweep"


async def remember(context: Context, told: Mapping[str, Any], behind_since: datetime | None = None) -> None:
    """Keep what the sweep has told in its log line, with its end and that of the one before. Never fails the sweep.

    `behind_since`: since when sweeps in a row have found the queue behind; None: this one has not.
    """
    document = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
    now = context.clock.now().isoformat()

    def kept(before: Mapping[str, Any] | None) -> Mapping[str, Any]:
        behind = behind_since.isoformat() if behind_since else None
        return {**document, "at": now, "previousAt": before.get("at") if before else None, "behindSince": behind}

    try:
        await update(context.storage.control, context.clock, DOCUMENT, kept, lost=OnLostRace.SKIP, mend=True)
    except AutopilotError as error:
        log.info("this sweep is not remembered: %s", error)


async def recall(context: Context) -> Mapping[str, Any] | None:
    """What the last sweep told; None before the first one. Raises what the storage raises.

    A row that is damaged tells nothing: the next sweep writes it anew.
    """
    row = await context.storage.control.get(DOCUMENT)
    try:
        return None if row is None else understood(row, dict)
    except DamagedRow as error:
        log.warning("the last sweep is not known: %s", error)
        return None


def instant_in(told: Mapping[str, Any] | None, name: str) -> datetime | None:
    """An instant that the last sweep told; None where it told none that can be one."""
    try:
        return stored_instant((told or {})[name])
    except (KeyError, ValueError):
        return None
