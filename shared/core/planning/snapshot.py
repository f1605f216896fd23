"""What an Elastic Cloud organization's listings say about one endpoint. Read by `inventory`, used by `triage`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.context import Context
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition
from shared.core.model.errors import Blocked
from shared.core.model.record import Connection
from shared.core.model.resources import Claim, Deployment, Policy
from shared.core.planning.desired import Desired
from shared.core.planning.elastic import ObservedElastic
from shared.core.planning.organization_change import leaves_something, left_behind, organization_on_record, refuse
from shared.core.planning.requeue import condition_of


@dataclass(frozen=True, slots=True)
class Listing:
    """What one organization answered; None: could not be read, so nothing is concluded from it."""

    policies: tuple[Policy, ...] | None = None
    deployments: tuple[Deployment, ...] | None = None
    claims: tuple[Claim, ...] | None = None

    key_expires: datetime | None = None
    """When the key ends, as the answers said; None: not known, or never."""

    def for_region(self, region: str) -> ObservedElastic | None:
        """What matters to the endpoints of one region; None when not all of it was read."""
        if self.policies is None or self.deployments is None:
            return None
        claims = None if self.claims is None else tuple(one for one in self.claims if one.region == region)
        return ObservedElastic(self.policies, self.deployments, claims, self.key_expires)


_UNREAD = Listing()


def elastic_for(
    context: Context, desired: Desired, known: Connection, listings: Mapping[str, Listing]
) -> tuple[ObservedElastic | None, Condition | None]:
    """What there is in the endpoint's organization, or the condition of one that may have nothing there.

    Neither: not all that it takes to tell could be read.
    """
    left: tuple[str, ...] = ()
    now = context.clock.now()
    if desired.organization and leaves_something(desired, known):
        former = listings.get(organization_on_record(known), _UNREAD)
        claims = former.claims if known.claim is not None else ()
        if former.policies is None or claims is None:
            return None, None
        left = left_behind(known, former.policies, claims, context.rules, now)
    try:
        refuse(desired, known, context.rules, left)
    except Blocked as error:
        return None, condition_of(c.POLICY_READY, error, None, now, context.settings.visibility)
    return listings.get(desired.organization, _UNREAD).for_region(desired.service.elastic_region), None
