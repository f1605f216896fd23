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
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from local.network.dns import Found

_IDLE_SECONDS = 10.0
_PORT_TRIES = 20
Lookup = Callable[[str, str], Found]
"""From a name and a type of records to what the network sees."""


def respond(wire: bytes, lookup: Lookup, *, udp: bool = False) -> bytes | None:
    """The answer to one DNS message; None where there is to be none. Over UDP it may have to be cut short."""
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
    found = lookup(question.name.to_text(), dns.rdatatype.to_text(question.rdtype))
    if found.rcode == "TIMEOUT":
        return None
    response.set_rcode(dns.rcode.from_text(found.rcode))
    try:
        if question.rdclass == dns.rdataclass.IN:
            response.answer.extend(_rrsets(found, question.name))
    except (dns.exception.DNSException, ValueError):  # ARM keeps texts that are no record's data
        response.answer.clear()
        response.set_rcode(dns.rcode.SERVFAIL)
    try:
        return response.to_wire(max_size=max(512, min(query.payload, 1232)) if udp else 65535)
    except dns.exception.TooBig:
        response.answer.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()


def _rrsets(found: Found, asked: dns.name.Name) -> list[dns.rrset.RRset]:
    """One set for each name and type; the name that was asked for is spelled as it was."""
    sets: dict[tuple[str, str, int], list[str]] = {}
    for record in found.records:
        sets.setdefault((record.name, record.kind, record.ttl), []).append(record.text)
    spelled = {asked.to_text(omit_final_dot=True).lower(): asked}
    return [
        dns.rrset.from_text_list(spelled.get(name, dns.name.from_text(name)), ttl, "IN", kind, texts)
        for (name, kind, ttl), texts in sets.items()
    ]


class _Udp(asyncio.DatagramProtocol):
    """Datagrams in, datagrams out."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        # By asyncio's contract; the selector loop's class is no subclass of it in Python 3.11.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        answer = respond(data, self._lookup, udp=True)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


class NameServer:
    """One address with one view of the names."""

    def __init__(self, host: str, lookup: Lookup) -> None:
        self.host = host
        self.port = 0
        self._lookup = lookup
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
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self._lookup), local_addr=(self.host, port))
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
                answer = respond(query, self._lookup)
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()
