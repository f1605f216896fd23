"""What the simulator tells others: resource events for Event Grid, and a record of each request for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class ResourceEvent:
    """A change of a resource, as ARM reports it to Event Grid. Never for reads."""

    operation: Literal["write", "delete"]
    status: Literal["Succeeded", "Failed"]
    resource_id: str
    resource_type: str
    subscription_id: str
    tenant_id: str
    correlation_id: str
    at: datetime
    client_id: str = ""
    """The application that made the change; empty: a person, by Azure CLI."""


@dataclass(frozen=True)
class RequestRecord:
    """One request; `operation` is a short name such as "PUT zone", and "GET operation" for every poll."""

    method: str
    path: str
    operation: str
    status: int
    at: datetime
    client_request_id: str = ""
    """The caller's own id, by which Azure's support would find it."""


@dataclass(frozen=True)
class Incoming:
    """What a fault hook sees of a request."""

    method: str
    path: str
    operation: str


@dataclass(frozen=True)
class FaultResponse:
    """The answer a fault hook gives instead of the service."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
