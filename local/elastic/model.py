"""Values of the Elastic Cloud simulator, and what it needs to know of Azure; used by every part of `local.elastic`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

AZURE_PRIVATE_ENDPOINT = "azure_private_endpoint"
# Elastic's Private Link Services of both families.
_ALIAS = re.compile(r"^([a-z0-9]+)-prod-\d{3}-privatelink-service\.[0-9a-f-]{36}\.\1\.azure\.privatelinkservice$")


_SERVERLESS_ALIAS = re.compile(
    r"^([a-z0-9]+)-prod-privatelink-serverless\.[0-9a-f-]{36}\.\1\.azure\.privatelinkservice$"
)


def service_region(alias: str | None) -> str | None:
    """The Azure region of Elastic's hosted service with this alias; None if it is no such service."""
    match = _ALIAS.match((alias or "").lower())
    return match.group(1) if match else None


def serverless_region(alias: str | None) -> str | None:
    """The Azure region of Elastic's Serverless service with this alias; None if it is no such service."""
    match = _SERVERLESS_ALIAS.match((alias or "").lower())
    return match.group(1) if match else None


def api_region(region: str) -> str:
    """The region as Elastic's API spells it: `azure-eastus2`; given that way it stays."""
    return region if region.startswith("azure-") else f"azure-{region}"


class PrivateEndpointView(Protocol):
    """What the service's owner sees of a private endpoint that connects to it."""

    @property
    def id(self) -> str:
        """ARM resource id."""

    @property
    def name(self) -> str:
        """Name of the endpoint."""

    @property
    def resource_guid(self) -> str:
        """`properties.resourceGuid`."""

    @property
    def alias(self) -> str | None:
        """Alias of the service it connects to; None when it was made by resource id."""

    @property
    def status(self) -> str:
        """Pending, Approved, Rejected or Disconnected."""


class EndpointDirectory(Protocol):
    """Azure's side of a private link, as far as Elastic can see and change it; `local.arm.ArmCloud` is one."""

    def private_endpoints(self) -> Iterable[PrivateEndpointView]:
        """Every private endpoint there is."""

    def set_connection(self, endpoint_id: str, status: str, description: str = "") -> None:
        """Approve, reject or disconnect."""


@dataclass(slots=True)
class Ruleset:
    """A traffic filter ruleset: what the console calls a network security policy."""

    id: str
    name: str
    type: str
    region: str
    include_by_default: bool
    rules: list[dict[str, Any]]
    description: str | None
    created_at: datetime

    @property
    def guids(self) -> frozenset[str]:
        """Lower-cased GUIDs of the private endpoints it admits."""
        if self.type != AZURE_PRIVATE_ENDPOINT:
            return frozenset()
        return frozenset(str(rule["azure_endpoint_guid"]).lower() for rule in self.rules)


@dataclass(frozen=True, slots=True)
class ProxyAnswer:
    """What Elastic's proxy answers to one request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request the API answered; `operation` is a short name such as "create ruleset"."""

    method: str
    path: str
    operation: str
    status: int
    at: datetime
    client_request_id: str = ""
    """The id that the caller gave it."""
