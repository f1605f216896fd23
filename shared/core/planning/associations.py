"""The plan of the associations: with which deployments the policy is associated, and from which it is taken away. Pure.

Called by `plan` once the endpoint is approved. Associations of others with our policy, or of anybody with a
policy of others, are used and shown, and never taken away (S4). Of ours, those that no tag asks for any more go, unless
they are a deployment's last one (S2). What another manager removes is restored a few times, and then left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.guards.consent import OPT_OUT_TAG, label_of
from shared.core.guards.cutting_off import INGRESS_TYPES, may_be_first
from shared.core.guards.reopening import plan_disassociation
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, PendingTargetMemory, TargetMemory
from shared.core.model.resources import Deployment, Policy
from shared.core.model.steps import Associate, Disassociate
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import DEPLOYMENTS_TAG, Desired
from shared.core.planning.wishes import Choice, choose_deployments
from shared.core.reasons import explain, remedy_of


@dataclass(frozen=True, slots=True)
class AssociationPlan:
    """Steps still to do, the condition, and what is known of every association."""

    steps: tuple[Associate | Disassociate, ...]
    condition: Condition
    associations: tuple[AssociationMemory, ...] = ()
    deployments: tuple[TargetMemory, ...] = ()
    unserved: tuple[PendingTargetMemory, ...] = ()


def nothing_requested() -> Condition:
    """The condition of an endpoint that asks for no deployment, and that none asks for."""
    message = f"The endpoint's tag {DEPLOYMENTS_TAG} names no deployment, so the policy is associated with none."
    return c.satisfied(c.ASSOCIATED, Reason.NOTHING_REQUESTED, message)


def plan_associations(
    desired: Desired,
    deployments: tuple[Deployment, ...],
    policies: tuple[Policy, ...],
    policy: Policy | None,
    record: ConnectionRecord,
    options: PlanOptions,
    now: datetime,
) -> AssociationPlan:
    """Associate what is asked for and allowed, remove what we associated and no tag asks for any more.

    `known` uses the policy already; `policy` is None when it was just made and does not show yet.
    """
    policy_id = record.elastic.policy.id
    types = {one.id: one.type for one in policies}
    standing = associated_with(policy_id, policy, deployments)
    recent = _just_made(record, standing, options, now)
    unseen = {memory.deployment_id for memory in recent if memory.owner is Owner.OURS}
    choices = choose_deployments(desired, deployments, types, standing | unseen, record, options)
    made, contests = _to_make(choices, policy_id, record, options, now)
    wanted = {choice.deployment.id for choice in choices if choice.deployment is not None}
    removals = [
        plan_disassociation(memory.deployment_id, policy_id, deployments, types, options)
        for memory in record.elastic.associations
        if memory.owner is not Owner.ADOPTED and memory.deployment_id in standing - wanted
    ]
    taken = tuple(removal for removal in removals if isinstance(removal, Disassociate))
    problems = [choice.problem for choice in choices if choice.problem is not None] + contests
    problems += [removal for removal in removals if isinstance(removal, Explanation)]
    condition = _condition(choices, (*made, *taken), problems)
    if (made or taken) and policy is not None and not policy.admits_only(desired.endpoint.guid):
        condition, made, taken = _admits_others(policy, desired, (*made, *taken)), (), ()
    return AssociationPlan(
        (*made, *taken),
        condition,
        _remembered(record, choices, standing, {memory.deployment_id for memory in recent}, options, now),
        _served(deployments, standing | unseen),
        _unserved(desired, choices, types),
    )


def associated_with(policy_id: str, policy: Policy | None, deployments: tuple[Deployment, ...]) -> set[str]:
    """Ids of the deployments that a policy is associated with, from whichever side shows it."""
    from_policy = policy.associations if policy is not None and policy.id == policy_id else ()
    return {*from_policy, *(one.id for one in deployments if policy_id in (one.attached or ()))}


def _just_made(
    record: ConnectionRecord, standing: set[str], options: PlanOptions, now: datetime
) -> tuple[AssociationMemory, ...]:
    """Associations that we made, or tried to, a moment ago, and that Elastic Cloud does not list yet."""
    return tuple(
        memory
        for memory in record.elastic.associations
        if memory.owner is not Owner.ADOPTED
        and not memory.seen
        and memory.deployment_id not in standing
        and _within_lag(memory, options, now)
    )


def _within_lag(memory: AssociationMemory, options: PlanOptions, now: datetime) -> bool:
    """Whether it was made so short a time ago that Elastic Cloud may not list it yet."""
    return memory.made_at is not None and now - memory.made_at < timedelta(seconds=options.timing.policy_lag)


def _to_make(
    choices: tuple[Choice, ...], policy_id: str, record: ConnectionRecord, options: PlanOptions, now: datetime
) -> tuple[tuple[Associate, ...], list[Explanation]]:
    steps, contests = [], []
    for choice in choices:
        target = choice.deployment
        if target is None or choice.problem is not None or choice.associated:
            continue
        problem = contested(target, record.association(target.id), options, now)
        if problem is not None:
            contests.append(problem)
        else:
            first = may_be_first(target, options)
            steps.append(Associate(policy_id, target.id, target.name, choice.asked, may_be_first=first))
    return tuple(steps), contests


def _remembered(
    record: ConnectionRecord,
    choices: tuple[Choice, ...],
    standing: set[str],
    recent: set[str],
    options: PlanOptions,
    now: datetime,
) -> tuple[AssociationMemory, ...]:
    """Every association that stands, or is ours to put back; what is gone and not asked for is forgotten."""
    asked = {choice.deployment.id: choice.asked for choice in choices if choice.deployment is not None}
    memories = {memory.deployment_id: memory for memory in record.elastic.associations}
    kept = []
    for deployment_id in dict.fromkeys([*memories, *sorted(standing)]):
        # There without our doing: adopted, and never removed by us (S4). Begun by us and there now: ours.
        memory = memories.get(deployment_id) or AssociationMemory(deployment_id, Owner.ADOPTED)
        wish = asked.get(deployment_id, memory.asked)
        if deployment_id in standing:
            # The run that made it sees it stand by its own doing; Elastic Cloud may leave it out for a while.
            seen = memory.seen or not _within_lag(memory, options, now)
            kept.append(replace(memory, owner=memory.owner or Owner.OURS, asked=wish, seen=seen))
        elif deployment_id in recent or (deployment_id in asked and memory.owner is not Owner.ADOPTED):
            kept.append(replace(memory, asked=wish))
    return tuple(kept)


def _served(deployments: tuple[Deployment, ...], associated: set[str]) -> tuple[TargetMemory, ...]:
    """The deployments that the connection leads to, associated by us or by others: these are tested and shown."""
    return tuple(
        TargetMemory(deployment.id, deployment.name, deployment.urls)
        for deployment in deployments
        if deployment.id in associated and deployment.running
    )


def _unserved(desired: Desired, choices: tuple[Choice, ...], types: dict[str, str]) -> tuple[PendingTargetMemory, ...]:
    """The deployments that a tag asks for and that wait, with how many policies keep strangers out of each."""
    waited_for = [choice.deployment for choice in choices if choice.deployment is not None and not choice.associated]
    return tuple(
        PendingTargetMemory(one.id, one.name, one.urls, _closed_by(one, types))
        for one in waited_for
        if one.running and one.region == desired.service.elastic_region
    )


def _closed_by(deployment: Deployment, types: dict[str, str]) -> int | None:
    if deployment.attached is None:
        return None
    return sum(types.get(policy_id) in INGRESS_TYPES for policy_id in deployment.attached)


# -- the condition -------------------------------------------------------------------------------------------------


def _admits_others(policy: Policy, desired: Desired, steps: tuple[Associate | Disassociate, ...]) -> Condition:
    """A policy with further rules is neither given nor taken away.

    Consent was given for this endpoint only, others would come in with it (S8); and those who come in by it stay.
    """
    guid = desired.endpoint.guid.lower()
    others = [rule.endpoint_name or rule.endpoint_guid for rule in policy.rules if rule.endpoint_guid.lower() != guid]
    named = ", ".join(others) or f"{policy.other_rules} other rule(s)"
    return c.blocked(
        c.ASSOCIATED,
        Reason.POLICY_ADMITS_OTHERS,
        f"Policy {policy.id} ({policy.name}) also lets in {named}. Not done: {'; '.join(map(str, steps))}.",
        remedy_of(Reason.POLICY_ADMITS_OTHERS),
    )


def _condition(
    choices: tuple[Choice, ...], steps: tuple[Associate | Disassociate, ...], problems: list[Explanation]
) -> Condition:
    if problems:
        return c.blocked(
            c.ASSOCIATED,
            problems[0].reason,
            " ".join(problem.message for problem in problems),
            " ".join(dict.fromkeys(problem.next_step for problem in problems)),
        )
    if steps:
        reason = Reason.MISSING if any(isinstance(step, Associate) for step in steps) else Reason.NO_LONGER_ASKED_FOR
        return c.waiting(c.ASSOCIATED, reason, f"{'; '.join(map(str, steps))}.", c.WaitingFor.WORK)
    names = [_named(choice) for choice in choices]
    return (
        c.satisfied(c.ASSOCIATED, Reason.ASSOCIATED, f"Associated with {', '.join(names)}.")
        if names
        else nothing_requested()
    )


def _named(choice: Choice) -> str:
    deployment = choice.deployment
    if deployment is None:
        return choice.asked
    renamed = choice.asked not in {deployment.name, deployment.id} and choice.asked.lower() != deployment.id
    return f"{deployment.name} (still called {choice.asked} in the endpoint's tag)" if renamed else deployment.name


RESTORE_WINDOW = timedelta(days=7)
"""Within this time the removals count as one fight: long enough for a pipeline that runs once a day."""


def taken_away(memory: AssociationMemory | None) -> bool:
    """Whether an association that is not there now, nor was made a moment ago, was ours."""
    return memory is not None and memory.owner is Owner.OURS


def recent(memory: AssociationMemory | None, now: datetime) -> tuple[datetime, ...]:
    """When it was put back within the window."""
    return tuple(at for at in memory.taken if now - at < RESTORE_WINDOW) if memory is not None else ()


def contested(
    deployment: Deployment, memory: AssociationMemory | None, options: PlanOptions, now: datetime
) -> Explanation | None:
    """Why an association is not put back once more; None: it may be (or it is its first time)."""
    times = recent(memory, now)
    if not taken_away(memory) or len(times) < options.targets.association_restores:
        return None
    moments = ", ".join(f"{at:%Y-%m-%d %H:%M} UTC" for at in times)
    return explain(
        Reason.ASSOCIATION_CONTESTED,
        f"Another manager keeps removing the policy from deployment {label_of(deployment)}; the app restored it "
        f"{len(times)} time(s) ({moments or 'never: the settings forbid it'}) and is now left alone. Terraform's "
        "ec_deployment.traffic_filter does this at every run; the deployment's activity in the Elastic Cloud console "
        "shows who.",
        "Add the policy to the other manager's list (in Terraform use ec_deployment_traffic_filter_association "
        f"instead), or tag the deployment {OPT_OUT_TAG}=ignore; then re-run the connection.",
    )


def put_back(memory: AssociationMemory, now: datetime) -> AssociationMemory:
    """The memory once the association is begun (again): counted if it had been taken away; its end is unknown yet."""
    times = (*recent(memory, now), now) if taken_away(memory) else recent(memory, now)
    return replace(memory, owner=None, seen=False, made_at=now, taken=times)


def truce(connection: ConnectionRecord) -> ConnectionRecord:
    """The record after a person asked for a run: the fight is considered settled, and counted anew."""
    return connection.with_elastic(
        associations=tuple(replace(known, taken=()) for known in connection.elastic.associations)
    )
