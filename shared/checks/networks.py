"""Virtual networks for many checks at once: each subscription's are listed once, when first asked for. Used by sweeps.

A check that fails looks at the networks around it. When hundreds fail together, one by one would be hundreds of reads.
"""

from __future__ import annotations

import asyncio

from shared.context import Context
from shared.core.arm_ids import parse_arm_id
from shared.core.errors import NotFound
from shared.core.model import VirtualNetwork


class NetworkList:
    """Reads as `PrivateEndpoints.network` does, out of listings that are kept for one sweep."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listings: dict[str, asyncio.Task[dict[str, VirtualNetwork]]] = {}

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """One network; raises NotFound, and what the listing raises."""
        subscription = parse_arm_id(vnet_id).subscription_id
        if subscription not in self._listings:
            listing = self._context.endpoints.networks(subscription)
            self._listings[subscription] = asyncio.ensure_future(listing)
        found = (await asyncio.shield(self._listings[subscription])).get(vnet_id.lower())
        if found is None:
            raise NotFound("Azure lists no such virtual network.", on=vnet_id)
        return found
