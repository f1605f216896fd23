"""Pausing the whole installation, over HTTP and with an end. Called by the HTTP triggers, each run and each sweep.

The pause is one document of table `control`. It is read anew by every run: instances share nothing else, and a pause
that some of them have not heard of is none. A run that has begun is not interrupted; it ends within `RUN_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.context import Context, log
from shared.core.guards.pause import Pause, pause_from, requested_pause
from shared.core.model.errors import LostRace
from shared.state.rows import ControlRow

DOCUMENT = "pause"
ATTEMPTS = 5
"""At a document that others change at the same time."""


async def present_pause(context: Context) -> Pause | None:
    """The pause that holds now, or None. Raises what the storage raises: who cannot ask must not act."""
    return _holding(context, await context.storage.control.get(DOCUMENT))


async def pause(context: Context, body: Mapping[str, Any], correlation_id: str) -> Pause:
    """Begin a pause, or give the present one another end; raises InvalidPause."""
    wanted = requested_pause(body, context.clock.now())
    for attempt in range(ATTEMPTS):
        row = await context.storage.control.get(DOCUMENT)
        present = _holding(context, row)
        wanted = wanted if present is None else replace(wanted, since=min(present.since, wanted.since))
        try:
            await context.storage.control.put(ControlRow(DOCUMENT, wanted.document(), row.etag if row else None))
        except LostRace:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    log.warning("paused until %s correlation=%s", wanted.until.isoformat(), correlation_id)
    return wanted


async def lift_pause(context: Context, correlation_id: str) -> None:
    """End the pause; the next sweep takes up what waited. No pause is no error."""
    for attempt in range(ATTEMPTS):
        row = await context.storage.control.get(DOCUMENT)
        if row is None:
            return
        try:
            await context.storage.control.delete(row)
        except LostRace:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            log.warning("pause lifted correlation=%s", correlation_id)
            return


def _holding(context: Context, row: ControlRow | None) -> Pause | None:
    found = None if row is None else pause_from(row.document)
    return None if found is None or found.over(context.clock.now()) else found
