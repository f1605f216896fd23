"""The storages that every test of the ports and of the leases runs against: the in-memory double, and Azurite."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from local.storage.azurite import Azurite
from tests.state.state_backends import START, Backend, SetClock, azure_storage, virtual

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for the session; each test has tables and a queue of its own in it."""
    server = Azurite.start()
    yield server
    server.stop()


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.azurite)])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """Each storage in turn."""
    if request.param == "memory":
        yield virtual()
        return
    server: Azurite = request.getfixturevalue("azurite")
    storage = azure_storage(server.connection_string)
    queue = QueueClient.from_connection_string(
        server.connection_string, storage.queue_name, message_decode_policy=TextBase64DecodePolicy()
    )
    async with queue, aclosing(storage):
        yield Backend(storage, SetClock(START), queue)
