"""All that a plan may depend on besides what was observed: groups of settings as read, and Elastic's services.

Built by `settings`; read by `desired`, `plan`, the guards and the use cases.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model.organizations import OrganizationScope
from shared.core.model.services import Services
from shared.core.options.dns import DnsOptions
from shared.core.options.installation import InstallationOptions
from shared.core.options.removal import RemovalOptions
from shared.core.options.scope import Scope
from shared.core.options.targets import TargetOptions
from shared.core.options.timing import TimingOptions


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The groups of settings that the plan needs, and Elastic's services."""

    scope: Scope
    installation: InstallationOptions
    dns: DnsOptions
    targets: TargetOptions
    removal: RemovalOptions
    timing: TimingOptions
    services: Services
    app_network: str = ""
    """Id of the network that this app is in; empty: not known."""
    organizations: tuple[OrganizationScope, ...] = ()
    """Elastic Cloud organizations besides the default one; the first that includes an endpoint has it."""
    has_default_organization: bool = True
    """Whether there is one for endpoints that none of these includes."""
