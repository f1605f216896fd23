"""What would be done, and why, without doing it: for one connection, or for all. Called by the HTTP triggers.

The plans are computed by the same observation and the same pure functions as those that are carried out; nothing is
written anywhere, and no lease is taken. What only the first steps make possible (an association once the policy is made
and Elastic has approved) is planned too, with what it waits for.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from shared.context import Context
from shared.core.guards.pause import Pause
from shared.core.guards.scope import asked_mode, effective_mode_of
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.conditions import Phase
from shared.core.model.errors import AutopilotError, NotFound
from shared.core.model.record import ConnectionRecord, owned_resources
from shared.core.options.installation import Mode
from shared.core.options.removal import OnDelete
from shared.core.planning.desired import Desired, desired_of, recognition_condition
from shared.core.planning.former import serving, switch_record
from shared.core.planning.plan import Observed, ObservedElastic, Plan, plan
from shared.core.planning.removal import plan_removal
from shared.core.planning.requeue import condition_of
from shared.core.reports.plan_text import Preview
from shared.installation.pause import present_pause
from shared.installation.services import is_known_now
from shared.reconciler.dns_branch import observe_dns
from shared.reconciler.observe import check_organization, observe_elastic
from shared.reconciler.observe_removal import observe_removal
from shared.reconciler.recover import recall


async def preview_connection(context: Context, record: ConnectionRecord) -> Preview:
    """The plan of one connection, from what there is now; raises what the clouds raise about the endpoint itself."""
    pause = await present_pause(context)
    try:
        endpoint = await context.endpoints.get(parse_endpoint_id(record.endpoint_id))
    except NotFound:
        return await preview_missing(context, record, pause)
    mode = asked_mode(endpoint, context.options.scope)
    desired = desired_of(endpoint, context.options)
    if desired is None and await is_known_now(context, endpoint.alias):
        desired = desired_of(endpoint, context.options)
    record = record.with_identity(name=endpoint.name, mode=mode)
    if desired is None or mode == Mode.IGNORE:
        return _nothing(context, record, pause, recognition_condition(endpoint, context.options.services).message)
    if record.identity.guid and endpoint.guid and record.identity.guid.lower() != endpoint.guid.lower():
        record = record.reset_for_recreated()
    return await _of_run(context, desired, record, pause)


async def _of_run(context: Context, desired: Desired, record: ConnectionRecord, pause: Pause | None) -> Preview:
    """What the next run would do."""
    dns, elastic = await asyncio.gather(
        observe_dns(context, desired, record), _elastic(context, desired, record), return_exceptions=True
    )
    errors = {"ZoneReady": dns, "PolicyReady": elastic}
    for error in errors.values():
        if isinstance(error, BaseException) and not isinstance(error, AutopilotError):
            raise error
    observed = Observed(desired.endpoint, elastic=None if isinstance(elastic, BaseException) else elastic)
    if not isinstance(dns, BaseException):
        observed = replace(observed, zones=dns[0], facts=dns[1])
    if observed.elastic is not None:
        record = switch_record(record, serving(desired, record).organization)
    now, visibility = context.clock.now(), context.settings.timing.visibility
    found = plan(desired, observed, record, context.options, now)
    unread = tuple(
        condition_of(type_, error, record.condition(type_), now, visibility)
        for type_, error in errors.items()
        if isinstance(error, AutopilotError)
    )
    return preview_of(context, record, replace(found, conditions=(*found.conditions, *unread)), pause)


async def _elastic(context: Context, desired: Desired, record: ConnectionRecord) -> ObservedElastic:
    record = await recall(context, desired, record)
    served = check_organization(context, desired, record)
    observed, _ = await observe_elastic(context, served, switch_record(record, served.organization))
    return observed


def preview_of(context: Context, record: ConnectionRecord, found: Plan, pause: Pause | None) -> Preview:
    """A plan as it is shown."""
    effective = effective_mode_of(record.identity.mode, context.options.installation.mode, pause)
    note = "" if effective.enforces else f"Not carried out: {effective.why}."
    return Preview(
        record.id,
        record.identity.name,
        record.endpoint_id,
        effective.mode,
        found.steps,
        found.later,
        found.conditions,
        record.removal.leftovers,
        note,
    )


def _nothing(context: Context, record: ConnectionRecord, pause: Pause | None, note: str) -> Preview:
    effective = effective_mode_of(record.identity.mode, context.options.installation.mode, pause)
    return Preview(record.id, record.identity.name, record.endpoint_id, effective.mode, note=note)


async def preview_missing(context: Context, record: ConnectionRecord, pause: Pause | None) -> Preview:
    """What would be taken away for an endpoint that is gone, and when."""
    effective = effective_mode_of(record.identity.mode, context.options.installation.mode, pause)
    if record.status.phase is Phase.REMOVED:
        return replace(
            _nothing(context, record, pause, "The endpoint is gone; nothing more is done."),
            leftovers=record.removal.leftovers,
        )
    retained = (
        record.identity.on_delete or context.options.removal.on_delete
    ) == OnDelete.RETAIN or effective.mode is Mode.IGNORE
    if retained:
        note = "The endpoint is gone; what was made for it is retained."
        return replace(_nothing(context, record, pause, note), leftovers=owned_resources(record))
    found = plan_removal(record, await observe_removal(context, record), context.options)
    left = (*found.leftovers, *(problem.message for problem in found.problems))
    return Preview(
        record.id, record.identity.name, record.endpoint_id, effective.mode, found.steps, (), (), left, _when(record)
    )


def _when(record: ConnectionRecord) -> str:
    if record.removal.removing_since is None:
        return "Azure does not show the endpoint; it counts as gone when sweeps miss it twice, or after a delete event."
    if record.status.phase is Phase.BLOCKED:
        return "The endpoint is gone; its removal waits for a person."
    return "The endpoint is gone; this is done once the grace period is over."
