"""The data plane on real sockets: TLS listeners on the endpoints' loopback addresses; opened by `Network`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from functools import partial
from typing import TYPE_CHECKING, Protocol

import h11

from local.network.addresses import HTTPS_PORT
from local.network.ca import zone_names
from local.network.closed import Resetting, Silence
from local.network.data_plane import Closed, DataPlane, Dial

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic import ProxyAnswer
    from local.network.azure import EndpointView
    from local.network.ca import CertificateAuthority

_LOG = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0


class _Door(Protocol):
    """The sockets of one address."""

    async def open(self, address: str, port: int) -> None: ...

    def close(self) -> None: ...


class Listeners:
    """What each endpoint's address does: a TLS listener where it is open, else silence, a refusal or a reset.

    This machine stands in the app's network: with `app_vnet_id` an endpoint without a route from there is closed.
    """

    def __init__(self, plane: DataPlane, ca: CertificateAuthority, app_vnet_id: str | None = None) -> None:
        self._plane = plane
        self._ca = ca
        self.app_vnet_id = app_vnet_id
        self.https_port = HTTPS_PORT
        """The port that really is opened for 443."""
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._open: dict[str, tuple[tuple[str, str], _Door]] = {}
        """By address: what it is there for, and the sockets that do it."""

    async def sync(self) -> None:
        """Close what has lost its reason, open what has a new one."""
        wanted = {e.address: self._way(e) for e in self._plane.endpoints() if e.address and _is_loopback(e.address)}
        for address, (kind, door) in list(self._open.items()):
            if address not in wanted or wanted[address][0] != kind:
                del self._open[address]
                door.close()
        for address, (kind, met, port) in wanted.items():
            if address not in self._open:
                await self._start(address, port, kind, met)

    def close(self) -> None:
        """Close all."""
        for _, door in self._open.values():
            door.close()
        self._open.clear()

    def _way(self, endpoint: EndpointView) -> tuple[tuple[str, str], Dial | Closed, int]:
        met, port = self._plane.enter(endpoint, self.app_vnet_id), self._plane.ports(endpoint)[0]
        kind = "open" if isinstance(met, Dial) else met, endpoint.id
        return kind, met, self.https_port if port == HTTPS_PORT else port

    async def _start(self, address: str, port: int, kind: tuple[str, str], met: Dial | Closed) -> None:
        if met == "refused":  # an address on which nothing listens refuses by itself
            return
        door: _Door
        if isinstance(met, Dial):
            door = _Listener(met, self._context(met.zone))
        else:
            door = Resetting() if met == "reset" else Silence()
        try:
            await door.open(address, port)
        except OSError as error:
            # Left as it is: the next change tries again.
            _LOG.warning("cannot listen on %s:%s: %s", address, port, error)
            return
        self._open[address] = (kind, door)

    def _context(self, zone: str, asked: str | None = None) -> ssl.SSLContext:
        """A server's settings with the zone's certificate; a client that asks for a name gets that name's."""
        names = tuple(zone_names(zone, asked))
        if names not in self._contexts:
            self._contexts[names] = self._ca.issue(names).server_context()
            self._contexts[names].sni_callback = partial(self._choose, zone)
        return self._contexts[names]

    def _choose(self, zone: str, connection: ssl.SSLObject, asked: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._context(zone, asked)


class _Listener:
    """The socket of one endpoint."""

    def __init__(self, dial: Dial, context: ssl.SSLContext) -> None:
        self._dial = dial
        self._context = context
        self._server: asyncio.Server | None = None
        self._closed = False
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, address: str, port: int) -> None:
        self._server = await asyncio.start_server(self._serve, address, port, ssl=self._context)

    def close(self) -> None:
        self._closed = True
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:  # the handshake ended after the listener did
            writer.transport.abort()
            return
        self._writers.add(writer)
        with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
            await serve_http(reader, writer, self._dial.request)
        self._writers.discard(writer)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.close()
            await writer.wait_closed()


async def serve_http(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Callable[[str, str], ProxyAnswer]
) -> None:
    """Answer the requests of one connection, one after the other."""
    connection = h11.Connection(h11.SERVER)
    while True:
        try:
            request = await _read_request(connection, reader)
        except h11.RemoteProtocolError:
            return
        if request is None:
            return
        writer.write(_response(connection, request, answer))
        await writer.drain()
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _read_request(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The next request, its body read and thrown away; None when the client has gone."""
    request: h11.Request | None = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(_IDLE_SECONDS):
                connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.EndOfMessage):
            return request
        elif not isinstance(event, h11.Data):
            return None


def _response(connection: h11.Connection, request: h11.Request, answer: Callable[[str, str], ProxyAnswer]) -> bytes:
    host = next((value.decode("latin-1") for name, value in request.headers if name == b"host"), "")
    decided = answer(host, request.target.decode("latin-1"))
    body = decided.body.encode()
    headers = [(name, value) for name, value in decided.headers if name.lower() != "content-length"]
    headers.append(("Content-Length", str(len(body))))
    sent = connection.send(h11.Response(status_code=decided.status, headers=headers)) or b""
    if request.method != b"HEAD":
        sent += connection.send(h11.Data(data=body)) or b""
    return sent + (connection.send(h11.EndOfMessage()) or b"")


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
