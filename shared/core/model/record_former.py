"""What a connection had in a former region or network of its endpoint, until it is removed. Part of the record; pure.

Put there when an endpoint was made anew under its name for another service or network (`planning.former`), taken away
after the grace by `reconciler.former`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.core.model.arm_ids import lower_case
from shared.core.model.organizations import DEFAULT
from shared.core.model.record_elastic import ElasticState
from shared.core.model.record_parts import DnsState, Identity
from shared.core.model.services import Family


@dataclass(frozen=True, slots=True)
class FormerThings:
    """What was made for the endpoint as it was."""

    identity: Identity
    since: datetime
    """When the endpoint was first seen as it is now: the grace runs from here."""
    dns: DnsState = DnsState()
    elastic: ElasticState = ElasticState()
    """Empty where only the network is another: the policy follows the endpoint."""

    @property
    def service(self) -> tuple[Family, str]:
        """Family and region of the service that it was connected to."""
        return self.identity.family, self.identity.region

    @property
    def organization(self) -> str:
        """The Elastic Cloud organization that its policy is in."""
        return self.elastic.organization or DEFAULT

    @property
    def key(self) -> tuple[Family, str, str, str]:
        """The service, the network and the organization: there is one entry of each."""
        return (*self.service, lower_case(self.identity.vnet_id), self.organization)

    @property
    def anything(self) -> bool:
        """Whether anything was made or used."""
        policy = self.elastic.policy
        return bool(
            self.dns.zone
            or self.dns.links
            or self.dns.record
            or policy.id
            or self.elastic.policy_post_until
            or self.elastic.claim
        )
