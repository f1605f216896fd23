"""A rule that an administrator made at a scope: what `governance` keeps and `policies` evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """A lock, a policy's definition or assignment, or a deny assignment."""

    kind: str
    scope: str
    name: str
    properties: dict[str, Any]

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.scope}/providers/Microsoft.Authorization/{self.kind}/{self.name}"

    def holds_at(self, resource_id: str) -> bool:
        """Whether it is of the resource itself, or of anything above."""
        return below(resource_id, self.scope)

    def render(self) -> dict[str, Any]:
        """The rule as ARM answers it."""
        kind = f"Microsoft.Authorization/{self.kind}"
        return {"id": self.id, "name": self.name, "type": kind, "properties": self.properties}


def below(resource_id: str, scope: str) -> bool:
    """Whether a resource is the scope itself, or in it."""
    resource, scope = resource_id.lower().rstrip("/"), scope.lower().rstrip("/")
    return resource == scope or resource.startswith(f"{scope}/")
