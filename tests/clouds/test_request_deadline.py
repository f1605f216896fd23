"""A request ends at its deadline, over real sockets: also when the service sends a byte now and then for ever."""

from __future__ import annotations

import asyncio
import socketserver
import threading
import time
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceResponseError
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

from shared.clouds.azure.vault import Vault, VaultOptions
from shared.clouds.elastic.transport import ElasticOptions, ElasticTransport, FixedKey
from shared.core.model.errors import AnswerLost, RetryLater
from shared.core.model.organizations import DEFAULT
from shared.requests import azure_transport, request_deadline
from shared.state import azure_queue, azure_tables
from shared.state.connect import AzureStorage
from shared.state.rows import ControlRow
from shared.state.storage_settings import StorageSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.looptime(False)

DEADLINE = 0.4
BY_FAR = 60.0
"""Seconds, on however busy a machine: without a deadline the answers drip for an hour, and a test fails then."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
DRIPS = {"body": HEAD + b"\r\n", "head": HEAD, "nothing": b""}
"""What a service sends at once; the rest comes a byte at a time."""


@asynccontextmanager
async def dripping(at_once: bytes) -> AsyncIterator[int]:
    """The port of a service whose answers never end, though no single read waits long.

    In threads of its own, which close each connection also where a busy machine takes it only when the test is over.
    """
    closing = threading.Event()
    drop = b" " if at_once.endswith(b"\r\n\r\n") else b"x" if at_once else b""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(DEADLINE / 8)
            with suppress(OSError):
                while not closing.is_set() and not self._asked():
                    pass
                self.request.sendall(at_once)
                while not closing.wait(DEADLINE / 8):
                    self.request.sendall(drop)

        def _asked(self) -> bool:
            try:
                if self.request.recv(1 << 16):
                    return True
            except TimeoutError:
                return False
            raise ConnectionError("the client gave up")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            closing.set()
            await asyncio.to_thread(server.shutdown)
            thread.join()


@pytest.fixture(params=DRIPS)
def at_once(request: pytest.FixtureRequest) -> bytes:
    return DRIPS[request.param]


class Token:
    async def get_token(self, *_: Any, **__: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    async def close(self) -> None:
        pass


async def test_elastic_cloud_is_given_up_in_time(at_once: bytes) -> None:
    async with dripping(at_once) as port:
        transport = ElasticTransport(
            ElasticOptions(f"http://127.0.0.1:{port}", timeout=DEADLINE), FixedKey("key", DEFAULT)
        )
        async with asyncio.timeout(BY_FAR), aclosing(transport):
            # On a busy machine the time may be over before there is a connection: then no answer was lost.
            with pytest.raises(RetryLater, match="list"):
                await transport.call("GET", "/deployments", doing="list", on="deployments")


async def test_azure_is_given_up_in_time(at_once: bytes) -> None:
    """Through the SDK's own pipeline, with the transport that every client of ours has."""
    async with dripping(at_once) as port:
        client = PrivateDnsManagementClient(
            Token(),
            "0" * 8,
            base_url=f"http://127.0.0.1:{port}",
            transport=azure_transport(DEADLINE),
            retry_total=0,
            enforce_https=False,
        )
        async with asyncio.timeout(BY_FAR), client:
            with pytest.raises(ServiceResponseError):
                await client.private_zones.get("group", "zone", enforce_https=False)


@pytest.mark.parametrize("call", ["secret", "names"])
async def test_the_vault_is_given_up_in_time(call: str, at_once: bytes) -> None:
    """Its SDK signs in over TLS only; the local service has none."""

    def unencrypted() -> Any:
        transport = azure_transport(DEADLINE)
        send = transport.send

        async def plainly(request: Any, **config: Any) -> Any:
            request.url = request.url.replace("https://", "http://")
            return await send(request, **config)

        transport.send = plainly
        return transport

    async with dripping(at_once) as port:
        vault = Vault(VaultOptions(f"https://127.0.0.1:{port}", timeout=DEADLINE), Token, unencrypted)
        async with asyncio.timeout(BY_FAR), aclosing(vault):
            with pytest.raises(RetryLater, match="in time"):
                await getattr(vault, call)("elastic-api-key")


@pytest.mark.parametrize("call", ["get", "list", "put", "send"])
async def test_storage_is_given_up_in_time(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (azure_tables, azure_queue):
        monkeypatch.setattr(module, "REQUEST_SECONDS", DEADLINE)
    async with dripping(DRIPS["body"]) as port:
        url = f"http://127.0.0.1:{port}/acct"
        text = f"AccountName=acct;AccountKey=c2VjcmV0LWtleQ==;TableEndpoint={url};QueueEndpoint={url}"
        storage = AzureStorage(StorageSettings(text), lambda _: pytest.fail("no identity"), queue_name="work")
        async with asyncio.timeout(BY_FAR), aclosing(storage):
            with pytest.raises(AnswerLost):
                await _asked(storage, call)


async def _asked(storage: AzureStorage, call: str) -> None:
    if call == "get":
        await storage.control.get("pause")
    elif call == "list":
        _ = [row async for row in storage.control.list("lease-")]
    elif call == "put":
        await storage.control.put(ControlRow("pause", {}))
    else:
        await storage.queue.send("text")


async def test_a_timeout_of_others_comes_through_as_it_is() -> None:
    with pytest.raises(TimeoutError, match="its own"):
        async with request_deadline(10, AnswerLost("late")):
            raise TimeoutError("its own")
