"""The Elastic Cloud branch of a run: read, plan, carry the steps out, each journalled. Used by `loop`.

Associations go on past each other's errors, so that one target that cannot be connected does not hold up the rest.
Both kinds of request are noted in the target's row first, so that none gets its first policy unasked (S1) and none
loses its last one (S2). What is taken away counts against the limit of destructive steps (S6).
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta

from shared.clock import Stopwatch
from shared.core.model import conditions as c
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.conditions import Phase
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.errors import (
    AnswerLost,
    AutopilotError,
    Blocked,
    Forbidden,
    LeaseLost,
    NotFound,
    NotVisibleYet,
    Waiting,
)
from shared.core.model.messages import Cause
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.resources import Claim
from shared.core.model.steps import (
    Associate,
    ClaimEndpoint,
    CreatePolicy,
    Disassociate,
    ElasticStep,
    UnclaimEndpoint,
    UpdatePolicy,
    created,
    updated,
)
from shared.core.options.installation import Mode
from shared.core.planning.associations import begin_restore
from shared.core.planning.desired import Desired
from shared.core.planning.plan import Observed, ObservedElastic, plan, remember
from shared.core.planning.policy import search_ends
from shared.core.planning.restores import Restores
from shared.core.ports import claims_of
from shared.core.reasons import explain
from shared.installation import decided
from shared.installation.recovered import confirmed_targets
from shared.installation.removal_limit import tear_down
from shared.reconciler.observe import enter_organization, observe_elastic
from shared.reconciler.run_state import (
    NEVER,
    Failures,
    Run,
    backoff_error,
    definite_failures,
    elastic_failed,
    show_progress,
)
from shared.reconciler.target_requests import (
    DATE_STEP,
    associate,
    awaited_posts,
    disassociate,
    patience_of,
    proves_nothing_was_done,
)
from shared.requests import Stage, timed

POLICY_TIME = "policy-intents"
"""A row that is not there: its read tells the storage service's time."""
NAMED = 5
"""Policies that a text names."""
SHOWN_WITHIN = timedelta(minutes=2)
"""So long after its creation Elastic Cloud may answer 404, or 403, for a policy that it does not show yet."""


async def elastic_branch(run: Run, desired: Desired) -> tuple[ObservedElastic | None, Failures]:
    """Read, plan and act in Elastic Cloud; returns what is then there (None: not known), and what failed."""
    try:
        return await _looked_and_acted(run, desired)
    finally:
        run.looked.set()


async def _looked_and_acted(run: Run, desired: Desired) -> tuple[ObservedElastic | None, Failures]:
    context = run.context
    if not desired.endpoint.guid:
        return None, {}
    if (busy := backoff_error(run, "Elastic Cloud", run.record.elastic.not_before)) is not None:
        return None, definite_failures(run, {c.POLICY_READY: busy})
    try:
        served = await enter_organization(run, desired)
        begun_at = run.held.row.read_at or NEVER
        observed, unread = await observe_elastic(
            context, served, run.record, begun_at, by_person=run.cause is Cause.MANUAL
        )
        if any(memory.recovered for memory in run.record.elastic.associations):
            observed = replace(observed, confirmed=await confirmed_targets(context, run.record))
        _search_ended(run, observed.begun_at or NEVER)
    except AutopilotError as error:
        return None, definite_failures(run, elastic_failed(run, {c.POLICY_READY: error}))
    missing: Failures = {} if unread is None else {c.ASSOCIATED: unread}
    failures: Failures = {}
    for _ in range(2):  # a policy made in the first pass is associated in the second
        now = context.clock.now()
        before = plan(desired, Observed(desired.endpoint, None, observed), run.record, context.options, now)
        run.waits |= before.restores.waits
        run.crowd = before.elastic.crowd if before.elastic is not None else None
        run.looked.set()
        if not before.elastic_steps or not run.effective_mode.enforces:
            break
        run.record = remember(run.record, desired, before, now)
        observed, failed = await _apply(run, before.elastic_steps, observed, before.restores)
        failures |= failed
        after = plan(desired, Observed(desired.endpoint, None, observed), run.record, context.options, now)
        await show_progress(run, after.conditions)
        if failures:
            break
    await _words_carried_out(run, observed)
    if not failures and (awaited := await awaited_posts(run, [one.explanation for one in before.conditions])):
        failures[c.ASSOCIATED] = awaited
    elastic_failed(run, missing | failures)
    return observed, failures | definite_failures(run, missing)


async def _words_carried_out(run: Run, observed: ObservedElastic) -> None:
    """Take off what a person decided on targets that no policy lists: the plan of this run forgets them."""
    for target_id in sorted(observed.unseen.forgotten):
        if all(target_id not in policy.associations for policy in observed.policies):
            word = Decided(ConnectionDecision.FORGET_TARGET, target_id)
            await decided.carried_out(run.context, run.record.id, word)


@timed(Stage.APPLY_ELASTIC)
async def _apply(
    run: Run, steps: tuple[ElasticStep, ...], observed: ObservedElastic, restores: Restores
) -> tuple[ObservedElastic, Failures]:
    """Do the Elastic Cloud steps; returns what is then there, and what failed."""
    failures: Failures = {}
    for step in steps:
        if isinstance(step, Associate) and run.before_half < 0:
            run.cut_short = True  # the others are the next run's: this one has to end, and to be stored
            break
        started = time.monotonic()
        try:
            if not await run.may_write():
                break
            observed = await _step(run, step, observed)
        except LeaseLost:
            raise
        except AutopilotError as error:
            run.note_failure(step, error, started)
            failures.setdefault(step.condition, error)
            if isinstance(step, CreatePolicy | UpdatePolicy):
                break
            continue
        run.note_done(step, restores, started)
    return observed, failures


async def _step(run: Run, step: ElasticStep, observed: ObservedElastic) -> ObservedElastic:
    match step:
        case CreatePolicy():
            return await _create_policy(run, step, observed)
        case UpdatePolicy():
            return await _update_policy(run, step, observed)
        case Associate():
            return await _associate(run, step, observed)
        case Disassociate():
            return await _disassociate(run, step, observed)
        case ClaimEndpoint():
            return await _claim(run, step, observed)
        case UnclaimEndpoint():
            return await _unclaim(run, step, observed)


# -- policy --------------------------------------------------------------------------------------------------------


async def _create_policy(run: Run, step: CreatePolicy, observed: ObservedElastic) -> ObservedElastic:
    """The one call that is not idempotent: the intent is stored before it, the id right after it.

    As with the notes of targets, the intent holds the storage service's time plus the request's, the worker counts the
    same time by its own clock, and only a proven refusal takes it back: there is no earlier POST in doubt here.
    """
    await _ensure_room(run, observed)
    watch, patience = Stopwatch(run.context.clock), patience_of(run)
    read_at = (await run.context.storage.control.look(POLICY_TIME)).read_at + DATE_STEP
    intent = read_at + timedelta(seconds=patience)
    run.record = run.record.with_elastic(policy=PolicyMemory(), policy_post_until=intent)
    run.note(step, "begun")
    await run.flush()
    try:
        await run.save(renew=True)
    except AutopilotError:
        run.record = run.record.with_elastic(policy_post_until=None)  # nothing was sent
        raise
    left = patience - watch.seconds
    if min(left, run.held.remaining()) < run.context.settings.timing.request_timeout:
        # The storing took long. Past the lease another worker could be doing the same; the POST must end within it.
        run.record = run.record.with_elastic(policy_post_until=None)
        raise Waiting("Too little time is left to create a policy safely.", on=step.name, after=1.0)
    try:
        async with asyncio.timeout(left):
            policy_id = await run.elastic.create_policy(step)
    except TimeoutError as error:
        raise AnswerLost("Elastic Cloud did not answer in time.", on=step.name) from error
    except AutopilotError as error:
        if proves_nothing_was_done(error):
            run.record = run.record.with_elastic(policy_post_until=None)
            await run.save()
        raise  # else the intent stays: the next run looks for the policy before it makes another
    learned_at = read_at + timedelta(seconds=watch.seconds)
    made = PolicyMemory(policy_id, Owner.OURS, learned_at, run.context.clock.now(), step.endpoint_guid, rules=1)
    made = replace(made, key=run.elastic.key_mark)
    run.record = run.record.with_elastic(policy=made, policy_post_until=None)
    await run.save()
    run.note(step, "created", after=policy_id)
    await run.flush()
    return replace(observed, policies=(*observed.policies, created(step, policy_id)))


async def _ensure_room(run: Run, observed: ObservedElastic) -> None:
    """Raise Blocked where the subscription's endpoints have left as many policies as they may.

    An endpoint that is retained, ignored or put out of scope, and then deleted, leaves its policy for good; made again
    and again, such endpoints would use up what all endpoints of the organization share. A connection that was Ready
    gets its policy again.
    """
    if run.record.status.ready_since is not None or run.record.elastic.associations:
        return
    options = run.context.options
    most, instance = options.removal.retained_policies, options.installation.instance_id
    marked = [one for one in observed.policies if one.marker is not None and one.marker.instance == instance]
    if len(marked) < most:
        return
    own = parse_endpoint_id(run.record.endpoint_id).subscription_id
    left = {
        row.connection_id
        async for row in run.context.storage.connections.list_columns()
        if row.columns.subscription == own
        and (row.columns.phase in {Phase.REMOVED, Phase.IGNORED} or row.columns.mode == Mode.IGNORE)
    }
    found = [policy for policy in marked if policy.marker is not None and policy.marker.connection_id in left]
    if len(found) < most:
        return
    named = ", ".join(f"{policy.name} ({policy.id})" for policy in found[:NAMED])
    raise Blocked(
        explain(
            Reason.RETAINED_POLICIES_MAX_REACHED,
            f"Endpoints of subscription {own} that are gone or left alone have {len(found)} policies, and "
            f"{most} are allowed: {named}{' and more' if len(found) > NAMED else ''}.",
        )
    )


def _search_ended(run: Run, begun_at: datetime) -> None:
    """Forget a POST whose policy the list, begun at that time, would show."""
    ends = search_ends(run.record, run.context.options)
    if ends is not None and begun_at >= ends:
        run.record = run.record.with_elastic(policy_post_until=None)


async def _update_policy(run: Run, step: UpdatePolicy, observed: ObservedElastic) -> ObservedElastic:
    """A PUT of all of it: sending it twice changes nothing more."""
    await run.elastic.update_policy(step)
    memory = replace(run.record.elastic.policy, id=step.policy_id, owner=Owner.OURS, guid=step.endpoint_guid)
    run.record = run.record.with_elastic(policy=memory)
    await run.save()
    policies = tuple(updated(policy, step) if policy.id == step.policy_id else policy for policy in observed.policies)
    return replace(observed, policies=policies)


# -- associations --------------------------------------------------------------------------------------------------


async def _associate(run: Run, step: Associate, observed: ObservedElastic) -> ObservedElastic:
    """Associate, remembering before and after whether the association is ours (S4)."""
    before = run.record.association(step.target_id)
    begun = replace(
        begin_restore(before or AssociationMemory(step.target_id), run.context.clock.now()), asked=step.asked
    )

    async def begin() -> None:
        run.record = run.record.with_association(begun)
        await run.save()

    try:
        made = await associate(run, step, {policy.id: policy.type for policy in observed.policies}, begin)
    except AnswerLost:
        raise  # begun, and perhaps done: if it is there at the next look, it is ours
    except AutopilotError as error:
        # Refused: what others may do later must not be taken for ours, nor be counted as put back.
        run.record = run.record.without_association(step.target_id)
        if before is not None:
            run.record = run.record.with_association(before)
        if isinstance(error, NotFound | Forbidden) and _just_created(run):
            # Elastic Cloud answers 404, or 403, for a policy that it does not show yet.
            raise NotVisibleYet(error.what, on=error.on, after=5.0) from error
        raise
    # There already, though not listed yet: begun or made by us earlier, else another manager's.
    known = before.owner or Owner.OURS if before is not None else Owner.ADOPTED
    owner = Owner.OURS if made else known
    run.record = run.record.with_association(replace(begun, owner=owner))
    return _associated(observed, step.policy_id, step.target_id)


def _just_created(run: Run) -> bool:
    created = run.record.elastic.policy.created_at
    return created is not None and run.context.clock.now() - created < SHOWN_WITHIN


async def _disassociate(run: Run, step: Disassociate, observed: ObservedElastic) -> ObservedElastic:
    policies = {policy.id: policy for policy in observed.policies}
    await disassociate(run, step, policies, lambda: tear_down(run.context, run.record.id, run.id, gone=False))
    run.record = run.record.without_association(step.target_id)
    await run.save()
    return disassociated(observed, step)


def _associated(observed: ObservedElastic, policy_id: str, target_id: str) -> ObservedElastic:
    policies = tuple(
        replace(policy, associations=(*policy.associations, target_id)) if policy.id == policy_id else policy
        for policy in observed.policies
    )
    targets = tuple(
        replace(one, attached=(*(one.attached or ()), policy_id)) if one.id == target_id else one
        for one in observed.targets or ()
    )
    return replace(observed, policies=policies, targets=targets)


def disassociated(observed: ObservedElastic, step: Disassociate) -> ObservedElastic:
    """What is there once an association is gone."""
    policies = tuple(
        replace(policy, associations=tuple(one for one in policy.associations if one != step.target_id))
        if policy.id == step.policy_id
        else policy
        for policy in observed.policies
    )
    targets = tuple(
        replace(one, attached=tuple(policy for policy in one.attached if policy != step.policy_id))
        if one.id == step.target_id and one.attached is not None
        else one
        for one in observed.targets or ()
    )
    return replace(observed, policies=policies, targets=targets)


# -- claims --------------------------------------------------------------------------------------------------------


async def _claim(run: Run, step: ClaimEndpoint, observed: ObservedElastic) -> ObservedElastic:
    """Claim the endpoint, which had no claim of the organization a moment ago.

    It carries no marker: that it is ours is remembered before it is made, or it would stay for ever if this run died.
    """
    before = run.record.elastic.claim
    memory = ClaimMemory(step.region, step.endpoint_name, step.endpoint_guid, Owner.OURS)
    run.record = run.record.with_elastic(claim=memory)
    await run.save()
    try:
        await claims_of(run.elastic).claim(step)
    except AnswerLost:
        raise  # it may stand, and would be ours
    except AutopilotError:
        run.record = run.record.with_elastic(claim=before)
        raise
    claim = Claim(step.region, step.endpoint_name, step.endpoint_guid)
    return replace(observed, claims=(*(observed.claims or ()), claim))


async def _unclaim(run: Run, step: UnclaimEndpoint, observed: ObservedElastic) -> ObservedElastic:
    await tear_down(run.context, run.record.id, run.id, gone=False)
    await claims_of(run.elastic).unclaim(step)
    run.record = run.record.with_elastic(claim=None)
    await run.save()
    gone = step.endpoint_guid.lower()
    return replace(observed, claims=tuple(c for c in observed.claims or () if c.endpoint_guid.lower() != gone))
