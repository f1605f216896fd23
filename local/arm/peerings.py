"""Peerings of virtual networks, written one side at a time. Called by `app`; `networks` shows them inside a network.

A peering is Connected, and traffic flows, once both networks have their side of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.arm.context import Answer, Call, Context, Handler
from local.arm.errors import ArmError, bad_request
from local.arm.paging import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.arm.model import VirtualNetwork
    from local.arm.networks import Networks
    from local.arm.operations import Operations


class Peerings(Handler):
    """PUT, GET, DELETE and list of one network's side of its peerings."""

    def __init__(self, context: Context, operations: Operations, networks: Networks) -> None:
        self._context, self._operations, self._networks = context, operations, networks

    def get(self, call: Call) -> Answer:
        """Read one."""
        network = self._networks.find(call)
        name = network.peering(call.path.name)
        remote = network.peerings.get(name)
        if remote is None:
            raise ArmError(404, "NotFound", f"Resource {network.id}/virtualNetworkPeerings/{name} not found.")
        return Answer(200, self._networks.render_peering(network, name, remote))

    def list_all(self, call: Call) -> Answer:
        """All of a network."""
        network = self._networks.find(call)
        found = [self._networks.render_peering(network, *each) for each in network.peerings.items()]
        return page(call, found, self._context.settings.page_size)

    def put(self, call: Call) -> Answer:
        """Create or replace."""
        network = self._networks.find(call)
        remote = (call.properties().get("remoteVirtualNetwork") or {}).get("id")
        if not remote:
            raise bad_request("InvalidRequestFormat", "A peering needs a remote virtual network.")
        name = network.peering(call.path.name)
        known = name in network.peerings

        def finish() -> Callable[[], dict[str, Any]]:
            network.peerings[name] = remote
            self._context.changed()
            return lambda: self._networks.render_peering(network, name, remote)

        headers = self._begin(call, network, finish)
        return Answer(200 if known else 201, self._networks.render_peering(network, name, remote), headers)

    def delete(self, call: Call) -> Answer:
        """Remove this side; the other one stays and is no longer Connected."""
        network = self._networks.find(call)
        name = network.peering(call.path.name)
        if name not in network.peerings:
            return Answer(204)

        def finish() -> None:
            network.peerings.pop(name, None)
            self._context.changed()

        return Answer(202, None, self._begin(call, network, finish))

    def _begin(self, call: Call, network: VirtualNetwork, finish: Callable[[], Any]) -> dict[str, str]:
        seconds = self._context.settings.network_seconds
        return self._operations.network(call, network.location, seconds, finish, event=True)
