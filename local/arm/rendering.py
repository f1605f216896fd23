"""Private endpoints and their interfaces as ARM answers them. Called by `endpoints`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.connections import AUTOMATIC, MANUAL

if TYPE_CHECKING:
    from local.arm.model import PrivateEndpoint


def render_endpoint(endpoint: PrivateEndpoint, *, expand: bool = False) -> dict[str, Any]:
    """The endpoint, with its interface in full or as a reference."""
    connection, field = endpoint.connection, MANUAL if endpoint.connection.manual else AUTOMATIC
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
                "status": connection.status,
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
            "subnet": {"id": endpoint.subnet.id},
            "ipConfigurations": [],
            "networkInterfaces": _interfaces(endpoint, expand=expand),
            "customDnsConfigs": [],
        },
    }


def _interfaces(endpoint: PrivateEndpoint, *, expand: bool) -> list[dict[str, Any]]:
    if not endpoint.has_nic:
        return []
    return [render_nic(endpoint) if expand else {"id": endpoint.nic.id}]


def render_nic(endpoint: PrivateEndpoint) -> dict[str, Any]:
    """The endpoint's network interface; without an address as long as there is none."""
    name = f"privateEndpointIpConfig.{endpoint.resource_guid}"
    configuration = {
        "provisioningState": "Succeeded" if endpoint.address else "Updating",
        **({"privateIPAddress": endpoint.address} if endpoint.address else {}),
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": endpoint.subnet.id},
        "primary": True,
        "privateIPAddressVersion": "IPv4",
        "privateLinkConnectionProperties": {"groupId": "", "requiredMemberName": "", "fqdns": []},
    }
    return {
        "name": endpoint.nic.name,
        "id": endpoint.nic.id,
        "etag": endpoint.nic_etag,
        "type": "Microsoft.Network/networkInterfaces",
        "kind": "Regular",
        "location": endpoint.location,
        "properties": {
            "provisioningState": "Succeeded" if endpoint.address else "Updating",
            "resourceGuid": endpoint.nic_guid,
            "ipConfigurations": [
                {
                    "name": name,
                    "id": f"{endpoint.nic.id}/ipConfigurations/{name}",
                    "etag": endpoint.nic_etag,
                    "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
                    "properties": configuration,
                }
            ],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "privateEndpoint": {"id": endpoint.id},
            "nicType": "Standard",
            "vnetEncryptionSupported": False,
        },
    }
