"""`SocketNetwork`: the network that the app itself is in. Made once at start and given to `probe`.

In Azure the app is integrated into a virtual network, so what it sees is what clients there see. Imported when the
first probe runs: ssl, h11 and dnspython are not worth their time in triggers that probe nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

from shared.core.diagnosis import Failure
from shared.probe.http1 import exchange
from shared.probe.model import Answer, Request, StageFailed
from shared.probe.resolver import Resolver

if TYPE_CHECKING:
    from shared.probe.model import Connection

_READ_LIMIT = 16 * 1024  # the reader pauses the other side at twice this: an endless answer takes no more memory


class SocketNetwork:
    """Real sockets. `nameserver` (address and port) replaces the system's resolver."""

    def __init__(self, nameserver: tuple[str, int] | None = None) -> None:
        self._resolver = Resolver(nameserver)
        self._tls: ssl.SSLContext | None = None

    async def resolve(self, host: str) -> tuple[str, ...]:
        """Every A record of `host`."""
        return await self._resolver.addresses(host)

    async def connect(self, address: str, port: int) -> Connection:
        """Open a TCP connection to an IPv4 address; no name is looked up here."""
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            plain.setblocking(False)
            await asyncio.get_running_loop().sock_connect(plain, (address, port))
        except BaseException:  # also when the stage's time is over: the socket must not outlive it
            plain.close()
            raise
        return SocketConnection(plain, self._context())

    def _context(self) -> ssl.SSLContext:
        """Full verification against the system's roots or those of SSL_CERT_FILE; read once, as it takes 20 ms."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


class SocketConnection:
    """One TCP connection, then TLS over it.

    The handshake has its own call on a socket that is already connected (and not StreamWriter.start_tls) so that each
    stage has its own clock and its own errors.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        self._plain = plain
        self._context = context
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def start_tls(self, host: str) -> None:
        """Shake hands; certificate chain and name are verified by the ssl module."""
        try:
            self._streams = await asyncio.open_connection(
                sock=self._plain, ssl=self._context, server_hostname=host, limit=_READ_LIMIT
            )
        except ssl.SSLError:  # before ValueError: a certificate's error is one of those too
            raise
        except ValueError as error:  # a name that cannot be a server name, such as one with an empty label
            raise StageFailed(Failure.PROBE_FAILED, str(error)) from error

    async def exchange(self, request: Request, body_limit: int) -> Answer:
        """One request, one answer."""
        if self._streams is None:
            raise StageFailed(Failure.TLS_FAILED, "no request is sent before TLS is established")
        return await exchange(*self._streams, request, body_limit)

    async def aclose(self) -> None:
        """Drop the connection. Nothing is awaited from the other side, which may well be hanging."""
        if self._streams is None:
            self._plain.close()
            return
        writer = self._streams[1]
        writer.transport.abort()
        with contextlib.suppress(OSError):  # the evidence already says why the connection died
            await writer.wait_closed()
