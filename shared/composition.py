"""The composition root: builds the `Context` from the app settings. Called by `app`, once per process, and by tests.

A module of its own, because it imports all clouds and the state: `app` loads it when the first trigger asks for its
context, not when the host loads the app.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from shared.clock import Clock, ServiceClock, SystemClock
from shared.clouds.azure.clients import ArmClients, ArmOptions
from shared.clouds.azure.deciding_keys import DecidingKeys
from shared.clouds.azure.event_grid import Topic, TopicOptions
from shared.clouds.azure.private_dns import PrivateDns
from shared.clouds.azure.private_endpoints import PrivateEndpoints
from shared.clouds.azure.vault import Vault, VaultOptions
from shared.clouds.elastic.hosted.client import HostedConnections
from shared.clouds.elastic.serverless.client import ServerlessConnections
from shared.clouds.elastic.transport import ElasticOptions, FixedKey, KeySource, Organizations
from shared.clouds.elastic.vault_key import VaultKey
from shared.context import Context
from shared.core.model.messages import QUEUE
from shared.core.model.organizations import DEFAULT
from shared.core.model.services import Family
from shared.core.ports import PrivateConnections
from shared.probe import Connection, Network
from shared.settings import Settings, load, read_one
from shared.state.connect import AzureStorage, storage_from_environment
from shared.state.leases import Leases
from shared.state.read_budget import ReadBudget

if TYPE_CHECKING:
    import httpx
    from azure.core.credentials_async import AsyncTokenCredential


def build(environ: Mapping[str, str]) -> Context:
    """Everything the app works with; raises InvalidSettings that lists all that is wrong. Opens no connection yet."""
    settings = load(environ)
    clock = ServiceClock(SystemClock())
    storage = build_storage(environ, clock)
    budget = ReadBudget(storage.control, clock, settings.azure.dns_reads, settings.azure.dns_reads_left)
    credential = partial(managed_identity, settings.azure.client_id or None)
    clients = ArmClients(arm_options(settings), credential, budget=budget)
    vault = vault_of(settings)
    leases = Leases(
        storage.connections,
        storage.control,
        storage.queue,
        clock,
        owner_id=f"{socket.gethostname()[:40]}/{os.getpid()}",
    )
    return Context(
        settings=settings,
        clock=clock,
        endpoints=PrivateEndpoints(clients),
        dns=PrivateDns(clients),
        elastic=organizations(settings, clock, vault),
        storage=storage,
        leases=leases,
        budget=budget,
        network=_LazyNetwork(settings.health.name_server),
        sockets=asyncio.Semaphore(settings.health.sockets),
        deciding_keys=DecidingKeys(settings.callers.keys, vault, clock),
        topic=_topic(settings),
    )


def build_storage(environ: Mapping[str, str], clock: ServiceClock | None = None) -> AzureStorage:
    """The storage alone, whose answers tell the clock the time; raises InvalidSettings. Opens no connection yet."""
    request_sent = None if clock is None else clock.request_sent
    return storage_from_environment(environ, managed_identity, queue_name=QUEUE, request_sent=request_sent)


def arm_options(settings: Settings) -> ArmOptions:
    """The part of the settings that the ARM clients need."""
    return ArmOptions(
        url=settings.azure.arm_url,
        audience=settings.azure.arm_audience,
        poll_interval=settings.timing.arm_poll,
        operation_wait=settings.timing.arm_wait,
        timeout=settings.timing.request_timeout,
        tags=settings.dns.resource_tags,
    )


def elastic_options(settings: Settings) -> list[ElasticOptions]:
    """The part of the settings that the client of each Elastic Cloud organization needs: one address for all."""
    names = [DEFAULT] if settings.elastic.has_default_organization else []
    return [
        ElasticOptions(
            url=settings.elastic.url,
            timeout=settings.timing.request_timeout,
            probe_port=settings.health.probe_port,
            organization=name,
        )
        for name in (*names, *(one.name for one in settings.organizations))
    ]


def key_sources(settings: Settings, clock: Clock, vault: Vault | None) -> dict[str, KeySource]:
    """Where the key of each organization comes from: its setting, else the vault."""
    given = {DEFAULT: settings.elastic.api_key} | {one.name: one.api_key for one in settings.organizations}
    held = {name: key for name, key in given.items() if key}
    sources: dict[str, KeySource] = {}
    for name, key in given.items():
        if key:
            sources[name] = FixedKey(key, name)
        elif vault is not None:
            sources[name] = VaultKey(vault, name, clock, held)
    return sources


def organizations(
    settings: Settings, clock: Clock, vault: Vault | None, transport: httpx.AsyncBaseTransport | None = None
) -> Organizations:
    """The clients of each organization, one for each family of targets; both use one source of keys."""
    keys, clients = key_sources(settings, clock, vault), dict[tuple[str, Family], PrivateConnections]()
    for one in elastic_options(settings):
        name, key = one.organization, keys[one.organization]
        clients[name, Family.HOSTED] = HostedConnections(one, key, transport)
        clients[name, Family.SERVERLESS] = ServerlessConnections(one, key, transport)
    return Organizations(clients)


def vault_of(settings: Settings) -> Vault | None:
    """The vault with the keys, where the settings name one."""
    options = vault_options(settings)
    return None if options is None else Vault(options, lambda: managed_identity(settings.azure.client_id or None))


def vault_options(settings: Settings) -> VaultOptions | None:
    """The part of the settings that the vault needs."""
    elastic = settings.elastic
    if not elastic.key_vault_uri:
        return None
    return VaultOptions(elastic.key_vault_uri, settings.timing.request_timeout, elastic.key_vault_domain_check)


def topic_options(settings: Settings) -> TopicOptions:
    """The part of the settings that the topic of notifications needs."""
    return TopicOptions(url=settings.notify.topic_endpoint, source=_source(settings.installation.instance_id))


def build_topic(environ: Mapping[str, str]) -> Topic | None:
    """The topic of notifications alone; None where there is none, or its own settings are wrong."""
    url, instance = read_one(environ, "NOTIFY_TOPIC_ENDPOINT"), read_one(environ, "INSTANCE_ID")
    if not url or not instance:
        return None
    client_id = read_one(environ, "AZURE_CLIENT_ID")
    return Topic(TopicOptions(url=url, source=_source(instance)), lambda: managed_identity(client_id or None))


def _source(instance_id: str) -> str:
    return f"/privatelink-autopilot/{instance_id}"


def _topic(settings: Settings) -> Topic | None:
    if not settings.notify.topic_endpoint:
        return None
    return Topic(topic_options(settings), lambda: managed_identity(settings.azure.client_id or None))


def managed_identity(client_id: str | None) -> AsyncTokenCredential:
    """The platform's own identity, the only credential this app uses."""
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415 - imported when first used

    return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()


class _LazyNetwork(Network):
    """The network around the app; its libraries are loaded with the first test."""

    def __init__(self, name_server: tuple[str, int] | None) -> None:
        self._name_server = name_server
        self._network: Network | None = None

    def _real(self) -> Network:
        from shared.probe.sockets import SocketNetwork  # noqa: PLC0415 - imported when first used

        self._network = self._network or SocketNetwork(self._name_server)
        return self._network

    async def resolve(self, host: str) -> tuple[str, ...]:
        """As the network answers."""
        return await self._real().resolve(host)

    async def connect(self, address: str, port: int) -> Connection:
        """As the network connects."""
        return await self._real().connect(address, port)
