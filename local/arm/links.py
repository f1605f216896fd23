"""Virtual network links: what makes a zone visible in a network. Called by `app`.

A link is visible from its PUT on, in state InProgress; whether it may be at all is found out at the operation's end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.access import check_linked
from local.arm.context import Answer, Call, Context, Handler, check_global
from local.arm.errors import ArmError, OperationError, bad_request, not_found
from local.arm.ids import ResourcePath, parse_resource
from local.arm.model import VirtualNetwork, VirtualNetworkLink
from local.arm.paging import page
from local.arm.preconditions import failed_precondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.operations import Operations
    from local.arm.store import Store
    from local.arm.zones import Zones

JOIN = "Microsoft.Network/virtualNetworks/join/action"
OVERLAP = (
    "A virtual network cannot be linked to multiple zones with overlapping namespaces. "
    "You tried to link virtual network with '{}' and '{}' zones."
)

IN_USE = (
    "Virtual network resource identity '{}' already in use. This is possible in case the virtual network was moved, "
    "or re-created. Please contact support."
)


class Links(Handler):
    """PUT, PATCH, DELETE (long-running), GET and list of a zone's links."""

    def __init__(
        self,
        context: Context,
        operations: Operations,
        zones: Zones,
        store: Store[VirtualNetworkLink],
        networks: Store[VirtualNetwork],
    ) -> None:
        self._context, self._operations, self._zones = context, operations, zones
        self._store, self._networks = store, networks
        self._busy: dict[str, int] = {}
        self._identities: dict[str, str] = {}

    def get(self, call: Call) -> Answer:
        """Read one."""
        self._zones.find(call)
        return Answer(200, self.render(self._find(call)))

    def list_all(self, call: Call) -> Answer:
        """All links of the zone."""
        zone = self._zones.find(call)
        found = [link for link in self._store.listed(f"{zone.id}/virtualNetworkLinks") if not link.phantom]
        return page(call, map(self.render, found), self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Create, or change tags and policy."""
        zone = self._zones.find(call)
        check_global(call)
        properties, tags = call.properties(), call.tags()
        vnet = parse_resource((properties.get("virtualNetwork") or {}).get("id"), "virtualNetworks")
        if vnet is None:
            raise bad_request(
                "BadRequest", "The property 'virtualNetwork.id' of the link is missing or no virtual network."
            )
        check_linked(self._context.settings, call, JOIN, vnet.id)
        self._check_busy(zone.id)
        old = self._store.get(call.path.id)
        if old is not None and old.phantom:
            self._store.remove(old)
            old = None
        problem = self._precondition(call, old)
        if old is not None and old.provisioning_state == "Failed" and problem is None:
            return self._run(call, lambda: self._complete(old))
        if old is not None or problem is not None:
            return self._run(call, lambda: self._update(old, vnet, tags, properties, problem))
        path = ResourcePath(*_scope(zone.path), ("privateDnsZones", "virtualNetworkLinks"), (zone.name, call.path.name))
        link = VirtualNetworkLink(
            path=path,
            etag=self._etag(),
            tags=tags,
            vnet=vnet,
            registration_enabled=bool(properties.get("registrationEnabled")),
            resolution_policy=properties.get("resolutionPolicy"),
        )
        window = self._context.settings.not_found_after_create_seconds
        self._store.add(link, hidden_seconds=window + self._context.settings.link_seconds if window else 0)
        return self._run(call, lambda: self._complete(link))

    def patch(self, call: Call) -> Answer:
        """Replace the tags."""
        self._zones.find(call)
        link, tags = self._find(call), call.tags()
        problem = self._precondition(call, link)
        return self._run(call, lambda: self._update(link, link.vnet, tags, call.properties(), problem))

    def delete(self, call: Call) -> Answer:
        """Unlink."""
        link = self._store.get(call.path.id)
        if link is None:
            return Answer(204)
        self._check_busy(link.path.parent.id)
        problem = self._precondition(call, link)

        def finish() -> None:
            if problem:
                raise OperationError("PreconditionFailed", problem)
            self._store.remove(link)

        return self._run(call, finish)

    def _complete(self, link: VirtualNetworkLink) -> Callable[[], dict[str, Any]]:
        """The end of a creation: the checks that only the service's back end makes."""
        if self._store.get(link.id) is not link:
            raise OperationError("Canceled", f"The link '{link.name}' was deleted meanwhile.")
        try:
            link.network_guid = self._check_target(link)
        except OperationError:
            if self._context.settings.phantom_links:
                link.phantom = True
            elif self._context.settings.failed_links_stay:
                link.provisioning_state, link.etag = "Failed", self._etag()
            else:
                self._store.remove(link)
            raise
        link.state, link.provisioning_state, link.etag = "Completed", "Succeeded", self._etag()
        link.completed_at = self._context.clock.now()
        return lambda: self.render(link)

    def _check_target(self, link: VirtualNetworkLink) -> str:
        """The network's identity, if it may be linked."""
        network = self._networks.get(link.vnet.id)
        # The text for a missing network is not recorded anywhere public; that it is a BadRequest is inferred.
        if network is None:
            raise OperationError("BadRequest", f"The virtual network resource '{link.vnet.id}' was not found.")
        known = self._identities.setdefault(network.id.lower(), network.resource_guid)
        refused = self._context.settings.recreated_network == "refused" or self._context.locked(link.path.parent.id)
        if known != network.resource_guid and refused:
            raise OperationError("Conflict", IN_USE.format(network.id))
        moved = next((one for one in self._store if self._names_it_otherwise(one, link, network)), None)
        if moved is not None and self._context.settings.moved_network == "stale":
            raise OperationError("Conflict", IN_USE.format(network.id))
        zone = link.path.parent
        for other in self._store:
            if other is link or other.state != "Completed" or other.vnet.id.lower() != link.vnet.id.lower():
                continue
            there = other.path.parent
            if there.id.lower() == zone.id.lower():
                raise OperationError(
                    "Conflict",
                    f"The virtual network '{link.vnet.id}' is already linked to the zone by link '{other.name}'.",
                )
            if there.name.lower() == zone.name.lower():
                raise OperationError("BadRequest", OVERLAP.format(zone.name, there.name))
        return network.resource_guid

    @staticmethod
    def _names_it_otherwise(other: VirtualNetworkLink, link: VirtualNetworkLink, network: VirtualNetwork) -> bool:
        """Whether another link is of the same network, under the id that it had before it was moved."""
        same = other is not link and other.network_guid == network.resource_guid
        return same and other.vnet.id.lower() != network.id.lower()

    def _update(
        self,
        link: VirtualNetworkLink | None,
        vnet: ResourcePath,
        tags: dict[str, str],
        properties: dict[str, Any],
        problem: str | None,
    ) -> Callable[[], dict[str, Any]]:
        if problem or link is None:
            raise OperationError("PreconditionFailed", problem or "The link has been deleted meanwhile.")
        if link.vnet.id.lower() != vnet.id.lower():
            raise OperationError("BadRequest", f"The virtual network of link '{link.name}' cannot be changed.")
        link.tags, link.etag = tags, self._etag()
        link.registration_enabled = bool(properties.get("registrationEnabled", link.registration_enabled))
        link.resolution_policy = properties.get("resolutionPolicy", link.resolution_policy)
        return lambda: self.render(link)

    def _run(self, call: Call, work: Callable[[], Callable[[], dict[str, Any]] | None]) -> Answer:
        """Start the operation; until its end the zone counts as busy."""
        zone = call.path.parent.id.lower()
        self._busy[zone] = self._busy.get(zone, 0) + 1

        def finish() -> Callable[[], dict[str, Any]] | None:
            self._busy[zone] -= 1
            return work()

        return self._operations.dns(call, self._context.settings.link_seconds, finish)

    def _check_busy(self, zone_id: str) -> None:
        status = self._context.settings.busy_zone_status
        if status is None or not self._busy.get(zone_id.lower()):
            return
        code = "AnotherOperationInProgress" if status == 409 else "RetryableErrorDueToAnotherOperation"
        raise ArmError(
            status, code, f"Another operation on this or dependent resource is in progress. Resource: {zone_id}."
        )

    def _find(self, call: Call) -> VirtualNetworkLink:
        link = self._store.seen(call.path.id)
        if link is None or link.phantom:
            name = f"{call.path.names[0]}/virtualNetworkLinks/{call.path.name}"
            raise not_found("privateDnsZones", name, call.path.resource_group or "")
        return link

    def _precondition(self, call: Call, link: VirtualNetworkLink | None) -> str | None:
        what, accept = f"Virtual network link {call.path.name}", self._context.settings.accept_quoted_etags
        return failed_precondition(call, what, link.etag if link else None, accept_quoted=accept)

    def _etag(self) -> str:
        """Quotes are part of a link's etag."""
        return f'"{self._context.guid()}"'

    @staticmethod
    def render(link: VirtualNetworkLink) -> dict[str, Any]:
        """The link as ARM answers it."""
        return {
            "id": link.id,
            "name": link.name,
            "type": link.path.type,
            "etag": link.etag,
            "location": "global",
            "tags": link.tags,
            "properties": {
                "virtualNetwork": {"id": link.vnet.id},
                "registrationEnabled": link.registration_enabled,
                **({"resolutionPolicy": link.resolution_policy} if link.resolution_policy else {}),
                "virtualNetworkLinkState": link.state,
                "provisioningState": link.provisioning_state,
            },
        }


def _scope(path: ResourcePath) -> tuple[str, str | None]:
    return path.subscription_id, path.resource_group
