"""Pausing the whole installation, over HTTP and with an end. Called by the HTTP triggers, each run and each sweep.

The pause is one document of table `control`. It is read anew by every run, and before each change that a run makes in
Azure or Elastic Cloud: instances share nothing else, and a pause that some of them have not heard of is none. A request
that has been sent is not taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.context import Context, log
from shared.core.guards.pause import LONGEST, Pause, pause_from, requested_pause
from shared.core.model.callers import Asked
from shared.core.model.json_values import mapping
from shared.state.control import update
from shared.state.rows import ControlRow

DOCUMENT = "pause"


async def present_pause(context: Context) -> Pause | None:
    """The pause that holds now, or None. Raises what the storage raises: who cannot ask must not act.

    A row that is damaged, or says that it lasts longer than a pause may, is a pause that ends when the longest one
    would that was begun when the row was written (S7).
    """
    row = await context.storage.control.get(DOCUMENT)
    return None if row is None else stored(context, row)


def stored(context: Context, row: ControlRow) -> Pause | None:
    """The pause that a row says, or None where that is over."""
    now = context.clock.now()
    found = pause_from(row.document, (row.written_at or now) + LONGEST)
    return None if found.over(now) else found


async def pause(context: Context, body: Mapping[str, Any], asked: Asked) -> Pause:
    """Begin a pause, or give the present one another end; raises InvalidPause."""
    wanted = requested_pause(body, context.clock.now())

    def begun(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
        nonlocal wanted
        wanted = requested_pause(body, context.clock.now())  # the row was read: it is the storage service's time now
        present = _holding(context, document)
        wanted = wanted if present is None else replace(wanted, since=min(present.since, wanted.since))
        return {**mapping(document), **wanted.document()}

    await update(context.storage.control, context.clock, DOCUMENT, begun, mend=True, must=True)
    log.warning("paused until %s %s", wanted.until.isoformat(), asked)
    return wanted


async def lift_pause(context: Context, asked: Asked) -> None:
    """End the pause; the next sweep takes up what waited. No pause is no error."""
    lifted = False

    def lifting(document: Mapping[str, Any] | None) -> None:
        nonlocal lifted
        lifted = document is not None

    await update(context.storage.control, context.clock, DOCUMENT, lifting, mend=True, must=True)
    if lifted:
        log.warning("pause lifted %s", asked)


def _holding(context: Context, document: Mapping[str, Any] | None) -> Pause | None:
    now = context.clock.now()
    found = None if document is None else pause_from(document, now + LONGEST)
    return None if found is None or found.over(now) else found
