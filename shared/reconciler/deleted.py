"""An endpoint that is not there: wait, believe it, let a grace period pass, take away what was made for it.

Called by `loop` when Azure answers that the endpoint does not exist. Everything is read again before it is removed,
and removed only as it was read. What may not be removed, or is not ours, is reported, and then the removal is done.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared.context import Context
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case, parse_arm_id, parse_endpoint_id
from shared.core.model.conditions import Condition, Explanation, Phase
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.errors import (
    AutopilotError,
    AwaitingEarlierRequest,
    Blocked,
    NotFound,
    NotVisibleYet,
    RetryLater,
    Waiting,
)
from shared.core.model.messages import Cause, WorkMessage
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord, owned_resources
from shared.core.model.resources import Zone
from shared.core.model.steps import RemovalStep
from shared.core.options.installation import Mode
from shared.core.options.removal import OnDelete
from shared.core.planning.associations import confirmed_as_ours
from shared.core.planning.deletion import Missing, confirmed, has_things, record_absence
from shared.core.planning.policy import may_show_later
from shared.core.planning.removal import (
    ObservedRemoval,
    RemovalPlan,
    plan_removal,
    still_there,
    warning_of,
    zone_still_there,
)
from shared.core.planning.removal_dns import marked_things
from shared.core.reasons import explain, remedy_of
from shared.installation import decided as decisions
from shared.installation import things
from shared.installation.recovered import confirmed_targets
from shared.installation.removal_limit import stand_for_removal, tear_down, withdraw
from shared.reconciler.apply_removal import apply_removal
from shared.reconciler.former import left_of_former, remove_former
from shared.reconciler.holders import note_left, wake_waiting
from shared.reconciler.observe_removal import observe_removal
from shared.reconciler.recover import rebuilt
from shared.reconciler.run_state import NEVER, Run, update_status
from shared.reconciler.target_requests import awaited_posts, look_at
from shared.state.control import DamagedRow

ORPHAN_SECONDS = 300.0
"""Between two tries to find out what was made for an endpoint of which no record is left."""

GONE = "Azure says that the private endpoint does not exist (any more)."


async def endpoint_back(run: Run) -> None:
    """Count a connection no more that stood for removal, and whose endpoint is there again."""
    if run.effective_mode.enforces:
        with suppress(AutopilotError):  # the next sweep counts anew
            await withdraw(run.context, run.record.id)


async def endpoint_missing(run: Run, message: WorkMessage, code: str) -> None:
    """Decide what the absence means, and act on it; the outcome is in `run.record`. `code`: Azure's, of the read."""
    if not has_things(run.record) and (message.cause is Cause.ORPHAN or run.record.status.phase is Phase.REMOVING):
        try:
            run.record = await rebuilt(run.context, run.record)
        except AutopilotError as error:
            _later(run, error)
            run.waits[c.REMOVED] = max(run.waits[c.REMOVED], ORPHAN_SECONDS)
            return
    if run.record.dns.zone is not None:
        await wake_waiting(run.context, parse_arm_id(run.record.dns.zone.id), run.correlation_id)
    record, missing = record_absence(run.record, message, code, run.context.options, run.context.clock.now())
    run.record = record
    match missing:
        case Missing.NOT_THERE_YET:
            update_status(
                run, [], {c.RECOGNISED: Waiting("Azure does not know the endpoint yet.", on=record.endpoint_id)}
            )
        case Missing.MISSED:
            text = f"{GONE} It is believed when the next sweep misses it too."
            update_status(run, [c.waiting(c.RECOGNISED, Reason.ENDPOINT_MISSING, text)], {})
        case Missing.NEVER_SEEN:
            run.never_seen = message.cause is not Cause.ORPHAN  # what carries its marker waits for its removal
            _removed(run, Reason.NOTHING_MADE, "Nothing was made for it.")
        case Missing.SETTLED:
            pass
        case Missing.GRACE:
            await _carry_out_decisions(run)
            await look_at(run, [memory.target_id for memory in record.elastic.associations])
            await _grace(run)
        case Missing.DUE:
            await _carry_out_decisions(run)
            await _due(run)


async def _carry_out_decisions(run: Run) -> None:
    """What a person decided on an endpoint that is gone takes the place of what its tags said."""
    for decision in await decisions.waiting(run.context, run.record.id):
        if decision.decision is ConnectionDecision.REMOVE:
            run.record = run.record.with_identity(mode="", on_delete=OnDelete.CLEANUP)
        elif decision.decision is ConnectionDecision.HAND_OVER:
            run.record = run.record.with_identity(on_delete=OnDelete.RETAIN)
        else:
            continue
        run.note(f"decision: {decision.decision}", "done", message=decision.decision.does)
        await run.save()
        await decisions.carried_out(run.context, run.record.id, decision)


# -- what is said --------------------------------------------------------------------------------------------------


def _update_status(run: Run, removed: Condition, phase: Phase) -> None:
    gone = c.resting(c.RECOGNISED, Reason.ENDPOINT_NOT_FOUND, GONE)
    # What was made stays on record until it is removed; how it stood does not.
    run.record = (
        run.record.with_schedule(observed_at=None, pending_since=None)
        .with_status(ready_since=None)
        .with_health(summary=None)
    )
    update_status(run, [gone, removed], {}, only=True)
    run.record = run.record.with_status(phase=phase)


def _removed(run: Run, reason: Reason, message: str, left: tuple[str, ...] = ()) -> None:
    # What was advised of its links and names is of no use to a connection that is gone.
    run.record = run.record.with_removal(leftovers=left).with_status(planned=()).with_dns(advice=(), refused=())
    done = c.satisfied(c.REMOVED, reason, message)
    told = replace(done.explanation, next_step=remedy_of(reason) if left else "")
    _update_status(run, replace(done, explanation=told), Phase.REMOVED)


async def _grace(run: Run) -> None:
    if not confirmed(run.record) and run.effective_mode.enforces and not _retained(run):
        with suppress(DamagedRow):  # what counts removals: after the grace it refuses this one, and says so
            await stand_for_removal(run.context, run.record.id, run.id)
    record, now = run.record, run.context.clock.now()
    ends = (record.removal.removing_since or now) + timedelta(seconds=run.context.options.removal.grace)
    message = f"What was made for it is removed after {ends:%Y-%m-%d %H:%M:%S} UTC, unless the endpoint is made again."
    run.waits[c.REMOVED] = (ends - now).total_seconds()
    run.record = record.with_status(planned=())  # what was planned for it while it was there
    _update_status(run, c.waiting(c.REMOVED, Reason.GRACE_PERIOD, message), Phase.REMOVING)


def _blocked(run: Run, told: Explanation, left: tuple[str, ...]) -> None:
    planned = run.record.status.planned if told.reason is Reason.REMOVAL_LIMIT_REACHED else ()
    run.record = run.record.with_removal(leftovers=left).with_status(planned=planned)
    _update_status(run, c.blocked(c.REMOVED, told.reason, told.message, told.next_step, told.about), Phase.BLOCKED)
    run.record = run.record.with_schedule(observed_at=run.context.clock.now())


def _only_planned(run: Run, steps: tuple[RemovalStep, ...], leftovers: tuple[str, ...]) -> None:
    """Say what would be taken away, in a mode in which nothing is."""
    effective, planned = run.effective_mode, tuple(map(str, steps))
    message = f"Not done, because {effective.why}: {c.listed(planned, '; ')}."
    run.record = run.record.with_status(planned=planned).with_removal(leftovers=leftovers)
    if run.pause is None and run.record.identity.mode:
        # Its tag went with the endpoint: only a decision can say something else.
        told = explain(Reason.REMOVAL_UNDECIDED, message, _to_decide(run.record))
        _update_status(run, c.blocked(c.REMOVED, told.reason, told.message, told.next_step, told.about), Phase.BLOCKED)
        run.record = run.record.with_schedule(observed_at=run.context.clock.now())
        return
    held = c.resting(c.REMOVED, Reason.OBSERVE_MODE, message, effective.next_step)
    _update_status(run, held, Phase.REMOVING)


def _to_decide(record: ConnectionRecord) -> str:
    asked = Decided(ConnectionDecision.REMOVE, record.identity.name).request.replace("<id>", record.id)
    other = ConnectionDecision.HAND_OVER
    return f'Send {asked} to have it taken away, or the same with "{other}" to have it left to you.'


def _later(run: Run, error: AutopilotError) -> None:
    """Something did not answer, or is busy: the removal goes on later."""
    run.record = run.record.with_removal(leftovers=()).with_status(planned=())
    reason = Reason.NOT_VISIBLE_YET if isinstance(error, NotVisibleYet) else Reason.REMOVING
    if isinstance(error, AwaitingEarlierRequest):
        reason = Reason.AWAITING_EARLIER_REQUEST
    elif isinstance(error, NotVisibleYet) and error.code == Reason.RESOURCE_GROUP_BEING_DELETED:
        reason = Reason.RESOURCE_GROUP_BEING_DELETED
    _update_status(run, c.waiting(c.REMOVED, reason, str(error)), Phase.REMOVING)
    run.waits[c.REMOVED] = getattr(error, "after", 15.0)


_BUSY = frozenset({Reason.NOT_VISIBLE_YET, Reason.RESOURCE_GROUP_BEING_DELETED})


def _busy_for_good(run: Run) -> bool:
    """Whether something has been busy for longer than is normal: it is left then, as what may not be deleted is."""
    removed = run.record.condition(c.REMOVED)
    if removed is None or removed.reason not in _BUSY or removed.since is None:
        return False
    return (run.context.clock.now() - removed.since).total_seconds() > run.context.settings.timing.visibility


# -- what is done --------------------------------------------------------------------------------------------------


def _retained(run: Run) -> bool:
    return (run.record.identity.on_delete or run.context.options.removal.on_delete) == OnDelete.RETAIN


def _kept(run: Run) -> str:
    """Why what was made for it is left; empty: it goes."""
    if run.effective_mode.mode is Mode.IGNORE:
        return f"What was made for it is left: {run.effective_mode.why}."
    return "What was made for it is left, as the settings or its tag say." if _retained(run) else ""


async def _due(run: Run) -> None:
    context, record, effective = run.context, run.record, run.effective_mode
    if kept := _kept(run):
        _removed(run, Reason.RETAINED, kept, owned_resources(record))
        return
    try:
        begun_at = run.held.row.read_at
        record = await _with_confirmed(run)
        observed = await observe_removal(context, record, by_person=run.cause is Cause.MANUAL)
        await _still_gone(run)
        for zone in observed.zones:
            await note_recovered(context, zone, observed.unconfirmed)
        plan = plan_removal(record, observed, context.options)
        if plan.steps and not effective.enforces:
            _only_planned(run, plan.steps, plan.leftovers)
            return
        run.record = record.with_status(planned=tuple(map(str, plan.steps)))
        if plan.steps and not confirmed(record):
            await tear_down(context, record.id, run.id, gone=True)
    except Blocked as error:
        _blocked(run, error.explanation, owned_resources(record))
        return
    except AutopilotError as error:
        _later(run, error)
        return
    await _carry_out(run, plan, observed, begun_at)


async def _carry_out(run: Run, plan: RemovalPlan, observed: ObservedRemoval, begun_at: datetime | None) -> None:
    refused, postponed, held = await apply_removal(run, plan, patient=not _busy_for_good(run))
    if isinstance(postponed, Blocked) and postponed.reason is Reason.WOULD_REOPEN_PUBLIC_ACCESS:
        # Seen only just before the request, as another has left the target meanwhile: the same as if it was planned.
        plan, postponed = replace(plan, problems=(*plan.problems, postponed.explanation)), None
    if held:
        _only_planned(run, held, plan.leftovers)
    elif isinstance(postponed, Blocked):
        _blocked(run, postponed.explanation, owned_resources(run.record))
    elif postponed is not None:
        _later(run, postponed)
    elif (awaited := await awaited_posts(run, plan.problems)) is not None:
        _later(run, awaited)
    elif (still := _policy_may_come(run, observed, begun_at)) is not None:
        _later(run, still)
    else:
        await remove_former(run, None, ())
        if plan.problems:  # it goes on later, and what is ours but not listed yet is still to be known then
            run.record = zone_still_there(run.record, observed)
        else:
            run.record = still_there(run.record, observed)
        _finish(run, plan, refused, observed.unlooked)
        if run.record.removal.leftovers and run.record.dns.zone is not None:
            await note_left(run.context, parse_arm_id(run.record.dns.zone.id), run.record.endpoint_id)


def _policy_may_come(run: Run, observed: ObservedRemoval, begun_at: datetime | None) -> AwaitingEarlierRequest | None:
    """Why the removal has not ended: the list of this run may lack a policy of ours, begun or made a moment ago."""
    until = may_show_later(run.record, observed.policies, run.context.options, begun_at or NEVER)
    if until is None:
        run.record = run.record.with_elastic(policy_post_until=None)
        return None
    after = 15.0 if begun_at is None else (until - begun_at).total_seconds() + 1.0
    what = f"A policy that was made or begun lately may still show until {until:%H:%M:%S} UTC; it is removed then, too."
    return AwaitingEarlierRequest(what, on=run.record.endpoint_id, after=after)


async def _with_confirmed(run: Run) -> ConnectionRecord:
    """The record with what a person has confirmed of recovered associations as ours."""
    confirmed = await confirmed_targets(run.context, run.record)
    run.record = run.record.with_elastic(
        associations=tuple(
            confirmed_as_ours(memory) if memory.target_id in confirmed else memory
            for memory in run.record.elastic.associations
        )
    )
    return run.record


async def note_recovered(context: Context, zone: Zone, unconfirmed: frozenset[str]) -> None:
    """Put what has our marker and no row on the list that a person confirms."""
    for thing_id, connection in marked_things(zone, context.options.installation.instance_id):
        if lower_case(thing_id) in unconfirmed:
            await things.recover(context, zone.id.text, thing_id, connection)


async def _still_gone(run: Run) -> None:
    """Raise unless the endpoint is gone once more, after its record was read: one that is back has written it."""
    try:
        await run.context.endpoints.get(parse_endpoint_id(run.record.endpoint_id))
    except NotFound:
        return
    raise RetryLater("Azure shows the endpoint again.", on=run.record.endpoint_id, after=5.0)


def _finish(run: Run, plan: RemovalPlan, refused: tuple[str, ...], unlooked: tuple[str, ...]) -> None:
    """A missing right to delete does not keep the removal open; a target that would be opened does.

    What is left is tried again, soon and then once a day, as long as it is there (`deletion.leftovers_due`).
    """
    tries = run.record.removal.tries + 1
    run.record = run.record.with_removal(tried_at=run.context.clock.now(), tries=tries)
    former = left_of_former(run.record)
    left = (*plan.leftovers, *refused, *(problem.message for problem in plan.problems), *former)
    first = warning_of(run.record, plan, refused, run.context.options)
    if plan.problems:
        message = first + c.listed((problem.message for problem in plan.problems), " ")
        _blocked(run, replace(plan.problems[0], message=message), left)
    elif left:
        _removed(run, Reason.LEFT_BEHIND, f"{first}What could be removed is. Left: {c.listed(left, '; ')}.", left)
    elif unlooked:
        _removed(run, Reason.REMOVED, f"All that was found of it is removed. Not looked: {c.listed(unlooked, '; ')}.")
    else:
        _removed(run, Reason.REMOVED, "Everything that was made for it is removed.")
