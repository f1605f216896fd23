"""Elastic Cloud as plain values: what is there after one step, and whether the safety rules would refuse it.

Written without a look at the plans: it is what they are judged by. Used by `world_parts` and `plan_parts`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.core.model.markers import Marker, marker_from_description
from shared.core.model.resources import POLICY_TYPE, Claim, ConnectionStatus, Policy, Rule, Target
from shared.core.model.steps import (
    Associate,
    ClaimEndpoint,
    CreatePolicy,
    DeletePolicy,
    Disassociate,
    ElasticRemoval,
    ElasticStep,
    UnclaimEndpoint,
    UpdatePolicy,
)
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired

CLOSING = {"ip", "vpce", "azure_private_endpoint", "gcp_private_service_connect_endpoint"}
Pair = tuple[str, str]
"""A policy's id and a target's."""


@dataclass(frozen=True, slots=True)
class Elastic:
    """What Elastic Cloud has, and what of it without a marker is ours."""

    policies: tuple[Policy, ...]
    targets: tuple[Target, ...] = ()
    claims: tuple[Claim, ...] = ()
    our_pairs: frozenset[Pair] = frozenset()
    our_claims: frozenset[str] = frozenset()
    """GUIDs."""

    def pairs(self) -> set[Pair]:
        """Every association, from whichever side shows it."""
        shown = {(policy.id, one) for policy in self.policies for one in policy.associations}
        return shown | {(policy, one.id) for one in self.targets for policy in one.attached or ()}

    def closed(self, target: Target) -> bool:
        """Whether the target is closed to the internet."""
        types = {policy.id: policy.type for policy in self.policies}
        return any(types.get(policy) in CLOSING for policy, one in self.pairs() if one == target.id)


def elastic_done(
    elastic: Elastic, step: ElasticStep | ElasticRemoval, marker: Marker, options: PlanOptions, wanted: Desired | None
) -> Elastic:
    """What is there once the step is done; an assertion fails where it must not be done."""
    match step:
        case CreatePolicy():
            after = _created(elastic, step)
        case UpdatePolicy():
            after = _followed(elastic, step, marker)
        case Associate():
            assert wanted is not None, "nothing is associated for an endpoint that is gone"
            after = _associated(elastic, step, options, wanted)
        case Disassociate():
            after = _disassociated(elastic, step, options)
        case DeletePolicy():
            after = _deleted(elastic, step, marker)
        case ClaimEndpoint():
            assert wanted is not None
            assert wanted.claim, "nothing is claimed that was not asked for"
            after = _claimed(elastic, Claim(step.region, step.endpoint_name, step.endpoint_guid))
        case UnclaimEndpoint():
            after = _given_up(elastic, step.endpoint_guid)
    return after


# -- claims --------------------------------------------------------------------------------------------------------


def _claimed(elastic: Elastic, mine: Claim) -> Elastic:
    assert mine not in elastic.claims, "no organization had it"
    ours = elastic.our_claims | {mine.endpoint_guid}
    return replace(elastic, claims=(*elastic.claims, mine), our_claims=ours)


def _given_up(elastic: Elastic, guid: str) -> Elastic:
    assert guid in elastic.our_claims, "only a claim of ours is given up"
    left = tuple(claim for claim in elastic.claims if claim.endpoint_guid != guid)
    return replace(elastic, claims=left, our_claims=elastic.our_claims - {guid})


# -- policies ------------------------------------------------------------------------------------------------------


def _ours(policy: Policy, marker: Marker) -> bool:
    theirs = policy.marker
    return theirs is not None and (theirs.instance, theirs.connection_id) == (marker.instance, marker.connection_id)


def _created(elastic: Elastic, step: CreatePolicy) -> Elastic:
    guids = {rule.endpoint_guid.lower() for p in elastic.policies if p.type == POLICY_TYPE for rule in p.rules}
    assert step.endpoint_guid.lower() not in guids, "one policy for a GUID at every moment"
    text = step.marker.description()
    rules = (Rule(step.endpoint_name, step.endpoint_guid),)
    made = Policy(
        "p-new", step.name, POLICY_TYPE, step.region, False, text, rules, marker=marker_from_description(text)
    )
    return replace(elastic, policies=(*elastic.policies, made))


def _followed(elastic: Elastic, step: UpdatePolicy, marker: Marker) -> Elastic:
    (before,) = [policy for policy in elastic.policies if policy.id == step.policy_id]
    assert _ours(before, marker), "a policy that we did not make for this endpoint is not changed"
    guid = step.endpoint_guid.lower()
    elsewhere = [p for p in elastic.policies if p is not before and p.type == POLICY_TYPE]
    assert not any(rule.endpoint_guid.lower() == guid for p in elsewhere for rule in p.rules), "one policy for a GUID"
    gone = {*step.replaces, guid}
    kept = tuple(rule for rule in before.rules if rule.endpoint_guid.lower() not in gone)
    rules = (Rule(step.endpoint_name, step.endpoint_guid), *kept)
    text = before.description if step.marker.description() in before.description else step.marker.description()
    after = replace(before, name=step.name, description=text, rules=rules, marker=marker_from_description(text))
    return replace(elastic, policies=tuple(after if one is before else one for one in elastic.policies))


def _deleted(elastic: Elastic, step: DeletePolicy, marker: Marker) -> Elastic:
    (before,) = [policy for policy in elastic.policies if policy.id == step.policy_id]
    assert _ours(before, marker), "a policy that we did not make for this endpoint is not deleted"
    assert not before.hidden_associations, "a policy that is in use is not deleted"
    assert not [pair for pair in elastic.pairs() if pair[0] == step.policy_id], "a policy that is in use is not deleted"
    return replace(elastic, policies=tuple(one for one in elastic.policies if one is not before))


# -- associations --------------------------------------------------------------------------------------------------


def _associated(elastic: Elastic, step: Associate, options: PlanOptions, wanted: Desired) -> Elastic:
    assert wanted.endpoint.status is ConnectionStatus.APPROVED, "S3: only once approved"
    (target,) = [one for one in elastic.targets if one.id == step.target_id]
    assert target.region == wanted.service.elastic_region, "S3: only in the policy's region"
    assert target.running
    assert consented(wanted, target, options), "S8: only with consent"
    assert not hands_off(target, options), "who opts out is left alone"
    assert elastic.closed(target) or _opted_in(target, options.targets.first_policy_allowed, "first"), "S1"
    _check_admits_only(elastic, step.policy_id, wanted.endpoint.guid)
    pair = (step.policy_id, step.target_id)
    assert pair not in elastic.pairs(), "what stands is not made again"
    return replace(_with_pair(elastic, pair), our_pairs=elastic.our_pairs | {pair})


def _disassociated(elastic: Elastic, step: Disassociate, options: PlanOptions) -> Elastic:
    pair = (step.policy_id, step.target_id)
    assert pair in elastic.our_pairs, "S4: only what we associated is taken away"
    (target,) = [one for one in elastic.targets if one.id == step.target_id]
    assert not hands_off(target, options), "who opts out is left alone"
    for policy in elastic.policies:
        others = [rule for rule in policy.rules if rule.endpoint_name.startswith("theirs")]
        assert policy.id != step.policy_id or not others, "who else comes in by it is not cut off"
    after = _without_pair(elastic, pair)
    (left,) = [one for one in after.targets if one.id == step.target_id]
    allowed = _opted_in(target, options.targets.last_policy_allowed, "last")
    assert (left.attached is not None and after.closed(left)) or allowed, "S2"
    assert step.may_reopen == allowed
    return replace(after, our_pairs=elastic.our_pairs - {pair})


def _check_admits_only(elastic: Elastic, policy_id: str, guid: str) -> None:
    for policy in elastic.policies:
        if policy.id == policy_id:
            strangers = [rule for rule in policy.rules if rule.endpoint_guid.lower() != guid.lower()]
            assert not strangers, "S8: no other comes in with it"
            assert not policy.other_rules, "S8: no other comes in with it"


def _with_pair(elastic: Elastic, pair: Pair) -> Elastic:
    policies = tuple(
        replace(one, associations=(*one.associations, pair[1])) if one.id == pair[0] else one
        for one in elastic.policies
    )
    targets = tuple(
        replace(one, attached=(*(one.attached or ()), pair[0])) if one.id == pair[1] else one for one in elastic.targets
    )
    return replace(elastic, policies=policies, targets=targets)


def _without_pair(elastic: Elastic, pair: Pair) -> Elastic:
    policies = tuple(
        replace(one, associations=tuple(d for d in one.associations if d != pair[1])) if one.id == pair[0] else one
        for one in elastic.policies
    )
    targets = tuple(
        replace(one, attached=tuple(p for p in one.attached if p != pair[0]))
        if one.id == pair[1] and one.attached is not None
        else one
        for one in elastic.targets
    )
    return replace(elastic, policies=policies, targets=targets)


# -- who allowed what ----------------------------------------------------------------------------------------------


def consented(wanted: Desired, target: Target, options: PlanOptions) -> bool:
    """Whether the settings or the target let the endpoint in."""
    allowed = {"*", target.id, target.name.lower()} & options.targets.deployments_allowed
    tags = f"{target.tags.get('elastic-privatelink-endpoints', '')},"
    tags += target.tags.get("elastic-privatelink-connect", "")
    named = {entry.strip().lower() for entry in tags.split(",")}
    endpoint = wanted.endpoint.id
    own = {"*", f"{endpoint.resource_group}/{endpoint.name}".lower(), endpoint.key, wanted.connection_id}
    return bool(allowed or own & named)


def hands_off(target: Target, options: PlanOptions) -> bool:
    """Whether the settings or the target keep the app away."""
    denied = {"*", target.id, target.name.lower()} & options.targets.deployments_denied.entries
    return bool(denied) or target.tags.get("elastic-privatelink") == "ignore"


def _opted_in(target: Target, allowed: frozenset[str], which: str) -> bool:
    named = {"*", target.id, target.name.lower()} & allowed
    return bool(named) or target.tags.get(f"elastic-privatelink-{which}-policy") == "allow"
