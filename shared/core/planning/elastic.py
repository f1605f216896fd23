"""The Elastic branch of the plan: the policy, the claim, the associations. Pure; called by `plan`.

Safety rules S1 to S4, S8 and S9 of the design live here and in the modules it puts together: nothing is associated
before the approval, outside the policy's region, without consent, or as the first policy of an open deployment; only
what we associated is taken away, and never a deployment's last policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import (
    AssociationMemory,
    ClaimMemory,
    PendingTargetMemory,
    PolicyMemory,
    TargetMemory,
)
from shared.core.model.resources import POLICY_TYPE, Claim, ConnectionStatus, Deployment, Policy
from shared.core.model.steps import ElasticStep
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.advice import key_advice, policy_advice, sign_in_advice
from shared.core.planning.associations import nothing_requested, plan_associations
from shared.core.planning.claim import plan_claim
from shared.core.planning.desired import Desired
from shared.core.planning.policy import plan_policy, policies_of

__all__ = ["POLICY_TYPE", "ElasticPlan", "ObservedElastic", "plan_elastic", "policies_of"]


@dataclass(frozen=True, slots=True)
class ObservedElastic:
    """What Elastic Cloud answered about one endpoint's region."""

    policies: tuple[Policy, ...] = ()
    """Every policy of every region and type."""
    deployments: tuple[Deployment, ...] | None = None
    """Those that the endpoint asks for, that ask for it, or that its policy is associated with; None: not looked at,
    because their turn has not come."""
    claims: tuple[Claim, ...] | None = None
    """The organization's claims in the region; None: not looked at."""
    key_expires: datetime | None = None
    """When the API key ends; None: not known, or never."""


@dataclass(frozen=True, slots=True)
class ElasticPlan:
    """Steps still to do, the conditions as they stand, and what is used."""

    steps: tuple[ElasticStep, ...]
    conditions: tuple[Condition, ...]
    policy: PolicyMemory
    associations: tuple[AssociationMemory, ...] | None = None
    """What is now known of them; None: not looked at."""
    deployments: tuple[TargetMemory, ...] | None = None
    """Those that are associated; None: not looked at."""
    claim: ClaimMemory | None = None
    unserved: tuple[PendingTargetMemory, ...] | None = None
    """Those that are asked for and not associated; None: not looked at."""
    advice: tuple[Explanation, ...] = ()


def plan_elastic(
    desired: Desired, observed: ObservedElastic, record: ConnectionRecord, options: PlanOptions, now: datetime
) -> ElasticPlan:
    """What is left to do in Elastic Cloud."""
    here = tuple(policy for policy in observed.policies if policy.region == desired.service.elastic_region)
    policy = plan_policy(desired, here, record, options, now)
    claim = plan_claim(desired, observed.claims, record)
    steps, conditions = (*policy.steps, *claim.steps), (policy.condition, *claim.conditions)
    advice = policy_advice(desired, observed.policies, policy.memory.id)
    advice += _only(key_advice(observed.key_expires, now))
    if desired.endpoint.status is not ConnectionStatus.APPROVED or not policy.memory.id:
        waits = _association_waits(desired)
        return ElasticPlan(steps, (*conditions, waits), policy.memory, claim=claim.memory, advice=advice)
    if observed.deployments is None:
        unread = c.unknown(c.ASSOCIATED, Reason.NOT_OBSERVED, "The deployments have not been read yet.")
        return ElasticPlan(steps, (*conditions, unread), policy.memory, claim=claim.memory, advice=advice)
    record = record.with_policy(policy.memory)
    found = plan_associations(desired, observed.deployments, here, policy.policy, record, options, now)
    served = {deployment.id for deployment in found.deployments}
    types = {policy.id: policy.type for policy in here}
    return ElasticPlan(
        (*steps, *found.steps),
        (*conditions, found.condition),
        policy.memory,
        found.associations,
        found.deployments,
        claim.memory,
        found.unserved,
        advice + _only(sign_in_advice(observed.deployments, served, types, record.status.advice)),
    )


def deployments_that_matter(
    desired: Desired, policies: tuple[Policy, ...], record: ConnectionRecord
) -> tuple[str, ...]:
    """Ids and names: those asked for, those we associated, and those that the policy in use is associated with."""
    remembered = (memory.deployment_id for memory in record.elastic.associations)
    here = tuple(policy for policy in policies if policy.region == desired.service.elastic_region)
    matching = policies_of(here, desired.endpoint.guid, record.elastic.policy.id)
    associated = (deployment_id for policy in matching[:1] for deployment_id in policy.associations)
    return tuple(dict.fromkeys((*desired.deployments, *remembered, *associated)))


def _only(advice: Explanation | None) -> tuple[Explanation, ...]:
    return () if advice is None else (advice,)


def _association_waits(desired: Desired) -> Condition:
    if not desired.deployments:
        return nothing_requested()
    message = "Deployments are associated after Elastic has approved the endpoint."
    return c.waiting(c.ASSOCIATED, Reason.AWAITING_APPROVAL, message)
