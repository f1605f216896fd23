"""Role assignments: which actions a principal may do where. Used by `access`; set in `ArmSettings.role_assignments`.

As in Azure: rights add up, hold for everything below their scope, `*` stands for anything, case does not matter, and
`not_actions` only narrows the assignment that it is in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class RoleAssignment:
    """A role, given at a scope: a subscription, a resource group or a resource."""

    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    """What may be done inside the resource, such as reading a vault's secrets."""

    def allows(self, action: str, resource: str) -> bool:
        """Whether this assignment lets its holder do `action` on `resource`."""
        return self.holds_at(resource) and matches(self.actions, action) and not matches(self.not_actions, action)

    def allows_inside(self, data_action: str, resource: str) -> bool:
        """Whether this assignment lets its holder do this inside `resource`."""
        return self.holds_at(resource) and matches(self.data_actions, data_action)

    def holds_at(self, resource: str) -> bool:
        """Whether the resource is at this scope, or below it."""
        scope, resource = self.scope.lower().rstrip("/"), resource.lower()
        return resource == scope or resource.startswith(f"{scope}/")


def allowed(assignments: Iterable[RoleAssignment], action: str, resource: str) -> bool:
    """Whether any of the assignments lets its holder do `action` on `resource`."""
    return any(assignment.allows(action, resource) for assignment in assignments)


def read_assignments(path: Path) -> dict[str, list[RoleAssignment]]:
    """From JSON: {"<client id>": [{"scope": "/subscriptions/...", "actions": [...], "dataActions": [...]}]}.

    `notActions` too; a role has only what it names.
    """
    return {
        principal: [
            RoleAssignment(
                role["scope"], *(tuple(role.get(name, ())) for name in ("actions", "notActions", "dataActions"))
            )
            for role in roles
        ]
        for principal, roles in json.loads(path.read_text(encoding="utf-8")).items()
    }


def matches(patterns: Iterable[str], action: str) -> bool:
    """Whether one of the patterns of a role or a deny assignment covers the action."""
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
