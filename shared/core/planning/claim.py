"""The plan of the claim: whether the organization holds the endpoint's name and GUID for itself. Pure.

Called by `plan_elastic`. Elastic checks only name and GUID, so without a claim any other organization could put the
endpoint into a policy of its own. Claims are made only where asked for, by a setting or the endpoint's tag.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ClaimMemory
from shared.core.model.resources import Claim
from shared.core.model.steps import ClaimEndpoint, UnclaimEndpoint
from shared.core.planning.desired import Desired


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """What is left to do for the claim."""

    steps: tuple[ClaimEndpoint | UnclaimEndpoint, ...] = ()
    conditions: tuple[Condition, ...] = ()
    """One where a claim is asked for, else none."""
    memory: ClaimMemory | None = None


def plan_claim(desired: Desired, claims: tuple[Claim, ...] | None, record: ConnectionRecord) -> ClaimPlan:
    """Claim what is to be; give up what we claimed and is no longer to be, or was of an endpoint that is gone."""
    if claims is None:
        unread = c.unknown(c.CLAIMED, Reason.NOT_OBSERVED, "The claims have not been read yet.")
        return ClaimPlan((), (unread,) if desired.claim else (), record.elastic.claim)
    endpoint, region = desired.endpoint, desired.service.elastic_region
    held = {claim.endpoint_guid.lower() for claim in claims}
    old = record.elastic.claim
    outdated = old is not None and (not desired.claim or old.guid.lower() != endpoint.guid.lower())
    missing = c.waiting(c.CLAIMED, Reason.MISSING, "The endpoint is to be claimed.", c.WaitingFor.WORK)
    if old is not None and outdated and old.owner is Owner.OURS and old.guid.lower() in held:
        # One at a time: the record remembers one claim, and the old one must not be forgotten before it is given up.
        step = UnclaimEndpoint(old.region, old.endpoint_name, old.guid)
        return ClaimPlan((step,), (missing,) if desired.claim else (), old)
    kept = None if outdated else old
    if not desired.claim:
        return ClaimPlan((), (), kept)
    if endpoint.guid.lower() in held:
        owner = kept.owner if kept is not None else Owner.ADOPTED
        maker = "" if owner is Owner.OURS else " It was made by others and is left to them."
        good = c.satisfied(c.CLAIMED, Reason.CLAIMED, f"No other organization can use this endpoint.{maker}")
        return ClaimPlan((), (good,), ClaimMemory(region, endpoint.name, endpoint.guid, owner))
    return ClaimPlan((ClaimEndpoint(region, endpoint.name, endpoint.guid),), (missing,), kept)
