"""The plan of the policy and of the claim: which is used, what is made, what follows the endpoint. Pure.

Called by `plan`. A policy of ours carries our marker in its description; a person who takes the marker out
takes the policy over, and it is then used as any policy of others: never changed. Of our own policy the name, the
description and the endpoint's rule follow the endpoint; rules that a person added stay, and are reported.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets, none_of_ours
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.decisions import ConnectionDecision, Decided
from shared.core.model.markers import maker_of
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ClaimMemory, PolicyMemory
from shared.core.model.resources import (
    Claim,
    Listing,
    Policy,
    Rule,
    Target,
    id_of,
    policies_admitting,
    policies_made_for,
)
from shared.core.model.steps import ClaimEndpoint, CreatePolicy, UnclaimEndpoint, UpdatePolicy, updated
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.reasons import explain


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """What is left to do for the policy, and which one is used."""

    steps: tuple[CreatePolicy | UpdatePolicy, ...]
    condition: Condition
    memory: PolicyMemory
    policy: Policy | None = None
    """The one in use, as it is once the steps are done; None: there is none yet, or it does not show yet."""

    def shown_by(self, key_mark: str) -> PolicyPlan:
        """The same, remembering the API key that showed the policy."""
        return self if self.policy is None or not key_mark else replace(self, memory=replace(self.memory, key=key_mark))


_NONE = PolicyMemory()


def policies_of(policies: Collection[Policy], guid: str, known_id: str = "") -> tuple[Policy, ...]:
    """The policies that let this endpoint in, the one to use first: associated ones, the one in use, the lowest id."""
    return _in_order(policies_admitting(guid, policies), known_id)


def _in_order(policies: Listing[Policy], known_id: str) -> tuple[Policy, ...]:
    if not policies:
        return policies
    return tuple(sorted(policies, key=lambda policy: (not policy.used, policy.id != known_id, policy.id)))


def plan_policy(
    desired: Desired,
    policies: Collection[Policy],
    record: ConnectionRecord,
    options: PlanOptions,
    begun_at: datetime,
    seen_guids: Collection[str] | None = None,
    unseen: UnseenTargets = NONE_UNSEEN,
    vanished: Collection[str] = (),
    shown: Collection[Target] = (),
) -> PolicyPlan:
    """Use the policy that lets the endpoint in, let ours follow the endpoint, or make one.

    `seen_guids`: lower-cased, of the endpoints that the app sees; None: not read. `begun_at`: a moment before the
    policies were read. `vanished`: what `all_vanished` says. `shown`: targets that Elastic Cloud shows.
    Making one is not idempotent: an id is given up only when reads had the time to show it, and a second POST is sent
    only when the first one can show no more.
    """
    matching = policies_of(policies, desired.endpoint.guid, record.elastic.policy.id)
    former = _of_former_guid(desired, policies, record)
    if former is not None and (not matching or _rule_changed(desired, former, matching, record)):
        return _follow(desired, former, record, seen_guids)
    if matching:
        return _existing(desired, matching, record, begun_at)
    same = record.identity.guid.lower() in {"", desired.endpoint.guid.lower()}
    memory = record.elastic.policy if same else _NONE
    if memory.owner is Owner.OURS and _may_not_show_yet(memory, policies, options, begun_at):
        just_made = c.satisfied(c.POLICY_READY, Reason.CREATED, f"Policy {memory.id} was just created.")
        return PolicyPlan((), just_made, memory)
    if (doubt := _doubt_about_the_key(memory, record, unseen, vanished, shown)) is not None:
        return PolicyPlan((), doubt, memory)
    ends = search_ends(record, options)
    if ends is not None and begun_at < ends:
        return PolicyPlan((), _uncertain(record, ends), _NONE)
    missing = c.waiting(c.POLICY_READY, Reason.MISSING, "The policy is to be created.", c.WaitingFor.WORK)
    return PolicyPlan((_create(desired),), missing, _NONE)


def _may_not_show_yet(
    memory: PolicyMemory, policies: Collection[Policy], options: PlanOptions, begun_at: datetime
) -> bool:
    visible = timedelta(seconds=options.timing.visibility)
    listed = Listing.of(policies).where(id_of, memory.id)  # with another rule: it shows
    return not listed and memory.learned_at is not None and begun_at < memory.learned_at + visible


def search_ends(record: ConnectionRecord, options: PlanOptions) -> datetime | None:
    """When a list, begun after that, shows for certain whether a POST made a policy; None: none is in doubt."""
    until = record.elastic.policy_post_until
    return None if until is None else until + timedelta(seconds=options.timing.policy_search)


def may_show_later(
    record: ConnectionRecord, policies: Collection[Policy], options: PlanOptions, begun_at: datetime
) -> datetime | None:
    """From when a list shows every policy of ours that there is; None: this one does, which was begun at `begun_at`."""
    instants = [search_ends(record, options)]
    memory = record.elastic.policy
    if memory.owner is Owner.OURS and memory.learned_at is not None and all(one.id != memory.id for one in policies):
        instants.append(memory.learned_at + timedelta(seconds=options.timing.visibility))
    return max((one for one in instants if one is not None and begun_at < one), default=None)


def _doubt_about_the_key(
    memory: PolicyMemory,
    record: ConnectionRecord,
    unseen: UnseenTargets,
    vanished: Collection[str],
    shown: Collection[Target],
) -> Condition | None:
    if not vanished and not record.elastic.associations:
        return None
    associated = [one.target_id for one in record.elastic.associations]
    if memory.owner is Owner.OURS and unseen.all_out_of_sight(associated):
        return _of_another_organization(memory, record)
    if not vanished or Listing.of(shown).among(id_of, associated):
        return None  # the key that shows them is of their organization, and there is no policy of ours in it any more
    told = none_of_ours(vanished)
    return c.blocked(c.POLICY_READY, told.reason, told.message, told.next_step)


def _of_another_organization(memory: PolicyMemory, record: ConnectionRecord) -> Condition:
    """Our policy and all its targets vanished together: a key that was exchanged is likelier than as many deletions."""
    targets = [one.target_id for one in record.elastic.associations]
    message = (
        f"Elastic Cloud shows neither policy {memory.id} nor what it is associated with ({', '.join(targets[:3])}): "
        "the API key is of another organization, or has lost its rights. Nothing is made meanwhile."
    )
    step = (
        "Give the app the API key of the organization that has them; if they are gone for certain, "
        f"send {Decided(ConnectionDecision.FORGET_TARGET, targets[0]).request}."
    )
    return c.blocked(c.POLICY_READY, Reason.OTHER_ORGANIZATIONS_KEY, message, step)


def _uncertain(record: ConnectionRecord, ends: datetime) -> Condition:
    known = record.condition(c.POLICY_READY)
    if known is not None and known.needs is c.WaitingFor.PERSON and known.reason in _REFUSALS:
        return known  # the answer that came
    message = (
        "A create was begun and its answer never came; the app looks for the policy before it makes one, until "
        f"{ends:%H:%M:%S} UTC."
    )
    return c.waiting(c.POLICY_READY, Reason.CREATION_UNCERTAIN, message)


_REFUSALS = frozenset({Reason.ELASTIC_REFUSED, Reason.ELASTIC_RIGHTS_MISSING})


def _create(desired: Desired) -> CreatePolicy:
    endpoint = desired.endpoint
    return CreatePolicy(
        name=endpoint.name,
        region=desired.service.elastic_region,
        endpoint_name=endpoint.name,
        endpoint_guid=endpoint.guid,
        marker=desired.marker,
    )


def nothing_known(record: ConnectionRecord) -> bool:
    """Whether the record knows of no policy, made or begun: what carries our marker all the same is recovered."""
    return not record.elastic.policy.id and record.elastic.policy_post_until is None


def is_ours(desired: Desired, policy: Policy) -> bool:
    """Whether this installation made the policy, for this connection."""
    mine, marker = desired.marker, policy.marker
    return mine.same_maker(marker) and marker is not None and marker.connection_id == mine.connection_id


# -- a policy that has the endpoint's GUID -------------------------------------------------------------------------


def _existing(
    desired: Desired, matching: tuple[Policy, ...], record: ConnectionRecord, begun_at: datetime
) -> PolicyPlan:
    policy, *others = matching
    ours = is_ours(desired, policy)
    known = record.elastic.policy if record.elastic.policy.id == policy.id else PolicyMemory()
    memory = PolicyMemory(
        policy.id,
        Owner.OURS if ours else Owner.ADOPTED,
        learned_at=known.learned_at or begun_at,
        created_at=known.created_at,
        guid=desired.endpoint.guid,
        recovered=known.recovered or (ours and nothing_known(record)),
        rules=policy.rule_count,
        key=known.key,
    )
    named = _names_in(policy, desired.endpoint.guid)
    misnamed = desired.endpoint.name not in named
    if misnamed and not ours:
        return PolicyPlan((), _name_mismatch(desired, policy, named), memory, policy)
    good = c.satisfied(c.POLICY_READY, Reason.EXISTS, " ".join(_notes(desired, policy, others, ours=ours)))
    if not ours or (
        not misnamed and policy.name == desired.endpoint.name and desired.marker.described_in(policy.description)
    ):
        return PolicyPlan((), good, memory, policy)
    step = _update(desired, policy, (desired.endpoint.guid.lower(),))
    # A label that a person changed does no harm until it is corrected; a wrong name in the rule stops the approval.
    condition = _differs(desired, policy, named) if misnamed else good
    return PolicyPlan((step,), condition, memory, updated(policy, step))


def _names_in(policy: Policy, guid: str) -> set[str]:
    return {rule.endpoint_name for rule in policy.rules if rule.endpoint_guid.lower() == guid.lower()}


def _update(desired: Desired, policy: Policy, replaces: tuple[str, ...]) -> UpdatePolicy:
    endpoint = desired.endpoint
    return UpdatePolicy(policy.id, endpoint.name, endpoint.name, endpoint.guid, replaces, desired.marker)


def _differs(desired: Desired, policy: Policy, named: set[str]) -> Condition:
    message = f"Policy {policy.id} names {', '.join(sorted(named))}; it is to name {desired.endpoint.name}."
    return c.waiting(c.POLICY_READY, Reason.DIFFERENT, message, c.WaitingFor.WORK)


def _name_mismatch(desired: Desired, policy: Policy, named: set[str]) -> Condition:
    name = desired.endpoint.name
    return c.blocked(
        c.POLICY_READY,
        Reason.POLICY_NAME_MISMATCH,
        f"Policy {policy.id} ({policy.name}), made by {maker_of(policy.marker)}, has this GUID under the name "
        f"{', '.join(sorted(named))}; Elastic approves only the exact name {name}.",
        f"Correct the endpoint name in the policy to {name}.",
        ((("policy id", policy.id),),),
    )


def _notes(desired: Desired, policy: Policy, others: list[Policy], *, ours: bool) -> list[str]:
    """What a person should know about the policy in use."""
    maker = "" if ours else f"; made by {maker_of(policy.marker)}, used as it is"
    notes = [f"Policy {policy.id} ({policy.name}){maker}."]
    if others:
        unused = ", ".join(f"{other.id} (made by {maker_of(other.marker)})" for other in others)
        notes.append(f"Also found with this endpoint's GUID, not used: {unused}.")
    added = [rule.endpoint_name for rule in policy.rules if rule.endpoint_guid.lower() != desired.endpoint.guid.lower()]
    if added or policy.other_rules:
        named = ", ".join(name or "an endpoint without a name" for name in added) or c.count(
            policy.other_rules, "other rule"
        )
        notes.append(f"Others have added rules to it, which stay: it also lets in {named}.")
    if policy.include_by_default:
        notes.append(f"It is applied by default to new {desired.service.family.noun}s of the region.")
    return notes


# -- our policy of the endpoint that had this name before ----------------------------------------------------------


def _of_former_guid(desired: Desired, policies: Collection[Policy], record: ConnectionRecord) -> Policy | None:
    """Our policy for this connection, with the GUID of an endpoint that is gone; an associated one first."""
    found = policies_made_for(desired.connection_id, policies, desired.marker.instance)
    return next(iter(_in_order(found, record.elastic.policy.id)), None)


def _rule_changed(desired: Desired, former: Policy, matching: tuple[Policy, ...], record: ConnectionRecord) -> bool:
    """Whether a person changed the rule of our policy in use, while a policy of others has the endpoint's GUID.

    Ours would stay associated otherwise, for whom its rule lets in now, and nothing would tell that it is ours.
    """
    memory = record.elastic.policy
    same = memory.id == former.id and memory.guid.lower() == desired.endpoint.guid.lower()
    return same and not any(is_ours(desired, one) for one in matching)


def _follow(
    desired: Desired, former: Policy, record: ConnectionRecord, seen_guids: Collection[str] | None
) -> PolicyPlan:
    """The endpoint was made anew under its name, or a person changed the rule: it is put right in place."""
    known = record.elastic.policy if record.elastic.policy.id == former.id else PolicyMemory()
    named = [rule for rule in former.rules if rule.endpoint_name == desired.endpoint.name]
    remembered = known.guid.lower()
    recovered = record.elastic.policy.recovered or nothing_known(record)
    memory = PolicyMemory(former.id, Owner.OURS, guid=remembered, recovered=recovered, rules=known.rules, key=known.key)
    replaces: tuple[str, ...] = (remembered,)
    if all(rule.endpoint_guid.lower() != remembered for rule in former.rules):
        rule = edited_rule(former, desired.endpoint.name, known.rules, seen_guids)
        taken_out = not named and (known.rules is None or former.rule_count < known.rules)
        if rule is None and not taken_out:
            return PolicyPlan((), _edited(desired, former, named), memory, former)
        replaces = (rule.endpoint_guid.lower(),) if rule is not None else ()
    old = ", ".join(replaces) or "no GUID of it"
    why = "a person changed the rule" if remembered == desired.endpoint.guid.lower() else "the endpoint was made anew"
    message = f"Policy {former.id} has {old}; it is to have {desired.endpoint.guid}: {why}."
    condition = c.waiting(c.POLICY_READY, Reason.DIFFERENT, message, c.WaitingFor.WORK)
    step = _update(desired, former, replaces)
    return PolicyPlan((step,), condition, memory, updated(former, step))


def edited_rule(policy: Policy, name: str, rules: int | None, seen_guids: Collection[str] | None) -> Rule | None:
    """The rule of our policy whose GUID a person changed, where that is certain; None: it is not.

    None of the policy's rules has a GUID that the endpoint has or had. Then exactly one must have its name, the GUID
    must be no endpoint's that the app sees, and `rules`, the number that was last read, the number that there are.
    """
    named = [rule for rule in policy.rules if rule.endpoint_name == name]
    certain = len(named) == 1 and policy.rule_count == (1 if rules is None else rules)
    if not certain or seen_guids is None or named[0].endpoint_guid.lower() in seen_guids:
        return None
    return named[0]


def _edited(desired: Desired, policy: Policy, named: list[Rule]) -> Condition:
    endpoint = desired.endpoint
    there = "; ".join(f"{one.endpoint_name} with {one.endpoint_guid}" for one in named or policy.rules)
    rules = there or c.count(policy.other_rules, "other rule")
    return c.blocked(
        c.POLICY_READY,
        Reason.POLICY_RULE_EDITED,
        f"Policy {policy.id} ({policy.name}) lets in {rules}, and lacks {endpoint.name} with {endpoint.guid}, which "
        "the app put there. Which rule was changed is not certain, so none is.",
        f"Correct the rule in policy {policy.id} to {endpoint.name} with {endpoint.guid}, or delete the one that is "
        "wrong.",
    )


def _claimed(claim: Claim) -> tuple[str]:
    return (claim.endpoint_guid.lower(),)


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """What is left to do for the claim."""

    steps: tuple[ClaimEndpoint | UnclaimEndpoint, ...] = ()
    conditions: tuple[Condition, ...] = ()
    """One where a claim is asked for, else none."""
    memory: ClaimMemory | None = None


_NO_CLAIM = ClaimPlan()


def plan_claim(
    desired: Desired, claims: tuple[Claim, ...] | None, record: ConnectionRecord, *, offered: bool = True
) -> ClaimPlan:
    """Claim what is to be; give up what we claimed and is no longer to be, or was of an endpoint that is gone.

    `offered`: whether the family has claims at all.
    """
    if not (desired.claim or record.elastic.claim):
        return _NO_CLAIM
    if not offered or claims is None:
        message = f"Elastic offers no claims for endpoints of {desired.service.family.noun}s, so none is made."
        none = Condition(c.CLAIMED, c.Status.FALSE, explain(Reason.CLAIMS_NOT_OFFERED, message))
        unread = c.unknown(c.CLAIMED, Reason.NOT_OBSERVED, "The claims have not been read yet.")
        return ClaimPlan((), (none if not offered else unread,) if desired.claim else (), record.elastic.claim)
    endpoint, region = desired.endpoint, desired.service.elastic_region
    old = record.elastic.claim
    outdated = old is not None and (not desired.claim or old.guid.lower() != endpoint.guid.lower())
    missing = c.waiting(c.CLAIMED, Reason.MISSING, "The endpoint is to be claimed.", c.WaitingFor.WORK)
    if old is not None and outdated and old.owner is Owner.OURS:
        # One at a time: the record remembers one claim, and the old one must not be forgotten before it is given up,
        # though a list lacks it: lists may be short.
        step = UnclaimEndpoint(old.region, old.endpoint_name, old.guid)
        return ClaimPlan((step,), (missing,) if desired.claim else (), old)
    kept = None if outdated else old
    if not desired.claim:
        return ClaimPlan(memory=kept)
    if Listing.of(claims).where(_claimed, endpoint.guid.lower()):
        owner = kept.owner if kept is not None else Owner.ADOPTED
        maker = "" if owner is Owner.OURS else " It was made by others and is left to them."
        good = c.satisfied(c.CLAIMED, Reason.CLAIMED, f"No other organization can use this endpoint.{maker}")
        return ClaimPlan((), (good,), ClaimMemory(region, endpoint.name, endpoint.guid, owner))
    return ClaimPlan((ClaimEndpoint(region, endpoint.name, endpoint.guid),), (missing,), kept)
