"""Azure Policy with the effect deny, as far as resources of this Azure can be told apart.

Called by `governance`. A definition's rule may use the fields `type`, `name`, `id`, `location` and tags, the operators
below, `allOf`, `anyOf` and `not`; a rule with any other field or operator is refused when it is met, not ignored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from local.arm.errors import ArmError, bad_request

if TYPE_CHECKING:
    from local.arm.admin_rules import Rule
    from local.arm.ids import ResourcePath


@dataclass(frozen=True)
class Subject:
    """What is to be written, as rules see it."""

    id: str
    type: str
    name: str
    location: str
    tags: dict[str, str]

    @classmethod
    def of(cls, target: ResourcePath, body: Any) -> Subject:
        """The resource of a PUT or PATCH."""
        given = body if isinstance(body, dict) else {}
        tags = given.get("tags") if isinstance(given.get("tags"), dict) else {}
        return cls(target.id, target.type, target.name, str(given.get("location") or ""), dict(tags or {}))

    def field(self, name: str) -> str | None:
        """The value of a rule's `field`; None: the resource has none."""
        plain = {"id": self.id, "type": self.type, "name": self.name, "location": self.location}
        if name.lower() in plain:
            return plain[name.lower()]
        if name.lower().startswith("tags"):
            tag = name[len("tags") :].strip("[].'\"")
            return next((value for key, value in self.tags.items() if key.lower() == tag.lower()), None)
        raise bad_request("InvalidPolicyRule", f"The local clouds know no field '{name}' of a policy rule.")


def check_policies(rules: Sequence[Rule], subject: Subject) -> None:
    """403 RequestDisallowedByPolicy where an assignment above denies it."""
    definitions = {rule.id.lower(): rule for rule in rules if rule.kind == "policyDefinitions"}
    for assignment in (rule for rule in rules if rule.kind == "policyAssignments"):
        definition = definitions.get(str(assignment.properties["policyDefinitionId"]).lower())
        if definition is None or not _applies(assignment, subject):
            continue
        rule = definition.properties.get("policyRule") or {}
        effect = str((rule.get("then") or {}).get("effect") or "")
        if effect.lower() == "deny" and _is_met(rule.get("if") or {}, subject):
            raise _disallowed(assignment, definition, subject)


def _applies(assignment: Rule, subject: Subject) -> bool:
    excluded = [str(scope).lower() for scope in assignment.properties.get("notScopes") or []]
    enforced = assignment.properties.get("enforcementMode", "Default") == "Default"
    left_out = any(subject.id.lower().startswith(scope.rstrip("/")) for scope in excluded)
    return enforced and assignment.holds_at(subject.id) and not left_out


def _is_met(condition: dict[str, Any], subject: Subject) -> bool:
    if "allOf" in condition:
        return all(_is_met(one, subject) for one in condition["allOf"])
    if "anyOf" in condition:
        return any(_is_met(one, subject) for one in condition["anyOf"])
    if "not" in condition:
        return not _is_met(condition["not"], subject)
    value = subject.field(str(condition.get("field", "")))
    ((operator, wanted),) = [(name, one) for name, one in condition.items() if name != "field"]
    return _compare(operator, value, wanted)


def _compare(operator: str, value: str | None, wanted: Any) -> bool:
    text = (value or "").lower()
    listed = [str(one).lower() for one in wanted] if isinstance(wanted, list) else [str(wanted).lower()]
    known = {
        "equals": text == listed[0],
        "notequals": text != listed[0],
        "like": fnmatchcase(text, listed[0]),
        "notlike": not fnmatchcase(text, listed[0]),
        "contains": listed[0] in text,
        "in": text in listed,
        "notin": text not in listed,
        "exists": (value is not None) == (listed[0] == "true"),
    }
    if operator.lower() not in known:
        raise bad_request("InvalidPolicyRule", f"The local clouds know no operator '{operator}' of a policy rule.")
    return known[operator.lower()]


def _disallowed(assignment: Rule, definition: Rule, subject: Subject) -> ArmError:
    """As Azure words it: with the ids in the message, or with the assignment's own reason and the ids beside it."""
    given, made = assignment.properties, definition.properties
    shown = given.get("displayName") or assignment.name
    identifiers = [
        {
            "policyAssignment": {"name": shown, "id": assignment.id},
            "policyDefinition": {"name": made.get("displayName") or definition.name, "id": definition.id},
        }
    ]
    reasons = [str(one.get("message")) for one in given.get("nonComplianceMessages") or []]
    said = (
        f"Reasons: '{'; '.join(reasons)}'. See error details for policy resource IDs."
        if reasons
        else f"Policy identifiers: '{json.dumps(identifiers, separators=(',', ':'))}'."
    )
    info: dict[str, Any] = {
        "policyDefinitionDisplayName": made.get("displayName") or definition.name,
        "policyDefinitionId": definition.id,
        "policyDefinitionName": definition.name,
        "policyDefinitionEffect": "deny",
        "policyAssignmentId": assignment.id,
        "policyAssignmentName": assignment.name,
        "policyAssignmentDisplayName": shown,
        "policyAssignmentScope": assignment.scope,
        "policyAssignmentParameters": {},
    }
    message = f"Resource '{subject.name}' was disallowed by policy. {said}"
    details = {"target": subject.name, "additionalInfo": [{"type": "PolicyViolation", "info": info}]}
    return ArmError(403, "RequestDisallowedByPolicy", message, details=details)
