"""No connection without consent (S8): which targets the settings or their own tags open to an endpoint. Pure.

Asked by `planning.wishes` and by the guard `first_and_last_policy`. An endpoint's tag is only a wish: the right to tag
an endpoint must not open a target. Consent comes from the settings, or from a tag on the target in Elastic Cloud.
"""

from __future__ import annotations

from collections.abc import Collection

from shared.core.model.arm_ids import ArmId, connection_id
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.resources import Target
from shared.core.options.plan_options import PlanOptions
from shared.core.reasons import explain

CONNECT_TAG = "elastic-privatelink-connect"
"""Tag of a target: the endpoints that are to be connected to it, comma-separated; `*` for all of its region."""

ENDPOINTS_TAG = "elastic-privatelink-endpoints"
"""Tag of a target: the endpoints that may be connected to it if they ask, comma-separated; `*` for all.

In both tags each as ARM id, as connection id, or as `resource-group/name`. A bare name is not enough: anybody can make
an endpoint of that name in a resource group of their own.
"""

OPT_OUT_TAG = "elastic-privatelink"
"""Tag of a target: `ignore` keeps the app from associating anything with it, and from taking anything away."""

EVERYTHING = "*"


def is_denied(target: Target, options: PlanOptions) -> bool:
    """Whether the settings keep everything away from the target; that wins over every consent (S8)."""
    return listed(target, options.targets.deployments_denied)


def denied(label: str) -> Explanation:
    """A target that the settings keep the app away from: nothing is associated with it, nothing taken away."""
    return explain(
        Reason.DEPLOYMENT_OUT_OF_SCOPE,
        f"The setting ELASTIC_DEPLOYMENTS_DENIED keeps the app away from deployment {label}; what stands is left.",
    )


def label_of(target: Target) -> str:
    """A target for people."""
    return f"{target.name} ({target.id})"


def opted_out(target: Target) -> bool:
    """Whether the target's own tag keeps the app's hands off it."""
    return target.tags.get(OPT_OUT_TAG, "").strip().lower() == "ignore"


def short_name(endpoint: ArmId) -> str:
    """Resource group and name, as a tag of a target may name an endpoint."""
    return f"{endpoint.resource_group}/{endpoint.name}".lower()


def names_of(endpoint: ArmId) -> set[str]:
    """The ways to name an endpoint in a target's tag."""
    return {short_name(endpoint), connection_id(endpoint.text), endpoint.key}


def entries_of(target: Target, tag: str) -> set[str]:
    """The endpoints that a tag of the target names, lower case."""
    return {entry.strip().lower() for entry in target.tags.get(tag, "").split(",")}


def is_allowed(endpoint: ArmId, target: Target, options: PlanOptions) -> bool:
    """Whether the settings or the target's own tags consent to this endpoint (S8)."""
    if listed(target, options.targets.deployments_allowed):
        return True
    entries = entries_of(target, ENDPOINTS_TAG) | entries_of(target, CONNECT_TAG)
    return bool(entries & {EVERYTHING, *names_of(endpoint)})


def listed(target: Target, names: Collection[str]) -> bool:
    """Whether a setting names the target, by id or name, or all."""
    return EVERYTHING in names or target.id in names or target.name.lower() in names
