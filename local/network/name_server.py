"""Name servers on loopback, UDP and TCP: one for each virtual network and one for the app; opened by `Network`."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from local.network.dns import Answer

TTL = 10
_IDLE_SECONDS = 10.0
_PORT_TRIES = 20
Resolve = Callable[[str], Answer]


def respond(wire: bytes, resolve: Resolve, *, udp: bool = False) -> bytes | None:
    """The answer to one DNS message; None to one that deserves none. Over UDP it may have to be cut short."""
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return None
    if query.flags & dns.flags.QR:
        return None
    response = dns.message.make_response(query, recursion_available=True)
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        response.set_rcode(dns.rcode.NOTIMP)
        return response.to_wire()
    question = query.question[0]
    answer = resolve(question.name.to_text())
    response.set_rcode(dns.rcode.from_text(answer.rcode))
    if question.rdtype == dns.rdatatype.A and question.rdclass == dns.rdataclass.IN and answer.addresses:
        response.answer.append(dns.rrset.from_text_list(question.name, TTL, "IN", "A", list(answer.addresses)))
    try:
        return response.to_wire(max_size=max(512, min(query.payload, 1232)) if udp else 65535)
    except dns.exception.TooBig:
        response.answer.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()


class _Udp(asyncio.DatagramProtocol):
    """Datagrams in, datagrams out."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        # By asyncio's contract; the selector loop's class is no subclass of it in Python 3.11.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        answer = respond(data, self._resolve, udp=True)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


class NameServer:
    """One address with one view of the names."""

    def __init__(self, host: str, resolve: Resolve) -> None:
        self.host = host
        self.port = 0
        self._resolve = resolve
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, port: int = 0) -> None:
        """Listen on this port, or on one that is free for both protocols."""
        for attempt in range(_PORT_TRIES):
            try:
                await self._bind(port)
            except OSError:
                self.close()
                if port or attempt == _PORT_TRIES - 1:
                    raise
            else:
                return

    async def _bind(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self._resolve), local_addr=(self.host, port))
        self.port = self._udp.get_extra_info("sockname")[1]
        self._tcp = await asyncio.start_server(self._serve, self.host, self.port)

    def close(self) -> None:
        """Stop listening."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._udp = self._tcp = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    query = await reader.readexactly(length)
                answer = respond(query, self._resolve)
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()
