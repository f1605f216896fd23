"""Addresses that do not answer, on real sockets: one that swallows connections, one that resets them.

Opened by `local.network.listeners`. A loopback address that is free refuses at once, which tells of a firewall; where
there is no route a client waits until its patience ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

_HELLO_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a close that is a reset."""


class Silence:
    """Connections time out: nothing accepts them, and the one place in the queue of those that wait is taken."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    async def open(self, address: str, port: int) -> None:
        """Swallow connections to this address."""
        listening, filling = (socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(2))
        self._sockets = [listening, filling]
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for one in self._sockets:
            one.setblocking(False)
        try:
            listening.bind((address, port))
            listening.listen(0)
            await asyncio.get_running_loop().sock_connect(filling, (address, port))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let the address go."""
        for one in self._sockets:
            one.close()


class Resetting:
    """Connections open, and are reset when TLS begins."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, address: str, port: int) -> None:
        """Reset connections to this address."""
        self._server = await asyncio.start_server(self._serve, address, port)

    def close(self) -> None:
        """Let the address go."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_HELLO_SECONDS):
                await reader.read(1)
        self._writers.discard(writer)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
