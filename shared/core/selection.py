"""Which deployments an endpoint is to be connected to, which of them it may be, and why not the others.

Pure; called by `plan_associations`.

There are two sides to ask: the endpoint's tag names deployments, and a deployment's own tag names endpoints. An
endpoint's tag is only a wish: whoever may tag an endpoint must not thereby get into a deployment (S8), nor cut one off
from the internet (S1). Consent comes from the settings, or from a tag on the deployment itself in Elastic Cloud.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from shared.core.arm_ids import ArmId
from shared.core.connection import Connection, Owner
from shared.core.desired import Desired
from shared.core.model import Deployment
from shared.core.rules import Rules

CONNECT_TAG = "elastic-privatelink-connect"
"""Tag of a deployment: the endpoints that are to be connected to it, comma-separated; `*` for all of its region."""

ENDPOINTS_TAG = "elastic-privatelink-endpoints"
"""Tag of a deployment: the endpoints that may be connected to it if they ask, comma-separated; `*` for all.

In both tags each as ARM id, as connection id, or as `resource-group/name`. A bare name is not enough: anybody can make
an endpoint of that name in a resource group of their own.
"""

FIRST_POLICY_TAG = "elastic-privatelink-first-policy"
"""Tag of a deployment: `allow` permits its first policy, which closes it to everything that no policy admits."""

OPT_OUT_TAG = "elastic-privatelink"
"""Tag of a deployment: `ignore` keeps the app from associating anything with it, and from taking anything away."""

INGRESS_TYPES = frozenset({"ip", "vpce", "azure_private_endpoint", "gcp_private_service_connect_endpoint"})
"""Types of policy that close a deployment to the internet; egress and remote-cluster policies do not."""

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a deployment is not connected, or not disconnected, and what a person can do."""

    reason: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One wish and what became of it."""

    asked: str
    """As it was written in the endpoint's tag; of a deployment's own tag, its id."""
    deployment: Deployment | None = None
    problem: Problem | None = None
    associated: bool = False


def choose_deployments(
    desired: Desired,
    deployments: tuple[Deployment, ...],
    types: dict[str, str],
    associated: Collection[str],
    known: Connection,
    rules: Rules,
) -> tuple[Choice, ...]:
    """Judge every wish; two for one deployment become one choice. `types`: of each policy in the region, by its id."""
    chosen: dict[str, Choice] = {}
    for wish in _wishes(desired, deployments, associated, known):
        target = wish.deployment
        if target is None:
            chosen[f"?{wish.asked}"] = wish
        elif target.id not in chosen:
            stands = target.id in associated
            problem = wish.problem or _problem(desired, target, types, known, rules, associated=stands)
            chosen[target.id] = replace(wish, problem=problem, associated=stands)
    return tuple(chosen.values())


# -- wishes --------------------------------------------------------------------------------------------------------


def _wishes(
    desired: Desired, deployments: tuple[Deployment, ...], associated: Collection[str], known: Connection
) -> Iterator[Choice]:
    for asked in desired.deployments:
        yield _find(asked, deployments, known)
    for deployment in deployments:
        entries = _entries(deployment, CONNECT_TAG)
        everywhere = EVERYTHING in entries and deployment.region == desired.service.elastic_region
        # One that is stopped is not connected, but to stop it is no wish to disconnect it either.
        connectable = deployment.running or deployment.id in associated
        if connectable and (everywhere or entries & _names_of(desired)):
            yield Choice(deployment.id, deployment)


def _find(asked: str, deployments: tuple[Deployment, ...], known: Connection) -> Choice:
    by_id = [deployment for deployment in deployments if deployment.id == asked.lower()]
    found = by_id or [deployment for deployment in deployments if deployment.name == asked]
    running = [deployment for deployment in found if deployment.running]
    if len(running) > 1:
        # Another one that is given the same name does not disconnect the one that had it.
        connected = _connected_as(asked, known)
        running = [deployment for deployment in running if deployment.id in connected] or running
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
            found[0],
            Problem(
                "DeploymentNotRunning",
                f"Deployment {asked} is stopped or being deleted; an association that it has is left as it is.",
                "Start it, or take it out of the tag.",
            ),
        )
    return _renamed(asked, deployments, known) or Choice(asked, problem=_not_found(asked, known))


def _renamed(asked: str, deployments: tuple[Deployment, ...], known: Connection) -> Choice | None:
    """The deployment that had this name when it was connected: a new name is no wish to disconnect it."""
    ids = _connected_as(asked, known)
    found = next((deployment for deployment in deployments if deployment.id in ids and deployment.running), None)
    return None if found is None else Choice(asked, found)


def _connected_as(asked: str, known: Connection) -> set[str]:
    """Ids of the deployments that were connected because of this entry."""
    return {memory.deployment_id for memory in known.associations if memory.asked == asked}


def _not_found(asked: str, known: Connection) -> Problem:
    gone = [memory.deployment_id for memory in known.associations if asked in {memory.asked, memory.deployment_id}]
    was = f" It was deployment {gone[0]}, which is gone." if gone else ""
    return Problem(
        "DeploymentNotFound",
        f"No deployment with the id or exact name {asked} is visible to the API key.{was}",
        "Correct the endpoint's tag, or give the API key a role on the deployment.",
    )


# -- consent -------------------------------------------------------------------------------------------------------


def _problem(
    desired: Desired,
    deployment: Deployment,
    types: dict[str, str],
    known: Connection,
    rules: Rules,
    *,
    associated: bool,
) -> Problem | None:
    """Why the deployment may not be connected; of one that we connected, that its consent was withdrawn."""
    label = label_of(deployment)
    if associated:
        return _withdrawn(desired, deployment, known, rules)
    if deployment.region != desired.service.elastic_region:
        return Problem(
            "DeploymentInAnotherRegion",
            f"Deployment {label} is in {deployment.region or 'an unknown region'}; this endpoint leads to "
            f"{desired.service.elastic_region}.",
            "Create an endpoint with the alias of the deployment's region, or take the deployment out of the tag.",
        )
    if is_denied(deployment, rules):
        return denied(label)
    if opted_out(deployment):
        return Problem(
            "DeploymentOptedOut",
            f"Deployment {label} has the tag {OPT_OUT_TAG}=ignore: nothing is associated with it.",
            "Take that tag off the deployment, or the deployment out of the endpoint's tag.",
        )
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
    return listed(deployment, rules.deployments_denied)


def denied(label: str) -> Problem:
    """A deployment that the settings keep the app away from: nothing is associated with it, nothing taken away."""
    return Problem(
        "DeploymentOutOfScope",
        f"The setting ELASTIC_DEPLOYMENTS_DENIED keeps the app away from deployment {label}; what stands is left.",
        "Take the deployment out of the tag, or out of that setting.",
    )


def _withdrawn(desired: Desired, deployment: Deployment, known: Connection, rules: Rules) -> Problem | None:
    """A consent may be lost by a slip in a setting: what stands is reported and left, never cut off by it."""
    memory = known.association(deployment.id)
    if memory is None or memory.owner is Owner.ADOPTED:
        return None
    if is_denied(deployment, rules):
        return denied(label_of(deployment))
    if is_allowed(desired, deployment, rules):
        return None
    return Problem(
        "DeploymentNotAllowed",
        f"Deployment {label_of(deployment)} is connected, but nobody allows that any more; it is left as it is.",
        "Allow it again, or take it out of the endpoint's tag: then the app disconnects it.",
    )


def label_of(deployment: Deployment) -> str:
    """A deployment for people."""
    return f"{deployment.name} ({deployment.id})"


def opted_out(deployment: Deployment) -> bool:
    """Whether the deployment's own tag keeps the app's hands off it."""
    return deployment.tags.get(OPT_OUT_TAG, "").strip().lower() == "ignore"


def _short(endpoint: ArmId) -> str:
    return f"{endpoint.resource_group}/{endpoint.name}".lower()


def _names_of(desired: Desired) -> set[str]:
    """The ways to name an endpoint in a deployment's tag."""
    endpoint = desired.endpoint.id
    return {_short(endpoint), desired.connection_id, endpoint.key}


def _entries(deployment: Deployment, tag: str) -> set[str]:
    return {entry.strip().lower() for entry in deployment.tags.get(tag, "").split(",")}


def is_allowed(desired: Desired, deployment: Deployment, rules: Rules) -> bool:
    """Whether the settings or the deployment's own tags consent to this endpoint (S8)."""
    if listed(deployment, rules.deployments_allowed):
        return True
    entries = _entries(deployment, ENDPOINTS_TAG) | _entries(deployment, CONNECT_TAG)
    return bool(entries & {EVERYTHING, *_names_of(desired)})


def may_be_first(deployment: Deployment, rules: Rules) -> bool:
    """Whether somebody allowed that the deployment gets its first policy."""
    tag = deployment.tags.get(FIRST_POLICY_TAG, "").strip().lower()
    return tag == "allow" or listed(deployment, rules.first_policy_allowed)


def _first_policy_problem(deployment: Deployment, label: str, types: dict[str, str], rules: Rules) -> Problem | None:
    if may_be_first(deployment, rules) or any(
        types.get(policy_id) in INGRESS_TYPES for policy_id in deployment.attached or ()
    ):
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


def listed(deployment: Deployment, names: Collection[str]) -> bool:
    """Whether a setting names the deployment, by id or name, or all."""
    return EVERYTHING in names or deployment.id in names or deployment.name.lower() in names
