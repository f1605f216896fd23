"""Private endpoints: their life from PUT to DELETE. Called by `app`; `cloud` sets their connection's state.

The write event is emitted when the PUT is accepted (or at its end, by a switch); the address appears a while after the
PUT; the delete event comes at the end of the deletion. A state set by the service's owner makes no event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.access import check_linked
from local.arm.addresses import choose_addresses, read_groups
from local.arm.connections import read_connection, read_subnet
from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import OperationError, bad_request, not_found
from local.arm.ids import ResourcePath
from local.arm.model import PrivateEndpoint
from local.arm.networks import required_location, scope_of
from local.arm.paging import page
from local.arm.rendering import render_endpoint, render_nic

if TYPE_CHECKING:
    from local.arm.model import Addresses, Connection, Subnet, VirtualNetwork
    from local.arm.operations import Operations
    from local.arm.store import Store

KIND = "privateEndpoints"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"


class Endpoints(Handler):
    """PUT, GET, DELETE and lists of private endpoints, and PATCH of their tags."""

    def __init__(
        self,
        context: Context,
        operations: Operations,
        store: Store[PrivateEndpoint],
        networks: Store[VirtualNetwork],
        interfaces: NetworkInterfaces,
    ) -> None:
        self._context, self._operations, self._store, self._networks = context, operations, store, networks
        self._interfaces = interfaces

    def get(self, call: Call) -> Answer:
        """Read one; `$expand=networkInterfaces` puts the whole interface in."""
        query = {name.lower(): value.lower() for name, value in call.query.items()}
        wanted = query.get("$expand") == "networkinterfaces" and self._context.settings.expand_network_interfaces
        return Answer(200, self._render(call, self._find(call), expand=wanted))

    def list_all(self, call: Call) -> Answer:
        """All of a resource group or subscription."""
        found = self._store.listed(scope_of(call))
        return page(call, (self._render(call, one) for one in found), self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Create, or bring an existing one up to date: its GUID, address and connection state stay."""
        location, connection = required_location(call), read_connection(call)
        subnet, network, inside = read_subnet(call, location, self._networks)
        check_linked(self._context.settings, call, JOIN, subnet.id)
        old = self._store.get(call.path.id)
        if old is None:
            endpoint = self._new(call, location, connection, subnet, self._addresses(call, subnet, network, inside))
            self._store.add(endpoint)
            if endpoint.has_nic:
                self._interfaces.add(endpoint)
            else:
                self._context.clock.call_later(self._context.settings.nic_seconds, self._give_nic, endpoint)
        else:
            endpoint = self._update(old, call, connection, subnet)
        if self._context.settings.endpoint_event_at == "accepted":
            self._context.emit(call, "Succeeded", endpoint.id)
        self._context.changed()
        if endpoint.address is None:
            seconds = max(self._context.settings.nic_seconds, self._context.settings.nic_address_seconds)
            self._context.clock.call_later(seconds, self._give_address, endpoint)
        headers = self._provision(call, endpoint)
        shown = self._render(call, endpoint)
        return Answer(200 if old else 201, shown, {**headers, "Azure-AsyncNotification": "Enabled"})

    def patch(self, call: Call) -> Answer:
        """Replace the tags."""
        endpoint = self._find(call)
        endpoint.tags, endpoint.etag = call.tags(), self._context.network_etag()
        self._context.emit(call, "Succeeded", endpoint.id)
        self._context.changed()
        return Answer(200, self._render(call, endpoint))

    def delete(self, call: Call) -> Answer:
        """Remove the endpoint and its interface, after a while."""
        endpoint = self._store.get(call.path.id)
        if endpoint is None:
            return Answer(204)
        endpoint.provisioning_state, endpoint.etag = "Deleting", self._context.network_etag()

        def finish() -> None:
            self._store.remove(endpoint)
            self._interfaces.remove(endpoint)
            self._context.changed()

        seconds = self._context.settings.endpoint_delete_seconds
        headers = self._operations.network(call, endpoint.location, seconds, finish, event=True)
        return Answer(202, None, headers)

    def _render(self, call: Call, endpoint: PrivateEndpoint, *, expand: bool = False) -> dict[str, Any]:
        bare = endpoint.name.lower() in self._context.settings.endpoints_without_subnet
        return render_endpoint(endpoint, call.version, expand=expand, bare=bare)

    def _find(self, call: Call) -> PrivateEndpoint:
        endpoint = self._store.seen(call.path.id)
        if endpoint is None:
            raise not_found(KIND, call.path.name, call.path.resource_group or "")
        return endpoint

    def _addresses(self, call: Call, path: ResourcePath, network: VirtualNetwork, subnet: Subnet) -> Addresses:
        others = [one for one in self._store if one.subnet.id.lower() == path.id.lower()]
        return choose_addresses(call, network, subnet, others, self._context.settings.allocate_address)

    def _new(
        self, call: Call, location: str, connection: Connection, subnet: ResourcePath, reserved: Addresses
    ) -> PrivateEndpoint:
        guid, custom = self._context.guid(), call.properties().get("customNetworkInterfaceName") or ""
        nic_name = custom or f"{call.path.name}.nic.{self._context.guid()}"
        return PrivateEndpoint(
            path=call.path,
            etag=self._context.network_etag(),
            location=location,
            tags=call.tags(),
            resource_guid=guid,
            subnet=subnet,
            connection=connection,
            nic=ResourcePath(call.path.subscription_id, call.path.resource_group, ("networkInterfaces",), (nic_name,)),
            nic_guid=self._context.guid(),
            nic_etag=self._context.network_etag(),
            custom_nic_name=custom,
            has_nic=self._context.settings.nic_seconds <= 0,
            reserved=reserved,
            application_security_groups=read_groups(call),
        )

    def _update(
        self, endpoint: PrivateEndpoint, call: Call, connection: Connection, subnet: ResourcePath
    ) -> PrivateEndpoint:
        moved = endpoint.subnet.id.lower() != subnet.id.lower()
        if moved or endpoint.connection.service.lower() != connection.service.lower():
            raise bad_request(
                "CannotChangePrivateLinkConnectionOnPrivateEndpoint",
                f"Cannot change the subnet or the private link connection of existing private endpoint {endpoint.id}.",
            )
        endpoint.tags, endpoint.etag = call.tags(), self._context.network_etag()
        endpoint.connection.request_message = connection.request_message
        endpoint.application_security_groups = read_groups(call)
        endpoint.provisioning_state = "Updating"
        return endpoint

    def _give_nic(self, endpoint: PrivateEndpoint) -> None:
        if self._store.get(endpoint.id) is endpoint:
            endpoint.has_nic, endpoint.etag = True, self._context.network_etag()
            self._interfaces.add(endpoint)

    def _give_address(self, endpoint: PrivateEndpoint) -> None:
        if self._store.get(endpoint.id) is not endpoint or endpoint.address is not None:
            return
        endpoint.address, endpoint.address6 = endpoint.reserved.ipv4 or None, endpoint.reserved.ipv6 or None
        endpoint.nic_etag = self._context.network_etag()
        self._context.changed()

    def _provision(self, call: Call, endpoint: PrivateEndpoint) -> dict[str, str]:
        def finish() -> None:
            if self._store.get(endpoint.id) is not endpoint or endpoint.provisioning_state == "Deleting":
                raise OperationError("Canceled", f"Operation was canceled: {endpoint.id} is being deleted.")
            code = self._context.settings.failing_endpoints.get(endpoint.name.lower())
            endpoint.provisioning_state = "Failed" if code else "Succeeded"
            endpoint.etag = self._context.network_etag()
            self._context.changed()
            if code:
                raise OperationError(code, f"The provisioning of {endpoint.id} failed.")

        settings = self._context.settings
        event = settings.endpoint_event_at == "completed"
        return self._operations.network(call, endpoint.location, settings.endpoint_seconds, finish, event=event)


class NetworkInterfaces(Handler):
    """The interfaces of private endpoints; others do not exist here."""

    def __init__(self, context: Context, endpoints: Store[PrivateEndpoint]) -> None:
        self._context, self._endpoints = context, endpoints
        self._by_id: dict[str, PrivateEndpoint] = {}

    def add(self, endpoint: PrivateEndpoint) -> None:
        """The interface of a new endpoint."""
        self._by_id[endpoint.nic.id.lower()] = endpoint

    def remove(self, endpoint: PrivateEndpoint) -> None:
        """The interface goes with its endpoint."""
        self._by_id.pop(endpoint.nic.id.lower(), None)

    def get(self, call: Call) -> Answer:
        """Read one."""
        endpoint = self._by_id.get(call.path.id.lower())
        if endpoint is None:
            raise not_found("networkInterfaces", call.path.name, call.path.resource_group or "")
        return Answer(200, render_nic(endpoint))

    def list_all(self, call: Call) -> Answer:
        """All of a resource group or subscription."""
        listed = self._endpoints.listed(scope_of(call))
        found: list[dict[str, Any]] = [render_nic(endpoint) for endpoint in listed if endpoint.has_nic]
        return page(call, found, self._context.settings.page_size)
