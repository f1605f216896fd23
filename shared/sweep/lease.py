"""One sweep at a time in the whole installation. Used by `sweep`.

Azure runs a timer once, but a person can start it by hand, and a run may outlast the next one's time. Two sweeps at
once would read everything twice and count one miss of an endpoint as two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from shared.context import Context, log
from shared.core.model.errors import AutopilotError, LostRace
from shared.state.rows import ControlRow

NAME = "sweep-lease"
LONGEST = timedelta(minutes=10)
"""Past that the platform has ended the function (`functionTimeout` in host.json): the lease is free."""


@asynccontextmanager
async def only_sweep(context: Context, correlation_id: str) -> AsyncIterator[bool]:
    """Whether this sweep may go on; False while another one runs. Raises what the storage raises."""
    held = await _take(context, correlation_id)
    if held is None:
        yield False
        return
    try:
        yield True
    finally:
        try:
            await context.storage.control.put(replace(held, document={}))
        except AutopilotError as error:
            log.warning("the sweep's lease was not given back, it will expire: %s", error)


async def _take(context: Context, correlation_id: str) -> ControlRow | None:
    now = context.clock.now()
    row = await context.storage.control.get(NAME) or ControlRow(NAME)
    until = row.document.get("until")
    if until and datetime.fromisoformat(until) > now:
        log.info("no sweep: %s is under way until %s at most", row.document.get("holder"), until)
        return None
    document = {"holder": correlation_id, "until": (now + LONGEST).isoformat()}
    try:
        return await context.storage.control.put(replace(row, document=document))
    except LostRace:
        log.info("no sweep: another one has just begun")
        return None
