"""The data plane on real sockets: TLS listeners on the endpoints' loopback addresses; opened by `Network`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from typing import TYPE_CHECKING

import h11

from local.network.addresses import DATA_PLANE_PORT
from local.network.data_plane import DataPlane, Dial

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic import ProxyAnswer
    from local.network.ca import CertificateAuthority

_LOG = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0


class Listeners:
    """One TLS listener for each endpoint that is open, and none else.

    This machine stands in the app's network: with `hub_vnet_id` an endpoint without a route from there is closed.
    """

    def __init__(self, plane: DataPlane, ca: CertificateAuthority, hub_vnet_id: str | None = None) -> None:
        self._plane = plane
        self._ca = ca
        self._hub_vnet_id = hub_vnet_id
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._open: dict[str, _Listener] = {}

    async def sync(self) -> None:
        """Close what lost its endpoint, open what has a new one."""
        reached = self._plane.open_endpoints(self._hub_vnet_id)
        wanted = {e.address: e.id for e in reached if e.address and _is_loopback(e.address)}
        for address, listener in list(self._open.items()):
            if wanted.get(address) != listener.endpoint_id:
                del self._open[address]
                listener.close()
        for address in wanted.keys() - self._open.keys():
            dial = self._plane.dial(address, DATA_PLANE_PORT)
            if dial is not None:
                await self._listen(address, dial)

    def close(self) -> None:
        """Close all."""
        for listener in self._open.values():
            listener.close()
        self._open.clear()

    async def _listen(self, address: str, dial: Dial) -> None:
        listener = _Listener(dial)
        try:
            await listener.open(address, self._context(dial.zone))
        except OSError as error:
            # Left closed: to clients it is "no route", and the next change tries again.
            _LOG.warning("cannot listen on %s:%s: %s", address, DATA_PLANE_PORT, error)
            return
        self._open[address] = listener

    def _context(self, zone: str) -> ssl.SSLContext:
        if zone not in self._contexts:
            self._contexts[zone] = self._ca.issue(Dial(self._plane, "", "", zone).certificate_names()).server_context()
        return self._contexts[zone]


class _Listener:
    """The socket of one endpoint."""

    def __init__(self, dial: Dial) -> None:
        self.endpoint_id = dial.endpoint_id
        self._dial = dial
        self._server: asyncio.Server | None = None
        self._closed = False
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, address: str, context: ssl.SSLContext) -> None:
        self._server = await asyncio.start_server(self._serve, address, DATA_PLANE_PORT, ssl=context)

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
