"""The Azure side of Elastic's services, in a few lines, for tests of Elastic Cloud alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEY = "test-key"
GUID = "78c64959-fd88-41cc-81ac-1cfcdb1ac32e"
ALIAS = "eastus2-prod-002-privatelink-service.64359fdd-7893-4215-9929-ece3287e1371.eastus2.azure.privatelinkservice"
RulesetBody = Callable[..., dict[str, Any]]


@dataclass
class Endpoint:
    id: str
    name: str
    resource_guid: str
    alias: str = ALIAS
    status: str = "Pending"
    description: str = ""


@dataclass
class Azure:
    """The connections of Elastic's services, as their owner sees them."""

    endpoints: list[Endpoint] = field(default_factory=list)
    changes: list[Callable[[], None]] = field(default_factory=list)

    def private_endpoints(self) -> list[Endpoint]:
        return self.endpoints

    def add(self, name: str = "pe-1", guid: str = GUID, alias: str = ALIAS) -> Endpoint:
        endpoint = Endpoint(f"/subscriptions/s/{name}", name, guid, alias)
        self.endpoints.append(endpoint)
        self.changed()
        return endpoint

    def changed(self) -> None:
        for listener in self.changes:
            listener()

    def set_connection(self, endpoint_id: str, status: str, description: str = "") -> None:
        endpoint = next(e for e in self.endpoints if e.id == endpoint_id)
        endpoint.status, endpoint.description = status, description
        self.changed()
