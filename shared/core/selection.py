"""Which of the deployments that an endpoint asks for may be connected, and why not the others.

Pure; called by `plan_elastic`.

An endpoint's tag is only a wish: whoever may tag an endpoint must not thereby get into a deployment (S8), nor cut one
off from the internet (S1). Consent comes from the settings, or from a tag on the deployment itself in Elastic Cloud.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.core.arm_ids import ArmId
from shared.core.desired import Desired
from shared.core.model import Deployment, Policy
from shared.core.rules import Rules

ENDPOINTS_TAG = "elastic-privatelink-endpoints"
"""Tag of a deployment: the endpoints that may be connected to it, comma-separated; `*` for all.

Each as ARM id, as connection id, or as `resource-group/name`. A bare name is not enough: anybody can make an endpoint
of that name in a resource group of their own.
"""

FIRST_POLICY_TAG = "elastic-privatelink-first-policy"
"""Tag of a deployment: `allow` permits its first policy, which closes it to everything that no policy admits."""

INGRESS_TYPES = frozenset({"ip", "vpce", "azure_private_endpoint", "gcp_private_service_connect_endpoint"})
"""Types of policy that close a deployment to the internet; egress and remote-cluster policies do not."""

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a deployment is not connected, and what a person can do."""

    reason: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of the endpoint's tag and what became of it."""

    asked: str
    deployment: Deployment | None = None
    problem: Problem | None = None
    associated: bool = False


def choose_deployments(
    desired: Desired,
    deployments: tuple[Deployment, ...],
    policies: tuple[Policy, ...],
    policy_id: str,
    policy: Policy | None,
    rules: Rules,
) -> tuple[Choice, ...]:
    """Judge every entry of the tag; two entries for one deployment become one choice."""
    types = {known.id: known.type for known in policies}
    chosen: dict[str, Choice] = {}
    for asked in desired.deployments:
        choice = _find(asked, deployments)
        if choice.deployment is None:
            chosen[f"?{asked}"] = choice
        elif choice.deployment.id not in chosen:
            associated = policy is not None and choice.deployment.id in policy.associations
            associated = associated or policy_id in (choice.deployment.attached or ())
            problem = None if associated else _problem(desired, choice.deployment, types, rules)
            chosen[choice.deployment.id] = Choice(asked, choice.deployment, problem, associated)
    return tuple(chosen.values())


def _find(asked: str, deployments: tuple[Deployment, ...]) -> Choice:
    by_id = [deployment for deployment in deployments if deployment.id == asked.lower()]
    found = by_id or [deployment for deployment in deployments if deployment.name == asked]
    running = [deployment for deployment in found if deployment.running]
    if len(running) == 1:
        return Choice(asked, running[0])
    if running:
        ids = ", ".join(f"{deployment.id} in {deployment.region}" for deployment in running)
        return Choice(
            asked,
            problem=Problem(
                "DeploymentAmbiguous",
                f"Several deployments are named {asked}: {ids}.",
                "Use the deployment's id in the tag.",
            ),
        )
    if found:
        return Choice(
            asked,
            problem=Problem(
                "DeploymentNotRunning",
                f"Deployment {asked} is stopped or being deleted.",
                "Start it, or take it out of the tag.",
            ),
        )
    return Choice(
        asked,
        problem=Problem(
            "DeploymentNotFound",
            f"No deployment with the id or exact name {asked} is visible to the API key.",
            "Correct the endpoint's tag, or give the API key a role on the deployment.",
        ),
    )


def _problem(desired: Desired, deployment: Deployment, types: dict[str, str], rules: Rules) -> Problem | None:
    label = f"{deployment.name} ({deployment.id})"
    if deployment.region != desired.service.elastic_region:
        return Problem(
            "DeploymentInAnotherRegion",
            f"Deployment {label} is in {deployment.region or 'an unknown region'}; this endpoint leads to "
            f"{desired.service.elastic_region}.",
            "Create an endpoint with the alias of the deployment's region, or take the deployment out of the tag.",
        )
    if is_denied(deployment, rules):
        return _denied(label)
    if not is_allowed(desired, deployment, rules):
        return Problem(
            "DeploymentNotAllowed",
            f"Nobody has allowed this endpoint to be connected to deployment {label}.",
            f"Add it to the setting ELASTIC_DEPLOYMENTS_ALLOWED, "
            f"or tag the deployment {ENDPOINTS_TAG}={_short(desired.endpoint.id)}.",
        )
    return _first_policy_problem(deployment, label, types, rules)


def is_denied(deployment: Deployment, rules: Rules) -> bool:
    """Whether the settings keep everything away from the deployment; that wins over every consent (S8)."""
    return _listed(deployment, rules.deployments_denied)


def _denied(label: str) -> Problem:
    return Problem(
        "DeploymentOutOfScope",
        f"The setting ELASTIC_DEPLOYMENTS_DENIED keeps every endpoint away from deployment {label}.",
        "Take the deployment out of the tag, or out of that setting.",
    )


def _short(endpoint: ArmId) -> str:
    return f"{endpoint.resource_group}/{endpoint.name}".lower()


def is_allowed(desired: Desired, deployment: Deployment, rules: Rules) -> bool:
    """Whether the settings or the deployment's own tag consent to this endpoint (S8)."""
    if _listed(deployment, rules.deployments_allowed):
        return True
    entries = {entry.strip().lower() for entry in deployment.tags.get(ENDPOINTS_TAG, "").split(",")}
    endpoint = desired.endpoint.id
    return bool(entries & {EVERYTHING, _short(endpoint), desired.connection_id, endpoint.key})


def _first_policy_problem(deployment: Deployment, label: str, types: dict[str, str], rules: Rules) -> Problem | None:
    opted_in = (
        _listed(deployment, rules.first_policy_allowed)
        or deployment.tags.get(FIRST_POLICY_TAG, "").strip().lower() == "allow"
    )
    if opted_in or any(types.get(policy_id) in INGRESS_TYPES for policy_id in deployment.attached or ()):
        return None
    known = "It has no policy" if deployment.attached is not None else "Whether it has a policy is not known"
    return Problem(
        "WouldCutOffPublicTraffic",
        f"Deployment {label}: {known}. The first one closes all its endpoints to everything that no policy admits, "
        "including the sign-in from the Elastic Cloud console.",
        f"If that is wanted, add it to the setting ELASTIC_FIRST_POLICY_ALLOWED "
        f"or tag the deployment {FIRST_POLICY_TAG}=allow; "
        "to keep other traffic, first associate an IP policy that admits it.",
    )


def _listed(deployment: Deployment, names: Collection[str]) -> bool:
    return EVERYTHING in names or deployment.id in names or deployment.name.lower() in names
