"""Tenants, subscriptions, groups, the provider, lists of resources: what is above a single one. Called by `app`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.context import Answer
from local.arm.errors import GATEWAY, ArmError, bad_request, method_not_allowed
from local.arm.metadata import provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local.arm.model import Resource
    from local.arm.settings import ArmSettings

_ROOT = re.compile(r"/subscriptions(?:/(?P<subscription>[^/]+))?/?", re.IGNORECASE)
_GROUP = re.compile(r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups(?:/(?P<group>[^/]+))?/?", re.IGNORECASE)
_PROVIDER = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/providers/Microsoft\.Network(/register)?/?", re.IGNORECASE
)
_RESOURCES = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?/resources/?", re.IGNORECASE
)
_FILTER = re.compile(r"(?P<field>resourceGroup|resourceType|name|location) eq '(?P<value>[^']*)'", re.IGNORECASE)


class Groups:
    """Any resource group exists unless the settings say otherwise; those written or used are listed."""

    def __init__(self, settings: ArmSettings, resources: Callable[[], Iterable[Resource]]) -> None:
        self._settings, self._resources = settings, resources
        self._written: dict[str, dict[str, Any]] = {}

    def check(self, subscription: str, group: str | None) -> None:
        """404 for a subscription or resource group that is not there."""
        if subscription.lower() not in map(str.lower, self._settings.subscriptions):
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        missing = map(str.lower, self._settings.missing_resource_groups)
        if group is not None and group.lower() in missing:
            message = f"Resource group '{group}' could not be found."
            raise ArmError(404, "ResourceGroupNotFound", message, headers=GATEWAY)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer | None:
        """The answer to a request above the network resources; None if the path is none of these."""
        if path.rstrip("/").lower() == "/tenants":
            tenant = self._settings.tenant_id
            return Answer(200, {"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant}]})
        if root := _ROOT.fullmatch(path):
            return self._subscription(root["subscription"])
        if match := _PROVIDER.fullmatch(path):
            self.check(match["subscription"], None)
            return Answer(200, provider(match["subscription"]))
        if match := _RESOURCES.fullmatch(path):
            self.check(match["subscription"], match["group"])
            found = self._listed(match["subscription"], match["group"], query.get("$filter", ""))
            return Answer(200, {"value": found})
        if match := _GROUP.fullmatch(path):
            self.check(match["subscription"], None if method == "PUT" else match["group"])
            return self._group(method, match["subscription"], match["group"], body)
        return None

    def _subscription(self, subscription: str | None) -> Answer:
        if subscription is None:
            return Answer(200, {"value": [self._render_subscription(s) for s in self._settings.subscriptions]})
        self.check(subscription, None)
        return Answer(200, self._render_subscription(subscription))

    def _render_subscription(self, subscription: str) -> dict[str, Any]:
        return {
            "id": f"/subscriptions/{subscription}",
            "subscriptionId": subscription,
            "tenantId": self._settings.tenant_id,
            "displayName": f"Local {subscription[:8]}",
            "state": "Enabled",
        }

    def _group(self, method: str, subscription: str, name: str | None, body: Any) -> Answer:
        if method not in {"GET", "HEAD", "PUT"}:  # to delete one, delete what is in it
            raise method_not_allowed(method, "resourceGroups")
        if name is None:
            used = [resource.path.resource_group or "" for resource in self._within(subscription)]
            names = {n.lower(): n for n in [*used, *self._names(subscription)]}
            return Answer(200, {"value": [self._render(subscription, n) for _, n in sorted(names.items())]})
        if method == "PUT":
            created = self._key(subscription, name) not in self._written
            given = body if isinstance(body, dict) else {}
            self._written[self._key(subscription, name)] = {
                "name": name,
                "location": given.get("location") or "eastus",
                "tags": given.get("tags") or {},
            }
            missing = self._settings.missing_resource_groups
            missing -= {one for one in missing if one.lower() == name.lower()}
            return Answer(201 if created else 200, self._render(subscription, name))
        return Answer(204) if method == "HEAD" else Answer(200, self._render(subscription, name))

    def _within(self, subscription: str) -> list[Resource]:
        return [r for r in self._resources() if r.path.subscription_id.lower() == subscription.lower()]

    def _listed(self, subscription: str, group: str | None, condition: str) -> list[dict[str, Any]]:
        wanted = _conditions(condition) | ({"resourcegroup": group.lower()} if group else {})
        shown = []
        for resource in sorted(self._within(subscription), key=lambda r: r.id.lower()):
            facts = {"resourcegroup": resource.path.resource_group or "", "resourcetype": resource.path.type}
            facts |= {"name": resource.name, "location": resource.location}
            if all(facts[field].lower() == value for field, value in wanted.items()):
                shown.append(_render_resource(resource))
        return shown

    def _names(self, subscription: str) -> list[str]:
        start = self._key(subscription, "")
        return [group["name"] for key, group in self._written.items() if key.startswith(start)]

    def _render(self, subscription: str, name: str) -> dict[str, Any]:
        group = self._written.get(self._key(subscription, name), {"name": name, "location": "eastus", "tags": {}})
        return {
            "id": f"/subscriptions/{subscription}/resourceGroups/{group['name']}",
            "name": group["name"],
            "type": "Microsoft.Resources/resourceGroups",
            "location": group["location"],
            "tags": group["tags"],
            "properties": {"provisioningState": "Succeeded"},
        }

    @staticmethod
    def _key(subscription: str, name: str) -> str:
        return f"{subscription}/{name}".lower()


def _conditions(condition: str) -> dict[str, str]:
    """A `$filter` of equalities, all of which must hold."""
    found = {}
    for part in filter(None, re.split(r"\s+and\s+", condition.strip(), flags=re.IGNORECASE)):
        match = _FILTER.fullmatch(part)
        if match is None:
            raise bad_request("InvalidFilterInQueryString", f"Invalid $filter '{condition}' specified in the query.")
        found[match["field"].lower()] = match["value"].lower()
    return found


def _render_resource(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "name": "/".join(resource.path.names),
        "type": resource.path.type,
        "location": resource.location,
        "tags": resource.tags,
    }
