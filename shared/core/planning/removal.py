"""The plan of a removal: what is taken away once an endpoint is gone, in which order, and what is left and why. Pure.

Called by `removal`. The order is S5's: associations, policy, claim, record, link, zone. Before anything of Azure or a
policy is removed its own marker, read just before, must say that this installation made it.
An association has no marker, so only the record says whether it is ours (S4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.core.guards.first_and_last_policy import plan_disassociation
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model import conditions as c
from shared.core.model.arm_ids import lower_case
from shared.core.model.conditions import Explanation
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ClaimMemory, PolicyMemory
from shared.core.model.resources import Claim, Endpoint, Policy, Target, WildcardRecord, Zone, policies_made_for
from shared.core.model.steps import (
    DeleteLink,
    DeletePolicy,
    DeleteRecord,
    DeleteZone,
    Disassociate,
    DnsRemoval,
    ElasticRemoval,
    RemovalStep,
    UnclaimEndpoint,
    WithdrawAddress,
)
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.associations import associated_with
from shared.core.planning.policy import edited_rule
from shared.core.planning.removal_dns import plan_dns_removal, users_of
from shared.core.reasons import explain

NAMED = 5
"""Things that a message names before it only counts."""


@dataclass(frozen=True, slots=True)
class ObservedRemoval:
    """What is there of what was made for an endpoint that is gone."""

    zones: tuple[Zone, ...] = ()
    """The zone of the record and those that carry marks of the connection, each with all of it."""
    others: tuple[Endpoint, ...] | None = ()
    """Every other endpoint of the same service that the app can see; None: not all could be listed."""
    answering: frozenset[str] = frozenset()
    """Lower-cased ids of the networks that answer the clients of these."""
    unconfirmed: frozenset[str] = frozenset()
    """Lower-cased ids of zones and links with our marker and no row that says that we made them."""
    policies: tuple[Policy, ...] = ()
    """Every policy of the region."""
    targets: tuple[Target, ...] = ()
    """Those that policies of this connection are associated with."""
    seen_guids: frozenset[str] | None = None
    """Lower-cased GUIDs of the endpoints that the app sees; None: not read, because no rule of ours was changed."""
    unseen: UnseenTargets = NONE_UNSEEN
    """Targets of ours that `targets` lacks."""
    claims: tuple[Claim, ...] = ()
    """The organization's claims in the region; read only where the record has one of others."""
    unlooked: tuple[str, ...] = ()
    """Where something of it may be and the app could not look, in words."""


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """Steps in order, and what stays although it is ours, or because it is not."""

    elastic: tuple[ElasticRemoval, ...] = ()
    dns: tuple[DnsRemoval, ...] = ()
    leftovers: tuple[str, ...] = ()
    problems: tuple[Explanation, ...] = ()
    """What only a person can free."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """Every policy of the region as it was read, by its id: what else keeps a target closed (S2)."""
    records: Mapping[str, WildcardRecord] = field(default_factory=dict)
    """The `*` records as they were read, by the key of their zone."""

    @property
    def steps(self) -> tuple[RemovalStep, ...]:
        """All of it, in the order of S5."""
        return (*self.elastic, *self.dns)


def plan_removal(record: ConnectionRecord, observed: ObservedRemoval, options: PlanOptions) -> RemovalPlan:
    """What is left to take away for an endpoint that is gone."""
    found = list(_elastic(record, observed, options))
    users = users_of(observed.others, observed.answering, observed.unconfirmed)
    dns = [plan_dns_removal(record, zone, users, options) for zone in observed.zones]
    unconfirmed = tuple(one for found_ in dns for one in found_.unconfirmed)
    return RemovalPlan(
        elastic=tuple(one for one in found if not isinstance(one, str | Explanation)),
        dns=tuple(step for one in dns for step in one.steps),
        leftovers=(*(one for one in found if isinstance(one, str)), *(text for one in dns for text in one.leftovers)),
        problems=(
            *(one for one in found if isinstance(one, Explanation)),
            *([_unconfirmed(unconfirmed)] if unconfirmed else ()),
        ),
        policies={policy.id: policy for policy in observed.policies},
        records={zone.id.key: zone.record for zone in observed.zones if zone.record is not None},
    )


def _unconfirmed(unconfirmed: Sequence[str]) -> Explanation:
    """What waits for a person: its marker says that it is ours, and nothing else does."""
    more = f" and {len(unconfirmed) - NAMED} more" if len(unconfirmed) > NAMED else ""
    text = (
        f"Not removed before a person confirms that it is the app's: {', '.join(unconfirmed[:NAMED])}{more}. Its "
        "marker says so and no row of the app's does: tables were lost, the zone was moved, or the marker was copied."
    )
    return explain(Reason.RECOVERED_UNCONFIRMED, text)


def still_there(record: ConnectionRecord, observed: ObservedRemoval) -> ConnectionRecord:
    """The record at the end of a removal, less what was gone before it began.

    A run that died may have taken it away and not said so, or a person did. `known` has what the steps left.
    """
    record = zone_still_there(record, observed)
    policy = next((one for one in observed.policies if one.id == record.elastic.policy.id), None)
    if policy is None:
        record = record.with_elastic(policy=PolicyMemory(), targets=())
    kept = tuple(memory for memory in record.elastic.associations if _stands(memory.target_id, policy, observed))
    claim = record.elastic.claim
    if claim is not None and claim.owner is not Owner.OURS and not _listed(claim, observed):
        claim = None
    return record.with_elastic(associations=kept, former_associations=(), claim=claim)


def zone_still_there(record: ConnectionRecord, observed: ObservedRemoval) -> ConnectionRecord:
    """The same of what there is in Azure alone: it was read by its id, so what that did not find is gone."""
    zone = next(
        (one for one in observed.zones if record.dns.zone and one.id.key == lower_case(record.dns.zone.id)), None
    )
    if zone is None:
        record = record.with_dns(zone=None, links=())
    else:
        there = {lower_case(link.id) for link in zone.links}
        record = record.with_dns(links=tuple(link for link in record.dns.links if lower_case(link.id) in there))
    if zone is None or zone.record is None:
        record = record.with_dns(record=None, record_addresses=())
    return record


def _stands(target_id: str, policy: Policy | None, observed: ObservedRemoval) -> bool:
    """Whether an association is there, or may be: its target is not seen, and is not gone for that."""
    if policy is None:
        return False
    seen = any(one.id == target_id for one in observed.targets)
    stands = target_id in associated_with(policy.id, policy, observed.targets)
    return stands or not (seen or observed.unseen.is_gone(target_id, policy))


def warning_of(record: ConnectionRecord, plan: RemovalPlan, refused: Collection[str], options: PlanOptions) -> str:
    """What must be said first of a policy that is left: it is applied by default. Empty: none is.

    The app never sets that (S9); a person ticked it. `refused`: what was not done, and why.
    """
    deleted = {
        step.policy_id
        for step in plan.elastic
        if isinstance(step, DeletePolicy) and not any(str(step) in text for text in refused)
    }
    ours = policies_made_for(record.id, tuple(plan.policies.values()), options.installation.instance_id)
    left = [one for one in ours if one.include_by_default and one.id not in deleted]
    return "".join(
        f"Policy {one.id} ({one.name}), which is left, is applied by default: every new "
        f"{record.identity.family.noun} of {one.region} is born closed to the internet. "
        for one in left
    )


def held_up_by(step: RemovalStep, refused: Collection[RemovalStep]) -> bool:
    """Whether a refused step comes before this one for a reason.

    A policy needs its associations gone, a link the record of its zone, a zone both.
    """
    match step:
        case DeletePolicy():
            return any(isinstance(one, Disassociate) and one.policy_id == step.policy_id for one in refused)
        case DeleteLink() | DeleteZone():
            before = (DeleteRecord, WithdrawAddress, DeleteLink)[: 2 if isinstance(step, DeleteLink) else 3]
            return any(isinstance(one, before) and one.zone.key == step.zone.key for one in refused)
        case _:
            return False


def _elastic(
    record: ConnectionRecord, observed: ObservedRemoval, options: PlanOptions
) -> Iterator[ElasticRemoval | Explanation | str]:
    types = {policy.id: policy.type for policy in observed.policies}
    ours = policies_made_for(record.id, observed.policies, options.installation.instance_id)
    for policy in ours:
        yield from _policy(record, policy, observed, types, options)
    for policy in observed.policies:
        if policy.id == record.elastic.policy.id and policy not in ours:
            yield from _policy_of_others(record, policy, observed, types, options)
    yield from _from_former_policy(record, observed, types, options)
    claim = record.elastic.claim
    if claim is not None and claim.owner is Owner.OURS:  # not looked for: a list may lack it for a while
        yield UnclaimEndpoint(claim.region, claim.endpoint_name, claim.guid)
    elif claim is not None and _listed(claim, observed):
        yield f"claim to {claim.endpoint_name}: made by others"


def _listed(claim: ClaimMemory, observed: ObservedRemoval) -> bool:
    return claim.guid.lower() in {one.endpoint_guid.lower() for one in observed.claims}


def _policy(
    record: ConnectionRecord,
    policy: Policy,
    observed: ObservedRemoval,
    types: dict[str, str],
    options: PlanOptions,
) -> Iterator[ElasticRemoval | Explanation | str]:
    """Our associations, then the policy, unless others use it: then it stays as it is."""
    if _admits_others(policy, record, observed.seen_guids):
        yield f"policy {policy.id} ({policy.name}): it lets others in, so it and its associations stay"
        return
    kept, noun = policy.hidden_associations, record.identity.family.noun
    for target_id in sorted(associated_with(policy.id, policy, observed.targets)):
        memory = record.association(target_id) if policy.id == record.elastic.policy.id else None
        if memory is not None and memory.recovered:
            kept += 1
            yield _unconfirmed([f"association of policy {policy.id} with {noun} {target_id}"])
            continue
        if memory is None or memory.owner is Owner.ADOPTED:
            kept += 1
            yield f"association of policy {policy.id} with {noun} {target_id}: not made by this app"
            continue
        step = plan_disassociation(target_id, policy.id, observed.targets, types, options, observed.unseen)
        kept += not isinstance(step, Disassociate)
        yield step
    if kept:
        stay = c.count(kept, f"{noun} stays", f"{noun}s stay")
        yield f"policy {policy.id} ({policy.name}): {stay} associated with it"
    else:
        yield DeletePolicy(policy.id, policy.name)


def _policy_of_others(
    record: ConnectionRecord,
    policy: Policy,
    observed: ObservedRemoval,
    types: dict[str, str],
    options: PlanOptions,
) -> Iterator[Disassociate | Explanation | str]:
    """Only what we associated it with; the policy itself stays, for an endpoint that is gone."""
    standing = associated_with(policy.id, policy, observed.targets)
    ours = [one for one in record.elastic.associations if one.owner is not Owner.ADOPTED and one.target_id in standing]
    if ours and _admits_others(policy, record):
        yield f"policy {policy.id} ({policy.name}): made by others; it lets others in too, so its associations stay"
        return
    for memory in ours:
        yield plan_disassociation(memory.target_id, policy.id, observed.targets, types, options, observed.unseen)
    yield f"policy {policy.id} ({policy.name}): made by others"


def _from_former_policy(
    record: ConnectionRecord, observed: ObservedRemoval, types: dict[str, str], options: PlanOptions
) -> Iterator[Disassociate | Explanation | str]:
    """What we associated with another owner's policy before the endpoint was recreated, unless it admits others now."""
    policies = {policy.id: policy for policy in observed.policies if policy.id != record.elastic.policy.id}
    for memory in record.elastic.former_associations:
        policy = policies.get(memory.policy_id)
        if policy is None or memory.target_id not in associated_with(policy.id, policy, observed.targets):
            continue
        if policy.admits_only(memory.guid):
            yield plan_disassociation(memory.target_id, policy.id, observed.targets, types, options, observed.unseen)
        else:
            noun = record.identity.family.noun
            yield f"association of policy {policy.id} with {noun} {memory.target_id}: it lets others in"


def _admits_others(policy: Policy, record: ConnectionRecord, seen_guids: Collection[str] | None = None) -> bool:
    """Whether clients of anything but this endpoint, as it was or as it was before, come in by the policy.

    `seen_guids`: given for a policy of ours, of which a person may have changed the endpoint's rule.
    """
    own = record.own_guids
    others = [rule for rule in policy.rules if rule.endpoint_guid.lower() not in own]
    if len(others) == len(policy.rules):
        known = record.elastic.policy.rules if record.elastic.policy.id == policy.id else None
        changed = edited_rule(policy, record.identity.name, known, seen_guids)
        others = [rule for rule in others if rule != changed]
    return bool(policy.other_rules) or bool(others)
