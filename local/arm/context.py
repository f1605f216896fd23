"""What all handlers share: the request (`Call`), the answer (`Answer`), and the cloud around them (`Context`)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from local.arm.errors import ArmError, bad_request, method_not_allowed
from local.arm.events import ResourceEvent
from local.arm.ids import ResourcePath

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from local.arm.settings import ArmSettings
    from local.clock import LoopClock


@dataclass(frozen=True)
class Answer:
    """What a handler answers; None as body is an empty one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One authenticated request to a resource or collection."""

    method: str
    path: ResourcePath
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    base_url: str
    correlation_id: str
    principal: str

    @property
    def version(self) -> str:
        """The request's api-version."""
        return self.query.get("api-version", "")

    def url(self, path: str, **query: str) -> str:
        """An absolute URL on the host that the request came to, with the request's api-version."""
        extra = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{self.base_url}{path}?api-version={self.version}{extra}"

    def document(self) -> dict[str, Any]:
        """The body of a write, which must be an object."""
        if not isinstance(self.body, dict):
            raise bad_request("InvalidRequestContent", "The request content was invalid: it must be a JSON object.")
        return self.body

    def properties(self) -> dict[str, Any]:
        """The body's `properties`, {} if absent."""
        value = self.document().get("properties")
        return value if isinstance(value, dict) else {}

    def tags(self) -> dict[str, str]:
        """The body's tags, {} if absent."""
        value = self.document().get("tags") or {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise bad_request("InvalidRequestContent", "The request content was invalid: tags must be texts by name.")
        return dict(value)


class Context:
    """The clock, the switches, new ids, and whom to tell of changes."""

    def __init__(self, clock: LoopClock, settings: ArmSettings, random: Random) -> None:
        self.clock, self.settings, self._random = clock, settings, random
        self.listeners: list[Callable[[ResourceEvent], None]] = []
        self.changes: list[Callable[[], None]] = []
        self.locked: Callable[[str], bool] = lambda _: False
        """Whether a lock keeps the resource of this id from being deleted; `cloud` sets it."""

    def guid(self) -> str:
        """A new GUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def network_etag(self) -> str:
        """A new etag as Microsoft.Network writes them."""
        return f'W/"{self.guid()}"'

    def emit(self, call: Call, status: Literal["Succeeded", "Failed"], resource_id: str | None = None) -> None:
        """Report the end of a write or delete to the listeners."""
        event = ResourceEvent(
            operation="delete" if call.method == "DELETE" else "write",
            status=status,
            resource_id=resource_id or call.path.id,
            resource_type=call.path.type,
            subscription_id=call.path.subscription_id,
            tenant_id=self.settings.tenant_id,
            correlation_id=call.correlation_id,
            at=self.clock.now(),
            client_id=self.settings.client_ids.get(call.principal, ""),
        )
        for listener in list(self.listeners):
            listener(event)

    def changed(self) -> None:
        """Tell that endpoints or their connections changed."""
        for listener in list(self.changes):
            listener()


class Handler:
    """One resource type: a method per verb; those it does not override are refused."""

    def get(self, call: Call) -> Answer:
        """GET of one resource."""
        raise self._unsupported(call)

    def list_all(self, call: Call) -> Answer:
        """GET of a collection."""
        raise self._unsupported(call)

    def put(self, call: Call) -> Answer:
        """Create or replace."""
        raise self._unsupported(call)

    def patch(self, call: Call) -> Answer:
        """Change parts."""
        raise self._unsupported(call)

    def delete(self, call: Call) -> Answer:
        """Remove."""
        raise self._unsupported(call)

    @staticmethod
    def _unsupported(call: Call) -> ArmError:
        return method_not_allowed(call.method, call.path.kind)


def check_global(call: Call) -> None:
    """Private DNS resources live nowhere in particular, and their body must say so."""
    location = call.document().get("location")
    if not isinstance(location, str) or not location:
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    if location.lower() != "global":
        raise bad_request(
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available for resource type '{call.path.type}'. "
            "List of available regions for the resource type is 'global'.",
        )
