"""Virtual networks and their subnets. Called by `app`; endpoints and links look networks up here."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import ArmError, bad_request, not_found
from local.arm.ids import ResourcePath
from local.arm.model import Subnet, VirtualNetwork
from local.arm.paging import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.operations import Operations
    from local.arm.store import Store

KIND = "virtualNetworks"


class Networks(Handler):
    """PUT, GET, DELETE and lists of virtual networks, and PATCH of their tags."""

    def __init__(
        self,
        context: Context,
        operations: Operations,
        store: Store[VirtualNetwork],
        endpoints_in: Callable[[str], list[str]],
    ) -> None:
        self._context, self._operations, self._store, self._endpoints_in = context, operations, store, endpoints_in

    def find(self, call: Call) -> VirtualNetwork:
        """The network that the path names (itself or above a subnet), or 404."""
        path = ResourcePath(call.path.subscription_id, call.path.resource_group, (KIND,), call.path.names[:1])
        network = self._store.seen(path.id)
        if network is None:
            raise not_found(KIND, path.name, path.resource_group or "")
        return network

    def get(self, call: Call) -> Answer:
        """Read one."""
        return Answer(200, self.render(self.find(call)))

    def list_all(self, call: Call) -> Answer:
        """All of a resource group or subscription."""
        found = self._store.listed(scope_of(call))
        return page(call, map(self.render, found), self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Create or replace, subnets included."""
        properties = call.properties()
        location = required_location(call)
        prefixes = (properties.get("addressSpace") or {}).get("addressPrefixes") or []
        if not prefixes:
            raise bad_request("InvalidRequestFormat", "The address space of the virtual network is missing.")
        subnets = [read_subnet_body(item) for item in properties.get("subnets") or []]
        for prefix in [*prefixes, *(prefix for subnet in subnets for prefix in subnet.prefixes)]:
            network_of(prefix)
        old = self._store.get(call.path.id)
        kept = {s.name.lower() for s in subnets}
        for gone in [s for s in (old.subnets if old else []) if s.name.lower() not in kept]:
            self.check_unused(old, gone)
        network = VirtualNetwork(
            path=old.path if old else call.path,
            etag=self._context.network_etag(),
            location=location,
            tags=call.tags(),
            resource_guid=old.resource_guid if old else self._context.guid(),
            address_prefixes=list(prefixes),
            subnets=subnets,
            dns_servers=list((properties.get("dhcpOptions") or {}).get("dnsServers") or []),
            peerings=_peerings(properties.get("virtualNetworkPeerings"), old),
            provisioning_state="Updating",
        )
        self._store.add(network)

        def finish() -> Callable[[], dict[str, Any]]:
            network.provisioning_state = "Succeeded"
            return lambda: self.render(network)

        headers = self._operations.network(call, location, self._context.settings.network_seconds, finish, event=True)
        done = network.provisioning_state == "Succeeded"
        return Answer(200 if old else 201, self.render(network), {} if done else headers)

    def patch(self, call: Call) -> Answer:
        """Replace the tags."""
        network = self.find(call)
        network.tags, network.etag = call.tags(), self._context.network_etag()
        self._context.emit(call, "Succeeded")
        return Answer(200, self.render(network))

    def delete(self, call: Call) -> Answer:
        """Remove, unless an endpoint is in it. Links to it stay behind, as orphans."""
        network = self._store.get(call.path.id)
        if network is None:
            return Answer(204)
        for subnet in network.subnets:
            self.check_unused(network, subnet)

        def finish() -> None:
            self._store.remove(network)

        seconds = self._context.settings.network_seconds
        headers = self._operations.network(call, network.location, seconds, finish, event=True)
        return Answer(202, None, headers)

    def check_unused(self, network: VirtualNetwork | None, subnet: Subnet) -> None:
        """Refuse to go on as long as an endpoint is in the subnet."""
        users = self._endpoints_in(f"{network.id}/subnets/{subnet.name}") if network else []
        if users:
            raise bad_request(
                "InUseSubnetCannotBeDeleted",
                f"Subnet {subnet.name} is in use by {', '.join(users)} and cannot be deleted. In order to delete the "
                "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
            )

    def render(self, network: VirtualNetwork) -> dict[str, Any]:
        """The network as ARM answers it."""
        return {
            "name": network.name,
            "id": network.id,
            "etag": network.etag,
            "type": f"Microsoft.Network/{KIND}",
            "location": network.location,
            "tags": network.tags,
            "properties": {
                "provisioningState": network.provisioning_state,
                "resourceGuid": network.resource_guid,
                "addressSpace": {"addressPrefixes": network.address_prefixes},
                "dhcpOptions": {"dnsServers": network.dns_servers},
                "subnets": [self.render_subnet(network, subnet) for subnet in network.subnets],
                "virtualNetworkPeerings": [self.render_peering(network, *each) for each in network.peerings.items()],
                "enableDdosProtection": False,
            },
        }

    def render_peering(self, network: VirtualNetwork, name: str, remote_id: str) -> dict[str, Any]:
        """One side of a peering as ARM answers it, inside its network or alone."""
        remote = self._store.get(remote_id)
        mutual = remote is not None and remote.names_as_peer(network.id)
        return {
            "name": name,
            "id": f"{network.id}/virtualNetworkPeerings/{name}",
            "etag": network.etag,
            "type": f"Microsoft.Network/{KIND}/virtualNetworkPeerings",
            "properties": {
                "provisioningState": "Succeeded",
                "peeringState": "Connected" if mutual else "Initiated",
                "remoteVirtualNetwork": {"id": remote_id},
                "remoteAddressSpace": {"addressPrefixes": remote.address_prefixes if remote is not None else []},
                "allowVirtualNetworkAccess": True,
            },
        }

    def render_subnet(self, network: VirtualNetwork, subnet: Subnet) -> dict[str, Any]:
        """A subnet as ARM answers it, inside its network or alone."""
        subnet_id = f"{network.id}/subnets/{subnet.name}"
        users = self._endpoints_in(subnet_id)
        return {
            "name": subnet.name,
            "id": subnet_id,
            "etag": network.etag,
            "type": f"Microsoft.Network/{KIND}/subnets",
            "properties": {
                "provisioningState": "Succeeded",
                **(
                    {"addressPrefixes": list(subnet.prefixes)}
                    if subnet.further_prefixes
                    else {"addressPrefix": subnet.address_prefix}
                ),
                "delegations": [],
                "privateEndpointNetworkPolicies": "Disabled",
                "privateLinkServiceNetworkPolicies": "Enabled",
                **({"privateEndpoints": [{"id": user} for user in users]} if users else {}),
            },
        }


class Subnets(Handler):
    """PUT, GET, DELETE and list of the subnets of one network, on their own."""

    def __init__(self, context: Context, operations: Operations, networks: Networks) -> None:
        self._context, self._operations, self._networks = context, operations, networks

    def get(self, call: Call) -> Answer:
        """Read one."""
        network = self._networks.find(call)
        subnet = network.subnet(call.path.name)
        if subnet is None:
            raise ArmError(404, "NotFound", f"Resource {call.path.id} not found.")
        return Answer(200, self._networks.render_subnet(network, subnet))

    def list_all(self, call: Call) -> Answer:
        """All of a network."""
        network = self._networks.find(call)
        found = [self._networks.render_subnet(network, subnet) for subnet in network.subnets]
        return page(call, found, self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Create, or change its address prefix."""
        network = self._networks.find(call)
        subnet = read_subnet_body({"name": call.path.name, "properties": call.properties()})
        for prefix in subnet.prefixes:
            network_of(prefix)
        old = network.subnet(subnet.name)
        if old is None:
            network.subnets.append(subnet)
        elif old.prefixes != subnet.prefixes:
            if not set(old.prefixes) <= set(subnet.prefixes):
                self._networks.check_unused(network, old)
            old.address_prefix, old.further_prefixes = subnet.address_prefix, subnet.further_prefixes
        network.etag = self._context.network_etag()
        shown = self._networks.render_subnet(network, old or subnet)
        return Answer(200 if old else 201, shown, self._begin(call, network, lambda: lambda: shown))

    def delete(self, call: Call) -> Answer:
        """Remove, unless an endpoint is in it."""
        network = self._networks.find(call)
        subnet = network.subnet(call.path.name)
        if subnet is None:
            return Answer(204)
        self._networks.check_unused(network, subnet)
        return Answer(202, None, self._begin(call, network, lambda: network.subnets.remove(subnet)))

    def _begin(self, call: Call, network: VirtualNetwork, finish: Callable[[], Any]) -> dict[str, str]:
        seconds = self._context.settings.network_seconds
        return self._operations.network(call, network.location, seconds, finish, event=True)


def read_subnet_body(item: Any) -> Subnet:
    """A subnet as a body has it, with one address prefix or a list of them; or 400."""
    properties = item.get("properties") or {}
    single = [properties["addressPrefix"]] if properties.get("addressPrefix") else []
    prefixes = single or list(properties.get("addressPrefixes") or [])
    if not item.get("name") or not prefixes:
        raise bad_request("InvalidRequestFormat", "A subnet needs a name and an address prefix.")
    return Subnet(item["name"], prefixes[0], tuple(prefixes[1:]))


def _peerings(given: Any, old: VirtualNetwork | None) -> dict[str, str]:
    """The peerings in a network's body; a body that is silent about them leaves them as they are."""
    if given is None:
        return dict(old.peerings) if old else {}
    try:
        return {str(one["name"]): str(one["properties"]["remoteVirtualNetwork"]["id"]) for one in given}
    except (KeyError, TypeError) as error:
        raise bad_request("InvalidRequestFormat", "A peering needs a name and a remote virtual network.") from error


def scope_of(call: Call) -> str:
    """The id prefix that a list covers: a subscription or a resource group."""
    group = f"/resourceGroups/{call.path.resource_group}" if call.path.resource_group else ""
    return f"/subscriptions/{call.path.subscription_id}{group}"


def required_location(call: Call) -> str:
    """The body's location, spelled as ARM keeps it (`East US 2` is `eastus2`)."""
    location = call.document().get("location")
    if not isinstance(location, str) or not location.strip():
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    return location.replace(" ", "").lower()


def network_of(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """An address prefix as a value, or 400."""
    try:
        return ipaddress.ip_network(prefix)
    except ValueError as error:
        raise bad_request(
            "InvalidCIDRNotation", f"The address prefix {prefix} has an invalid CIDR notation."
        ) from error
