"""The plan of the associations: with which targets the policy is associated, and from which it is taken away. Pure.

Called by `plan` once the endpoint is approved. Associations of others with our policy, or of anybody with a
policy of others, are used and shown, and never taken away (S4). Of ours, those that no tag asks for any more go, unless
they are a target's last one (S2). What another manager removes is restored a few times, and then left alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from shared.core.guards.consent import OPT_OUT_TAG, label_of
from shared.core.guards.first_and_last_policy import INGRESS_TYPES, may_be_first, plan_disassociation
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, PendingTargetMemory, TargetMemory
from shared.core.model.record_parts import RESTORE_WINDOW
from shared.core.model.resources import Listing, Policy, Target, id_of, types_of
from shared.core.model.services import Family
from shared.core.model.steps import Associate, Disassociate
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import DEPLOYMENTS_TAG, Desired
from shared.core.planning.wishes import TargetRequest, choose_targets
from shared.core.reasons import explain, remedy_of


@dataclass(frozen=True, slots=True)
class AssociationPlan:
    """Steps still to do, the condition, and what is known of every association."""

    steps: tuple[Associate | Disassociate, ...]
    condition: Condition
    associations: tuple[AssociationMemory, ...] = ()
    targets: tuple[TargetMemory, ...] = ()
    pending_targets: tuple[PendingTargetMemory, ...] = ()
    crowded: bool = False
    """There are more targets than the settings allow: nothing is made for it."""


APPROVAL, POLICY = "Elastic has approved the endpoint", "the policy is made"


def nothing_requested(family: Family) -> Condition:
    """The condition of an endpoint that asks for no target, and that none asks for."""
    message = f"The endpoint's tag {DEPLOYMENTS_TAG} names no {family.noun}, so the policy is associated with none."
    return c.satisfied(c.ASSOCIATED, Reason.NOTHING_REQUESTED, message)


@cache
def _nothing(family: Family) -> AssociationPlan:
    return AssociationPlan((), nothing_requested(family))


def plan_associations(
    desired: Desired,
    targets: Collection[Target],
    policies: Collection[Policy],
    policy: Policy | None,
    record: ConnectionRecord,
    options: PlanOptions,
    now: datetime,
    namesakes: Collection[str] = (),
    unseen: UnseenTargets = NONE_UNSEEN,
    confirmed: Collection[str] = (),
) -> AssociationPlan:
    """Associate what is asked for and allowed, remove ours that no tag asks for. `policy` None: not shown yet."""
    if not (targets or desired.targets or record.elastic.associations or (policy is not None and policy.used)):
        return _nothing(desired.service.family)
    policy_id = record.elastic.policy.id
    targets, types = Listing.of(targets), Listing.of(policies).once(types_of)
    standing = associated_with(policy_id, policy, targets)
    recent = _just_made(record, standing, options, now)
    not_listed = {memory.target_id for memory in recent if memory.owner is Owner.OURS}
    choices = choose_targets(desired, targets, types, standing | not_listed, record, options, namesakes)
    if unseen.none_visible:
        choices = _none_visible(choices, desired)
    made, contests = _to_make(choices, policy_id, record, options, now)
    crowd = too_many(standing | not_listed | {step.target_id for step in made}, desired.service.family, options)
    if crowd is not None:
        made = ()
    wanted = {choice.target.id for choice in choices if choice.target is not None}
    removals = [
        plan_disassociation(memory.target_id, policy_id, targets, types, options, unseen)
        for memory in record.elastic.associations
        if memory.owner is not Owner.ADOPTED and memory.target_id in standing - wanted
    ]
    taken = tuple(removal for removal in removals if isinstance(removal, Disassociate))
    problems = [] if crowd is None else [crowd]
    problems += [choice.problem for choice in choices if choice.problem is not None] + contests
    problems += [removal for removal in removals if isinstance(removal, Explanation)]
    lost = _unseen(record, targets, policy, unseen)
    problems += [found for one in sorted(lost) if (found := unseen.out_of_sight(one, policy)) is not None]
    condition = _condition(desired.service.family, choices, (*made, *taken), problems)
    if (made or taken) and policy is not None and not policy.admits_only(desired.endpoint.guid):
        condition, made, taken = _admits_others(policy, desired, (*made, *taken)), (), ()
    kept = {memory.target_id for memory in recent} | lost
    most = options.targets.most
    return AssociationPlan(
        (*made, *taken),
        condition,
        _at_most(_remembered(record, choices, standing, kept, confirmed, options, now), most),
        _connected(targets, standing | not_listed)[:most],
        _pending(desired, choices, types)[:most],
        crowded=crowd is not None,
    )


def too_many(targets: Collection[str], family: Family, options: PlanOptions) -> Explanation | None:
    """Why nothing is associated at all, where an endpoint would have more targets than its record can hold."""
    most = options.targets.most
    if len(targets) <= most:
        return None
    return explain(
        Reason.TOO_MANY_TARGETS,
        f"The endpoint has, or is asked to have, {len(targets)} {family.noun}s; TARGETS_MAX allows {most}. None is "
        "associated until they are fewer.",
    )


def _at_most(memories: tuple[AssociationMemory, ...], most: int) -> tuple[AssociationMemory, ...]:
    """As many as a record holds, ours first: one of others that is forgotten is found again by each look."""
    if len(memories) <= most:
        return memories
    return tuple(sorted(memories, key=lambda one: one.owner is Owner.ADOPTED)[:most])


def _none_visible(choices: tuple[TargetRequest, ...], desired: Desired) -> tuple[TargetRequest, ...]:
    """The wishes where nothing at all is seen: one reason for all of them, which names both causes."""
    asked = c.listed(choice.asked for choice in choices if choice.target is None)
    problem = explain(
        Reason.NO_PROJECT_VISIBLE,
        f"The endpoint's tag asks for {asked}, and Elastic Cloud shows the API key no {desired.service.family.noun} at "
        "all: the organization has none, or the key has no role on any.",
    )
    others = (replace(choice, problem=None) for choice in choices[1:])
    return (replace(choices[0], problem=problem), *others) if choices else ()


def confirmed_as_ours(memory: AssociationMemory) -> AssociationMemory:
    """The memory once a person has confirmed that a recovered association is ours; any other one as it is."""
    return replace(memory, owner=Owner.OURS, recovered=False) if memory.recovered else memory


def associated_with(policy_id: str, policy: Policy | None, targets: Collection[Target]) -> set[str]:
    """Ids of the targets that a policy is associated with, from whichever side shows it."""
    from_policy = policy.associations if policy is not None and policy.id == policy_id else ()
    return {*from_policy, *(one.id for one in Listing.of(targets).where(_attached, policy_id))}


def _attached(target: Target) -> tuple[str, ...]:
    return target.attached or ()


def _just_made(
    record: ConnectionRecord, standing: set[str], options: PlanOptions, now: datetime
) -> tuple[AssociationMemory, ...]:
    """Associations that we made, or tried to, a moment ago, and that Elastic Cloud does not list yet."""
    return tuple(
        memory
        for memory in record.elastic.associations
        if memory.owner is not Owner.ADOPTED
        and not memory.seen
        and memory.target_id not in standing
        and _within_lag(memory, options, now)
    )


def _unseen(
    record: ConnectionRecord, targets: Listing[Target], policy: Policy | None, unseen: UnseenTargets
) -> set[str]:
    """Associations of ours with targets that are not seen, and are not gone for that."""
    ours = {memory.target_id for memory in record.elastic.associations if _ours(memory)}
    return {one for one in ours if not targets.where(id_of, one) and not unseen.is_gone(one, policy)}


def _ours(memory: AssociationMemory) -> bool:
    """Whether it is ours, or may be once a person says so."""
    return memory.owner is not Owner.ADOPTED or memory.recovered


def _within_lag(memory: AssociationMemory, options: PlanOptions, now: datetime) -> bool:
    """Whether it was made so short a time ago that Elastic Cloud may not list it yet."""
    return memory.made_at is not None and now - memory.made_at < timedelta(seconds=options.timing.lag)


def _to_make(
    choices: tuple[TargetRequest, ...], policy_id: str, record: ConnectionRecord, options: PlanOptions, now: datetime
) -> tuple[tuple[Associate, ...], list[Explanation]]:
    steps, contests = [], []
    for choice in choices:
        target = choice.target
        if target is None or choice.problem is not None or choice.associated:
            continue
        problem = contested(target, record.association(target.id), options, now)
        if problem is not None:
            contests.append(problem)
        else:
            first = may_be_first(target, options)
            steps.append(
                Associate(policy_id, target.id, target.name, choice.asked, may_be_first=first, family=target.family)
            )
    return tuple(steps), contests


def _remembered(
    record: ConnectionRecord,
    choices: tuple[TargetRequest, ...],
    standing: set[str],
    stays: set[str],
    confirmed: Collection[str],
    options: PlanOptions,
    now: datetime,
) -> tuple[AssociationMemory, ...]:
    """Every association that stands, or is ours to put back; what is gone and not asked for is forgotten.

    `stays`: those that a list may lack though they stand. A recovered one that no tag asks for becomes ours only with
    the endpoint's removal: it may be in use.
    """
    asked = {choice.target.id: choice.asked for choice in choices if choice.target is not None}
    memories = {memory.target_id: memory for memory in record.elastic.associations}
    kept = []
    for target_id in dict.fromkeys([*memories, *sorted(standing)]):
        # There without our doing: adopted, and never removed by us (S4). Begun by us and there now: ours.
        recovered = record.elastic.policy.recovered
        memory = memories.get(target_id) or AssociationMemory(target_id, Owner.ADOPTED, recovered=recovered)
        if target_id in asked and target_id in confirmed:
            memory = confirmed_as_ours(memory)
        wish = asked.get(target_id, memory.asked)
        if target_id in standing:
            # The run that made it sees it stand by its own doing; Elastic Cloud may leave it out for a while.
            seen = memory.seen or not _within_lag(memory, options, now)
            kept.append(replace(memory, owner=memory.owner or Owner.OURS, asked=wish, seen=seen))
        elif target_id in stays or (target_id in asked and memory.owner is not Owner.ADOPTED):
            kept.append(replace(memory, asked=wish))
    return tuple(kept)


def _connected(targets: Listing[Target], associated: set[str]) -> tuple[TargetMemory, ...]:
    """The targets that the connection leads to, associated by us or by others: these are tested and shown."""
    return tuple(
        TargetMemory(target.id, target.name, target.urls, target.state)
        for target in targets.among(id_of, associated)
        if target.running
    )


def _pending(
    desired: Desired, choices: tuple[TargetRequest, ...], types: dict[str, str]
) -> tuple[PendingTargetMemory, ...]:
    """The targets that a tag asks for and that wait, with how many policies keep strangers out of each."""
    waited_for = [choice.target for choice in choices if choice.target is not None and not choice.associated]
    return tuple(
        PendingTargetMemory(one.id, one.name, one.urls, _closed_by(one, types))
        for one in waited_for
        if one.running and one.region == desired.service.elastic_region
    )


def _closed_by(target: Target, types: dict[str, str]) -> int | None:
    if target.attached is None:
        return None
    return sum(types.get(policy_id) in INGRESS_TYPES for policy_id in target.attached)


# -- the condition -------------------------------------------------------------------------------------------------


def awaits_approval(desired: Desired) -> Condition:
    """The condition before the approval, where the targets were not read."""
    if not desired.targets:
        return nothing_requested(desired.service.family)
    message = f"{desired.service.family.noun.capitalize()}s are associated after Elastic has approved the endpoint."
    return c.waiting(c.ASSOCIATED, Reason.AWAITING_APPROVAL, message)


def targets_unread(desired: Desired) -> Condition:
    """The condition after the approval, where the targets were not read."""
    not_read = f"The {desired.service.family.noun}s have not been read yet."
    return c.unknown(c.ASSOCIATED, Reason.NOT_OBSERVED, not_read)


def told_before(found: AssociationPlan, after: str) -> Condition:
    """What becomes of the associations once the policy is approved; what a person has to do for them is told before."""
    if not found.steps:
        return found.condition
    todo = f"After {after}: {c.listed(found.steps, '; ')}."
    if found.condition.needs is c.WaitingFor.PERSON:
        told = replace(found.condition.explanation, message=f"{found.condition.message} {todo}")
        return replace(found.condition, explanation=told)
    reason = Reason.MISSING if after == POLICY else Reason.AWAITING_APPROVAL
    return c.waiting(c.ASSOCIATED, reason, todo, c.WaitingFor.WORK if after == POLICY else c.WaitingFor.TIME)


def _admits_others(policy: Policy, desired: Desired, steps: tuple[Associate | Disassociate, ...]) -> Condition:
    """A policy with further rules is neither given nor taken away.

    Consent was given for this endpoint only, others would come in with it (S8); and those who come in by it stay.
    """
    guid = desired.endpoint.guid.lower()
    others = [rule.endpoint_name or rule.endpoint_guid for rule in policy.rules if rule.endpoint_guid.lower() != guid]
    named = c.listed(others) or c.count(policy.other_rules, "other rule")
    return c.blocked(
        c.ASSOCIATED,
        Reason.POLICY_ADMITS_OTHERS,
        f"Policy {policy.id} ({policy.name}) also lets in {named}. Not done: {c.listed(steps, '; ')}.",
        remedy_of(Reason.POLICY_ADMITS_OTHERS),
    )


def _condition(
    family: Family,
    choices: tuple[TargetRequest, ...],
    steps: tuple[Associate | Disassociate, ...],
    problems: list[Explanation],
) -> Condition:
    if problems:
        return c.blocked(
            c.ASSOCIATED,
            problems[0].reason,
            c.listed((problem.message for problem in problems), " "),
            c.listed(dict.fromkeys(problem.next_step for problem in problems), " "),
            tuple(one for problem in problems if problem.reason is problems[0].reason for one in problem.about),
        )
    if steps:
        reason = Reason.MISSING if any(isinstance(step, Associate) for step in steps) else Reason.NO_LONGER_ASKED_FOR
        return c.waiting(c.ASSOCIATED, reason, f"{c.listed(steps, '; ')}.", c.WaitingFor.WORK)
    names = [_named(choice) for choice in choices]
    return (
        c.satisfied(c.ASSOCIATED, Reason.ASSOCIATED, f"Associated with {c.listed(names)}.")
        if names
        else nothing_requested(family)
    )


def _named(choice: TargetRequest) -> str:
    target = choice.target
    if target is None:
        return choice.asked
    renamed = choice.asked not in {target.name, target.id} and choice.asked.lower() != target.id
    return f"{target.name} (still called {choice.asked} in the endpoint's tag)" if renamed else target.name


_WHO = {
    Family.HOSTED: "Terraform's ec_deployment.traffic_filter does this at every run; the deployment's activity in the "
    "Elastic Cloud console shows who.",
    Family.SERVERLESS: "Terraform's traffic_filter_ids of a project is its whole list, and does this at every run.",
}
_INSTEAD = {
    Family.HOSTED: "in Terraform use ec_deployment_traffic_filter_association instead",
    Family.SERVERLESS: "in Terraform its traffic_filter_ids",
}


def taken_away(memory: AssociationMemory | None) -> bool:
    """Whether an association that is not there now, nor was made a moment ago, was ours."""
    return memory is not None and memory.owner is Owner.OURS


def recent(memory: AssociationMemory | None, now: datetime) -> tuple[datetime, ...]:
    """When it was put back within the window."""
    return tuple(at for at in memory.taken if now - at < RESTORE_WINDOW) if memory is not None else ()


def contested(
    target: Target, memory: AssociationMemory | None, options: PlanOptions, now: datetime
) -> Explanation | None:
    """Why an association is not put back once more; None: it may be (or it is its first time)."""
    times = recent(memory, now)
    if not taken_away(memory) or len(times) < options.targets.association_restores:
        return None
    moments = ", ".join(f"{at:%Y-%m-%d %H:%M} UTC" for at in times)
    return explain(
        Reason.ASSOCIATION_CONTESTED,
        f"Another manager keeps removing the policy from {label_of(target)}; the app restored it "
        f"{c.count(len(times), 'time')} ({moments or 'never: the settings forbid it'}) and is now left alone. "
        f"{_WHO[target.family]}",
        f"Add the policy to the other manager's list ({_INSTEAD[target.family]}), or tag the {target.family.noun} "
        f"{OPT_OUT_TAG}=ignore; then re-run the connection.",
    )


def begin_restore(memory: AssociationMemory, now: datetime) -> AssociationMemory:
    """The memory once the association is begun (again): counted if it had been taken away; its end is unknown yet."""
    times = (*recent(memory, now), now) if taken_away(memory) else recent(memory, now)
    return replace(memory, owner=None, seen=False, made_at=now, taken=times)


def reset_restores(connection: ConnectionRecord) -> ConnectionRecord:
    """The record after a person asked for a run: the fight is considered settled, and counted anew."""
    return connection.with_elastic(
        associations=tuple(replace(known, taken=()) for known in connection.elastic.associations)
    ).with_status(restored=())
