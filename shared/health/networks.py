"""Virtual networks for many checks at once: each subscription's are listed once, when first asked for. Used by sweeps.

A check that fails looks at the networks around it. When hundreds fail together, one by one would be hundreds of reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeVar

from shared.context import Context, log
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.errors import AutopilotError, Forbidden, NotFound, RetryLater
from shared.core.model.resources import VirtualNetwork

T = TypeVar("T")


class NetworkList:
    """Reads as `PrivateEndpoints.network` does, out of listings that are kept for one sweep."""

    def __init__(self, context: Context) -> None:
        self._endpoints = context.endpoints
        self._listings: dict[str, asyncio.Task[dict[str, VirtualNetwork]]] = {}
        self._single: dict[str, asyncio.Task[VirtualNetwork]] = {}

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """One network; raises NotFound, and what reading raises."""
        subscription = parse_arm_id(vnet_id).subscription_id
        try:
            listing = await self._listed(subscription)
        except Forbidden:
            # The app's own network may be in a subscription that is not watched: its role is on that network alone.
            return await _once(self._single, vnet_id.lower(), partial(self._endpoints.network, vnet_id))
        found = listing.get(vnet_id.lower())
        if found is None:
            raise NotFound("Azure lists no such virtual network.", on=vnet_id)
        return found

    async def all_of(self, subscriptions: Iterable[str]) -> tuple[VirtualNetwork, ...]:
        """Every network of these subscriptions, as far as they may be listed; what passes by itself is raised."""
        found: dict[str, VirtualNetwork] = {}
        for subscription in dict.fromkeys(subscriptions):
            try:
                found |= await self._listed(subscription)
            except RetryLater:
                raise
            except AutopilotError as error:
                log.info("virtual networks of subscription %s not read: %s", subscription, error)
        return tuple(found.values())

    async def _listed(self, subscription: str) -> dict[str, VirtualNetwork]:
        return await _once(self._listings, subscription, partial(self._endpoints.networks, subscription))


async def _once(tasks: dict[str, asyncio.Task[T]], key: str, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
    if key not in tasks:
        tasks[key] = asyncio.ensure_future(read())
    return await asyncio.shield(tasks[key])
