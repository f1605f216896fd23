"""Virtual networks, read for health checks: those around one check, and for a sweep all of a subscription at once.

A check that fails looks at the networks around it. When hundreds fail together, one by one would be hundreds of reads:
`NetworkList` lists each subscription's once, when they are first asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Protocol, TypeVar

from shared.context import Context, log
from shared.core.model.arm_ids import lower_case, parse_arm_id
from shared.core.model.errors import AutopilotError, Forbidden, NotFound, RetryLater
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import NetworkMemory
from shared.core.model.resources import VirtualNetwork
from shared.core.planning.name_resolution import resolution_of

T = TypeVar("T")


class NetworkReader(Protocol):
    """Where virtual networks are read: one by one, or for all checks of a sweep together."""

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """One network; raises what the clouds raise."""
        ...


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
            return await _once(self._single, lower_case(vnet_id), partial(self._endpoints.network, vnet_id))
        found = listing.get(lower_case(vnet_id))
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


async def read_networks(context: Context, connection: ConnectionRecord, reader: NetworkReader) -> NetworkMemory:
    """What is to be known of the networks that endpoint and app are in; of one that cannot be read, nothing."""
    app, now = context.settings.health.app_network, context.clock.now()
    own = lower_case(app) == lower_case(connection.identity.vnet_id)
    network, app_network = await asyncio.gather(
        _read(reader, connection.identity.vnet_id), _read(reader, "" if own else app)
    )
    if own:
        app_network = network
    answered_by = None
    if app_network is not None:
        found = resolution_of(app, app_network, [network] if network else [])
        answered_by = found.networks if found.complete else None
    return NetworkMemory(
        vnet_id=connection.identity.vnet_id,
        read_at=now,
        dns_servers=network.own_dns_servers if network else (),
        peered=network.reaches(app) if network and app else None,
        app_network=lower_case(app),
        app_dns_servers=app_network.own_dns_servers if app_network else (),
        app_answered_by=answered_by,
    )


async def _read(reader: NetworkReader, vnet_id: str) -> VirtualNetwork | None:
    if not vnet_id:
        return None
    try:
        return await reader.network(vnet_id)
    except AutopilotError as error:
        # An explanation less: the check itself stands without it.
        log.info("virtual network %s not read: %s", vnet_id, error)
        return None
