"""`ArmCloud`: the simulated Azure Resource Manager as the other simulators, the seeds and the tests use it.

HTTP callers use `.app`. In-process, the network reads networks, endpoints and zones, Elastic's side answers connection
requests, and Event Grid listens.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from local.arm.app import FrontEnd
from local.arm.context import Context
from local.arm.endpoints import Endpoints, NetworkInterfaces
from local.arm.estate import Estate
from local.arm.governance import Governance
from local.arm.group_actions import GroupActions
from local.arm.groups import Groups
from local.arm.links import Links
from local.arm.model import PrivateDnsZone, PrivateEndpoint, Resource, VirtualNetwork, VirtualNetworkLink
from local.arm.networks import Networks, Subnets
from local.arm.operations import OperationHandler, Operations
from local.arm.peerings import Peerings
from local.arm.records import FIELDS, Records
from local.arm.settings import ArmSettings
from local.arm.store import Store
from local.arm.tags import Tags
from local.arm.throttle import Throttle
from local.arm.zones import Zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.arm.context import Handler
    from local.arm.events import FaultResponse, Incoming, RequestRecord, ResourceEvent
    from local.clock import LoopClock

DESCRIPTIONS = {
    "Pending": "Awaiting Approval",
    "Approved": "Approved",
    "Rejected": "Rejected",
    "Disconnected": "Connection removed",
}


class ArmCloud:
    """State, switches and hooks of the simulated Azure.

    `base_url` is where `.app` is meant to be reached; answers carry URLs on the host that a request came to.
    """

    def __init__(
        self,
        clock: LoopClock,
        *,
        base_url: str = "https://arm.local",
        settings: ArmSettings | None = None,
        check_token: Callable[[str], bool] | None = None,
        random: Random | None = None,
    ) -> None:
        self.base_url, self.settings = base_url, settings or ArmSettings()
        self._context = Context(clock, self.settings, random or Random(0))
        self._networks = Store[VirtualNetwork](clock, self.settings)
        self._endpoints = Store[PrivateEndpoint](clock, self.settings)
        self._zones = Store[PrivateDnsZone](clock, self.settings)
        self._links = Store[VirtualNetworkLink](clock, self.settings)
        self._interfaces = NetworkInterfaces(self._context, self._endpoints)
        self._estate = Estate(
            self.settings, self._networks, self._endpoints, self._zones, self._links, self._interfaces
        )
        governance = Governance(self.settings)
        self._context.locked = governance.locked_against_deletion
        actions = GroupActions(self._context, governance, self._estate.contents())
        groups = Groups(self.settings, self._estate.resources, actions)
        throttle = Throttle(clock, self.settings)
        self._front = FrontEnd(self._context, self._handlers(), groups, governance, throttle, check_token)
        methods = ["GET", "PUT", "PATCH", "POST", "DELETE", "HEAD"]
        self.app = Starlette(routes=[Route("/{path:path}", self._front.handle, methods=methods)])

    def _handlers(self) -> dict[str, Handler]:
        context, operations = self._context, Operations(self._context)
        networks = Networks(context, operations, self._networks, self._endpoints_in)
        zones = Zones(context, operations, self._zones, self._links)
        records = Records(context, zones)
        status, result = (OperationHandler(operations, result=wanted) for wanted in (False, True))
        return {
            "virtualNetworks": networks,
            "virtualNetworks/subnets": Subnets(context, operations, networks),
            "virtualNetworks/virtualNetworkPeerings": Peerings(context, operations, networks),
            "privateEndpoints": Endpoints(context, operations, self._endpoints, self._networks, self._interfaces),
            "networkInterfaces": self._interfaces,
            "privateDnsZones": zones,
            "privateDnsZones/virtualNetworkLinks": Links(context, operations, zones, self._links, self._networks),
            **{f"privateDnsZones/{kind}": records for kind in (*FIELDS, "ALL")},
            "tags": Tags(context, self._tagged),
            "privateDnsOperationStatuses": status,
            "privateDnsOperationResults": result,
            "locations/operations": status,
            "locations/operationResults": result,
        }

    @property
    def clock(self) -> LoopClock:
        """The clock that this Azure goes by."""
        return self._context.clock

    @property
    def listeners(self) -> list[Callable[[ResourceEvent], None]]:
        """Called with each resource event."""
        return self._context.listeners

    @property
    def changes(self) -> list[Callable[[], None]]:
        """Called after every change of an endpoint or its connection."""
        return self._context.changes

    @property
    def faults(self) -> list[Callable[[Incoming], FaultResponse | None]]:
        """Asked before each request is looked at; the first answer that is not None goes out instead."""
        return self._front.faults

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request so far, for tests to count."""
        return self._front.requests

    def snapshot(self) -> tuple[Any, ...]:
        """All endpoints, zones and links, for `shown_as`."""
        return tuple(store.snapshot() for store in self._lagging())

    @contextmanager
    def shown_as(self, state: tuple[Any, ...]) -> Iterator[None]:
        """Let reads show an earlier state of endpoints, zones and links: this service's reads lag behind."""
        with ExitStack() as shown:
            for store, entries in zip(self._lagging(), state, strict=True):
                shown.enter_context(store.shown_as(entries))
            yield

    def _lagging(self) -> tuple[Store[Any], ...]:
        return self._endpoints, self._zones, self._links

    def virtual_network(self, vnet_id: str) -> VirtualNetwork | None:
        """The network of that id."""
        return self._networks.get(vnet_id)

    def virtual_networks(self) -> list[VirtualNetwork]:
        """All networks."""
        return list(self._networks)

    def private_endpoint(self, endpoint_id: str) -> PrivateEndpoint | None:
        """The endpoint of that id."""
        return self._endpoints.get(endpoint_id)

    def private_endpoints(self) -> list[PrivateEndpoint]:
        """All endpoints."""
        return list(self._endpoints)

    def find_endpoint(self, name: str, guid: str) -> PrivateEndpoint | None:
        """The endpoint with this name and resourceGuid, both compared without case."""
        for endpoint in self._endpoints:
            if endpoint.resource_guid.lower() == guid.lower() and endpoint.name.lower() == name.lower():
                return endpoint
        return None

    def set_connection(self, endpoint_id: str, status: str, description: str = "") -> None:
        """What the owner of the private link service does: approve, reject or remove. Emits no event.

        Azure's description leaves the word open; others than the four are seen ("Removed", "Timeout"), and none.
        """
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None:
            raise KeyError(endpoint_id)
        endpoint.connection.status = status
        endpoint.connection.description = description or DESCRIPTIONS.get(status, "")
        endpoint.etag = self._context.network_etag()
        self._context.changed()

    def private_dns_zones(self) -> list[PrivateDnsZone]:
        """All zones."""
        return list(self._zones)

    def virtual_network_links(self) -> list[VirtualNetworkLink]:
        """All links of all zones, those too that have not taken effect."""
        return list(self._links)

    def zones_linked_to(self, vnet_id: str) -> list[PrivateDnsZone]:
        """The zones that the network sees: those whose link is Completed, and has taken effect."""
        wanted = vnet_id.lower()
        latest = self._context.clock.now() - timedelta(seconds=self.settings.link_effect_seconds)
        network = self._networks.get(vnet_id)
        identity = network.resource_guid if network is not None else None
        # A network that was moved keeps its identity, and links may go on naming it by its old id.
        own = [
            one for one in self._links if one.vnet.id.lower() == wanted or (identity and one.network_guid == identity)
        ]
        if network is not None and self.settings.recreated_network == "refused":
            own = [link for link in own if link.network_guid == network.resource_guid]
        linked = [link for link in own if link.completed_at is not None and link.completed_at <= latest]
        zones = (self._zones.get(link.path.parent.id) for link in linked)
        return [zone for zone in zones if zone is not None]

    def _endpoints_in(self, subnet_id: str) -> list[str]:
        return [e.id for e in self._endpoints if e.subnet.id.lower() == subnet_id.lower()]

    def _tagged(self, resource_id: str) -> Resource | None:
        stores: list[Store[Any]] = [self._networks, self._endpoints, self._zones, self._links]
        return next((found for store in stores if (found := store.seen(resource_id))), None)
