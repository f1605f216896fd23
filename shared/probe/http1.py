"""One HTTP/1.1 exchange over an open stream. Called by `sockets`.

h11 does the protocol; an HTTP client library would follow redirects, look for proxies and credentials in the
environment and open connections of its own, all of which a probe must not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from shared.core.diagnosis import Failure
from shared.probe.model import Answer, Request, StageFailed

if TYPE_CHECKING:
    import asyncio

_CHUNK = 4096


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, body_limit: int
) -> Answer:
    """Send `request`; return its final answer with at most `body_limit` bytes of body."""
    protocol = h11.Connection(h11.CLIENT)
    head = h11.Request(method=request.method, target=request.path, headers=list(request.headers))
    writer.write((protocol.send(head) or b"") + (protocol.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    response: h11.Response | None = None
    body = b""
    try:
        while len(body) < body_limit:
            event = await _next_event(protocol, reader)
            if isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif not isinstance(event, h11.InformationalResponse):
                break
    except h11.RemoteProtocolError as error:
        if response is None:
            raise _no_answer(protocol, error) from error
        # A body that breaks off: the status is what the probe came for.
    if response is None:
        raise StageFailed(Failure.NO_ANSWER, "the other side closed the connection without an answer")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
    return Answer(response.status_code, headers, bytes(body[:body_limit]))


def _no_answer(protocol: h11.Connection, error: h11.RemoteProtocolError) -> StageFailed:
    """Silence and nonsense are different causes."""
    received, closed = protocol.trailing_data
    if closed and not received:
        return StageFailed(Failure.NO_ANSWER, "the other side closed the connection without an answer")
    return StageFailed(Failure.NOT_HTTP, str(error))


async def _next_event(protocol: h11.Connection, reader: asyncio.StreamReader) -> object:
    """The next thing the other side said; an end of the stream is fed to h11, which knows whether it may end there."""
    while True:
        event = protocol.next_event()
        if event is not h11.NEED_DATA:
            return event
        protocol.receive_data(await reader.read(_CHUNK))
