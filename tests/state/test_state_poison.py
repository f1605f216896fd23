"""Messages that the platform gave up on: how many there are, and sending them again without losing one."""

from __future__ import annotations

import base64
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.storage.queue.aio import QueueClient

from local.clock import LoopClock
from local.storage.memory import MemoryStorage
from local.storage.memory_queue import MemoryQueue
from shared.core.model.errors import AnswerLost
from shared.state.rows import QueueLook
from tests.state.state_backends import START, azure_storage

if TYPE_CHECKING:
    from local.storage.azurite import Azurite
    from tests.state.state_backends import Backend


async def test_without_a_poison_queue_nothing_is_poisoned(backend: Backend) -> None:
    assert await backend.queue.poisoned() == 0


@pytest.mark.azurite
async def test_messages_in_the_poison_queue_of_the_work_queue_are_counted(azurite: Azurite) -> None:
    storage = azure_storage(azurite.connection_string)
    name = f"{storage.queue_name}-poison"
    async with QueueClient.from_connection_string(azurite.connection_string, name) as poison, aclosing(storage):
        await poison.create_queue()
        await poison.send_message("one")
        await poison.send_message("two")
        assert await storage.queue.poisoned() == 2


async def test_the_double_counts_what_it_put_aside() -> None:
    clock = LoopClock(START)
    storage = MemoryStorage(clock)
    await storage.queue.send("bad")
    message = storage.queue.receive()
    while message is not None:
        storage.queue.abandon(message)
        due = storage.queue.next_visible_at()
        if due is None:
            break
        await clock.sleep((due - clock.now()).total_seconds())
        message = storage.queue.receive()
    assert await storage.queue.poisoned() == 1


# -- sending them again --------------------------------------------------------------------------------------------


class Poison:
    """A storage with the platform's side of the two queues: what it puts aside, what it finds in the work queue."""

    def __init__(self, backend: Backend, poison: QueueClient | None) -> None:
        self.queue, self.poison, self._backend = backend.queue, poison, backend

    async def put_aside(self, *texts: str) -> None:
        """Poison messages, as the platform does: what it could not handle, as it lay there."""
        for text in texts:
            if self.poison is not None:
                await self.poison.send_message(base64.b64encode(text.encode()).decode())
                continue
            assert isinstance(self.queue, MemoryQueue)
            await self.queue.send(text)
            self.queue.poison.append(self.queue.messages.pop())

    async def waiting(self) -> list[str]:
        """What can be taken out of the work queue."""
        texts = []
        while (text := await self._backend.receive()) is not None:
            texts.append(text)
        return texts


@pytest.fixture
async def poisoned(backend: Backend) -> Poison:
    if backend.queue_client is None:
        return Poison(backend, None)
    poison: QueueClient = backend.storage.poison_client  # type: ignore[attr-defined]
    await poison.create_queue()
    return Poison(backend, poison)


async def test_what_is_sent_again_is_as_it_was_and_no_longer_poison(poisoned: Poison) -> None:
    await poisoned.put_aside("one", "two", '{"three": "\u00fc"}')
    assert await poisoned.queue.replay_poison(10) == 3
    assert await poisoned.queue.poisoned() == 0
    assert sorted(await poisoned.waiting()) == sorted(["one", "two", '{"three": "\u00fc"}'])


async def test_no_more_are_sent_again_than_asked_for(poisoned: Poison) -> None:
    await poisoned.put_aside(*(f"message {n}" for n in range(40)))
    assert await poisoned.queue.replay_poison(35) == 35
    assert await poisoned.queue.poisoned() == 5
    assert len(await poisoned.waiting()) == 35


async def test_where_nothing_is_poisoned_nothing_is_sent(backend: Backend) -> None:
    assert await backend.queue.replay_poison(10) == 0
    assert await backend.messages() == 0


@pytest.mark.azurite
async def test_a_message_that_was_sent_again_and_could_not_be_deleted_is_in_both_queues(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ServiceResponseError("the connection was reset")

    async with aclosing(azure_storage(azurite.connection_string)) as storage:
        await storage.poison_client.create_queue()
        await storage.poison_client.send_message("no base64, sent by hand")
        monkeypatch.setattr(storage.poison_client, "delete_message", lost)
        with pytest.raises(AnswerLost):
            await storage.queue.replay_poison(10)
        assert await storage.queue.poisoned() == 1
        (peeked,) = await storage.queue_client.peek_messages()
    assert peeked.content == "no base64, sent by hand"


# -- looking -------------------------------------------------------------------------------------------------------


async def test_a_queue_that_is_not_there_is_an_empty_one(backend: Backend) -> None:
    assert await backend.queue.look() == QueueLook(0, None)


async def test_a_look_counts_all_and_tells_since_when_the_next_one_waits(backend: Backend) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2) if backend.queue_client else START
    await backend.queue.send("later", delay=600)
    assert await backend.queue.look() == QueueLook(1, None)
    await backend.queue.send("now")
    look = await backend.queue.look()
    assert look.waiting == 2
    assert look.oldest is not None
    assert timedelta(0) <= look.oldest - before < timedelta(seconds=60)
    assert await backend.receive() == "now"
