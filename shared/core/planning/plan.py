"""The plan: the pure function from what is observed to what is left to do and how things stand; its Elastic branch.

Called by `reconcile` before and after it acts, and by the sweep for every endpoint. The two branches do not wait for
each other: DNS goes ahead without Elastic and the other way round; only associations wait for the approval.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Condition, Explanation
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import (
    AssociationMemory,
    ClaimMemory,
    PendingTargetMemory,
    PolicyMemory,
    TargetMemory,
)
from shared.core.model.resources import (
    Claim,
    ConnectionStatus,
    Endpoint,
    Listing,
    Policy,
    Target,
    Zone,
    in_region,
    types_of,
)
from shared.core.model.steps import (
    Associate,
    CreatePolicy,
    DnsStep,
    ElasticStep,
    LaterStep,
    PutWildcardRecord,
    Step,
    UpdatePolicy,
    WithdrawAddress,
)
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.advice import key_advice, policy_advice, sign_in_advice, with_misspelt
from shared.core.planning.associations import (
    APPROVAL,
    POLICY,
    awaits_approval,
    plan_associations,
    taken_away,
    targets_unread,
    told_before,
)
from shared.core.planning.desired import TERMINAL, Desired, addressed, approved, behind_approval, recognition_condition
from shared.core.planning.dns import DnsFacts, DnsPlan, plan_dns
from shared.core.planning.dns_record import withdrawals
from shared.core.planning.former import changed_explanation, left_without_key
from shared.core.planning.policy import plan_claim, plan_policy, policies_of
from shared.core.planning.requeue import LONGEST, overdue
from shared.core.planning.restores import NO_RESTORES, Restores, plan_restores


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read of one endpoint's surroundings; None: that branch could not be read or is not looked at now."""

    endpoint: Endpoint
    zones: tuple[Zone, ...] | None = None
    """Every visible zone of the service's name."""
    elastic: ObservedElastic | None = None
    facts: DnsFacts = DnsFacts()
    """What is known of DNS besides the zones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps by branch, and every condition that can be told without doing anything."""

    dns: DnsPlan | None
    elastic: ElasticPlan | None
    conditions: tuple[Condition, ...]
    withdrawals: tuple[WithdrawAddress, ...] = ()
    """Of an endpoint that can never work again: its address leaves the records that it shares."""
    restores: Restores = NO_RESTORES
    """What the steps put right that others changed or deleted, and what is held back of that."""

    @property
    def dns_steps(self) -> tuple[DnsStep, ...]:
        """What is left to do in Azure."""
        return self.dns.steps if self.dns else self.withdrawals

    @property
    def elastic_steps(self) -> tuple[ElasticStep, ...]:
        """What is left to do in Elastic Cloud."""
        return self.elastic.steps if self.elastic else ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that can be done now."""
        return (*self.dns_steps, *self.elastic_steps)

    @property
    def later(self) -> tuple[LaterStep, ...]:
        """What is left to do after that, to the end."""
        return (*(self.dns.later if self.dns else ()), *(self.elastic.later if self.elastic else ()))

    @property
    def all_steps(self) -> tuple[Step | LaterStep, ...]:
        """All that is left to do, to the end."""
        return (*self.steps, *self.later)


def plan(desired: Desired, observed: Observed, record: ConnectionRecord, options: PlanOptions, now: datetime) -> Plan:
    """What is left to do for one endpoint. Rejected and disconnected endpoints get nothing new: they can never work.

    Where others share their `*` record, their address leaves it: it answers no client.
    """
    endpoint, known = observed.endpoint, record
    seen = (recognition_condition(endpoint, options.services), addressed(endpoint))
    if endpoint.status in TERMINAL:
        first = (*seen, approved(endpoint, record, options, now))
        return Plan(None, None, first, withdrawals(desired.connection_id, observed.zones or (), options))
    zones = observed.zones if endpoint.vnet_id else None
    elastic = None
    if observed.elastic is not None and endpoint.guid:
        elastic = plan_elastic(desired, observed.elastic, record, options, now)
        record = record.with_policy(elastic.policy)
    dns = None if zones is None else plan_dns(desired, zones, options, observed.facts, record.dns)
    if dns is not None and elastic is not None and elastic.crowd is not None:
        dns = dns.held_by(elastic.crowd)
    policies = observed.elastic.policies if observed.elastic is not None else ()
    approval = with_misspelt(approved(endpoint, record, options, now), endpoint, policies)
    network = () if endpoint.vnet_id else (_NO_NETWORK,)
    policy = () if endpoint.guid else (_NO_GUID,)
    branches = (*(dns.conditions if dns else network), *(elastic.conditions if elastic else policy))
    standing = (*seen, approval, *branches)
    if not approval.true:
        standing = behind_approval(standing)
    if not LONGEST.keys().isdisjoint([one.explanation.reason for one in standing]):
        standing = tuple(overdue(one, record.condition(one.type), now) for one in standing)
    return _with_restores(Plan(dns, elastic, standing), observed, known, options, now)


def _may_restore(steps: Iterable[Step], record: ConnectionRecord) -> bool:
    """Whether any step may put right what others changed or deleted; of what is made for the first time, none does."""
    dns, policy = record.dns, record.elastic.policy
    if not (dns.zone or dns.links or dns.record or policy.id or record.elastic.associations or record.status.restored):
        return False
    for step in steps:
        match step:
            case Associate():
                known = taken_away(record.association(step.target_id))
            case CreatePolicy() | UpdatePolicy():
                known = bool(policy.id)
            case PutWildcardRecord():
                known = dns.record is not None
            case _:
                known = bool(dns.zone or dns.links)
        if known:
            return True
    return bool(record.status.restored) or any(memory.taken for memory in record.elastic.associations)


def _with_restores(
    found: Plan, observed: Observed, record: ConnectionRecord, options: PlanOptions, now: datetime
) -> Plan:
    """The plan without the restores whose time has not come, or that a person has to settle; and with their advice."""
    if not _may_restore(found.steps, record):
        return found
    policies = observed.elastic.policies if observed.elastic is not None else ()
    restores = plan_restores(found.steps, record, observed.zones or (), policies, options, now)
    dns, elastic = found.dns, found.elastic
    if dns is not None:
        kept = tuple(one for one in dns.steps if one not in restores.dropped)
        dns = replace(dns, steps=kept, advice=(*dns.advice, *restores.dns_advice))
    if elastic is not None:
        left = tuple(one for one in elastic.steps if one not in restores.dropped)
        elastic = replace(elastic, steps=left, advice=(*elastic.advice, *restores.elastic_advice))
    conditions = tuple(map(restores.as_held, found.conditions))
    return replace(found, dns=dns, elastic=elastic, conditions=conditions, restores=restores)


_NO_NETWORK = c.waiting(
    c.LINKED, Reason.NO_NETWORK_YET, "Azure has not said yet which virtual network the endpoint is in."
)
_NO_GUID = c.waiting(c.POLICY_READY, Reason.NO_GUID_YET, "Azure has not given the endpoint a resource GUID yet.")


def remember(record: ConnectionRecord, desired: Desired, plan_: Plan, now: datetime) -> ConnectionRecord:
    """The record with everything that the observation and the plan say about what is used and whose it is."""
    record = record_observation(record, desired, now)
    if plan_.dns is not None:
        dns = plan_.dns
        record = record.with_dns(resolution=dns.resolution or record.dns.resolution)
        if dns.zone is not None:
            record = record.with_dns(zone=dns.zone, links=dns.links)
        record = record.with_dns(
            record=dns.record or record.dns.record,
            record_addresses=dns.record_addresses,
            names=dns.names,
            linked=dns.linked,
            elsewhere=dns.elsewhere,
            advice=dns.advice,
        )
        if all(condition.true for condition in dns.conditions):
            record = record.with_dns(operations=())
    return _remember_elastic(record, plan_.elastic) if plan_.elastic is not None else record


def record_observation(record: ConnectionRecord, desired: Desired, now: datetime) -> ConnectionRecord:
    """The record once the endpoint was read; it is written so before anything is made, to find that again."""
    endpoint = desired.endpoint
    pending = endpoint.status in {ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN}
    if lower_case(endpoint.vnet_id) != lower_case(record.identity.vnet_id):
        # Who answers in another network, and what is linked there, tells nothing about this one.
        record = record.with_dns(resolution=None, elsewhere=())
    return (
        replace(record.mark_present(), endpoint_id=endpoint.id.text)
        .with_identity(
            name=endpoint.name,
            guid=endpoint.guid or record.identity.guid,
            region=desired.service.region,
            family=desired.service.family,
            alias=endpoint.alias,
            location=endpoint.location,
            vnet_id=endpoint.vnet_id,
            address=endpoint.address or record.identity.address,
            on_delete=desired.on_delete,
        )
        .with_schedule(pending_since=(record.schedule.pending_since or now) if pending else None)
    )


def _remember_elastic(record: ConnectionRecord, elastic: ElasticPlan) -> ConnectionRecord:
    record = record.with_policy(elastic.policy)
    if not any(condition.type == c.CLAIMED for condition in elastic.conditions):
        # Neither tag nor setting asks for the claim any more: its condition is not true, and waits for nothing.
        record = record.with_status(conditions=tuple(one for one in record.status.conditions if one.type != c.CLAIMED))
    targets = record.elastic.targets if elastic.targets is None else elastic.targets
    associations = record.elastic.associations if elastic.associations is None else elastic.associations
    return record.with_elastic(
        targets=targets,
        pending_targets=record.elastic.pending_targets if elastic.pending_targets is None else elastic.pending_targets,
        associations=associations,
        claim=elastic.claim,
    ).with_status(advice=elastic.advice)


@dataclass(frozen=True, slots=True)
class ObservedElastic:
    """What Elastic Cloud answered about one endpoint's region."""

    policies: tuple[Policy, ...] = ()
    """Every policy of every region and type."""
    targets: tuple[Target, ...] | None = None
    """Those that the endpoint asks for, that ask for it, or that its policy is associated with; None: not looked at,
    because their turn has not come."""
    claims: tuple[Claim, ...] | None = None
    """The organization's claims in the region; None: not looked at."""
    key_expires: datetime | None = None
    """When the API key ends; None: not known, or never."""
    confirmed: frozenset[str] = frozenset()
    """Targets whose recovered association a person has confirmed."""
    namesakes: tuple[str, ...] = ()
    """Ids of other endpoints of the same resource group and name that the app handles; only where it matters."""
    seen_guids: frozenset[str] | None = None
    """Lower-cased GUIDs of the endpoints that the app sees; None: not read, because no rule of ours was changed."""
    unseen: UnseenTargets = NONE_UNSEEN
    """Targets of ours that `targets` lacks."""
    begun_at: datetime | None = None
    """A moment before the reads were begun, by the storage service's clock; None: the worker's does, for a hint."""
    offers_claims: bool = True
    """Whether the family has claims."""
    vanished: tuple[str, ...] = ()
    """What `unseen_targets.all_vanished` says of the organization."""
    key_mark: str = ""
    """Of the API key that the answers came by; empty: not known."""


@dataclass(frozen=True, slots=True)
class ElasticPlan:
    """Steps still to do, the conditions as they stand, and what is used."""

    steps: tuple[ElasticStep, ...]
    conditions: tuple[Condition, ...]
    policy: PolicyMemory
    associations: tuple[AssociationMemory, ...] | None = None
    """What is now known of them; None: not looked at."""
    targets: tuple[TargetMemory, ...] | None = None
    """Those that are associated; None: not looked at."""
    claim: ClaimMemory | None = None
    pending_targets: tuple[PendingTargetMemory, ...] | None = None
    """Those that are asked for and not associated; None: not looked at."""
    advice: tuple[Explanation, ...] = ()
    later: tuple[LaterStep, ...] = ()
    crowd: Condition | None = None
    """Why nothing at all is made for an endpoint without a policy: it would have too many targets."""


def plan_elastic(
    desired: Desired, observed: ObservedElastic, record: ConnectionRecord, options: PlanOptions, now: datetime
) -> ElasticPlan:
    """What is left to do in Elastic Cloud."""
    listed = Listing.of(observed.policies)
    here = in_region(listed, desired.service.elastic_region)
    policy = plan_policy(
        desired,
        here,
        record,
        options,
        observed.begun_at or now,
        observed.seen_guids,
        observed.unseen,
        observed.vanished,
        observed.targets or (),
    ).shown_by(observed.key_mark)
    claim = plan_claim(desired, observed.claims, record, offered=observed.offers_claims)
    steps, conditions = (*policy.steps, *claim.steps), (policy.condition, *claim.conditions)
    advice = policy_advice(desired, listed, policy.memory.id)
    changed = changed_explanation(desired, record)
    advice += _only(key_advice(observed.key_expires, now), left_without_key(record, options), changed)
    if changed is not None:
        told = replace(policy.condition.explanation, message=f"{policy.condition.message} {changed.message}")
        conditions = (replace(policy.condition, explanation=told), *claim.conditions)
    record = record.with_policy(policy.memory)
    found = None
    if observed.targets is not None:
        found = plan_associations(
            desired,
            observed.targets,
            here,
            policy.policy,
            record,
            options,
            now,
            observed.namesakes,
            observed.unseen,
            observed.confirmed,
        )
    crowd = found.condition if found is not None and found.crowded and not policy.memory.id else None
    stopped = policy.policy is None and policy.condition.needs is c.WaitingFor.PERSON
    if stopped and not observed.unseen.none_visible:  # that tells why a key may make no policy, too
        conditions = (*conditions, replace(policy.condition, type=c.ASSOCIATED))
        steps = steps if crowd is None else ()
        return ElasticPlan(steps, conditions, policy.memory, claim=claim.memory, advice=advice, crowd=crowd)
    if crowd is not None:
        held = (crowd, *(replace(crowd, type=one.type) for one in conditions))
        return ElasticPlan((), held, policy.memory, claim=claim.memory, advice=advice, crowd=crowd)
    waits = desired.endpoint.status is not ConnectionStatus.APPROVED or not policy.memory.id
    if found is None or observed.targets is None:
        later = awaits_approval(desired) if waits else targets_unread(desired)
        return ElasticPlan(steps, (*conditions, later), policy.memory, claim=claim.memory, advice=advice)
    if waits:
        after = POLICY if desired.endpoint.status is ConnectionStatus.APPROVED else APPROVAL
        return ElasticPlan(
            steps,
            (*conditions, told_before(found, after)),
            policy.memory,
            claim=claim.memory,
            advice=advice,
            later=tuple(LaterStep(str(step), step.condition, after, step.action) for step in found.steps),
        )
    served = {target.id for target in found.targets}
    looked_at = policy.memory.recovered and not _hides_some(policy.policy)
    return ElasticPlan(
        (*steps, *found.steps),
        (*conditions, found.condition),
        replace(policy.memory, recovered=False) if looked_at else policy.memory,
        found.associations,
        found.targets,
        claim.memory,
        found.pending_targets,
        advice + _only(sign_in_advice(observed.targets, served, here.once(types_of), record.status.advice)),
    )


def _hides_some(policy: Policy | None) -> bool:
    """Whether the policy has associations that the API key may not see, so that not all of them were looked at."""
    return policy is None or policy.hidden_associations > 0 or not policy.counted


def targets_that_matter(desired: Desired, policies: tuple[Policy, ...], record: ConnectionRecord) -> tuple[str, ...]:
    """Ids and names: those asked for, those we associated, and those that the policy in use is associated with."""
    remembered = (memory.target_id for memory in record.elastic.associations)
    here = in_region(policies, desired.service.elastic_region)
    matching = policies_of(here, desired.endpoint.guid, record.elastic.policy.id)
    associated = (target_id for policy in matching[:1] for target_id in policy.associations)
    return tuple(dict.fromkeys((*desired.targets, *remembered, *associated)))


def _only(*advice: Explanation | None) -> tuple[Explanation, ...]:
    return tuple([one for one in advice if one is not None])
