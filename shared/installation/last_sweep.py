"""The last sweep and what it cost, kept in table `control`: written by each sweep at its end, read by the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.context import Context, log
from shared.core.model.errors import AutopilotError
from shared.state.rows import ControlRow

DOCUMENT = "sweep"


async def remember(context: Context, told: Mapping[str, Any]) -> None:
    """Keep what the sweep has told in its log line, with its end and that of the one before. Never fails the sweep."""
    document = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
    try:
        row = await context.storage.control.get(DOCUMENT)
        before = row.document.get("at") if row else None
        kept = {**document, "at": context.clock.now().isoformat(), "previousAt": before}
        await context.storage.control.put(ControlRow(DOCUMENT, kept, row.etag if row else None))
    except AutopilotError as error:
        # Another sweep was quicker, or storage is busy: the next one is remembered.
        log.info("this sweep is not remembered: %s", error)


async def recall(context: Context) -> Mapping[str, Any] | None:
    """What the last sweep told; None before the first one. Raises what the storage raises."""
    row = await context.storage.control.get(DOCUMENT)
    return None if row is None else row.document
