"""What a check needs to know besides what the probe saw: the networks around the endpoint. Used by `check`.

The networks are read from Azure only when they can explain something, because a read for every endpoint in every sweep
would be the one part of it that grows with their number: after a failed look-up or connection, once in `EXPLAINED` (a
sweep lists them once for all its checks); and once in `LOOKED_AT` for the endpoint's network alone, whose own name
servers may mislead its clients while the app, in its network, resolves everything well. The daily looks are spread over
the day by the connection's id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.context import Context, log
from shared.core.diagnosis import Evidence, Failure, Surroundings
from shared.core.model.errors import AutopilotError
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_health import LastReached, NetworkMemory
from shared.core.model.resources import VirtualNetwork

EXPLAINED = timedelta(minutes=15)
LOOKED_AT = timedelta(days=1)
_MINUTES_OF_A_DAY = 24 * 60
_UNEXPLAINED = frozenset(
    {
        Failure.NAME_NOT_FOUND,
        Failure.PUBLIC_ADDRESS,
        Failure.WRONG_ADDRESS,
        Failure.REFUSED,
        Failure.UNREACHABLE,
        Failure.CONNECT_TIMEOUT,
    }
)


class NetworkReader(Protocol):
    """Where virtual networks are read: one by one, or for all checks of a sweep together."""

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """One network; raises what the clouds raise."""
        ...


async def networks_around(
    context: Context, connection: ConnectionRecord, seen: Sequence[Evidence], reader: NetworkReader
) -> NetworkMemory | None:
    """What is known of the networks, read anew when it is time to; None: nothing is known."""
    known = (
        connection.health.network
        if connection.health.network and connection.health.network.vnet_id == connection.identity.vnet_id
        else None
    )
    failed = any(one.failure in _UNEXPLAINED for one in seen)
    now = context.clock.now()
    if not connection.identity.vnet_id or not _due(connection, known, now, failed=failed):
        return known
    app = context.settings.health.app_network
    own = app.lower() == connection.identity.vnet_id.lower()
    network, app_network = await asyncio.gather(
        _read(reader, connection.identity.vnet_id), _read(reader, app if failed and not own else "")
    )
    if own:
        app_network = network
    return NetworkMemory(
        vnet_id=connection.identity.vnet_id,
        read_at=now,
        dns_servers=network.own_dns_servers if network else (),
        peered=network.reaches(app) if network and app else None,
        app_dns_servers=app_network.own_dns_servers if app_network else (),
    )


def _due(connection: ConnectionRecord, known: NetworkMemory | None, now: datetime, *, failed: bool) -> bool:
    if failed:
        return known is None or now - known.read_at > EXPLAINED
    last = known.read_at if known else (connection.status.first_seen or now)
    spread = timedelta(minutes=int(connection.id[:8], 16) % _MINUTES_OF_A_DAY)
    return now - last > (LOOKED_AT if known else spread)


async def _read(reader: NetworkReader, vnet_id: str) -> VirtualNetwork | None:
    if not vnet_id:
        return None
    try:
        return await reader.network(vnet_id)
    except AutopilotError as error:
        # An explanation less: the check itself stands without it.
        log.info("virtual network %s not read: %s", vnet_id, error)
        return None


def surroundings(
    context: Context, connection: ConnectionRecord, networks: NetworkMemory | None, *, approved: bool
) -> Surroundings:
    """The facts for reading a probe of `connection`."""
    app = context.settings.health.app_network
    linked = {network.lower() for network in (connection.identity.vnet_id, *context.options.dns.link_vnets)}
    reached = connection.health.last_reached
    return Surroundings(
        approved=approved,
        reached_before=reached is not None
        and (reached.address, reached.network) == (connection.identity.address, app.lower()),
        peered=networks.peered if networks else None,
        app_linked=app.lower() in linked if app else None,
        app_network=app,
        network=connection.identity.vnet_id,
        app_dns_servers=networks.app_dns_servers if networks else (),
        dns_servers=networks.dns_servers if networks else (),
    )


def reached_now(context: Context, connection: ConnectionRecord, seen: Sequence[Evidence]) -> LastReached | None:
    """The memory of having reached the endpoint, refreshed by what was seen now."""
    if not any(one.connected for one in seen):
        return connection.health.last_reached
    return LastReached(connection.identity.address, context.settings.health.app_network.lower(), context.clock.now())
