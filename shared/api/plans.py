"""Plans that are shown: of one connection, or of all by the listings of a sweep. Called by the HTTP triggers."""

from __future__ import annotations

import uuid

from shared.api.plan import preview_connection, preview_missing, preview_of
from shared.api.queries import find_connection
from shared.context import Context
from shared.core.guards.scope import asked_mode
from shared.core.model.errors import AutopilotError
from shared.core.model.record import ConnectionRecord
from shared.core.planning.desired import Desired
from shared.core.planning.snapshot import Snapshot
from shared.core.planning.triage import missing, plan_of
from shared.core.reports.plan_text import Preview
from shared.health.networks import NetworkList
from shared.state.codec import record_in
from shared.sweep.snapshot import SweepStats, take_snapshot


async def plan_connection(context: Context, wanted: str) -> Preview:
    """The plan of a known connection; raises ConnectionNotFound, InvalidConnectionId, and what the clouds raise."""
    row = await find_connection(context, wanted)
    return await preview_connection(context, record_in(row))


async def plan_all(context: Context) -> tuple[list[Preview], list[str]]:
    """The plans of every connection by name, and what could not be read."""
    result, options = SweepStats(), context.options
    snapshot, _ = await take_snapshot(context, str(uuid.uuid4()), result, NetworkList(context))
    previews = [_planned(context, snapshot, desired) for desired in snapshot.desired(options)]
    for key, _ in missing(snapshot, options.scope):
        try:
            previews.append(await preview_missing(context, snapshot.records[key], snapshot.pause))
        except AutopilotError as error:
            result.errors.append(str(error))
    return sorted(previews, key=lambda preview: (preview.name, preview.connection_id)), result.errors


def _planned(context: Context, snapshot: Snapshot, desired: Desired) -> Preview:
    endpoint, options = desired.endpoint, context.options
    record = snapshot.records.get(desired.connection_id) or ConnectionRecord(endpoint.id.text)
    record = record.with_identity(name=endpoint.name, mode=asked_mode(endpoint, options.scope))
    found, _ = plan_of(desired, record, snapshot.clouds, options, context.clock.now())
    return preview_of(context, record, found, snapshot.pause)
