"""Private endpoints and their interfaces as ARM answers them. Called by `endpoints`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.connections import AUTOMATIC, MANUAL

if TYPE_CHECKING:
    from local.arm.model import PrivateEndpoint


IP_VERSIONS_SINCE = "2025-01-01"
"""The api-version that shows `ipVersionType`; which one was the first is not looked up, older descriptions lack it."""


def render_endpoint(
    endpoint: PrivateEndpoint, version: str = "", *, expand: bool = False, bare: bool = False
) -> dict[str, Any]:
    """The endpoint, with its interface in full or as a reference; `bare`: with neither interface nor subnet."""
    connection, field = endpoint.connection, MANUAL if endpoint.connection.manual else AUTOMATIC
    newer = {"ipVersionType": endpoint.reserved.version} if version >= IP_VERSIONS_SINCE else {}
    groups = [{"id": one} for one in endpoint.application_security_groups]
    placed = {} if bare else {"subnet": {"id": endpoint.subnet.id}}
    rendered = {
        "name": connection.name,
        "id": f"{endpoint.id}/{field}/{connection.name}",
        "etag": endpoint.etag,
        "type": f"Microsoft.Network/privateEndpoints/{field}",
        "properties": {
            "provisioningState": "Succeeded",
            "privateLinkServiceId": connection.service,
            "groupIds": connection.group_ids,
            **({"requestMessage": connection.request_message} if connection.request_message else {}),
            "privateLinkServiceConnectionState": {
                **({"status": connection.status} if connection.status else {}),
                "description": connection.description,
                "actionsRequired": connection.actions_required,
            },
        },
    }
    return {
        "name": endpoint.name,
        "id": endpoint.id,
        "etag": endpoint.etag,
        "type": "Microsoft.Network/privateEndpoints",
        "location": endpoint.location,
        "tags": endpoint.tags,
        "properties": {
            "provisioningState": endpoint.provisioning_state,
            "resourceGuid": endpoint.resource_guid,
            AUTOMATIC: [] if connection.manual else [rendered],
            MANUAL: [rendered] if connection.manual else [],
            "customNetworkInterfaceName": endpoint.custom_nic_name,
            **placed,
            **newer,
            **({"applicationSecurityGroups": groups} if groups else {}),
            "ipConfigurations": list(endpoint.reserved.configurations),
            "networkInterfaces": [] if bare else _interfaces(endpoint, expand=expand),
            "customDnsConfigs": [],
        },
    }


def _interfaces(endpoint: PrivateEndpoint, *, expand: bool) -> list[dict[str, Any]]:
    if not endpoint.has_nic:
        return []
    return [render_nic(endpoint) if expand else {"id": endpoint.nic.id}]


def render_nic(endpoint: PrivateEndpoint) -> dict[str, Any]:
    """The endpoint's network interface; without an address as long as there is none."""
    state = "Succeeded" if endpoint.address or endpoint.address6 else "Updating"
    return {
        "name": endpoint.nic.name,
        "id": endpoint.nic.id,
        "etag": endpoint.nic_etag,
        "type": "Microsoft.Network/networkInterfaces",
        "kind": "Regular",
        "location": endpoint.location,
        "properties": {
            "provisioningState": state,
            "resourceGuid": endpoint.nic_guid,
            "ipConfigurations": [_configuration(endpoint, state, *one) for one in _addresses(endpoint)],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "privateEndpoint": {"id": endpoint.id},
            "nicType": "Standard",
            "vnetEncryptionSupported": False,
        },
    }


def _addresses(endpoint: PrivateEndpoint) -> list[tuple[str, str | None, bool]]:
    """Version, address and whether it is the primary one, of each configuration of the interface."""
    version = endpoint.reserved.version
    ipv4 = [("IPv4", endpoint.address, True)] if version != "IPv6" else []
    return ipv4 + ([("IPv6", endpoint.address6, not ipv4)] if version != "IPv4" else [])


def _configuration(
    endpoint: PrivateEndpoint, state: str, version: str, address: str | None, primary: bool
) -> dict[str, Any]:
    name = f"privateEndpointIpConfig.{endpoint.resource_guid}{'' if primary else '.' + version.lower()}"
    asked = [one.get("properties") or {} for one in endpoint.reserved.configurations]
    static = next((one for one in asked if address and one.get("privateIPAddress") == address), None)
    return {
        "name": name,
        "id": f"{endpoint.nic.id}/ipConfigurations/{name}",
        "etag": endpoint.nic_etag,
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": {
            "provisioningState": state,
            **({"privateIPAddress": address} if address else {}),
            "privateIPAllocationMethod": "Dynamic" if static is None else "Static",
            "subnet": {"id": endpoint.subnet.id},
            "primary": primary,
            "privateIPAddressVersion": version,
            "privateLinkConnectionProperties": {
                "groupId": (static or {}).get("groupId") or "",
                "requiredMemberName": (static or {}).get("memberName") or "",
                "fqdns": [],
            },
        },
    }
