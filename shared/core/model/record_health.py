"""The part of a connection's record about its health, in short, and the last check of each host. Pure.

The record holds a summary, which has a bound; the checks of the hosts have rows of their own (table `hosts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.core.model.conditions import Explained, Explanation


class ResolvedBy(StrEnum):
    """Who said what a name leads to."""

    ZONE = "zone"
    """The records of the zone, read from Azure: what every client gets that is served by it."""
    RESOLVER = "resolver"
    """The name server that the app's own network asks."""


STATUSES = frozenset({"healthy", "degraded", "unreachable", "blocked", "unknown"})
"""What a check can say."""


@dataclass(frozen=True, slots=True)
class EffectiveVerdict(Explained):
    """A verdict that still counts though the last check said otherwise (`diagnosis.debounce`)."""

    status: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class LastReached:
    """The last time that the app could connect to the endpoint's address, and from where."""

    address: str
    network: str
    """Id of the network that the app was in, lower case; empty: not known."""
    at: datetime


@dataclass(frozen=True, slots=True)
class NetworkMemory:
    """What was read of the networks around an endpoint, to explain a check."""

    vnet_id: str
    read_at: datetime
    dns_servers: tuple[str, ...] = ()
    """Name servers of the endpoint's network, other than Azure's."""
    peered: bool | None = None
    """The app's network is the endpoint's or peered with it; None: not known."""
    app_network: str = ""
    """Lower-cased id of the network that the app was in; empty: not known."""
    app_dns_servers: tuple[str, ...] = ()
    """Name servers of the app's network, other than Azure's."""
    app_answered_by: tuple[str, ...] | None = None
    """Ids of the networks whose zones the app's names come from; None: not known of each of its name servers."""


@dataclass(frozen=True, slots=True)
class HostCheck(Explained):
    """The last health check of one host; a row of table `hosts`."""

    host: str
    status: str
    explanation: Explanation
    checked_at: datetime
    stages: tuple[tuple[str, float], ...] = ()
    """Name and duration in milliseconds of each stage."""
    addresses: tuple[str, ...] = ()
    """What the name resolved to."""
    resolved_by: ResolvedBy = ResolvedBy.RESOLVER
    service: str = "elasticsearch"
    """What should answer there, as the Elastic Cloud API calls it."""
    associated: bool = True
    """False: the target is only asked for; what is found tells what association would change, no more."""
    recent: tuple[str, ...] = ()
    """The last results, newest first: status and reason."""
    effective: EffectiveVerdict | None = None
    """What counts instead of this check; None: this check does."""


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """What the checks of all hosts say together."""

    tested_at: datetime
    """When the last check was."""
    hosts: int = 0
    """How many names there are to test."""
    tested: int = 0
    """How many of them the last check tested; the others have their turn."""
    failed: int = 0
    """How many names are not well, by what counts of each."""
    status: str = ""
    """The verdict that counts, of all names that have one; empty: none has."""
    latency_ms: float = 0.0
    """Of the slowest name in the last check."""


@dataclass(frozen=True, slots=True)
class HealthState:
    """What testing the connection gave."""

    summary: HealthSummary | None = None
    last_reached: LastReached | None = None
    network: NetworkMemory | None = None
