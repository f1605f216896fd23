"""One run: read the endpoint, drive the DNS and the Elastic Cloud branch side by side, test. Used by `reconcile`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from shared.core.guards.modes import not_carried_out
from shared.core.model import conditions as c
from shared.core.model.errors import AutopilotError, NotFound
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import ConnectionStatus, Endpoint, Zone
from shared.core.planning.contest import truce
from shared.core.planning.deletion import told
from shared.core.planning.desired import Desired, desired_of, recognition_condition
from shared.core.planning.elastic import ObservedElastic
from shared.core.planning.plan import Observed, Plan, approved, met, plan, remember
from shared.health.check import check, not_tested, testable
from shared.health.history import record_check
from shared.reconciler.deleted import endpoint_missing
from shared.reconciler.dns_branch import apply_dns
from shared.reconciler.elastic_branch import apply_elastic
from shared.reconciler.observe import observe_dns, observe_elastic
from shared.reconciler.organization import enter_organization
from shared.reconciler.out_of_scope import skip_condition, skip_condition_by_id
from shared.reconciler.run_state import Failures, Run
from shared.reconciler.status import conclude, failed_conditions, show_progress, unread_conditions
from shared.reconciler.unread import certain, dns_failed, elastic_failed, left_alone

_A = TypeVar("_A")
_B = TypeVar("_B")

FRESH = timedelta(minutes=10)
"""How long a full observation spares the next looks while nothing but the approval is awaited."""


async def run_once(run: Run, message: WorkMessage) -> None:
    """Observe, plan, apply, test; the outcome is in `run.connection`."""
    if (skipped := skip_condition_by_id(run, message.endpoint)) is not None:
        conclude(run, [skipped], {}, only=True)
        return
    try:
        endpoint = await run.context.endpoints.get(message.endpoint)
    except NotFound:
        await endpoint_missing(run, message)
        return
    except AutopilotError as error:
        run.connection = told(run.connection, message)
        conclude(run, [], certain(run, {c.RECOGNISED: error}))
        return
    if (skipped := skip_condition(run, endpoint)) is not None:
        conclude(run, [skipped], {}, only=True)
        return
    desired = desired_of(endpoint, run.context.options)
    if desired is None:
        run.connection = replace(run.connection, endpoint_id=endpoint.id.text).with_identity(
            name=endpoint.name, alias=endpoint.alias
        )
        conclude(run, [recognition_condition(endpoint, run.context.options.services)], {}, only=True)
        return
    if run.connection.identity.guid and endpoint.guid and run.connection.identity.guid.lower() != endpoint.guid.lower():
        # Deleted and made anew under its old name: little that is known of the old one is true of this one.
        run.connection = run.connection.reset_for_recreated()
    if run.cause is Cause.MANUAL:
        run.connection = truce(run.connection)
    if _only_approval_awaited(run, endpoint, message):
        _look_at_approval(run, endpoint)
    else:
        await _full_run(run, desired)


# -- the two branches ----------------------------------------------------------------------------------------------


async def _full_run(run: Run, desired: Desired) -> None:
    context, now = run.context, run.context.clock.now()
    run.changed = not _as_on_record(run.connection, desired.endpoint)
    run.connection = met(run.connection, desired, now)
    dns, elastic = await _side_by_side(_dns_branch(run, desired), _elastic_branch(run, desired))
    (zones, dns_failures), (observed, elastic_failures) = dns, elastic
    final = plan(desired, Observed(desired.endpoint, zones, observed), run.connection, context.options, now)
    conditions, planned = not_carried_out(final.conditions, final.steps, run.stance)
    final = replace(final, conditions=conditions)
    run.connection = remember(run.connection, desired, final, now).with_status(planned=planned)
    if not run.unread:
        run.connection = run.connection.with_schedule(observed_at=now)
    await _test_and_conclude(run, desired, final, dns_failures | elastic_failures)


async def _side_by_side(one: Coroutine[Any, Any, _A], other: Coroutine[Any, Any, _B]) -> tuple[_A, _B]:
    """Both at once. When one breaks off (the lease is lost) the other must not go on writing by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return first.result(), second.result()


async def _dns_branch(run: Run, desired: Desired) -> tuple[tuple[Zone, ...] | None, Failures]:
    context = run.context
    if (busy := left_alone(run, "Azure", run.connection.dns.not_before)) is not None:
        return None, certain(run, {c.ZONE_READY: busy})
    try:
        zones = await observe_dns(context, desired, run.connection)
    except AutopilotError as error:
        return None, certain(run, dns_failed(run, {c.ZONE_READY: error}))

    async def done(zones: tuple[Zone, ...]) -> None:
        after = plan(desired, Observed(desired.endpoint, zones), run.connection, context.options, context.clock.now())
        await show_progress(run, after.conditions)

    before = plan(desired, Observed(desired.endpoint, zones), run.connection, context.options, context.clock.now())
    await show_progress(run, before.conditions)
    zones, failures = await apply_dns(run, before.dns_steps if run.stance.enforces else (), zones, done)
    return zones, dns_failed(run, failures)


async def _elastic_branch(run: Run, desired: Desired) -> tuple[ObservedElastic | None, Failures]:
    context = run.context
    if not desired.endpoint.guid:
        return None, {}
    if (busy := left_alone(run, "Elastic Cloud", run.connection.elastic.not_before)) is not None:
        return None, certain(run, {c.POLICY_READY: busy})
    try:
        await enter_organization(run, desired)
        observed, unread = await observe_elastic(context, desired, run.connection)
    except AutopilotError as error:
        return None, certain(run, elastic_failed(run, {c.POLICY_READY: error}))
    missing: Failures = {} if unread is None else {c.ASSOCIATED: unread}
    failures: Failures = {}
    for _ in range(2):  # a policy made in the first pass is associated in the second
        now = context.clock.now()
        before = plan(desired, Observed(desired.endpoint, None, observed), run.connection, context.options, now)
        if not before.elastic_steps or not run.stance.enforces:
            break
        run.connection = remember(run.connection, desired, before, now)
        observed, failed = await apply_elastic(run, before.elastic_steps, observed)
        failures |= failed
        after = plan(desired, Observed(desired.endpoint, None, observed), run.connection, context.options, now)
        await show_progress(run, after.conditions)
        if failures:
            break
    elastic_failed(run, missing | failures)
    return observed, failures | certain(run, missing)


async def _test_and_conclude(run: Run, desired: Desired, final: Plan, failures: Failures) -> None:
    kept = {condition.type: condition for condition in run.connection.status.conditions} if run.unread else {}
    found = {condition.type: condition for condition in final.conditions} | failed_conditions(run, failures)
    standing = kept | found | unread_conditions(run)
    result = (
        await check(run.context, run.connection, desired.service.zone, approved=True)
        if testable(standing)
        else not_tested()
    )
    await record_check(run.context, run.connection, result, cause=run.cause, correlation_id=run.correlation_id)
    run.connection = result.remembered(run.connection)
    conclude(run, [*final.conditions, result.condition], failures)


# -- waiting for the approval --------------------------------------------------------------------------------------


def _only_approval_awaited(run: Run, endpoint: Endpoint, message: WorkMessage) -> bool:
    """Whether one read of the endpoint is enough: everything else held a moment ago and nothing of it has changed."""
    record = run.connection
    awaited = {c.APPROVED, c.ASSOCIATED, c.REACHABLE, c.READY}
    others = [condition for condition in record.status.conditions if condition.type not in awaited]
    return (
        message.cause is Cause.WAIT
        and endpoint.status is ConnectionStatus.PENDING
        and not record.removal.missed
        and record.schedule.observed_at is not None
        and run.context.clock.now() - record.schedule.observed_at < FRESH
        and bool(others)
        and all(condition.true for condition in others)
        and _as_on_record(record, endpoint)
    )


def _as_on_record(record: ConnectionRecord, endpoint: Endpoint) -> bool:
    return (record.identity.guid, record.identity.address, record.identity.vnet_id) == (
        endpoint.guid,
        endpoint.address,
        endpoint.vnet_id,
    )


def _look_at_approval(run: Run, endpoint: Endpoint) -> None:
    now = run.context.clock.now()
    kept = [condition for condition in run.connection.status.conditions if condition.type not in {c.APPROVED, c.READY}]
    conclude(run, [*kept, approved(endpoint, run.connection, run.context.options, now)], {})
