"""Everything the use cases work with, in one value: settings, clock, clouds, state, network.

Built by `app`, or by a test. Nothing in here decides; it exists so that `reconcile` and `sweep` take one argument
instead of nine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from shared.clock import Clock
from shared.clouds.azure.deciding_keys import DecidingKeys
from shared.clouds.azure.event_grid import Topic
from shared.clouds.azure.private_dns import PrivateDns
from shared.clouds.azure.private_endpoints import PrivateEndpoints
from shared.clouds.elastic.transport import Organizations
from shared.core.model.services import Service
from shared.core.options.plan_options import PlanOptions
from shared.probe import Network
from shared.requests import SharedReads
from shared.settings import Settings
from shared.state.leases import Leases
from shared.state.ports import Storage
from shared.state.read_budget import ReadBudget

log = logging.getLogger("privatelink")
"""The product's log: identifiers, reasons and durations; never a key, a token or an event's claims."""


@dataclass(frozen=True, slots=True)
class Context:
    """The app's collaborators."""

    settings: Settings
    clock: Clock
    endpoints: PrivateEndpoints
    dns: PrivateDns
    elastic: Organizations
    storage: Storage
    leases: Leases
    budget: ReadBudget
    network: Network
    sockets: asyncio.Semaphore
    """A place for each name that is tested at the same time; a test holds one."""
    deciding_keys: DecidingKeys
    topic: Topic | None = None
    """Where notifications go; None: nowhere."""
    shared: SharedReads[str, Any] = field(default_factory=SharedReads)
    """What runs of this process read of our own tables for each other."""
    options: PlanOptions = field(init=False)
    """The groups of settings that the plan needs, and Elastic's services as far as they are known by now."""

    def __post_init__(self) -> None:
        self.know_services(())

    def know_services(self, further: Iterable[Service]) -> None:
        """Plan with these services too, beside those that come with the app; the settings' own go before them.

        The one thing of a context that changes: `installation.services` learns them while the app runs.
        """
        settings = self.settings
        services = settings.shipped.and_further(further).and_further(settings.elastic.further_services)
        object.__setattr__(self, "options", replace(settings.plan_options, services=services))
