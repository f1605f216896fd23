"""When another manager removes our associations: how often the app restores them, and what it says then. Pure.

Called by `associations` and `elastic_branch`. The usual opponent is Terraform: `ec_deployment.traffic_filter` owns
the full set of a deployment's policies and removes each one that it does not list, at every run. Putting ours back for
ever would be a fight that interrupts clients each time, so it is bounded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.guards.consent import OPT_OUT_TAG, label_of
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Explanation, Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory
from shared.core.model.resources import Deployment
from shared.core.options.plan_options import PlanOptions
from shared.core.reasons import explain

RESTORE_WINDOW = timedelta(days=7)
"""Within this time the removals count as one fight: long enough for a pipeline that runs once a day."""


def taken_away(memory: AssociationMemory | None) -> bool:
    """Whether an association that is not there now, nor was made a moment ago, was ours."""
    return memory is not None and memory.owner is Owner.OURS


def recent(memory: AssociationMemory | None, now: datetime) -> tuple[datetime, ...]:
    """When it was put back within the window."""
    return tuple(at for at in memory.taken if now - at < RESTORE_WINDOW) if memory is not None else ()


def contested(
    deployment: Deployment, memory: AssociationMemory | None, options: PlanOptions, now: datetime
) -> Explanation | None:
    """Why an association is not put back once more; None: it may be (or it is its first time)."""
    times = recent(memory, now)
    if not taken_away(memory) or len(times) < options.targets.association_restores:
        return None
    moments = ", ".join(f"{at:%Y-%m-%d %H:%M} UTC" for at in times)
    return explain(
        Reason.ASSOCIATION_CONTESTED,
        f"Another manager keeps removing the policy from deployment {label_of(deployment)}; the app restored it "
        f"{len(times)} time(s) ({moments or 'never: the settings forbid it'}) and is now left alone. Terraform's "
        "ec_deployment.traffic_filter does this at every run; the deployment's activity in the Elastic Cloud console "
        "shows who.",
        "Add the policy to the other manager's list (in Terraform use ec_deployment_traffic_filter_association "
        f"instead), or tag the deployment {OPT_OUT_TAG}=ignore; then re-run the connection.",
    )


def put_back(memory: AssociationMemory, now: datetime) -> AssociationMemory:
    """The memory once the association is begun (again): counted if it had been taken away; its end is unknown yet."""
    times = (*recent(memory, now), now) if taken_away(memory) else recent(memory, now)
    return replace(memory, owner=None, seen=False, made_at=now, taken=times)


def truce(connection: ConnectionRecord) -> ConnectionRecord:
    """The record after a person asked for a run: the fight is considered settled, and counted anew."""
    return connection.with_elastic(
        associations=tuple(replace(known, taken=()) for known in connection.elastic.associations)
    )
