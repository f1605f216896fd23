"""The choices an operator made, as far as the core needs them. Built by `settings`, read by `desired` and `plan`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.core.guards.modes import Mode
from shared.core.guards.scope import Scope
from shared.core.model.organizations import OrganizationScope


class RecordMode(StrEnum):
    """What happens when a second endpoint of one virtual network wants the `*` record of one region."""

    FIRST = "first"
    """The first endpoint keeps it; the second is blocked and told who holds it."""
    UNION = "union"
    """Both addresses stand in it; clients choose at random."""


class OnDelete(StrEnum):
    """What becomes of what was made for an endpoint when the endpoint is deleted."""

    CLEANUP = "cleanup"
    RETAIN = "retain"


@dataclass(frozen=True, slots=True)
class ZoneHome:
    """Where a private DNS zone is made when the network has none."""

    subscription_id: str
    resource_group: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything `desired` and `plan` may depend on besides what was observed."""

    instance_id: str = "autopilot"
    scope: Scope = Scope()
    """Which endpoints are handled."""
    mode: Mode = Mode.ENFORCE
    """What may be done for an endpoint whose tag does not say."""
    zone_home: ZoneHome | None = None
    """None: the endpoint's own resource group."""
    dns_subscriptions: tuple[str, ...] = ()
    """Where further zones may be, besides the subscriptions of an endpoint and its networks."""
    link_vnets: tuple[str, ...] = ()
    """Ids of further virtual networks to link every zone to."""
    record_mode: RecordMode = RecordMode.FIRST
    record_ttl: int = 300
    """Seconds."""
    organizations: tuple[OrganizationScope, ...] = ()
    """Elastic Cloud organizations besides the default one; the first that includes an endpoint has it."""
    has_default_organization: bool = True
    """Whether there is one for endpoints that none of these includes."""
    deployments_allowed: frozenset[str] = frozenset()
    """Ids or names, lower case, that endpoints may ask for; `*` for all."""
    deployments_denied: frozenset[str] = frozenset()
    """Ids or names, lower case, that nothing is connected to; `*` for all. Wins over everything that allows."""
    first_policy_allowed: frozenset[str] = frozenset()
    """Ids or names, lower case, whose first policy may be associated although that closes them to the internet."""
    last_policy_allowed: frozenset[str] = frozenset()
    """Ids or names, lower case, whose last policy may be taken away although that opens them to the internet."""
    association_restores: int = 3
    """How often an association that somebody else takes away is put back within `RESTORE_WINDOW`."""
    claim: bool = False
    """Whether endpoints are claimed for the organization, where their tag says nothing else."""
    on_delete: OnDelete = OnDelete.CLEANUP
    removal_grace: float = 600.0
    """Seconds between the decision that an endpoint is gone and the removal of what was made for it."""
    policy_lag: float = 60.0
    """Seconds that a created policy may stay unreadable before it counts as missing."""
    visibility: float = 1800.0
    """Seconds after which what still cannot be seen needs a person."""
    approval_overdue: float = 3600.0
    """Seconds after which a pending approval is called overdue."""
    probe_port: int = 9243
