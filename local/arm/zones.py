"""Private DNS zones. Called by `app`; links and record sets look their zone up here.

A zone being created is not visible before its operation has Succeeded (nor for the 404-after-create window after that).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.context import Answer, Call, Context, Handler, check_global
from local.arm.errors import ArmError, OperationError, bad_request, not_found, parent_not_found
from local.arm.ids import ResourcePath
from local.arm.model import PrivateDnsZone, RecordSet, VirtualNetworkLink
from local.arm.networks import scope_of
from local.arm.paging import page
from local.arm.preconditions import failed_precondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.operations import Operations
    from local.arm.store import Store

KIND = "privateDnsZones"
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE
)
_SOA = {
    "host": "azureprivatedns.net",
    "email": "azureprivatedns-host.microsoft.com",
    "serialNumber": 1,
    "refreshTime": 3600,
    "retryTime": 300,
    "expireTime": 2419200,
    "minimumTtl": 10,
}


class Zones(Handler):
    """PUT, PATCH, DELETE (long-running), GET and lists of zones."""

    def __init__(
        self,
        context: Context,
        operations: Operations,
        store: Store[PrivateDnsZone],
        links: Store[VirtualNetworkLink],
    ) -> None:
        self._context, self._operations, self._store, self._links = context, operations, store, links

    def find(self, call: Call) -> PrivateDnsZone:
        """The zone that the path names or lies below, or the front end's 404."""
        path = ResourcePath(call.path.subscription_id, call.path.resource_group, (KIND,), call.path.names[:1])
        zone = self._store.seen(path.id)
        if zone is not None:
            return zone
        action = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(call.method, "read")
        told = action != "read" or self._context.settings.parent_not_found_on_reads
        if told and len(call.path.types) > 1:
            raise parent_not_found(action, call.path.kind, path.id)
        raise not_found(KIND, path.name, path.resource_group or "")

    def get(self, call: Call) -> Answer:
        """Read one."""
        return Answer(200, self.render(self.find(call)))

    def list_all(self, call: Call) -> Answer:
        """All of a resource group or subscription."""
        found = self._store.listed(scope_of(call))
        return page(call, map(self.render, found), self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Create or replace the tags."""
        check_global(call)
        tags = call.tags()
        if not _NAME.fullmatch(call.path.name):
            raise bad_request("BadRequest", f"The domain name '{call.path.name}' is invalid.")
        return self._operations.dns(call, self._context.settings.zone_seconds, lambda: self._write(call, tags))

    def patch(self, call: Call) -> Answer:
        """Replace the tags of an existing zone."""
        zone, tags = self.find(call), call.tags()

        def finish() -> Callable[[], dict[str, Any]]:
            self._check(call, zone)
            zone.tags, zone.etag = tags, self._context.guid()
            return lambda: self.render(zone)

        return self._operations.dns(call, self._context.settings.zone_seconds, finish)

    def delete(self, call: Call) -> Answer:
        """Remove with all record sets, unless a network is linked."""
        zone = self._store.get(call.path.id)
        if zone is None:
            return Answer(204)
        nested = "Can not delete resource before nested resources are deleted."
        if self._links_of(zone):
            raise ArmError(409, "CannotDeleteResource", nested)

        def finish() -> None:
            self._check(call, zone)
            if self._links_of(zone):
                raise OperationError("CannotDeleteResource", nested)
            self._store.remove(zone)

        return self._operations.dns(call, self._context.settings.zone_seconds, finish)

    def _write(self, call: Call, tags: dict[str, str]) -> Callable[[], dict[str, Any]]:
        zone = self._store.get(call.path.id)
        self._check(call, zone)
        if zone is not None:
            zone.tags, zone.etag = tags, self._context.guid()
        else:
            zone = PrivateDnsZone(path=call.path, etag=self._context.guid(), tags=tags)
            soa = RecordSet(type="SOA", name="@", etag=self._context.guid(), ttl=3600, records={"soaRecord": _SOA})
            zone.record_sets["SOA", "@"] = soa
            self._store.add(zone, hidden_seconds=self._context.settings.not_found_after_create_seconds)
        return lambda: self.render(zone)

    def _check(self, call: Call, zone: PrivateDnsZone | None) -> None:
        accept_quoted = self._context.settings.accept_quoted_etags
        etag = zone.etag if zone else None
        problem = failed_precondition(call, f"Zone {call.path.name}", etag, accept_quoted=accept_quoted)
        if problem:
            raise OperationError("PreconditionFailed", problem)

    def _links_of(self, zone: PrivateDnsZone) -> list[VirtualNetworkLink]:
        return self._links.below(zone.id)

    def render(self, zone: PrivateDnsZone) -> dict[str, Any]:
        """The zone as ARM answers it."""
        links = self._links_of(zone)
        return {
            "id": zone.id,
            "name": zone.name,
            "type": f"Microsoft.Network/{KIND}",
            "etag": zone.etag,
            "location": "global",
            "tags": zone.tags,
            "properties": {
                "maxNumberOfRecordSets": 25000,
                "maxNumberOfVirtualNetworkLinks": 1000,
                "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
                "numberOfRecordSets": len(zone.record_sets),
                "numberOfVirtualNetworkLinks": len(links),
                "numberOfVirtualNetworkLinksWithRegistration": sum(link.registration_enabled for link in links),
                "provisioningState": zone.provisioning_state,
            },
        }
