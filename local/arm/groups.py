"""Tenants, subscriptions, groups, the provider, lists of resources: what is above a single one. Called by `app`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.access import check_tenant
from local.arm.context import Answer
from local.arm.errors import GATEWAY, ArmError, bad_request, method_not_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local.arm.group_actions import GroupActions
    from local.arm.model import Resource
    from local.arm.settings import ArmSettings

_ROOT = re.compile(r"/subscriptions(?:/(?P<subscription>[^/]+))?/?", re.IGNORECASE)
_GROUP = re.compile(r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups(?:/(?P<group>[^/]+))?/?", re.IGNORECASE)
_MOVE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/moveResources/?", re.IGNORECASE
)
_RESOURCES = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?/resources/?", re.IGNORECASE
)
_FILTER = re.compile(r"(?P<field>resourceGroup|resourceType|name|location) eq '(?P<value>[^']*)'", re.IGNORECASE)


class Groups:
    """Any resource group exists unless the settings say otherwise; those written or used are listed."""

    def __init__(
        self, settings: ArmSettings, resources: Callable[[], Iterable[Resource]], actions: GroupActions
    ) -> None:
        self._settings, self._resources, self._actions = settings, resources, actions
        self._written: dict[str, dict[str, Any]] = {}

    def check(self, subscription: str, group: str | None) -> None:
        """401 for a subscription of another tenant; 404 for one or for a resource group that is not there."""
        check_tenant(self._settings, subscription)
        if subscription.lower() not in map(str.lower, self._settings.subscriptions):
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        missing = map(str.lower, self._settings.missing_resource_groups)
        if group is not None and group.lower() in missing:
            message = f"Resource group '{group}' could not be found."
            raise ArmError(404, "ResourceGroupNotFound", message, headers=GATEWAY)

    def check_write(self, method: str, subscription: str, group: str | None) -> None:
        """409 where the subscription is disabled, or the group is being deleted."""
        if method in {"GET", "HEAD"}:
            return
        if method != "DELETE" and subscription.lower() in map(str.lower, self._settings.disabled_subscriptions):
            raise ArmError(
                409,
                "ReadOnlyDisabledSubscription",
                f"The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform "
                "any write actions on this subscription until it is re-enabled.",
            )
        if group is not None and self._actions.is_deleting(subscription, group):
            raise ArmError(
                409,
                "ResourceGroupBeingDeleted",
                f"The resource group '{group}' is in deprovisioning state and cannot perform this operation.",
            )

    def answer(
        self, method: str, path: str, query: dict[str, str], body: Any, principal: str, base_url: str
    ) -> Answer | None:
        """The answer to a request above the network resources; None if the path is none of these."""
        if acted := self._actions.result(path, base_url) or self._act(method, path, body, principal, base_url):
            return acted
        if path.rstrip("/").lower() == "/tenants":
            tenant = self._settings.tenant_id
            return Answer(200, {"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant}]})
        if root := _ROOT.fullmatch(path):
            return self._subscription(root["subscription"])
        if match := _RESOURCES.fullmatch(path):
            self.check(match["subscription"], match["group"])
            found = self._listed(match["subscription"], match["group"], query.get("$filter", ""))
            return Answer(200, {"value": found})
        if match := _GROUP.fullmatch(path):
            self.check(match["subscription"], None if method == "PUT" else match["group"])
            self.check_write(method, match["subscription"], match["group"])
            return self._group(method, match["subscription"], match["group"], body)
        return None

    def _act(self, method: str, path: str, body: Any, principal: str, base_url: str) -> Answer | None:
        """A move out of a group, or its deletion."""
        move = _MOVE.fullmatch(path) if method == "POST" else None
        match = move or (_GROUP.fullmatch(path) if method == "DELETE" else None)
        if match is None or not match["group"]:
            return None
        subscription, group = match["subscription"], match["group"]
        self.check(subscription, group)
        self.check_write(method, subscription, group)
        if move:
            return self._actions.move(subscription, group, body, principal, base_url)
        return self._actions.delete(subscription, group, principal, base_url)

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
            "state": "Disabled" if subscription in self._settings.disabled_subscriptions else "Enabled",
        }

    def _group(self, method: str, subscription: str, name: str | None, body: Any) -> Answer:
        if method not in {"GET", "HEAD", "PUT"}:
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
            "properties": {
                "provisioningState": "Deleting" if self._actions.is_deleting(subscription, name) else "Succeeded"
            },
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
