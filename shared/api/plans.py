"""Plans that are shown: of one connection, or of all by the listings of a sweep. Called by the HTTP triggers."""

from __future__ import annotations

import uuid
from dataclasses import replace

from shared.api.plan import preview_connection, preview_missing, preview_of
from shared.api.queries import find_connection
from shared.context import Context
from shared.core.guards.modes import asked_mode
from shared.core.model.errors import AutopilotError
from shared.core.model.record import Connection
from shared.core.model.record_document import from_document
from shared.core.planning.desired import Desired
from shared.core.reports.plan_text import Preview
from shared.sweep.snapshot import Sweep
from shared.sweep.sweep import look_at_all
from shared.core.planning.triage import Look, missing, plan_of


async def plan_connection(context: Context, wanted: str) -> Preview:
    """The plan of a known connection; raises ConnectionNotFound, InvalidConnectionId, and what the clouds raise."""
    row = await find_connection(context, wanted)
    return await preview_connection(context, from_document(row.document))


async def plan_all(context: Context) -> tuple[list[Preview], list[str]]:
    """The plans of every connection by name, and what could not be read."""
    result = Sweep()
    look = await look_at_all(context, str(uuid.uuid4()), result)
    previews = [_planned(look, wanted) for wanted in look.desired()]
    for entry, _ in missing(look):
        try:
            previews.append(await preview_missing(context, entry.connection, look.pause))
        except AutopilotError as error:
            result.errors.append(str(error))
    return sorted(previews, key=lambda preview: (preview.name, preview.connection_id)), result.errors


def _planned(look: Look, desired: Desired) -> Preview:
    endpoint = desired.endpoint
    entry = look.known.get(desired.connection_id)
    known = Connection(endpoint.id.text) if entry is None else entry.connection
    known = replace(known, name=endpoint.name, mode=asked_mode(endpoint, look.context.rules.scope))
    found, _ = plan_of(look.context, desired, known, look.world)
    return preview_of(look.context, known, found, look.pause)
