"""A resource group that is being deleted, and resources that are moved to another one: both take a while.

Called by `groups`. While a group is being deleted, all in it can be read and nothing can be written; at the end it is
all gone at once. A network in which there is an endpoint of another group stays, and the group with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.arm.access import denied, not_authorized
from local.arm.context import Answer
from local.arm.errors import ArmError, bad_request
from local.arm.events import ResourceEvent
from local.arm.ids import parse

if TYPE_CHECKING:
    from local.arm.context import Context
    from local.arm.governance import Governance
    from local.arm.model import Resource

_RESULT = re.compile(r"/subscriptions/[^/]+/operationresults/(?P<id>[^/]+)/?", re.IGNORECASE)
_GROUP = re.compile(r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/?", re.IGNORECASE)


@dataclass(frozen=True)
class Contents:
    """What there is in all groups, and how it goes or moves; `local.arm.cloud` knows the kinds."""

    listed: Callable[[], Iterable[Resource]]
    remove: Callable[[Resource], bool]
    """False: something outside of the group uses it."""
    move: Callable[[Resource, str, str], None]
    """To that subscription and group; raises ArmError for what cannot be moved."""
    check_move: Callable[[Resource], None]


class GroupActions:
    """The deletions and moves that run, and how those went that have ended."""

    def __init__(self, context: Context, governance: Governance, contents: Contents) -> None:
        self._context, self._governance, self._contents = context, governance, contents
        self._deleting: set[str] = set()
        self._results: dict[str, ArmError | None] = {}
        self._running: set[str] = set()

    def is_deleting(self, subscription: str, group: str) -> bool:
        """Whether the group is on its way out."""
        return _id(subscription, group) in self._deleting

    def result(self, path: str, base_url: str) -> Answer | None:
        """What the `Location` of a deletion or a move answers; None if the path is none."""
        match = _RESULT.fullmatch(path)
        if match is None:
            return None
        identifier = match["id"]
        if identifier in self._running:
            return Answer(202, None, {"Location": _location(base_url, path), "Retry-After": "15"})
        failed = self._results.get(identifier)
        return Answer(200) if failed is None else Answer(failed.status, failed.body())

    def delete(self, subscription: str, group: str, principal: str, base_url: str) -> Answer:
        """Begin to delete a group with all that is in it."""
        scope = _id(subscription, group)
        self._check(principal, "Microsoft.Resources/subscriptions/resourceGroups/delete", scope)
        self._governance.check_locks("DELETE", scope)
        self._deleting.add(scope)

        def finish() -> None:
            self._deleting.discard(scope)
            inside = [one for one in self._contents.listed() if _within(one, subscription, group)]
            kept = [one for one in inside if not self._contents.remove(one)]
            for one in inside:
                if one not in kept:
                    self._tell(one)
            self._context.changed()
            if not kept:
                self._context.settings.missing_resource_groups.add(group)
                return
            names = ",".join(one.id for one in kept)
            raise ArmError(
                409,
                "ResourceGroupDeletionBlocked",
                f"Deletion of resource group '{group}' failed as resources with identifiers '{names}' could not be "
                "deleted. The provisioning state of the resource group will be rolled back.",
            )

        return self._run(subscription, base_url, self._context.settings.group_delete_seconds, finish)

    def move(self, subscription: str, group: str, body: Any, principal: str, base_url: str) -> Answer:
        """Begin to move resources of a group to another group, perhaps of another subscription."""
        source = _id(subscription, group)
        self._check(principal, "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action", source)
        given = body if isinstance(body, dict) else {}
        target = _GROUP.fullmatch(str(given.get("targetResourceGroup") or ""))
        if target is None:
            raise bad_request("InvalidRequestContent", "The request content was invalid: targetResourceGroup is no id.")
        moved = self._named(given.get("resources"), subscription, group)
        for one in moved:
            self._governance.check_locks("DELETE", one.id)
            self._contents.check_move(one)

        def finish() -> None:
            for one in moved:
                self._contents.move(one, target["subscription"], target["group"])
            self._context.changed()

        return self._run(subscription, base_url, self._context.settings.move_seconds, finish)

    def _named(self, wanted: object, subscription: str, group: str) -> Sequence[Resource]:
        ids = [str(one).lower() for one in wanted] if isinstance(wanted, list) else []
        inside = {one.id.lower(): one for one in self._contents.listed() if _within(one, subscription, group)}
        missing = [one for one in ids if one not in inside or parse(one) is None]
        if not ids or missing:
            raise bad_request(
                "ResourcesMoveInvalid", f"These cannot be moved: {', '.join(missing) or 'none is named'}."
            )
        return [inside[one] for one in ids]

    def _check(self, principal: str, action: str, scope: str) -> None:
        if denied(self._context.settings, principal, action, scope):
            raise not_authorized(action, scope)

    def _run(self, subscription: str, base_url: str, seconds: float, work: Callable[[], None]) -> Answer:
        identifier = self._context.guid()
        self._running.add(identifier)

        def finish() -> None:
            self._running.discard(identifier)
            try:
                work()
            except ArmError as error:
                self._results[identifier] = error

        self._context.clock.call_later(seconds, finish)
        location = _location(base_url, f"/subscriptions/{subscription}/operationresults/{identifier}")
        return Answer(202, None, {"Location": location, "Retry-After": "15"})

    def _tell(self, gone: Resource) -> None:
        """Azure deletes each resource of a group with a request of its own, and reports it."""
        event = ResourceEvent(
            operation="delete",
            status="Succeeded",
            resource_id=gone.id,
            resource_type=gone.path.type,
            subscription_id=gone.path.subscription_id,
            tenant_id=self._context.settings.tenant_id,
            correlation_id=self._context.guid(),
            at=self._context.clock.now(),
        )
        for listener in list(self._context.listeners):
            listener(event)


def _location(base_url: str, path: str) -> str:
    return f"{base_url}{path}?api-version=2021-04-01"


def _id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}".lower()


def _within(resource: Resource, subscription: str, group: str) -> bool:
    path = resource.path
    return _id(path.subscription_id, path.resource_group or "") == _id(subscription, group)
