"""What would be done, and why, without doing it: for one connection, or for all. Called by the HTTP triggers.

The plans are computed by the same observation and the same pure functions as those that are carried out; nothing is
written anywhere, and no lease is taken. What a first pass makes possible (the policy is made, then associated) is
planned once it is possible.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from shared.context import Context
from shared.core.guards.modes import asked_mode, stance_of
from shared.core.guards.pause import Pause
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError, NotFound
from shared.core.model.record import Connection
from shared.core.model.things import things_of
from shared.core.options.installation import Mode
from shared.core.options.removal import OnDelete
from shared.core.planning.desired import Desired, desired_of, recognition_condition
from shared.core.planning.elastic import ObservedElastic
from shared.core.planning.organization_change import moved
from shared.core.planning.plan import Observed, Plan, plan
from shared.core.planning.removal import plan_removal
from shared.core.planning.requeue import condition_of
from shared.core.reports.plan_text import Preview
from shared.installation.pause import present_pause
from shared.reconciler.observe import observe_dns, observe_elastic
from shared.reconciler.observe_removal import observe_removal
from shared.reconciler.organization import check_organization, recall


async def preview_connection(context: Context, known: Connection) -> Preview:
    """The plan of one connection, from what there is now; raises what the clouds raise about the endpoint itself."""
    pause = await present_pause(context)
    try:
        endpoint = await context.endpoints.get(parse_endpoint_id(known.endpoint_id))
    except NotFound:
        return await preview_missing(context, known, pause)
    mode = asked_mode(endpoint, context.options.scope)
    desired = desired_of(endpoint, context.options)
    known = replace(known, name=endpoint.name, mode=mode)
    if desired is None or mode == Mode.IGNORE:
        return _nothing(context, known, pause, recognition_condition(endpoint, context.options.services).message)
    if known.guid and endpoint.guid and known.guid.lower() != endpoint.guid.lower():
        known = known.reborn()
    return await _of_run(context, desired, known, pause)


async def _of_run(context: Context, desired: Desired, known: Connection, pause: Pause | None) -> Preview:
    """What the next run would do."""
    zones, elastic = await asyncio.gather(
        observe_dns(context, desired, known), _elastic(context, desired, known), return_exceptions=True
    )
    errors = {"ZoneReady": zones, "PolicyReady": elastic}
    for error in errors.values():
        if isinstance(error, BaseException) and not isinstance(error, AutopilotError):
            raise error
    observed = Observed(
        desired.endpoint,
        None if isinstance(zones, BaseException) else zones,
        None if isinstance(elastic, BaseException) else elastic,
    )
    if observed.elastic is not None:
        known = moved(known, desired.organization)
    now, visibility = context.clock.now(), context.settings.timing.visibility
    found = plan(desired, observed, known, context.options, now)
    unread = tuple(
        condition_of(type_, error, known.condition(type_), now, visibility)
        for type_, error in errors.items()
        if isinstance(error, AutopilotError)
    )
    return preview_of(context, known, replace(found, conditions=(*found.conditions, *unread)), pause)


async def _elastic(context: Context, desired: Desired, known: Connection) -> ObservedElastic:
    known = await recall(context, desired, known)
    await check_organization(context, desired, known)
    observed, _ = await observe_elastic(context, desired, moved(known, desired.organization))
    return observed


def preview_of(context: Context, known: Connection, found: Plan, pause: Pause | None) -> Preview:
    """A plan as it is shown."""
    stance = stance_of(known.mode, context.options.installation.mode, pause)
    note = "" if stance.enforces else f"Not carried out: {stance.why}."
    return Preview(
        known.id, known.name, known.endpoint_id, stance.mode, found.steps, found.conditions, known.left, note
    )


def _nothing(context: Context, known: Connection, pause: Pause | None, note: str) -> Preview:
    stance = stance_of(known.mode, context.options.installation.mode, pause)
    return Preview(known.id, known.name, known.endpoint_id, stance.mode, note=note)


async def preview_missing(context: Context, known: Connection, pause: Pause | None) -> Preview:
    """What would be taken away for an endpoint that is gone, and when."""
    stance = stance_of(known.mode, context.options.installation.mode, pause)
    if known.phase is Phase.REMOVED:
        return replace(_nothing(context, known, pause, "The endpoint is gone; nothing more is done."), left=known.left)
    retained = (known.on_delete or context.options.removal.on_delete) == OnDelete.RETAIN or stance.mode is Mode.IGNORE
    if retained:
        note = "The endpoint is gone; what was made for it is retained."
        return replace(_nothing(context, known, pause, note), left=things_of(known))
    found = plan_removal(known, await observe_removal(context, known), context.options)
    left = (*found.left, *(problem.message for problem in found.problems))
    return Preview(known.id, known.name, known.endpoint_id, stance.mode, found.steps, (), left, _when(known))


def _when(known: Connection) -> str:
    if known.removing_since is None:
        return "Azure does not show the endpoint; it counts as gone when sweeps miss it twice, or after a delete event."
    if known.phase is Phase.BLOCKED:
        return "The endpoint is gone; its removal waits for a person."
    return "The endpoint is gone; this is done once the grace period is over."
