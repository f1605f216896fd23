"""How many messages the platform gave up on: what the sweep reports and an alert asks for."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from azure.storage.queue.aio import QueueClient
from state_backends import START, azure_storage

from local.clock import LoopClock
from local.memory import MemoryStorage

if TYPE_CHECKING:
    from state_backends import Backend

    from local.azurite import Azurite


async def test_without_a_poison_queue_nothing_is_poisoned(backend: Backend) -> None:
    assert await backend.queue.poisoned() == 0


@pytest.mark.azurite
async def test_messages_in_the_poison_queue_of_the_work_queue_are_counted(azurite: Azurite) -> None:
    storage = azure_storage(azurite.connection_string)
    name = f"{storage._queue_name}-poison"
    async with QueueClient.from_connection_string(azurite.connection_string, name) as poison, aclosing(storage):
        await poison.create_queue()
        await poison.send_message("one")
        await poison.send_message("two")
        assert await storage.queue.poisoned() == 2


async def test_the_double_counts_what_it_put_aside() -> None:
    storage = MemoryStorage(LoopClock(START))
    await storage.queue.send("bad")
    message = storage.queue.receive()
    while message is not None:
        storage.queue.abandon(message)
        due = storage.queue.next_visible_at()
        if due is None:
            break
        await storage.queue._clock.sleep((due - storage.queue._clock.now()).total_seconds())
        message = storage.queue.receive()
    assert await storage.queue.poisoned() == 1
