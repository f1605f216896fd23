"""What a caller may do at a place, as Azure tells the caller. Called by `app`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.access import check_scope
from local.arm.context import Answer
from local.arm.management_groups import groups_above

if TYPE_CHECKING:
    from local.arm.settings import ArmSettings

READ = "Microsoft.Authorization/permissions/read"
_PATH = re.compile(r"(?P<scope>/subscriptions/.+?)/providers/Microsoft\.Authorization/permissions/?", re.IGNORECASE)


def answer(settings: ArmSettings, method: str, path: str, principal: str) -> Answer | None:
    """The permissions of each of the caller's roles at a scope; None if the path asks for something else."""
    found = _PATH.fullmatch(path)
    if found is None or method != "GET":
        return None
    scope = found["scope"]
    check_scope(settings, principal, READ, scope)
    roles = settings.role_assignments.get(principal)
    if roles is None:
        return Answer(200, {"value": [_permission(("*",), _denied(settings, scope), ("*",))]})
    places = (scope, *groups_above(settings, scope))
    held = [one for one in roles if any(one.holds_at(place) for place in places)]
    given = [_permission(one.actions, (*one.not_actions, *_denied(settings, scope)), one.data_actions) for one in held]
    return Answer(200, {"value": given})


def _denied(settings: ArmSettings, scope: str) -> tuple[str, ...]:
    entries = (entry.partition("@") for entry in settings.denied_actions)
    return tuple(action for action, _, where in entries if scope.lower().startswith(where.lower()))


def _permission(actions: tuple[str, ...], not_actions: tuple[str, ...], data: tuple[str, ...]) -> dict[str, Any]:
    return {
        "actions": list(actions),
        "notActions": list(not_actions),
        "dataActions": list(data),
        "notDataActions": [],
    }
