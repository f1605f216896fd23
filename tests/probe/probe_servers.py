"""Real servers on loopback for the probe's tests: a certificate authority, TLS servers and a name server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ZONE = "privatelink.eastus2.azure.elastic-cloud.com"
HOST = f"my-deployment.es.{ZONE}"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Authority:
    """A throw-away certificate authority that writes PEM files into one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Probe test CA")])
        self._usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        public = self._key.public_key()
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        certificate = (
            _builder(self._name, self._name, public, days=1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(self._usage, critical=True)
            .add_extension(self._identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, name: str, *, days: int = 1, self_signed: bool = False) -> ssl.SSLContext:
        """TLS for a server called `name`; negative `days` make a certificate that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        issuer, signer = (subject, key) if self_signed else (self._name, self._key)
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier)
        certificate = (
            _builder(subject, issuer, key.public_key(), days=days)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(authority, critical=False)
            .sign(signer, hashes.SHA256())
        )
        file = self._folder / f"server-{certificate.serial_number}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, *, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=10))
        .not_valid_after(now + dt.timedelta(days=days))
    )


@dataclass
class Server:
    """A listening server and what reached it."""

    port: int = 0
    server_names: list[str | None] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    all_closed: asyncio.Event = field(default_factory=asyncio.Event)


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, context: ssl.SSLContext | None = None, *, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Server]:
    """Serve `handler` on a loopback address; leaves when every connection is closed."""
    seen = Server()
    if context is not None:
        context.sni_callback = lambda _socket, name, _context: seen.server_names.append(name)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        seen.open += 1
        seen.all_closed.clear()
        seen.accepted.set()
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if context is not None:
                    seen.requests.append(await reader.readuntil(b"\r\n\r\n"))
                    seen.asked.set()
                await handler(reader, writer)
        finally:
            writer.transport.abort()
            seen.open -= 1
            if seen.open == 0:
                seen.all_closed.set()

    server = await asyncio.start_server(connected, address, port, ssl=context)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        if seen.open:  # every handler ends when its client has gone: a client that stays makes the test hang here
            async with asyncio.timeout(5):
                await seen.all_closed.wait()


def replying(answer: bytes) -> Handler:
    """A handler that answers each request with `answer`."""

    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return handler


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """A handler that listens and never says a word."""
    while await reader.read(4096):
        pass


def http(status: str, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP answer; `_` in header names stands for `-`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class NameServer(asyncio.DatagramProtocol):
    """A DNS server for one answer: addresses, an error code, an empty answer, or (None) silence."""

    def __init__(self, answer: tuple[str, ...] | dns.rcode.Rcode | None) -> None:
        self.answer = answer
        self.questions: list[str] = []
        self.address = ("127.0.0.1", 0)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # typeshed: base
        self._transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        self.questions.append(str(query.question[0]))
        if self.answer is None:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if isinstance(self.answer, dns.rcode.Rcode):
            response.set_rcode(self.answer)
        elif self.answer:
            response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", *self.answer))
        self._transport.sendto(response.to_wire(), addr)


@contextlib.asynccontextmanager
async def name_server(answer: tuple[str, ...] | dns.rcode.Rcode | None) -> AsyncIterator[NameServer]:
    """A name server on loopback."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(answer), local_addr=("127.0.0.1", 0)
    )
    try:
        yield protocol
    finally:
        transport.close()
        await asyncio.sleep(0)  # the transport closes its socket in the next turn of the loop
