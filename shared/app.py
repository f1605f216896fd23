"""The composition root: builds the `Context` from the app settings, once per process. Called by the triggers.

Importing this module costs little and never fails; settings are checked when `start` is called, and an error in them is
logged in full and raised again to every trigger that needs them. A failing import would leave the app with no functions
at all, and nothing to say why.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from shared.clock import SystemClock
from shared.clouds.azure.arm import ArmClients, ArmOptions
from shared.clouds.azure.event_grid import Topic, TopicOptions
from shared.clouds.azure.private_dns import PrivateDns
from shared.clouds.azure.private_endpoints import PrivateEndpoints
from shared.clouds.elastic.hosted.client import HostedConnections
from shared.clouds.elastic.organizations import Organizations
from shared.clouds.elastic.transport import ElasticOptions
from shared.context import Context, log
from shared.core.model.errors import InvalidSettings
from shared.core.model.messages import QUEUE
from shared.core.model.organizations import DEFAULT
from shared.probe import Connection, Network
from shared.settings import DEFAULT_SCHEDULE, SCHEDULE_SETTING, Settings, load, misspelt
from shared.settings.schedule import is_schedule
from shared.state.connect import AzureStorage, storage_from_environment
from shared.state.leases import Leases
from shared.state.ports import Storage, WorkQueue

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def build(environ: Mapping[str, str]) -> Context:
    """Everything the app works with; raises InvalidSettings that lists all that is wrong. Opens no connection yet."""
    settings = load(environ)
    clock = SystemClock()
    clients = ArmClients(arm_options(settings), lambda: managed_identity(settings.azure.client_id or None))
    storage = storage_from_environment(environ, managed_identity, queue_name=QUEUE)
    leases = Leases(
        storage.connections,
        storage.control,
        storage.queue,
        clock,
        owner_id=f"{socket.gethostname()[:40]}/{os.getpid()}",
        ttl=settings.timing.lease_seconds,
    )
    return Context(
        settings=settings,
        clock=clock,
        endpoints=PrivateEndpoints(clients),
        dns=PrivateDns(clients),
        elastic=Organizations({one.organization: HostedConnections(one) for one in elastic_options(settings)}),
        storage=storage,
        leases=leases,
        network=_LazyNetwork(settings.health.name_server),
        topic=_topic(settings),
    )


def arm_options(settings: Settings) -> ArmOptions:
    """The part of the settings that the ARM clients need."""
    return ArmOptions(
        url=settings.azure.arm_url,
        audience=settings.azure.arm_audience,
        poll_interval=settings.timing.arm_poll,
        operation_wait=settings.timing.arm_wait,
        timeout=settings.timing.request_timeout,
    )


def elastic_options(settings: Settings) -> list[ElasticOptions]:
    """The part of the settings that the client of each Elastic Cloud organization needs: one address, a key each."""
    keys = {DEFAULT: settings.elastic.api_key} | {one.name: one.api_key for one in settings.organizations}
    return [
        ElasticOptions(
            url=settings.elastic.url,
            api_key=key,
            timeout=settings.timing.request_timeout,
            probe_port=settings.health.probe_port,
            organization=name,
        )
        for name, key in keys.items()
        if key
    ]


def topic_options(settings: Settings) -> TopicOptions:
    """The part of the settings that the topic of notifications needs."""
    return TopicOptions(
        url=settings.notify.topic_endpoint, source=f"/privatelink-autopilot/{settings.installation.instance_id}"
    )


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


@cache
def _built() -> Context | InvalidSettings:
    try:
        return build(os.environ)
    except InvalidSettings as error:
        log.error("%s", error)
        return error


@cache
def _built_storage() -> AzureStorage | None:
    try:
        return storage_from_environment(os.environ, managed_identity, queue_name=QUEUE)
    except InvalidSettings:
        return None


_provided: list[tuple[Context | InvalidSettings, Storage | None]] = []


@contextmanager
def provide(context: Context | InvalidSettings, storage: Storage | None = None) -> Iterator[None]:
    """For tests: the triggers get this context, or this error of the settings, until the `with` block ends.

    The environment is not read. `storage` is what `storage_alone` answers. An inner block goes before an outer one.
    """
    _provided.append((context, storage))
    try:
        yield
    finally:
        _provided.pop()


def forget() -> None:
    """For tests: drop what was built, so that the next trigger builds it from the environment as it is then."""
    _built.cache_clear()
    _built_storage.cache_clear()


def start() -> Context:
    """The process's context; raises InvalidSettings on every call while the settings are wrong."""
    context = _context()
    if isinstance(context, InvalidSettings):
        raise context
    return context


def storage_alone() -> Storage | None:
    """The storage by itself, for what must work while other settings are wrong; None where its own are, too."""
    return _provided[-1][1] if _provided else _built_storage()


def work_queue() -> WorkQueue:
    """The work queue, also while other settings are wrong; raises InvalidSettings where the storage's own are."""
    context = _context()
    if isinstance(context, Context):
        return context.storage.queue
    alone = storage_alone()
    if alone is None:
        raise context
    return alone.queue


def _context() -> Context | InvalidSettings:
    return _provided[-1][0] if _provided else _built()


def check_settings() -> None:
    """Log what is wrong with the settings; called once, when the app is loaded; raises nothing."""
    for near in misspelt(os.environ):
        log.warning("%s", near)
    try:
        load(os.environ)
    except InvalidSettings as error:
        log.error("%s", error)


def health_schedule() -> str:
    """The schedule of `check_health`, for its decorator; a wrong one is replaced so that the app still loads."""
    value = os.environ.get(SCHEDULE_SETTING, "").strip()
    return value if is_schedule(value) else DEFAULT_SCHEDULE
