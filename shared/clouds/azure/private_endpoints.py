"""Private endpoints, their interfaces and networks, read from ARM. Used by `observe`, `health.check` and the sweep.

The guide's step "copy the endpoint's name and resource GUID" is `get`: the GUID is in no published model of the API,
yet ARM answers it, so answers are read as JSON, not through the SDK's attributes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.clouds.azure.arm import NETWORK_API, ArmClients
from shared.clouds.azure.errors import arm_errors, arm_read_errors
from shared.core.model.arm_ids import ArmId, parse_arm_id
from shared.core.model.errors import InvalidInput, NotFound
from shared.core.model.resources import ConnectionStatus, Endpoint, Peering, VirtualNetwork


class PrivateEndpoints:
    """Reads private endpoints; never writes one: a write would cause an event, and the event another write."""

    def __init__(self, clients: ArmClients) -> None:
        self._clients = clients

    @property
    def clients(self) -> ArmClients:
        """What it asks through; others may too."""
        return self._clients

    async def get(self, endpoint_id: ArmId) -> Endpoint:
        """The endpoint with its address if it has one; raises NotFound, and what `arm_errors` raises."""
        client = await self._clients.network(endpoint_id.subscription_id)
        with arm_read_errors("read the private endpoint", endpoint_id.text):
            answer = await client.private_endpoints.get(
                endpoint_id.resource_group, endpoint_id.name, expand="networkInterfaces", api_version=NETWORK_API
            )
        endpoint = endpoint_of(answer.as_dict())
        return endpoint if endpoint.address else await self._with_address(endpoint)

    async def list(self, subscription_id: str) -> AsyncIterator[Endpoint]:
        """Every private endpoint of a subscription, page by page; addresses are not filled in."""
        client = await self._clients.network(subscription_id)
        with arm_errors("list private endpoints", f"/subscriptions/{subscription_id}"):
            async for answer in client.private_endpoints.list_by_subscription(api_version=NETWORK_API):
                yield endpoint_of(answer.as_dict())

    async def addresses(self, subscription_id: str) -> dict[str, str]:
        """The address of every network interface of a subscription that has one, by lower-cased interface id."""
        client = await self._clients.network(subscription_id)
        found = {}
        with arm_errors("list network interfaces", f"/subscriptions/{subscription_id}"):
            async for answer in client.network_interfaces.list_all(api_version=NETWORK_API):
                nic = answer.as_dict()
                address = address_of(nic)
                if address:
                    found[str(nic.get("id", "")).lower()] = address
        return found

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """A virtual network: whom it asks for names, what it is peered with. Raises InvalidInput for no ARM id."""
        wanted = parse_arm_id(vnet_id)
        client = await self._clients.network(wanted.subscription_id)
        with arm_read_errors("read the virtual network", wanted.text):
            answer = await client.virtual_networks.get(wanted.resource_group, wanted.name, api_version=NETWORK_API)
        return network_of(answer.as_dict())

    async def networks(self, subscription_id: str) -> dict[str, VirtualNetwork]:
        """Every virtual network of a subscription, by its lower-cased id."""
        client = await self._clients.network(subscription_id)
        with arm_errors("list virtual networks", f"/subscriptions/{subscription_id}"):
            answers = client.virtual_networks.list_all(api_version=NETWORK_API)
            return {str(body.get("id", "")).lower(): network_of(body) async for body in _bodies(answers)}

    async def _with_address(self, endpoint: Endpoint) -> Endpoint:
        for nic_id in endpoint.nic_ids:
            nic = parse_arm_id(nic_id)
            client = await self._clients.network(nic.subscription_id)
            try:
                with arm_read_errors("read the endpoint's network interface", nic_id):
                    answer = await client.network_interfaces.get(nic.resource_group, nic.name, api_version=NETWORK_API)
            except NotFound:
                continue  # named by the endpoint before it can be read: the address is simply not there yet
            address = address_of(answer.as_dict())
            if address:
                return replace(endpoint, address=address)
        return endpoint


async def _bodies(answers: AsyncIterator[Any]) -> AsyncIterator[Mapping[str, Any]]:
    async for answer in answers:
        yield answer.as_dict()


def endpoint_of(body: Mapping[str, Any]) -> Endpoint:
    """An endpoint from ARM's JSON; raises InvalidInput when it has no id."""
    properties = body.get("properties") or {}
    connection = _connection(properties)
    state = (connection.get("properties") or {}).get("privateLinkServiceConnectionState") or {}
    nics = [nic for nic in properties.get("networkInterfaces") or [] if isinstance(nic, Mapping)]
    subnet = (properties.get("subnet") or {}).get("id")
    return Endpoint(
        id=parse_arm_id(body.get("id")),
        name=str(body.get("name") or ""),
        guid=str(properties.get("resourceGuid") or properties.get("resourceGUID") or ""),
        location=str(body.get("location") or ""),
        provisioning_state=str(properties.get("provisioningState") or ""),
        alias=str((connection.get("properties") or {}).get("privateLinkServiceId") or ""),
        status=_status(state.get("status")),
        status_description=str(state.get("description") or "")[:200],
        vnet_id=_vnet(subnet),
        nic_ids=tuple(str(nic["id"]) for nic in nics if nic.get("id")),
        address=_first(address_of(nic) for nic in nics),
        tags={str(name): str(value) for name, value in (body.get("tags") or {}).items()},
    )


def network_of(body: Mapping[str, Any]) -> VirtualNetwork:
    """A virtual network from ARM's JSON."""
    properties = body.get("properties") or {}
    peerings = [one.get("properties") or {} for one in properties.get("virtualNetworkPeerings") or []]
    return VirtualNetwork(
        id=str(body.get("id") or ""),
        dns_servers=tuple(str(one) for one in (properties.get("dhcpOptions") or {}).get("dnsServers") or []),
        peerings=tuple(_peering(one) for one in peerings if str(one.get("peeringState")).lower() == "connected"),
        prefixes=_prefixes(properties.get("addressSpace")),
    )


def _peering(properties: Mapping[str, Any]) -> Peering:
    # The remote network's own address space, or what of it the peering takes; ARM shows both.
    spaces = (properties.get(name) for name in ("remoteVirtualNetworkAddressSpace", "remoteAddressSpace"))
    prefixes = next((found for space in spaces if (found := _prefixes(space))), ())
    return Peering(str((properties.get("remoteVirtualNetwork") or {}).get("id") or ""), prefixes)


def _prefixes(space: object) -> tuple[str, ...]:
    listed = space.get("addressPrefixes") if isinstance(space, Mapping) else None
    return tuple(str(prefix) for prefix in listed or ())


def _connection(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    # A connection by alias is a manual one, but both lists are read: which one ARM fills is its own affair.
    for name in ("manualPrivateLinkServiceConnections", "privateLinkServiceConnections"):
        for connection in properties.get(name) or []:
            if isinstance(connection, Mapping):
                return connection
    return {}


def _status(text: object) -> ConnectionStatus:
    for status in ConnectionStatus:
        if str(text).lower() == status.lower():
            return status
    return ConnectionStatus.UNKNOWN


def _vnet(subnet_id: object) -> str:
    try:
        return parse_arm_id(subnet_id).parent
    except InvalidInput:
        return ""


def address_of(nic: Mapping[str, Any]) -> str | None:
    """The primary private IPv4 address of a network interface's JSON."""
    configurations = ((nic.get("properties") or {}).get("ipConfigurations")) or []
    found = []
    for configuration in configurations:
        properties = (configuration or {}).get("properties") or {}
        if (properties.get("privateIPAddressVersion") or "IPv4") == "IPv4" and properties.get("privateIPAddress"):
            found.append((not properties.get("primary"), str(properties["privateIPAddress"])))
    return min(found)[1] if found else None


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)
