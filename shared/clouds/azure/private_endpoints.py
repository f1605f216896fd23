"""Private endpoints, their interfaces and networks, read from ARM. Used by `observe`, `health.check` and the sweep.

The guide's step "copy the endpoint's name and resource GUID" is `get`: the GUID is in no published model of the API,
yet ARM answers it, so answers are read as JSON, not through the SDK's attributes.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Literal

from shared.clouds.azure.clients import NETWORK_API, ArmClients, arm_errors, arm_read_errors, body_of
from shared.core.model.arm_ids import ArmId, lower_case, parse_arm_id
from shared.core.model.errors import AutopilotError, InvalidInput, NotFound, RetryLater, UnusableAnswer
from shared.core.model.json_values import mapping, mappings, text, texts
from shared.core.model.resources import ConnectionStatus, Endpoint, Peering, VirtualNetwork
from shared.requests import SharedReads

log = logging.getLogger("privatelink")

ENDPOINTS_SHARED = 5.0
"""Seconds that a listing of endpoints is shared: what a new endpoint changes (S8) is not to be overlooked for long."""
NETWORKS_SHARED = 30.0


class PrivateEndpoints:
    """Reads private endpoints; never writes one: a write would cause an event, and the event another write."""

    def __init__(self, clients: ArmClients) -> None:
        self._clients = clients
        self._lists: SharedReads[str, tuple[Endpoint | None, ...]] = SharedReads()
        self._networks: SharedReads[str, dict[str, VirtualNetwork]] = SharedReads()

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
        endpoint = endpoint_of(body_of(answer))
        if endpoint is None:
            raise UnusableAnswer("Azure's answer about the private endpoint could not be used.", on=endpoint_id.text)
        return endpoint if endpoint.address else await self._with_address(endpoint)

    async def list(self, subscription_id: str) -> AsyncIterator[Endpoint | None]:
        """Every private endpoint of a subscription, page by page; addresses are not filled in.

        None stands for one that could not be read: then that an endpoint does not show says nothing of it.
        """
        client = await self._clients.network(subscription_id)
        with arm_errors("list private endpoints", f"/subscriptions/{subscription_id}"):
            async for answer in client.private_endpoints.list_by_subscription(api_version=NETWORK_API):
                yield endpoint_of(body_of(answer))

    async def listed(self, subscription_id: str) -> tuple[Endpoint | None, ...]:
        """The same for runs, which ask for it side by side: a burst of endpoints lists a subscription once."""

        async def ask() -> tuple[Endpoint | None, ...]:
            return tuple([one async for one in self.list(subscription_id)])

        return await self._lists.get(subscription_id, ask, lambda _: ENDPOINTS_SHARED)

    async def networks_listed(self, subscription_id: str) -> dict[str, VirtualNetwork]:
        """Every virtual network of a subscription, for runs; networks change seldom."""
        return await self._networks.get(
            subscription_id, lambda: self.networks(subscription_id), lambda _: NETWORKS_SHARED
        )

    async def addresses(self, subscription_id: str) -> dict[str, str]:
        """The address of every network interface of a subscription that has one, by lower-cased interface id."""
        client = await self._clients.network(subscription_id)
        found = {}
        with arm_errors("list network interfaces", f"/subscriptions/{subscription_id}"):
            async for answer in client.network_interfaces.list_all(api_version=NETWORK_API):
                nic = body_of(answer)
                address = address_of(nic)
                if address:
                    found[lower_case(text(nic.get("id")))] = address
        return found

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """A virtual network: whom it asks for names, what it is peered with. Raises InvalidInput for no ARM id."""
        wanted = parse_arm_id(vnet_id)
        client = await self._clients.network(wanted.subscription_id)
        with arm_read_errors("read the virtual network", wanted.text):
            answer = await client.virtual_networks.get(wanted.resource_group, wanted.name, api_version=NETWORK_API)
        return network_of({"id": wanted.text} | dict(body_of(answer)))

    async def network_if_readable(self, vnet_id: str) -> VirtualNetwork | None:
        """A virtual network; None: it cannot be read. What passes by itself is raised."""
        try:
            return await self.network(vnet_id)
        except RetryLater:
            raise
        except AutopilotError as error:
            log.info("virtual network %s not read: %s", vnet_id, error)
            return None

    async def networks(self, subscription_id: str) -> dict[str, VirtualNetwork]:
        """Every virtual network of a subscription, by its lower-cased id."""
        client = await self._clients.network(subscription_id)
        with arm_errors("list virtual networks", f"/subscriptions/{subscription_id}"):
            answers = client.virtual_networks.list_all(api_version=NETWORK_API)
            found = [network_of(body_of(answer)) async for answer in answers]
            return {lower_case(network.id): network for network in found if network.id}

    async def _with_address(self, endpoint: Endpoint) -> Endpoint:
        for nic_id in endpoint.nic_ids:
            nic = parse_arm_id(nic_id)
            client = await self._clients.network(nic.subscription_id)
            try:
                with arm_read_errors("read the endpoint's network interface", nic_id):
                    answer = await client.network_interfaces.get(nic.resource_group, nic.name, api_version=NETWORK_API)
            except NotFound:
                continue  # named by the endpoint before it can be read: the address is simply not there yet
            found = body_of(answer)
            endpoint = replace(endpoint, address=address_of(found), ipv6=address_of(found, 6) or endpoint.ipv6)
            if endpoint.address:
                return endpoint
        return endpoint


def endpoint_of(body: Mapping[str, Any]) -> Endpoint | None:
    """An endpoint from ARM's JSON; None where it lacks what every endpoint has.

    Without its service or its tags, an endpoint that lives would look like one that wants nothing. Some have no subnet;
    who knows the network of one takes an answer without it for none.
    """
    try:
        endpoint_id = parse_arm_id(body.get("id"))
    except InvalidInput:
        return None
    properties = mapping(body.get("properties"))
    connection = _connection(properties)
    state = mapping(connection.get("privateLinkServiceConnectionState"))
    nics = list(mappings(properties.get("networkInterfaces")))
    alias, vnet = text(connection.get("privateLinkServiceId")), _vnet(properties.get("subnet"))
    tags = _tags(body.get("tags"))
    if not alias or vnet is None or tags is None:
        return None
    return Endpoint(
        id=endpoint_id,
        name=text(body.get("name")) or endpoint_id.name,
        guid=text(properties.get("resourceGuid")) or text(properties.get("resourceGUID")),
        location=text(body.get("location")),
        provisioning_state=text(properties.get("provisioningState")),
        alias=alias,
        status=_status(state.get("status")),
        status_description=text(state.get("description"))[:200],
        vnet_id=vnet,
        nic_ids=tuple(found for nic in nics if (found := text(nic.get("id")))),
        address=_first(address_of(nic) for nic in nics),
        ipv6=_first(address_of(nic, 6) for nic in nics) or "",
        tags=tags,
        status_word=text(state.get("status"))[:40],
    )


def _tags(found: object) -> dict[str, str] | None:
    """The tags; None where they cannot be read. A resource without any has null there, or nothing."""
    tags = {} if found is None else found
    if not isinstance(tags, dict) or any(value != "" and not text(value) for value in tags.values()):
        return None
    return tags


def network_of(body: Mapping[str, Any]) -> VirtualNetwork:
    """A virtual network from ARM's JSON; without an id where it has none that can be read."""
    properties = mapping(body.get("properties"))
    peerings = [mapping(one.get("properties")) for one in mappings(properties.get("virtualNetworkPeerings"))]
    return VirtualNetwork(
        id=text(body.get("id")),
        dns_servers=texts(mapping(properties.get("dhcpOptions")).get("dnsServers")),
        peerings=tuple(_peering(one) for one in peerings if text(one.get("peeringState")).lower() == "connected"),
        prefixes=_prefixes(properties.get("addressSpace")),
    )


def _peering(properties: Mapping[str, Any]) -> Peering:
    # The remote network's own address space, or what of it the peering takes; ARM shows both.
    spaces = (properties.get(name) for name in ("remoteVirtualNetworkAddressSpace", "remoteAddressSpace"))
    prefixes = next((found for space in spaces if (found := _prefixes(space))), ())
    return Peering(text(mapping(properties.get("remoteVirtualNetwork")).get("id")), prefixes)


def _prefixes(space: object) -> tuple[str, ...]:
    return texts(mapping(space).get("addressPrefixes"))


def _connection(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of the connection to the service."""
    # A connection by alias is a manual one, but both lists are read: which one ARM fills is its own affair.
    for name in ("manualPrivateLinkServiceConnections", "privateLinkServiceConnections"):
        for connection in mappings(properties.get(name)):
            return mapping(connection.get("properties"))
    return {}


def _status(told: object) -> ConnectionStatus:
    for status in ConnectionStatus:
        if text(told).lower() == status.lower():
            return status
    return ConnectionStatus.UNKNOWN


def _vnet(subnet: object) -> str | None:
    """The network of a subnet; empty where there is none, None where it cannot be read."""
    if subnet is None:
        return ""
    try:
        return parse_arm_id(mapping(subnet).get("id")).parent
    except InvalidInput:
        return None


def address_of(nic: Mapping[str, Any], version: Literal[4, 6] = 4) -> str | None:
    """The primary private address of a network interface's JSON; clients are led to one of version 4."""
    found = []
    for configuration in mappings(mapping(nic.get("properties")).get("ipConfigurations")):
        properties = mapping(configuration.get("properties"))
        address = text(properties.get("privateIPAddress"))
        told = properties.get("privateIPAddressVersion") or "IPv4"
        if told == f"IPv{version}" and _is_address(address, version):
            found.append((not properties.get("primary"), address))
    return min(found)[1] if found else None


def _is_address(found: str, version: Literal[4, 6]) -> bool:
    try:
        return ip_address(found).version == version
    except ValueError:
        return False


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)
