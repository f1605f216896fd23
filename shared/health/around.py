"""What is known around a health check: the networks, whether the zone serves the app's own, what was reached before.

Called by `check`. Networks are read to explain a check that failed, and once a day; not for every check.
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
from shared.core.planning.name_resolution import resolution_of

EXPLAINED = timedelta(minutes=15)
LOOKED_AT = timedelta(days=1)
_MINUTES_OF_A_DAY = 24 * 60
_UNEXPLAINED = frozenset(
    {
        Failure.NAME_NOT_FOUND,
        Failure.PUBLIC_ADDRESS,
        Failure.WRONG_ADDRESS,
        Failure.REFUSED,
        Failure.RESET,
        Failure.UNREACHABLE,
        Failure.CONNECT_TIMEOUT,
    }
)


class NetworkReader(Protocol):
    """Where virtual networks are read: one by one, or for all checks of a sweep together."""

    async def network(self, vnet_id: str) -> VirtualNetwork:
        """One network; raises what the clouds raise."""
        ...


def known_networks(context: Context, connection: ConnectionRecord) -> NetworkMemory | None:
    """What was read of the networks that endpoint and app are in now; None: nothing."""
    known = connection.health.network
    now = (connection.identity.vnet_id, context.settings.health.app_network.lower())
    return known if known is not None and (known.vnet_id, known.app_network) == now else None


def app_is_served(context: Context, connection: ConnectionRecord, known: NetworkMemory | None) -> bool:
    """Whether the zone answers in the app's own network, so that what it resolves is what clients resolve.

    It is where every network that answers the app's names is linked to the zone. What is not known counts as not.
    """
    app = context.settings.health.app_network.lower()
    resolution = connection.dns.resolution
    if app and app == connection.identity.vnet_id.lower():
        answering = resolution.networks if resolution is not None and resolution.complete else None
    else:
        answering = known.app_answered_by if app and known is not None else None
    return bool(answering) and {network.lower() for network in answering or ()} <= set(connection.dns.linked)


async def networks_around(
    context: Context,
    connection: ConnectionRecord,
    seen: Sequence[Evidence],
    reader: NetworkReader,
    *,
    anyway: bool = False,
) -> NetworkMemory | None:
    """What is known of the networks, read anew when it is time to, or `anyway`; None: nothing is known."""
    known = known_networks(context, connection)
    failed = any(one.failure in _UNEXPLAINED for one in seen)
    now = context.clock.now()
    if not connection.identity.vnet_id or not (anyway or _due(connection, known, now, failed=failed)):
        return known
    app = context.settings.health.app_network
    own = app.lower() == connection.identity.vnet_id.lower()
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
        app_network=app.lower(),
        app_dns_servers=app_network.own_dns_servers if app_network else (),
        app_answered_by=answered_by,
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
    reached = connection.health.last_reached
    return Surroundings(
        approved=approved,
        reached_before=reached is not None
        and (reached.address, reached.network) == (connection.identity.address, app.lower()),
        peered=networks.peered if networks else None,
        app_network=app,
        network=connection.identity.vnet_id,
    )


def reached_now(context: Context, connection: ConnectionRecord, seen: Sequence[Evidence]) -> LastReached | None:
    """The memory of having reached the endpoint, refreshed by what was seen now."""
    if not any(one.connected for one in seen):
        return connection.health.last_reached
    return LastReached(connection.identity.address, context.settings.health.app_network.lower(), context.clock.now())
