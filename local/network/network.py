"""The network as one object: what `local.simulators` builds and starts, and what tests ask without sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from local.network.addresses import AddressPlan, https_port
from local.network.data_plane import Closed, DataPlane, Dial
from local.network.dns import Answer, Public, Resolver, public_names
from local.network.inside import InsideNetwork
from local.network.listeners import Listeners
from local.network.name_server import NameServer
from local.network.routes import Routes
from local.network.settings import NetworkSettings, NoRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.clock import LoopClock
    from local.network.azure import Azure, Elastic, VirtualNetworkView
    from local.network.ca import CertificateAuthority


_LOG = logging.getLogger(__name__)


class Network:
    """Names and addresses of all virtual networks.

    Making it gives ARM its allocator of addresses, so that every endpoint has a loopback address of its own.
    `app_vnet_id` is the network that the app is in: the default name server answers as that network sees the world.
    """

    def __init__(
        self,
        clock: LoopClock,
        *,
        arm: Azure,
        elastic: Elastic,
        ca: CertificateAuthority,
        zones: Iterable[str],
        loopback_prefix: str = "127.77.0.0/16",
        app_vnet_id: str | None = None,
        public: Public | None = None,
        settings: NetworkSettings | None = None,
    ) -> None:
        zones = list(zones)
        self.settings = settings or NetworkSettings()
        """Routes, firewalls and name servers that Azure has no property for."""
        self.addresses, self._prefix = AddressPlan(loopback_prefix), loopback_prefix
        self._clock = clock
        self._arm = arm
        self._routes = Routes(arm, self.settings)
        self._resolver = Resolver(arm, public or public_names(zones), self.settings, self._network_of)
        self._plane = DataPlane(arm, elastic, zones, self._routes, self.settings)
        self._listeners = Listeners(self._plane, ca, app_vnet_id)
        self._default: NameServer | None = None
        self._name_servers: dict[str, NameServer] = {}
        self._changed = asyncio.Event()
        self._syncing = asyncio.Lock()
        self._follower: asyncio.Task[None] | None = None
        arm.settings.allocate_address = self._allocate

    # In-process: the same answers without sockets.

    def resolve(self, vnet_id: str | None, name: str) -> Answer:
        """A records of a name, as that network sees it; None is the internet."""
        return self._resolver.resolve(vnet_id, name)

    def dial(self, address: str, port: int, *, from_vnet: str | None = None) -> Dial | None:
        """Connect to an endpoint's address, out of one network or wherever it can be reached; None: it fails."""
        met = self._plane.dial(address, port, from_vnet=from_vnet)
        return met if isinstance(met, Dial) else None

    def attempt(self, address: str, port: int, *, from_vnet: str | None = None) -> Dial | Closed:
        """The same, with what a client meets where it fails: silence, a refusal, a reset."""
        return self._plane.dial(address, port, from_vnet=from_vnet)

    @property
    def no_route(self) -> NoRoute:
        """What a client in a network meets where there is no route; tests set it."""
        return self.settings.no_route

    @no_route.setter
    def no_route(self, value: NoRoute) -> None:
        self.settings.no_route = value

    @property
    def broken(self) -> set[str]:
        """Addresses that do not answer though the endpoint is approved; tests add to it and take away."""
        return self._plane.broken

    @property
    def intercepted(self) -> dict[str, list[str]]:
        """Addresses where something in between answers, with the names of its certificate; without sockets only."""
        return self._plane.intercepted

    async def break_way(self, address: str, *, broken: bool) -> None:
        """Let an endpoint's address answer no more, or answer again; on sockets too, where they are open."""
        (self.broken.add if broken else self.broken.discard)(address)
        await self.follow_settings()

    async def follow_settings(self) -> None:
        """Bring sockets, where they are open, in line with settings that were changed."""
        if self._default is not None:
            await self.sync()

    def inside(self, vnet_id: str | None) -> InsideNetwork:
        """That network for the product's probe."""
        return InsideNetwork(self, vnet_id)

    # On sockets.

    @property
    def app_vnet_id(self) -> str | None:
        """The network that this machine stands in; sockets follow at the next `sync`."""
        return self._listeners.app_vnet_id

    @app_vnet_id.setter
    def app_vnet_id(self, vnet_id: str | None) -> None:
        self._listeners.app_vnet_id = vnet_id

    @property
    def https_port(self) -> int:
        """The port that stands for 443: another one where this user may not listen there. Known once it is started."""
        return self._listeners.https_port

    @property
    def dns_address(self) -> tuple[str, int]:
        """Host and port of the default name server, which sees what the app's network sees."""
        if self._default is None:
            raise RuntimeError("the network is not started")
        return self._default.host, self._default.port

    def dns_address_of(self, vnet_id: str) -> tuple[str, int]:
        """Host and port of a virtual network's own name server."""
        return self.addresses.name_server(vnet_id), self.dns_address[1]

    async def start(self, *, dns_host: str = "127.0.0.1", dns_port: int = 0) -> None:
        """Open name servers and listeners, and follow ARM's changes from here on."""
        self._default = NameServer(dns_host, lambda name, kind: self._resolver.lookup(self.app_vnet_id, name, kind))
        await self._default.open(dns_port)
        self._listeners.https_port = https_port(self._prefix)
        self._arm.changes.append(self._changed.set)
        self._arm.listeners.append(self._on_event)
        await self.sync()
        self._follower = asyncio.create_task(self._follow(), name="network: follow ARM")

    async def stop(self) -> None:
        """Close everything."""
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
            self._follower = None
            self._arm.changes.remove(self._changed.set)
            self._arm.listeners.remove(self._on_event)
        self._listeners.close()
        for server in self._name_servers.values():
            server.close()
        self._name_servers.clear()
        if self._default is not None:
            self._default.close()
            self._default = None
        # Closed transports let go of their sockets in the loop's next round.
        await self._clock.sleep(0)

    async def sync(self) -> None:
        """Bring sockets in line with ARM now; done by itself after every change."""
        async with self._syncing:
            await self._sync_name_servers()
            await self._listeners.sync()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.sync()

    async def _sync_name_servers(self) -> None:
        wanted = {vnet.id.lower() for vnet in self._arm.virtual_networks()}
        for vnet_id in self._name_servers.keys() - wanted:
            self._name_servers.pop(vnet_id).close()
        for vnet_id in sorted(wanted - self._name_servers.keys()):
            address, port = self.dns_address_of(vnet_id)
            server = NameServer(address, partial(self._resolver.lookup, vnet_id))
            try:
                await server.open(port)
            except OSError as error:
                # The network goes without its own name server; the next change tries again.
                _LOG.warning("no name server on %s:%s: %s", address, port, error)
                continue
            self._name_servers[vnet_id] = server

    def _on_event(self, _event: Any) -> None:
        self._changed.set()

    def _network_of(self, server: str, asking: str) -> str | None:
        """The network that a name server is in: by its loopback address here, or by ARM's address spaces."""
        return self.addresses.vnet_of_name_server(server) or self._routes.network_of(server, asking)

    def _allocate(self, vnet: VirtualNetworkView) -> str:
        return self.addresses.allocate(vnet.id)
