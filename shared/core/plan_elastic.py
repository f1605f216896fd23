"""The Elastic branch of the plan: the policy and its associations. Pure; called by `plan`.

Safety rules S1, S3, S4, S8 and S9 of the design live here: nothing is associated before the approval, outside the
policy's region, without the operator's or the deployment's consent, or as the first policy of an open deployment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core import conditions as c
from shared.core.conditions import Condition
from shared.core.connection import Connection, DeploymentMemory, Owner, PolicyMemory
from shared.core.desired import DEPLOYMENTS_TAG, Desired
from shared.core.model import ConnectionStatus, Deployment, Policy
from shared.core.rules import Rules
from shared.core.selection import Choice, choose_deployments
from shared.core.steps import Associate, CreatePolicy, ElasticStep

POLICY_TYPE = "azure_private_endpoint"


@dataclass(frozen=True, slots=True)
class ObservedElastic:
    """What Elastic Cloud answered about one endpoint's region."""

    policies: tuple[Policy, ...] = ()
    """Every policy of the region, of every type."""
    deployments: tuple[Deployment, ...] | None = None
    """Those that the endpoint asks for; None: not looked at, because their turn has not come."""


@dataclass(frozen=True, slots=True)
class ElasticPlan:
    """Steps still to do, the conditions as they stand, and what is used."""

    steps: tuple[ElasticStep, ...]
    conditions: tuple[Condition, ...]
    policy: PolicyMemory
    associated: tuple[str, ...] = ()
    """Ids of the asked-for deployments that are associated."""
    deployments: tuple[DeploymentMemory, ...] | None = None
    """Those that are associated; None: not looked at."""


def policies_of(policies: tuple[Policy, ...], guid: str, known_id: str = "") -> tuple[Policy, ...]:
    """The policies that let this endpoint in, the one to use first: the one in use, associated ones, the lowest id."""
    wanted = guid.lower()
    found = (
        policy
        for policy in policies
        if policy.type == POLICY_TYPE and any(rule.endpoint_guid.lower() == wanted for rule in policy.rules)
    )
    return tuple(sorted(found, key=lambda policy: (policy.id != known_id, not policy.associations, policy.id)))


def plan_elastic(
    desired: Desired, observed: ObservedElastic, known: Connection, rules: Rules, now: datetime
) -> ElasticPlan:
    """What is left to do in Elastic Cloud."""
    steps, condition, memory, policy = _plan_policy(desired, observed, known, rules, now)
    if desired.endpoint.status is not ConnectionStatus.APPROVED or not memory.id:
        return ElasticPlan(steps, (condition, _association_waits(desired)), memory)
    associations = _plan_associations(desired, observed, memory.id, policy, rules)
    return ElasticPlan(
        (*steps, *associations.steps),
        (condition, *associations.conditions),
        memory,
        associations.associated,
        associations.deployments,
    )


# -- the policy ----------------------------------------------------------------------------------------------------


def _plan_policy(
    desired: Desired, observed: ObservedElastic, known: Connection, rules: Rules, now: datetime
) -> tuple[tuple[ElasticStep, ...], Condition, PolicyMemory, Policy | None]:
    endpoint = desired.endpoint
    matching = policies_of(observed.policies, endpoint.guid, known.policy.id)
    if matching:
        policy = matching[0]
        ours = desired.marker.same_maker(policy.marker)
        memory = PolicyMemory(policy.id, Owner.OURS if ours else Owner.ADOPTED, created_at=known.policy.created_at)
        return (), _existing_policy(desired, matching), memory, policy
    lag = timedelta(seconds=rules.policy_lag)
    memory = known.policy if known.guid.lower() in {"", endpoint.guid.lower()} else PolicyMemory()
    if memory.id and memory.created_at and now - memory.created_at < lag:
        return (), c.good(c.POLICY_READY, "Created", f"Policy {memory.id} was just created."), memory, None
    if not memory.id and memory.intent_at and now - memory.intent_at < lag:
        message = "A create was begun and its answer never came; the app looks for the policy before it makes one."
        return (), c.waiting(c.POLICY_READY, "CreationUncertain", message), memory, None
    step = CreatePolicy(
        name=endpoint.name,
        region=desired.service.elastic_region,
        endpoint_name=endpoint.name,
        endpoint_guid=endpoint.guid,
        marker=desired.marker,
    )
    missing = c.waiting(c.POLICY_READY, "Missing", "The policy is to be created.", c.Kind.WORK)
    return (step,), missing, PolicyMemory(), None


def _existing_policy(desired: Desired, matching: tuple[Policy, ...]) -> Condition:
    policy, *others = matching
    endpoint = desired.endpoint
    guid = endpoint.guid.lower()
    names = {rule.endpoint_name for rule in policy.rules if rule.endpoint_guid.lower() == guid}
    if endpoint.name not in names:
        return c.blocked(
            c.POLICY_READY,
            "PolicyNameMismatch",
            f"Policy {policy.id} ({policy.name}) has this endpoint's GUID under the name {', '.join(sorted(names))}; "
            f"Elastic approves only the exact name {endpoint.name}.",
            f"Correct the endpoint name in the policy to {endpoint.name}.",
        )
    maker = "" if desired.marker.same_maker(policy.marker) else "; made by others, used as it is"
    notes = [f"Policy {policy.id} ({policy.name}){maker}."]
    if others:
        notes.append(f"Also found, not used: {', '.join(other.id for other in others)}.")
    if policy.include_by_default:
        notes.append("It is applied by default to new deployments of the region.")
    return c.good(c.POLICY_READY, "Exists", " ".join(notes))


# -- associations --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Associations:
    steps: tuple[ElasticStep, ...]
    conditions: tuple[Condition, ...]
    associated: tuple[str, ...] = ()
    deployments: tuple[DeploymentMemory, ...] | None = None


def _association_waits(desired: Desired) -> Condition:
    if not desired.deployments:
        return _nothing_requested()
    message = "Deployments are associated after Elastic has approved the endpoint."
    return c.waiting(c.ASSOCIATED, "AwaitingApproval", message)


def _nothing_requested() -> Condition:
    message = f"The endpoint's tag {DEPLOYMENTS_TAG} names no deployment, so the policy is associated with none."
    return c.good(c.ASSOCIATED, "NothingRequested", message)


def _plan_associations(
    desired: Desired, observed: ObservedElastic, policy_id: str, policy: Policy | None, rules: Rules
) -> _Associations:
    if not desired.deployments:
        return _Associations((), (_nothing_requested(),), deployments=())
    if observed.deployments is None:
        return _Associations((), (c.unknown(c.ASSOCIATED, "NotObserved", "The deployments have not been read yet."),))
    choices = choose_deployments(desired, observed.deployments, observed.policies, policy_id, policy, rules)
    steps = tuple(
        Associate(policy_id, choice.deployment.id, choice.deployment.name)
        for choice in choices
        if choice.deployment is not None and choice.problem is None and not choice.associated
    )
    condition = _association_condition(choices, steps)
    if steps and policy is not None and not policy.admits_only(desired.endpoint.guid):
        steps, condition = (), _admits_others(policy, desired, steps)
    done = tuple(choice.deployment for choice in choices if choice.deployment is not None and choice.associated)
    return _Associations(
        steps,
        (condition,),
        tuple(deployment.id for deployment in done),
        tuple(DeploymentMemory(deployment.id, deployment.name, deployment.urls) for deployment in done),
    )


def _admits_others(policy: Policy, desired: Desired, steps: tuple[ElasticStep, ...]) -> Condition:
    """Consent was given for this endpoint only: a policy with further rules would let others in with it (S8)."""
    guid = desired.endpoint.guid.lower()
    others = [rule.endpoint_name or rule.endpoint_guid for rule in policy.rules if rule.endpoint_guid.lower() != guid]
    named = ", ".join(others) or f"{policy.other_rules} other rule(s)"
    return c.blocked(
        c.ASSOCIATED,
        "PolicyAdmitsOthers",
        f"Policy {policy.id} ({policy.name}) also lets in {named}. Not done: {'; '.join(map(str, steps))}.",
        "Take the other rules out of the policy, or delete it so that the app makes one for this endpoint alone.",
    )


def _association_condition(choices: tuple[Choice, ...], steps: tuple[ElasticStep, ...]) -> Condition:
    problems = [choice.problem for choice in choices if choice.problem is not None]
    if problems:
        return c.blocked(
            c.ASSOCIATED,
            problems[0].reason,
            " ".join(problem.message for problem in problems),
            " ".join(dict.fromkeys(problem.next_step for problem in problems)),
        )
    if steps:
        return c.waiting(c.ASSOCIATED, "Missing", f"{'; '.join(map(str, steps))}.", c.Kind.WORK)
    names = ", ".join(choice.deployment.name for choice in choices if choice.deployment is not None)
    return c.good(c.ASSOCIATED, "Associated", f"Associated with {names}.")
