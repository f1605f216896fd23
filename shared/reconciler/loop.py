"""The loop: bring one endpoint's connection from what is to what should be. Called by the queue trigger.

    message ─▶ lease ─▶ observe ─▶ plan ─▶ apply ─▶ plan again ─▶ test ─▶ record ─▶ wait or done
                │          │         │       │                              │
              Tables   ARM, Elastic  pure   ARM, Elastic                 Tables, queue

It is level-triggered: the message only names the endpoint; everything else is read. Run twice, late, or after a crash
anywhere, it does what is left to do. Waiting for Azure or for Elastic's approval holds no instance: the run ends with a
message to itself, delayed, and each such message replaces the one before (`wake_at`). DNS and Elastic Cloud do not wait
for each other, but nothing is made for a new endpoint before its targets are counted. The clouds' errors become
conditions that say who must act; lost storage, a run that is too long, and bugs are raised: the message comes again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from shared import telemetry
from shared.context import Context, log
from shared.core.guards.scope import not_carried_out
from shared.core.model import conditions as c
from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import AutopilotError, Blocked, LeaseLost, NotFound, RetryLater, Throttled
from shared.core.model.messages import ASKED_FOR, Cause, WorkMessage, told_cause, told_of, told_operations
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import Identity
from shared.core.model.resources import ConnectionStatus, Endpoint
from shared.core.planning.associations import reset_restores
from shared.core.planning.deletion import note_delete_event
from shared.core.planning.desired import Desired, approved, desired_of, recognition_condition
from shared.core.planning.former import ensure_no_earlier_one, note_former
from shared.core.planning.plan import Plan, plan, record_observation, remember
from shared.core.planning.requeue import as_on_record, has_its_turn, waits_for_key
from shared.health.check import CheckResult, check, not_tested, record_check, testable
from shared.installation.pause import present_pause
from shared.installation.services import is_known_now
from shared.notifications import outbox as notify
from shared.reconciler.deleted import endpoint_back, endpoint_missing
from shared.reconciler.dns_branch import dns_branch
from shared.reconciler.elastic_branch import elastic_branch
from shared.reconciler.former import remove_former
from shared.reconciler.observe import (
    new_endpoint_out_of_scope,
    skip_condition,
    skip_condition_by_id,
)
from shared.reconciler.run_state import (
    Failures,
    Run,
    definite_failures,
    failed_conditions,
    schedule,
    send_in_place,
    unread_conditions,
    update_status,
)
from shared.requests import correlated
from shared.state.codec import holding, record_in
from shared.state.leases import Busy, Held
from shared.state.rows import ConnectionRow

_A = TypeVar("_A")
_B = TypeVar("_B")

TOLD = (Cause.EVENT_DELETE, Cause.MANUAL)
"""Causes that say more than to look: that an event told the deletion, or a person asked. They are not lost when the
connection is busy; the first one of them that is known is the run's."""

ROUNDS = 3
"""Runs in a row under one lease when work keeps arriving; after that a new message goes on.

All of them, each of the longest that the settings allow, must end before the host ends the function (`functionTimeout`
in host.json): it would end every other run in the process with it.
"""


class Outcome(StrEnum):
    """What became of a message."""

    DONE = "done"
    BUSY = "busy"
    STALE = "stale"
    OUT_OF_SCOPE = "out-of-scope"
    LOST_LEASE = "lost-lease"


async def reconcile(context: Context, message: WorkMessage) -> Outcome:
    """Handle one message; raises only what the platform should deliver again."""
    with correlated(message.correlation_id):
        return await _handle(context, message)


async def _handle(context: Context, message: WorkMessage) -> Outcome:
    endpoint_id = message.endpoint
    fresh = ConnectionRecord(endpoint_id.text, identity=Identity(name=endpoint_id.name))
    row = await context.storage.connections.get(fresh.id)
    if row is not None:
        record_in(row)  # one that cannot be read is an error before a lease is taken, which would write the row
    if row is None and await new_endpoint_out_of_scope(context, message):
        log.info("dropped: %s is out of scope of the settings correlation=%s", endpoint_id.text, message.correlation_id)
        return Outcome.OUT_OF_SCOPE
    if await _stale(context, message, row):
        return Outcome.STALE
    guard = replace(message, cause=Cause.LEASE, wake_at=None).encode()
    blank = holding(ConnectionRow(fresh.id), fresh)
    told = told_of(message.cause, message.correlation_id) if message.cause in {*TOLD, *ASKED_FOR} else ""
    held = await context.leases.acquire(fresh.id, lambda: blank, guard, telling=told)
    if isinstance(held, Busy):
        return Outcome.BUSY
    try:
        async with held.renewing():
            own = (message.correlation_id,) if message.cause in ASKED_FOR else ()
            await _rounds(context, held, _as_told(message, held), own)
    except LeaseLost as error:
        log.warning("lease lost: %s", error)
        return Outcome.LOST_LEASE
    except Exception:
        # Let go, so that the message's next delivery finds the endpoint free and the poison count means something.
        await _let_go(held)
        raise
    return Outcome.DONE


async def _stale(context: Context, message: WorkMessage, row: ConnectionRow | None) -> bool:
    """Messages that ask for nothing any more: an old wait, a guard whose holder finished, a delete of the unknown."""
    if message.cause is Cause.LEASE:
        return await context.leases.idle(connection_id(message.endpoint.text))
    if row is None:
        return message.cause in {Cause.EVENT_DELETE, Cause.WAIT}
    if message.wake_at is None:
        return False
    wake_at = record_in(row).schedule.wake_at
    return wake_at is None or wake_at > message.wake_at


async def _let_go(held: Held) -> None:
    try:
        while await held.finish():
            pass
    except AutopilotError as error:
        log.warning("lease not released, it will expire: %s", error)


async def _rounds(context: Context, held: Held, message: WorkMessage, operations: tuple[str, ...]) -> None:
    """Runs in a row. `operations`: those that the first one answers, beside what its lease was told of."""
    for _ in range(ROUNDS):
        operations = (*operations, *told_operations(held.told))
        record, started = record_in(held.row), time.monotonic()
        run = Run(context, held, record, message.cause, message.correlation_id, await present_pause(context))
        try:
            await _bounded(run, message)
            await schedule(run, message)
            run.record = run.record.having_answered(operations)
        finally:
            await (_forget_journal(run) if run.never_seen else run.flush())
        final, took = _with_notification(context, run, message), time.monotonic() - started
        more = await (held.discard() if run.never_seen else held.finish(final))
        if not more and context.topic is not None and not run.never_seen:
            await notify.deliver(context, held.row, final)
        telemetry.reconcile_completed(
            record,
            final,
            cause=message.cause,
            run_id=run.id,
            correlation_id=message.correlation_id,
            duration_ms=round(took * 1000),
            steps=run.steps,
            throttled=any(isinstance(error, Throttled) for error in run.stale.values()),
            repairs=len(run.repairs),
        )
        if not more:
            return
        # What arrived meanwhile may be more than the wait that began this run: look at everything.
        message, operations = _as_told(replace(message, cause=Cause.PENDING, wake_at=None), held), ()
    # Still more to do: hand over to a new message instead of holding on, then release.
    standing = record_in(held.row).schedule.wait
    await send_in_place(context.storage.queue, standing, message)
    await _let_go(held)


async def _forget_journal(run: Run) -> None:
    """Of an endpoint that was only named no entry stays: without a record no sweep would ever delete it."""
    run.entries = []
    try:
        await run.context.storage.journal.prune(run.record.id, run.context.clock.now() + timedelta(seconds=1))
    except AutopilotError as error:
        log.info("journal of %s not deleted: %s", run.record.id, error)


def _as_told(message: WorkMessage, held: Held) -> WorkMessage:
    """The message with the cause of one that found the connection busy, where that cause says more than its own."""
    told = next((cause for cause in TOLD if cause in {message.cause, *map(told_cause, held.told)}), None)
    return message if told in {None, message.cause} else replace(message, cause=told, wake_at=None)


def _with_notification(context: Context, run: Run, message: WorkMessage) -> ConnectionRecord:
    """The record as it is to be stored, with what is told of it where there is a topic to tell it to."""
    return (
        run.record
        if context.topic is None
        else notify.recorded(context, run.record, message.correlation_id, run.repairs)
    )


async def _bounded(run: Run, message: WorkMessage) -> None:
    """One run, within its time: a run that outlived its lease could meet another worker."""
    limit = run.context.settings.timing.run_seconds
    try:
        async with asyncio.timeout(limit):
            await reconcile_once(run, message)
    except TimeoutError as error:
        raise RetryLater(f"The run took longer than {limit:.0f} s.", on=message.endpoint.text) from error


# -- one run -------------------------------------------------------------------------------------------------------


async def reconcile_once(run: Run, message: WorkMessage) -> None:
    """One run: read the endpoint, bring both clouds towards what is wanted, plan again, test; see `run.record`."""
    if _only_key_awaited(run) and await _key_still_missing(run):
        return
    endpoint = await _read_endpoint(run, message)
    desired = None if endpoint is None else await _desired(run, endpoint)
    if endpoint is None or desired is None:
        return  # there is nothing more to do, and the record says why
    if _only_approval_awaited(run, endpoint):
        _look_at_approval(run, endpoint)
        return
    context, now = run.context, run.context.clock.now()
    run.changed = not as_on_record(run.record, endpoint)
    run.rested = _elastic_rests(run, endpoint)
    run.record = record_observation(run.record, desired, now)

    (seen, dns_failures), (observed, elastic_failures) = await _side_by_side(
        dns_branch(run, desired), _resting() if run.rested else elastic_branch(run, desired)
    )
    failures = dns_failures | elastic_failures

    final = plan(desired, replace(seen, elastic=observed), run.record, context.options, now)
    conditions, planned = not_carried_out(final.conditions, final.all_steps, run.effective_mode)
    final = replace(final, conditions=conditions)
    run.record = remember(run.record, desired, final, now).with_status(planned=planned)
    if not run.stale and not run.rested:
        run.record = run.record.with_schedule(observed_at=now)

    result = await _test(run, desired, final, failures)
    run.record = result.remembered(run.record)
    former = await remove_former(run, endpoint, final.conditions) if run.record.former_things else []
    update_status(run, [*final.conditions, result.condition, *former], failures)


async def _read_endpoint(run: Run, message: WorkMessage) -> Endpoint | None:
    """The endpoint as Azure has it; None: it is not looked after, gone, or cannot be read, and the record says so."""
    if (skipped := skip_condition_by_id(run, message.endpoint)) is not None:
        update_status(run, [skipped], {}, only=True)
        return None
    try:
        endpoint = await run.context.endpoints.get(message.endpoint)
        ensure_no_earlier_one(endpoint, run.record)
    except NotFound as error:
        await endpoint_missing(run, message, error.code)
        return None
    except AutopilotError as error:
        run.record = note_delete_event(run.record, message)
        update_status(run, [], definite_failures(run, {c.RECOGNISED: error}))
        return None
    if (skipped := skip_condition(run, endpoint)) is not None:
        update_status(run, [skipped], {}, only=True)
        return None
    return endpoint


async def _desired(run: Run, endpoint: Endpoint) -> Desired | None:
    """What is wanted for the endpoint, on a record that is about it; None: it leads to no service that is known."""
    desired = desired_of(endpoint, run.context.options)
    if desired is None and await is_known_now(run.context, endpoint.alias):
        desired = desired_of(endpoint, run.context.options)
    if desired is None:
        run.record = replace(run.record, endpoint_id=endpoint.id.text).with_identity(
            name=endpoint.name, alias=endpoint.alias
        )
        update_status(run, [recognition_condition(endpoint, run.context.options.services)], {}, only=True)
        return None
    if run.record.removal.removing_since is not None:
        await endpoint_back(run)
    guid = run.record.identity.guid
    if guid and endpoint.guid and guid.lower() != endpoint.guid.lower():
        # Deleted and made anew under its old name: little that is known of the old one is true of this one.
        run.record = run.record.reset_for_recreated()
    run.record = note_former(run.record, desired, run.context.clock.now())
    if run.cause is Cause.MANUAL:
        run.record = reset_restores(run.record)
    return desired


async def _side_by_side(one: Coroutine[Any, Any, _A], other: Coroutine[Any, Any, _B]) -> tuple[_A, _B]:
    """Both at once. When one breaks off (the lease is lost) the other must not go on writing by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return first.result(), second.result()


async def _test(run: Run, desired: Desired, final: Plan, failures: Failures) -> CheckResult:
    """Test the connection if it stands so far, and keep the result."""
    kept = {condition.type: condition for condition in run.record.status.conditions} if run.stale or run.rested else {}
    found = {condition.type: condition for condition in final.conditions} | failed_conditions(run, failures)
    standing = kept | found | unread_conditions(run)
    result = (
        await check(run.context, run.record, desired.service.zone, approved=True, in_run=True)
        if testable(standing)
        else not_tested()
    )
    await record_check(run.context, run.record, result, cause=run.cause, correlation_id=run.correlation_id)
    return result


# -- waiting for a key ---------------------------------------------------------------------------------------------


def _only_key_awaited(run: Run) -> bool:
    """Whether the key of the organization is all that this run is for: everything else was looked at a moment ago."""
    record = run.record
    conditions = {one.type: one for one in record.status.conditions if not one.true and one.type != c.READY}
    behind = {c.POLICY_READY, c.CLAIMED, c.APPROVED, c.ASSOCIATED, c.REACHABLE}
    others = [one for name, one in conditions.items() if name not in behind]
    return (
        run.observed_lately
        and any(waits_for_key(one) for one in conditions.values())
        and all(one.needs is c.WaitingFor.PERSON for one in others)
    )


async def _key_still_missing(run: Run) -> bool:
    """Look for the key alone, so that many connections that wait for one cost neither cloud anything."""
    try:
        await run.elastic.ensure_key()
    except AutopilotError as error:
        waiting = {one.type for one in run.record.status.conditions if waits_for_key(one)}
        update_status(run, [], dict.fromkeys(waiting, error) if isinstance(error, Blocked) else {})
        return True
    return False


# -- waiting for the approval --------------------------------------------------------------------------------------


def _only_approval_awaited(run: Run, endpoint: Endpoint) -> bool:
    """Whether one read of the endpoint is enough: everything else held a moment ago and nothing of it has changed."""
    record = run.record
    awaited = {c.APPROVED, c.ASSOCIATED, c.REACHABLE, c.READY, *c.BESIDE}
    others = [condition for condition in record.status.conditions if condition.type not in awaited]
    return (
        _approval_is_awaited(run, endpoint)
        and bool(others)
        and all(condition.true or has_its_turn(record, condition, run.context.clock.now()) for condition in others)
        and as_on_record(record, endpoint)
    )


def _approval_is_awaited(run: Run, endpoint: Endpoint) -> bool:
    """Whether Elastic Cloud's part was read a moment ago, and nothing but Elastic's approval changes it.

    Once it is overdue the policies are read again: one of them may say why.
    """
    record, now = run.record, run.context.clock.now()
    return (
        run.observed_lately
        and endpoint.status is ConnectionStatus.PENDING
        and record.identity.guid == endpoint.guid
        and approved(endpoint, record, run.context.options, now).needs is c.WaitingFor.TIME
    )


def _elastic_rests(run: Run, endpoint: Endpoint) -> bool:
    """Whether Elastic Cloud is left alone while DNS is looked at: all is there and known, or all but the approval."""
    awaited, known = _approval_is_awaited(run, endpoint), bool(run.record.elastic.targets)
    stands = known and run.observed_lately and endpoint.status is ConnectionStatus.APPROVED and not run.changed
    names = (c.POLICY_READY, c.CLAIMED) if awaited else (c.POLICY_READY, c.CLAIMED, c.APPROVED, c.ASSOCIATED)
    found = [one for one in map(run.record.condition, names) if one is not None]
    return (awaited or stands) and bool(found) and all(one.true for one in found)


async def _resting() -> tuple[None, Failures]:
    return None, {}


def _look_at_approval(run: Run, endpoint: Endpoint) -> None:
    now = run.context.clock.now()
    kept = [condition for condition in run.record.status.conditions if condition.type not in {c.APPROVED, c.READY}]
    update_status(run, [*kept, approved(endpoint, run.record, run.context.options, now)], {})
