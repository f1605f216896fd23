"""Locks, policies and deny assignments: what an administrator forbids, as states of this Azure. Called by `app`.

They are written over ARM as in Azure, at a subscription, a resource group or a resource, and hold for all below:

    PUT {scope}/providers/Microsoft.Authorization/locks/{name}              level CanNotDelete or ReadOnly
    PUT {scope}/providers/Microsoft.Authorization/policyDefinitions/{name}  a rule; `local.arm.policies` evaluates it
    PUT {scope}/providers/Microsoft.Authorization/policyAssignments/{name}
    PUT {scope}/providers/Microsoft.Authorization/denyAssignments/{name}    in Azure mostly made by deployment stacks
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from local.arm.access import CLIENT, VERBS, denied, not_authorized
from local.arm.admin_rules import Rule, below
from local.arm.context import Answer
from local.arm.errors import ArmError, bad_request
from local.arm.policies import Subject, check_policies
from local.arm.roles import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.arm.ids import ResourcePath
    from local.arm.settings import ArmSettings

_PATH = re.compile(
    r"(?P<scope>/subscriptions/.+?)/providers/Microsoft\.Authorization/"
    r"(?P<kind>locks|policyDefinitions|policyAssignments|denyAssignments)(?:/(?P<name>[^/]+))?/?",
    re.IGNORECASE,
)
_KINDS = {kind.lower(): kind for kind in ("locks", "policyDefinitions", "policyAssignments", "denyAssignments")}
LEVELS = ("CanNotDelete", "ReadOnly")


class Governance:
    """All such rules, by lower-cased id."""

    def __init__(self, settings: ArmSettings) -> None:
        self._settings = settings
        self._rules: dict[str, Rule] = {}

    def answer(self, method: str, path: str, body: Any, principal: str) -> Answer | None:
        """The answer to a request for one of the rules, or their list; None if the path is none of these."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        kind, scope = _KINDS[match["kind"].lower()], match["scope"].rstrip("/")
        action = f"Microsoft.Authorization/{kind}/{VERBS.get(method, 'action')}"
        if denied(self._settings, principal, action, scope):
            raise not_authorized(action, scope)
        if match["name"] is None:
            return Answer(200, {"value": [one.render() for one in self._of(kind) if one.holds_at(scope)]})
        rule = Rule(kind, scope, match["name"], {})
        known = self._rules.get(rule.id.lower())
        if method == "PUT":
            rule = Rule(kind, scope, match["name"], _properties(kind, body))
            self._rules[rule.id.lower()] = rule
            return Answer(200 if known else 201, rule.render())
        if method == "DELETE":
            self._rules.pop(rule.id.lower(), None)
            return Answer(200 if known else 204)
        if known is None:
            raise ArmError(
                404, f"{kind[0].upper()}{kind[1:-1]}NotFound", f"The {kind} '{rule.name}' could not be found."
            )
        return Answer(200, known.render())

    def check(self, principal: str, method: str, target: ResourcePath, body: Any) -> None:
        """Refuse a request that a deny assignment, a lock or a policy forbids; in this order, as in Azure."""
        action = f"{target.type}/{VERBS.get(method, 'action')}"
        self._check_denial(principal, action, target.id)
        if method in {"GET", "HEAD"}:
            return
        self.check_locks(method, target.id)
        if method in {"PUT", "PATCH"} and not target.tags:
            check_policies(list(self._rules.values()), Subject.of(target, body))

    def check_locks(self, method: str, resource_id: str) -> None:
        """409 ScopeLocked where a lock above forbids it; what is deleted must have no locked part either."""
        deleting = method == "DELETE"
        locked = [
            lock.scope
            for lock in self._of("locks")
            if (lock.properties["level"] == "ReadOnly" or deleting)
            and (lock.holds_at(resource_id) or (deleting and below(lock.scope, resource_id)))
        ]
        if locked:
            scopes = ",".join(dict.fromkeys(locked))
            raise ArmError(
                409,
                "ScopeLocked",
                f"The scope '{resource_id}' cannot perform {'delete' if deleting else 'write'} operation because "
                f"following scope(s) are locked: '{scopes}'. Please remove the lock and try again.",
            )

    def locked_against_deletion(self, resource_id: str) -> bool:
        """Whether a lock of either level holds at the resource."""
        return any(lock.holds_at(resource_id) for lock in self._of("locks"))

    def _check_denial(self, principal: str, action: str, resource_id: str) -> None:
        for rule in self._of("denyAssignments"):
            excluded = {str(one.get("id")) for one in rule.properties.get("excludePrincipals") or []}
            if not rule.holds_at(resource_id) or principal in excluded:
                continue
            for permission in rule.properties.get("permissions") or []:
                allowed = matches(permission.get("notActions") or (), action)
                if matches(permission.get("actions") or (), action) and not allowed:
                    raise ArmError(
                        403,
                        "DenyAssignmentAuthorizationFailed",
                        f"{CLIENT} has permission to perform action '{action}' on scope '{resource_id}'; however, the "
                        "access is denied because of the deny assignment with name "
                        f"'{rule.properties.get('denyAssignmentName') or rule.name}' and Id "
                        f"'{uuid.uuid5(uuid.NAMESPACE_URL, rule.id.lower()).hex}' at scope '{rule.scope}'.",
                    )

    def _of(self, kind: str) -> Iterator[Rule]:
        return (rule for rule in list(self._rules.values()) if rule.kind == kind)


def _properties(kind: str, body: Any) -> dict[str, Any]:
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict):
        raise bad_request("InvalidRequestContent", "The request content was invalid: it has no properties.")
    if kind == "locks" and properties.get("level") not in LEVELS:
        raise bad_request("InvalidRequestContent", f"The level of a lock is one of {' and '.join(LEVELS)}.")
    if kind == "policyAssignments" and not isinstance(properties.get("policyDefinitionId"), str):
        raise bad_request("InvalidCreatePolicyAssignmentRequest", "The assignment has no policyDefinitionId.")
    return dict(properties)
