"""All resources of this Azure together: listed, removed with their group, or moved to another one. Built by `cloud`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from local.arm.errors import ArmError
from local.arm.group_actions import Contents
from local.arm.model import PrivateDnsZone, PrivateEndpoint, Resource, VirtualNetwork, VirtualNetworkLink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.arm.endpoints import NetworkInterfaces
    from local.arm.settings import ArmSettings
    from local.arm.store import Store


@dataclass(frozen=True)
class Estate:
    """The stores of the cloud."""

    settings: ArmSettings
    networks: Store[VirtualNetwork]
    endpoints: Store[PrivateEndpoint]
    zones: Store[PrivateDnsZone]
    links: Store[VirtualNetworkLink]
    interfaces: NetworkInterfaces

    def contents(self) -> Contents:
        """For the groups, which delete and move what is in them."""
        return Contents(self._tracked, self._remove, self._move, self._check_move)

    def resources(self) -> Iterable[Resource]:
        """Everything, the interfaces of endpoints too."""
        interfaces = (Resource(path=one.nic, etag=one.nic_etag, location=one.location) for one in self.endpoints)
        return [*self.networks, *self.endpoints, *interfaces, *self.zones, *self.links]

    def _tracked(self) -> Iterable[Resource]:
        """In the order in which a group lets them go: what is used by others last."""
        return [*self.links, *self.zones, *self.endpoints, *self.networks]

    def _remove(self, resource: Resource) -> bool:
        if isinstance(resource, VirtualNetwork) and self._endpoints_of(resource):
            return False
        if isinstance(resource, PrivateEndpoint):
            self.interfaces.remove(resource)
        for store in self._stores():
            if store.get(resource.id) is resource:
                store.remove(resource)
        return True

    def _check_move(self, resource: Resource) -> None:
        """An endpoint by alias cannot be moved, nor a network with an endpoint or a peering, nor a link alone."""
        fixed = isinstance(resource, PrivateEndpoint | VirtualNetworkLink)
        used = isinstance(resource, VirtualNetwork) and (self._endpoints_of(resource) or resource.peerings)
        if fixed or used:
            raise ArmError(
                409,
                "ResourceMoveProviderValidationFailed",
                f"Resource move validation failed. Resource {resource.id} cannot be moved, or is in use by resources "
                "that are not moved with it.",
            )

    def _move(self, resource: Resource, subscription: str, group: str) -> None:
        parts: list[Resource] = [resource]
        if isinstance(resource, PrivateDnsZone):
            parts += [one for one in self.links if one.path.parent.id.lower() == resource.id.lower()]
        before = resource.id
        for part in parts:
            store = next(store for store in self._stores() if store.get(part.id) is part)
            store.rename(part, replace(part.path, subscription_id=subscription, resource_group=group))
        if isinstance(resource, VirtualNetwork) and self.settings.moved_network == "followed":
            for link in self.links:
                if link.vnet.id.lower() == before.lower():
                    link.vnet = resource.path

    def _endpoints_of(self, network: VirtualNetwork) -> list[PrivateEndpoint]:
        return [one for one in self.endpoints if one.vnet_id.lower() == network.id.lower()]

    def _stores(self) -> list[Store[Any]]:
        return [self.networks, self.endpoints, self.zones, self.links]
