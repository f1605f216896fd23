"""Management groups: what is below one, and which stand above a subscription. Called by `app` and by `access`.

`GET .../managementGroups/NAME/descendants` as Azure answers it: groups and subscriptions of every level, in pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.errors import ArmError, bad_request, method_not_allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.arm.settings import ArmSettings

PREFIX = "/providers/Microsoft.Management/managementGroups/"
READ = "Microsoft.Management/managementGroups/descendants/read"
_DESCENDANTS = re.compile(rf"{PREFIX}(?P<name>[^/]+)/descendants/?", re.IGNORECASE)
_VERSIONS = {"2018-03-01-preview", "2019-11-01", "2020-02-01", "2020-05-01", "2021-04-01", "2023-04-01"}


def named_in(path: str) -> str | None:
    """The management group whose descendants a path asks for."""
    found = _DESCENDANTS.fullmatch(path)
    return found["name"] if found else None


def descendants(settings: ArmSettings, method: str, name: str, query: dict[str, str], base_url: str) -> dict[str, Any]:
    """A page of all that is below a management group."""
    if method != "GET":
        raise method_not_allowed(method, "managementGroups/descendants")
    version = query.get("api-version", "")
    if version not in _VERSIONS:
        raise bad_request("InvalidResourceType", f"The api-version '{version}' is not supported.")
    if name.lower() not in _children(settings):
        raise ArmError(404, "NotFound", f"'{PREFIX}{name}' not found.")
    listed = list(_below(settings, name))
    start = int(query.get("$skiptoken", "0"))
    end = start + settings.page_size
    body: dict[str, Any] = {"value": listed[start:end], "@nextLink": None, "nextLink": None}
    if end < len(listed):
        body["nextLink"] = f"{base_url}{PREFIX}{name}/descendants?api-version={version}&$skiptoken={end}"
    return body


def groups_above(settings: ArmSettings, scope: str) -> list[str]:
    """Ids of the management groups that a scope in a subscription is below of: roles there hold here."""
    subscription = scope.lower().partition("/subscriptions/")[2].partition("/")[0]
    found, looked_for = [], {subscription} if subscription else set()
    while looked_for:
        parents = {name for name, below in _children(settings).items() if looked_for & set(below)}
        found += [f"{PREFIX}{name}" for name in sorted(parents)]
        looked_for = parents
    return found


def _children(settings: ArmSettings) -> dict[str, list[str]]:
    return {name.lower(): [one.lower() for one in below] for name, below in settings.management_groups.items()}


def _below(settings: ArmSettings, name: str) -> Iterator[dict[str, Any]]:
    groups = _children(settings)
    for child in groups[name.lower()]:
        is_group = child in groups
        yield {
            "id": f"{PREFIX}{child}" if is_group else f"/subscriptions/{child}",
            "type": "Microsoft.Management/managementGroups" if is_group else "/subscriptions",
            "name": child,
            "properties": {"displayName": f"Local {child[:8]}", "parent": {"id": f"{PREFIX}{name}"}},
        }
        if is_group:
            yield from _below(settings, child)
