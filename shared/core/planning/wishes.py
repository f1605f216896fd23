"""Which deployments an endpoint is to be connected to, which of them it may be, and why not the others.

Pure; called by `associations`.

There are two sides to ask: the endpoint's tag names deployments, and a deployment's own tag names endpoints. An
endpoint's tag is only a wish: the right to tag an endpoint must not open a deployment (S8), nor cut one off from the
internet (S1). Consent comes from the settings, or from a tag on the deployment itself in Elastic Cloud.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from shared.core.guards.consent import (
    CONNECT_TAG,
    ENDPOINTS_TAG,
    EVERYTHING,
    OPT_OUT_TAG,
    denied,
    entries_of,
    is_allowed,
    is_denied,
    label_of,
    names_of,
    opted_out,
    short_name,
)
from shared.core.guards.cutting_off import first_policy_problem
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Deployment
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.desired import Desired
from shared.core.reasons import explain


@dataclass(frozen=True, slots=True)
class Choice:
    """One wish and what became of it."""

    asked: str
    """As it was written in the endpoint's tag; of a deployment's own tag, its id."""
    deployment: Deployment | None = None
    problem: Explanation | None = None
    associated: bool = False


def choose_deployments(
    desired: Desired,
    deployments: tuple[Deployment, ...],
    types: dict[str, str],
    associated: Collection[str],
    record: ConnectionRecord,
    options: PlanOptions,
) -> tuple[Choice, ...]:
    """Judge every wish; two for one deployment become one choice. `types`: of each policy in the region, by its id."""
    chosen: dict[str, Choice] = {}
    for wish in _wishes(desired, deployments, associated, record):
        target = wish.deployment
        if target is None:
            chosen[f"?{wish.asked}"] = wish
        elif target.id not in chosen:
            stands = target.id in associated
            problem = wish.problem or _problem(desired, target, types, record, options, associated=stands)
            chosen[target.id] = replace(wish, problem=problem, associated=stands)
    return tuple(chosen.values())


# -- wishes --------------------------------------------------------------------------------------------------------


def _wishes(
    desired: Desired, deployments: tuple[Deployment, ...], associated: Collection[str], record: ConnectionRecord
) -> Iterator[Choice]:
    for asked in desired.deployments:
        yield _find(asked, deployments, record)
    for deployment in deployments:
        entries = entries_of(deployment, CONNECT_TAG)
        everywhere = EVERYTHING in entries and deployment.region == desired.service.elastic_region
        # One that is stopped is not connected, but to stop it is no wish to disconnect it either.
        connectable = deployment.running or deployment.id in associated
        if connectable and (everywhere or entries & names_of(desired.endpoint.id)):
            yield Choice(deployment.id, deployment)


def _find(asked: str, deployments: tuple[Deployment, ...], record: ConnectionRecord) -> Choice:
    by_id = [deployment for deployment in deployments if deployment.id == asked.lower()]
    found = by_id or [deployment for deployment in deployments if deployment.name == asked]
    running = [deployment for deployment in found if deployment.running]
    if len(running) > 1:
        # Another one that is given the same name does not disconnect the one that had it.
        connected = _connected_as(asked, record)
        running = [deployment for deployment in running if deployment.id in connected] or running
    if len(running) == 1:
        return Choice(asked, running[0])
    if running:
        ids = ", ".join(f"{deployment.id} in {deployment.region}" for deployment in running)
        return Choice(
            asked,
            problem=explain(
                Reason.DEPLOYMENT_AMBIGUOUS,
                f"Several deployments are named {asked}: {ids}.",
            ),
        )
    if found:
        return Choice(
            asked,
            found[0],
            explain(
                Reason.DEPLOYMENT_NOT_RUNNING,
                f"Deployment {asked} is stopped or being deleted; an association that it has is left as it is.",
            ),
        )
    return _renamed(asked, deployments, record) or Choice(asked, problem=_not_found(asked, record))


def _renamed(asked: str, deployments: tuple[Deployment, ...], record: ConnectionRecord) -> Choice | None:
    """The deployment that had this name when it was connected: a new name is no wish to disconnect it."""
    ids = _connected_as(asked, record)
    found = next((deployment for deployment in deployments if deployment.id in ids and deployment.running), None)
    return None if found is None else Choice(asked, found)


def _connected_as(asked: str, record: ConnectionRecord) -> set[str]:
    """Ids of the deployments that were connected because of this entry."""
    return {memory.deployment_id for memory in record.elastic.associations if memory.asked == asked}


def _not_found(asked: str, record: ConnectionRecord) -> Explanation:
    gone = [
        memory.deployment_id for memory in record.elastic.associations if asked in {memory.asked, memory.deployment_id}
    ]
    was = f" It was deployment {gone[0]}, which is gone." if gone else ""
    return explain(
        Reason.DEPLOYMENT_NOT_FOUND,
        f"No deployment with the id or exact name {asked} is visible to the API key.{was}",
    )


# -- consent -------------------------------------------------------------------------------------------------------


def _problem(
    desired: Desired,
    deployment: Deployment,
    types: dict[str, str],
    record: ConnectionRecord,
    options: PlanOptions,
    *,
    associated: bool,
) -> Explanation | None:
    """Why the deployment may not be connected; of one that we connected, that its consent was withdrawn."""
    label = label_of(deployment)
    if associated:
        return _withdrawn(desired, deployment, record, options)
    if deployment.region != desired.service.elastic_region:
        return explain(
            Reason.DEPLOYMENT_IN_ANOTHER_REGION,
            f"Deployment {label} is in {deployment.region or 'an unknown region'}; this endpoint leads to "
            f"{desired.service.elastic_region}.",
        )
    if is_denied(deployment, options):
        return denied(label)
    if opted_out(deployment):
        return explain(
            Reason.DEPLOYMENT_OPTED_OUT,
            f"Deployment {label} has the tag {OPT_OUT_TAG}=ignore: nothing is associated with it.",
        )
    if not is_allowed(desired.endpoint.id, deployment, options):
        return explain(
            Reason.DEPLOYMENT_NOT_ALLOWED,
            f"Neither setting nor tag allows that this endpoint is connected to deployment {label}.",
            f"Add it to the setting ELASTIC_DEPLOYMENTS_ALLOWED, "
            f"or tag the deployment {ENDPOINTS_TAG}={short_name(desired.endpoint.id)}.",
        )
    return first_policy_problem(deployment, label, types, options)


def _withdrawn(
    desired: Desired, deployment: Deployment, record: ConnectionRecord, options: PlanOptions
) -> Explanation | None:
    """A consent may be lost by a slip in a setting: what stands is reported and left, never cut off by it."""
    memory = record.association(deployment.id)
    if memory is None or memory.owner is Owner.ADOPTED:
        return None
    if is_denied(deployment, options):
        return denied(label_of(deployment))
    if is_allowed(desired.endpoint.id, deployment, options):
        return None
    return explain(
        Reason.DEPLOYMENT_NOT_ALLOWED,
        f"Deployment {label_of(deployment)} is connected, but neither setting nor tag allows it now; it stays.",
        "Allow it again, or take it out of the endpoint's tag: then the app disconnects it.",
    )
