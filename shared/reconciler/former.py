"""Taking away what was made in a former region or network of an endpoint that lives. Used by `loop` and `deleted`.

It comes after everything else of a run, waits for the grace, and is tried again as long as something is left. What it
meets shows in the condition `FormerRemoved`, which never makes a connection less Ready.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from shared.core.model import conditions as c
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import Condition
from shared.core.model.errors import AutopilotError, Blocked, LeaseLost, Permanent, Waiting
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_former import FormerThings
from shared.core.model.resources import Endpoint, policies_made_for
from shared.core.model.steps import DeletePolicy, RemovalStep
from shared.core.options.removal import OnDelete
from shared.core.planning.deletion import confirmed
from shared.core.planning.former import (
    as_it_was,
    former_stands_for_removal,
    only_organization,
    plan_former_removal,
)
from shared.core.planning.policy import may_show_later
from shared.core.planning.removal import held_up_by
from shared.installation.removal_limit import stand_for_removal, tear_down
from shared.reconciler.apply_removal import take_step
from shared.reconciler.holders import wake_waiting
from shared.reconciler.observe_removal import observe_removal
from shared.reconciler.run_state import NEVER, Run
from shared.state.control import DamagedRow

SOONEST, LATEST = 300.0, 3600.0
"""Seconds until what is left is tried again: soon after the grace, as most refusals pass, and later once an hour."""

WITHIN_A_WORD = 1500.0
"""The same while too many stand for removal: a person's word that ends that lasts an hour."""

_DNS = (c.ZONE_READY, c.LINKED, c.RECORD_READY)


async def remove_former(run: Run, endpoint: Endpoint | None, conditions: tuple[Condition, ...]) -> list[Condition]:
    """Take away what is due; returns the condition, none where there never was anything.

    `endpoint` None: it is gone too, and what it was before goes with the rest, without a grace of its own.
    """
    if not run.record.former_things:
        return []
    for former in run.record.former_things:
        if former.dns.zone is not None:  # the record there is free for those that wait for it
            await wake_waiting(run.context, parse_arm_id(former.dns.zone.id), run.correlation_id)
    told = [await _remove(run, former, endpoint, conditions) for former in run.record.former_things]
    waiting = [one for one in told if one is not None]
    if not waiting:
        return [
            c.satisfied(
                c.FORMER_REMOVED, Reason.REMOVED, "What it had in another region, network or organization is removed."
            )
        ]
    reason, texts = waiting[0][0], [text for _, text in waiting]
    return [c.waiting(c.FORMER_REMOVED, reason, " ".join(texts))]


async def _remove(
    run: Run, former: FormerThings, endpoint: Endpoint | None, conditions: tuple[Condition, ...]
) -> tuple[Reason, str] | None:
    """Why something of the entry is still there, for a person; None: it is done with."""
    where = f"{former.identity.region}, network {former.identity.vnet_id}"
    context, record = run.context, run.record
    moved = only_organization(record, former)
    if moved:
        where = f"organization {former.organization}"
    if not moved and (record.identity.on_delete or context.options.removal.on_delete) == OnDelete.RETAIN:
        _forget(run, former)
        run.note(f"leave what was made in {where}", "done", message="The settings or the endpoint's tag say so.")
        return None
    if not run.effective_mode.enforces:
        return Reason.OBSERVE_MODE, f"What is left in {where} is not removed: {run.effective_mode.why}."
    left = (former.since + timedelta(seconds=context.options.removal.grace) - context.clock.now()).total_seconds()
    if endpoint is not None and left > 0 and not moved:
        if former_stands_for_removal(record, context.options):
            with suppress(DamagedRow):  # after the grace it refuses this one, and says so
                await stand_for_removal(context, record.id, run.id)
        run.waits[c.FORMER_REMOVED] = left + 1
        return Reason.GRACE_PERIOD, f"What was made in {where} is removed when the grace period is over."
    try:
        remaining = await _take_away(run, former, endpoint, conditions)
    except LeaseLost:
        raise
    except AutopilotError as error:
        reason = error.reason if isinstance(error, Blocked) else Reason.REMOVING
        again = min(_again(run, former), WITHIN_A_WORD if reason is Reason.REMOVAL_LIMIT_REACHED else LATEST)
        run.waits[c.FORMER_REMOVED] = getattr(error, "after", again)
        return reason, f"What is left in {where} goes later: {error}"
    if not remaining:
        _forget(run, former)
        return None
    run.waits[c.FORMER_REMOVED] = _again(run, former)
    return Reason.LEFT_BEHIND, f"Left in {where}: {'; '.join(remaining)}."


def _again(run: Run, former: FormerThings) -> float:
    """Seconds until it is tried again: as long as it has been due so far."""
    waited = (run.context.clock.now() - former.since).total_seconds() - run.context.options.removal.grace
    return min(LATEST, max(SOONEST, waited))


async def _take_away(
    run: Run, former: FormerThings, endpoint: Endpoint | None, conditions: tuple[Condition, ...]
) -> tuple[str, ...]:
    """Take the steps that may be taken; returns what is left and why."""
    record = run.record
    moved = only_organization(record, former)
    same_service = former.service == (record.identity.family, record.identity.region) and not moved
    standing = {one.type: one.true for one in conditions}
    if same_service and endpoint is not None and not all(standing.get(name) for name in _DNS):
        return ("the new network's names are not set up yet",)
    living = endpoint if same_service else None
    # What is there is in the organization, and of the service, that it was made in: so are the requests about it.
    past = replace(run, record=as_it_was(record, former))
    observed = await observe_removal(run.context, past.record, living=living, dns_only=same_service, elastic_only=moved)
    plan = plan_former_removal(record, former, observed, run.context.options)
    decided = moved or (endpoint is None and confirmed(record))
    if plan.steps and not decided:
        await tear_down(run.context, record.id, run.id, gone=True)
    refused: dict[RemovalStep, str] = {}
    for step in plan.steps:
        if held_up_by(step, refused):
            refused[step] = f"not done, because something before it was refused: {step}"
            continue
        started = time.monotonic()
        if not await run.may_write():
            raise Waiting(f"Not done, because {run.effective_mode.why}.", on=record.endpoint_id)
        try:
            await take_step(past, step, plan)
        except (Blocked, Permanent) as error:
            run.note_failure(step, error, started)
            refused[step] = f"not done: {step} ({error.what})"
        else:
            run.note(step, "done", started=started)
    begun_at, options = run.held.row.read_at or NEVER, run.context.options
    later = not same_service and may_show_later(past.record, observed.policies, options, begun_at) is not None
    coming = ("a policy that was made or begun lately may still show",) if later else ()
    left = (*refused.values(), *(problem.message for problem in plan.problems), *coming)
    ours = {one.id for one in policies_made_for(record.id, observed.policies, options.installation.instance_id)}
    if moved and not left and ours <= {step.policy_id for step in plan.elastic if isinstance(step, DeletePolicy)}:
        return ()  # what others have there stays, and is no reason to wait
    return (*plan.leftovers, *left)


def _forget(run: Run, former: FormerThings) -> None:
    kept = tuple(one for one in run.record.former_things if one.key != former.key)
    run.record = replace(run.record, former_things=kept)


def left_of_former(record: ConnectionRecord) -> tuple[str, ...]:
    """What a connection whose endpoint is gone leaves of its former places, for people."""
    return tuple(f"things in {one.identity.region}, network {one.identity.vnet_id}" for one in record.former_things)
