"""A target's first policy and its last one: neither is given nor taken away unless that is allowed (S1, S2). Pure.

The first policy would cut the target off from all traffic that no policy admits; without the last one it is open to the
internet. What is not known counts as the worse case. Asked by `planning.wishes`, `planning.associations` and
`planning.removal`; the loop asks once more just before it acts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shared.core.guards.consent import OPT_OUT_TAG, denied, is_denied, label_of, listed, opted_out, sentence
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.resources import Target
from shared.core.model.services import Family
from shared.core.model.steps import Disassociate
from shared.core.options.plan_options import PlanOptions
from shared.core.reasons import explain

FIRST_POLICY_TAG = "elastic-privatelink-first-policy"
"""Tag of a target: `allow` permits its first policy, which closes it to everything that no policy admits."""

INGRESS_TYPES = frozenset({"ip", "vpce", "azure_private_endpoint", "gcp_private_service_connect_endpoint"})
"""Types of policy that close a target to the internet; egress and remote-cluster policies do not."""

LAST_POLICY_TAG = "elastic-privatelink-last-policy"
"""Tag of a target: `allow` permits that its last policy is taken away, which opens it to the internet."""

_AND_SIGN_IN = ", including the sign-in from the Elastic Cloud console"
"""Only a deployment's: the console signs in to a project's Kibana over its private connection, too."""


# -- the first one -------------------------------------------------------------------------------------------------


def may_be_first(target: Target, options: PlanOptions) -> bool:
    """Whether a setting or a tag allows that the target gets its first policy."""
    tag = target.tags.get(FIRST_POLICY_TAG, "").strip().lower()
    return tag == "allow" or listed(target, options.targets.first_policy_allowed)


CLUSTERS_TOO = ", other deployments among it: cross-cluster search and replication, and monitoring, go by public ways"


def _what_it_has(target: Target, types: Mapping[str, str]) -> str:
    """Its policies, none of which keeps anyone out; counted by what they are."""
    if target.attached is None:
        return "Whether it has a policy is not known"
    counts = Counter(types.get(policy_id, "unknown") for policy_id in target.attached)
    if not counts:
        return "It has no policy"
    named = " and ".join(f"{count} of type {kind}" for kind, count in sorted(counts.items()))
    return f"It has no policy that restricts who may connect, only {named} ({', '.join(target.attached)})"


def first_policy_problem(target: Target, label: str, types: dict[str, str], options: PlanOptions) -> Explanation | None:
    """Why the target does not get its first policy; None: it may, or it has one."""
    if may_be_first(target, options) or any(
        types.get(policy_id) in INGRESS_TYPES for policy_id in target.attached or ()
    ):
        return None
    hosted = target.family is Family.HOSTED
    return explain(
        Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC,
        f"{sentence(label)}: {_what_it_has(target, types)}. The first one closes all its endpoints to everything that "
        f"no policy admits{_AND_SIGN_IN + CLUSTERS_TOO if hosted else ''}.",
        f"Add it to the setting ELASTIC_FIRST_POLICY_ALLOWED "
        f"or tag the {target.family.noun} {FIRST_POLICY_TAG}=allow, if that is wanted; "
        "to keep other traffic, first associate an IP policy that admits it.",
    )


# -- the last one --------------------------------------------------------------------------------------------------


def plan_disassociation(
    target_id: str,
    policy_id: str,
    targets: tuple[Target, ...],
    types: Mapping[str, str],
    options: PlanOptions,
    unseen: UnseenTargets = NONE_UNSEEN,
) -> Disassociate | Explanation:
    """The step, or why it is not taken. `types`: of each policy in the region, by its id."""
    target = next((one for one in targets if one.id == target_id), None)
    if target is None:
        return unseen.still_listed(target_id, policy_id) or _reopens(
            target_id, "what else protects it is not known: it is not visible to the API key"
        )
    return _hands_off(target, options) or _unless_last(target, policy_id, types, options)


def _hands_off(target: Target, options: PlanOptions) -> Explanation | None:
    """Whether a setting or a tag keeps the app from changing anything about the target."""
    label = label_of(target)
    if is_denied(target, options):
        return denied(label)
    if not opted_out(target):
        return None
    return explain(
        Reason.DEPLOYMENT_OPTED_OUT,
        f"{sentence(label)} has the tag {OPT_OUT_TAG}=ignore: its association is left as it is.",
        f"Take that tag off the {target.family.noun}, or disassociate the policy in the Elastic Cloud console.",
    )


def _unless_last(
    target: Target, policy_id: str, types: Mapping[str, str], options: PlanOptions
) -> Disassociate | Explanation:
    if may_reopen(target, options):
        return Disassociate(policy_id, target.id, target.name, may_reopen=True, family=target.family)
    if target.attached is None:
        return _reopens(label_of(target), "which other policies it has is not known")
    if not protected_without(policy_id, target.attached, types):
        return _reopens(label_of(target), "it is the last one that restricts who may connect")
    return Disassociate(policy_id, target.id, target.name, family=target.family)


def protected_without(policy_id: str, attached: tuple[str, ...], types: Mapping[str, str]) -> bool:
    """Whether another of the policies attached to a target keeps it closed to the internet."""
    return any(types.get(other) in INGRESS_TYPES for other in attached if other != policy_id)


def may_reopen(target: Target, options: PlanOptions) -> bool:
    """Whether a setting or a tag allows that the target's last policy is removed."""
    tag = target.tags.get(LAST_POLICY_TAG, "").strip().lower()
    return tag == "allow" or listed(target, options.targets.last_policy_allowed)


def _reopens(label: str, why: str) -> Explanation:
    return explain(
        Reason.WOULD_REOPEN_PUBLIC_ACCESS,
        f"The policy stays associated with {label}: {why}. Without any policy it is open to the internet.",
        "Associate another policy with it first, for example an IP policy; or, if it may be open, add it to the "
        f"setting ELASTIC_LAST_POLICY_ALLOWED or tag it {LAST_POLICY_TAG}=allow.",
    )
