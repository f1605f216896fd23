"""Role assignments as ARM lists them: those of one identity at, above and below a place. Read only. Called by `app`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from local.arm.access import check_scope
from local.arm.context import Answer
from local.arm.errors import bad_request

if TYPE_CHECKING:
    from local.arm.settings import ArmSettings

READ = "Microsoft.Authorization/roleAssignments/read"
_PATH = re.compile(r"(?P<scope>/subscriptions/.+?)/providers/Microsoft\.Authorization/roleAssignments/?", re.IGNORECASE)
_FILTER = re.compile(r"principalId eq '(?P<principal>[^']+)'", re.IGNORECASE)


def answer(settings: ArmSettings, method: str, path: str, query: dict[str, str], principal: str) -> Answer | None:
    """The list; None if the path asks for something else."""
    found = _PATH.fullmatch(path)
    if found is None or method != "GET":
        return None
    check_scope(settings, principal, READ, found["scope"])
    wanted = _FILTER.fullmatch(query.get("$filter", ""))
    if wanted is None:
        raise bad_request("BadRequestFormat", "The filter is not supported.")
    here, whose = found["scope"].lower(), wanted["principal"]
    listed = [
        _shown(whose, scope, role)
        for scope, role in settings.assigned.get(whose, [])
        if f"{here}/".startswith(f"{scope.lower()}/") or f"{scope.lower()}/".startswith(f"{here}/")
    ]
    return Answer(200, {"value": listed})


def _shown(principal: str, scope: str, role: str) -> dict[str, Any]:
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{principal} {scope} {role}"))
    kind = "Microsoft.Authorization/roleAssignments"
    subscription = "/".join(scope.split("/")[:3])
    return {
        "id": f"{scope}/providers/{kind}/{name}",
        "name": name,
        "type": kind,
        "properties": {
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "scope": scope,
        },
    }
