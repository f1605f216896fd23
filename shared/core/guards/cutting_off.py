"""No first policy unless allowed (S1): it would cut a target off from all traffic that no policy admits. Pure.

Asked by `planning.wishes` and `planning.associations`.
"""

from __future__ import annotations

from shared.core.guards.consent import listed
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.resources import Target
from shared.core.options.plan_options import PlanOptions
from shared.core.reasons import explain

FIRST_POLICY_TAG = "elastic-privatelink-first-policy"
"""Tag of a target: `allow` permits its first policy, which closes it to everything that no policy admits."""

INGRESS_TYPES = frozenset({"ip", "vpce", "azure_private_endpoint", "gcp_private_service_connect_endpoint"})
"""Types of policy that close a target to the internet; egress and remote-cluster policies do not."""


def may_be_first(target: Target, options: PlanOptions) -> bool:
    """Whether a setting or a tag allows that the target gets its first policy."""
    tag = target.tags.get(FIRST_POLICY_TAG, "").strip().lower()
    return tag == "allow" or listed(target, options.targets.first_policy_allowed)


def first_policy_problem(target: Target, label: str, types: dict[str, str], options: PlanOptions) -> Explanation | None:
    """Why the target does not get its first policy; None: it may, or it has one."""
    if may_be_first(target, options) or any(
        types.get(policy_id) in INGRESS_TYPES for policy_id in target.attached or ()
    ):
        return None
    known = "It has no policy" if target.attached is not None else "Whether it has a policy is not known"
    return explain(
        Reason.WOULD_CUT_OFF_PUBLIC_TRAFFIC,
        f"Deployment {label}: {known}. The first one closes all its endpoints to everything that no policy admits, "
        "including the sign-in from the Elastic Cloud console.",
        f"Add it to the setting ELASTIC_FIRST_POLICY_ALLOWED "
        f"or tag the deployment {FIRST_POLICY_TAG}=allow, if that is wanted; "
        "to keep other traffic, first associate an IP policy that admits it.",
    )
