"""The choices an operator made, as far as the core needs them. Built by `settings`, read by `desired` and `plan`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RecordMode(StrEnum):
    """What happens when a second endpoint of one virtual network wants the `*` record of one region."""

    FIRST = "first"
    """The first endpoint keeps it; the second is blocked and told who holds it."""
    UNION = "union"
    """Both addresses stand in it; clients choose at random."""


@dataclass(frozen=True, slots=True)
class ZoneHome:
    """Where a private DNS zone is made when the network has none."""

    subscription_id: str
    resource_group: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything `desired` and `plan` may depend on besides what was observed."""

    instance_id: str = "autopilot"
    zone_home: ZoneHome | None = None
    """None: the endpoint's own resource group."""
    link_vnets: tuple[str, ...] = ()
    """Ids of further virtual networks to link every zone to."""
    record_mode: RecordMode = RecordMode.FIRST
    record_ttl: int = 300
    """Seconds."""
    deployments_allowed: frozenset[str] = frozenset()
    """Ids or names, lower case, that endpoints may ask for; `*` for all."""
    first_policy_allowed: frozenset[str] = frozenset()
    """Ids or names, lower case, whose first policy may be associated although that closes them to the internet."""
    policy_lag: float = 60.0
    """Seconds that a created policy may stay unreadable before it counts as missing."""
    approval_overdue: float = 3600.0
    """Seconds after which a pending approval is called overdue."""
    probe_port: int = 9243
