"""The work queue: delays, encoding; and the host's side of the double."""

from __future__ import annotations

import base64
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from azure.storage.queue.aio import QueueClient

from local.clock import LoopClock
from local.storage.memory_queue import MemoryQueue
from shared.core.model.errors import Permanent
from shared.core.model.messages import visibility_timeout
from tests.state.state_backends import START, azure_storage

if TYPE_CHECKING:
    from local.storage.azurite import Azurite
    from tests.state.state_backends import Backend

TEXT = '{"endpoint": "/subscriptions/…/pe-1", "cause": "event"}'


async def test_a_message_is_there_at_once_though_there_was_no_queue(backend: Backend) -> None:
    await backend.queue.send(TEXT)
    assert await backend.receive() == TEXT
    assert await backend.receive() is None


async def test_a_delayed_message_is_kept_but_not_seen(backend: Backend) -> None:
    await backend.queue.send(TEXT, delay=30)
    assert await backend.receive() is None
    assert await backend.messages() == 1


async def test_a_message_is_replaced_by_another_text_at_another_time(backend: Backend) -> None:
    sent = await backend.queue.send(TEXT, delay=600)
    again = await backend.queue.replace(sent, "{}", delay=300)
    assert again is not None
    assert await backend.receive() is None
    assert await backend.queue.replace(again, '{"now": 1}') is not None
    assert await backend.receive() == '{"now": 1}'
    assert await backend.messages() == 1


async def test_a_message_that_was_taken_or_replaced_is_left_alone(backend: Backend) -> None:
    sent = await backend.queue.send(TEXT)
    replaced = await backend.queue.replace(sent, TEXT)
    assert await backend.queue.replace(sent, "{}") is None
    await backend.queue.withdraw(sent)
    assert await backend.receive() == TEXT
    assert replaced is not None
    assert await backend.queue.replace(replaced, "{}") is None
    await backend.queue.withdraw(replaced)
    assert await backend.messages() == 1, "a worker has it"


async def test_a_message_that_is_withdrawn_is_gone_and_stays_so(backend: Backend) -> None:
    sent = await backend.queue.send(TEXT, delay=600)
    await backend.queue.withdraw(sent)
    assert await backend.messages() == 0
    await backend.queue.withdraw(sent)
    assert await backend.queue.replace(sent, TEXT) is None
    assert await backend.messages() == 0


async def test_the_longest_delay_is_seven_days(backend: Backend) -> None:
    await backend.queue.send(TEXT, delay=30 * 24 * 3600)
    assert await backend.receive() is None
    assert await backend.messages() == 1


async def test_a_message_that_is_too_large_is_refused(backend: Backend) -> None:
    await backend.queue.send("x" * 49_152)
    with pytest.raises(Permanent, match="65536"):
        await backend.queue.send("x" * 49_153)
    assert await backend.messages() == 1


@pytest.mark.azurite
async def test_messages_are_base64_as_the_functions_host_expects(azurite: Azurite) -> None:
    async with aclosing(azure_storage(azurite.connection_string)) as storage:
        await storage.queue.send(TEXT)
        async with QueueClient.from_connection_string(azurite.connection_string, storage.queue_name) as raw:
            message = await raw.receive_message()
    assert message is not None
    assert message.expires_on is not None
    assert base64.b64decode(message.content).decode() == TEXT
    assert message.expires_on.year > START.year + 50


@pytest.mark.parametrize(("delay", "seconds"), [(0.0, 0), (-3.0, 0), (0.01, 1), (1.0, 1), (61.2, 62), (1e9, 604_800)])
def test_delays_are_whole_seconds_and_never_shorter_than_asked_for(delay: float, seconds: int) -> None:
    assert visibility_timeout(delay) == seconds


async def test_a_delayed_message_comes_when_it_is_due() -> None:
    clock = LoopClock(START)
    queue = MemoryQueue(clock)
    await queue.send("late", delay=60)
    await queue.send("soon", delay=10)
    assert queue.next_visible_at() == START + timedelta(seconds=10)
    await clock.sleep(10)
    assert [message.text for message in (queue.receive(), queue.receive()) if message] == ["soon"]
    await clock.sleep(50)
    late = queue.receive()
    assert late is not None
    assert late.text == "late"


async def test_failed_processing_is_retried_and_ends_as_poison() -> None:
    clock = LoopClock(START)
    queue = MemoryQueue(clock, max_dequeue=3)
    await queue.send(TEXT)
    for attempt in (1, 2, 3):
        message = queue.receive()
        assert message is not None
        assert message.dequeue_count == attempt
        queue.abandon(message)
        assert queue.receive() is None
        await clock.sleep(30)
    assert queue.messages == []
    assert [message.text for message in queue.poison] == [TEXT]


async def test_a_worker_that_died_with_a_message_lets_it_come_again() -> None:
    clock = LoopClock(START)
    queue = MemoryQueue(clock)
    await queue.send(TEXT)
    first = queue.receive()
    await clock.sleep(600)
    second = queue.receive()
    assert first is not None
    assert second is not None
    assert (second.text, second.dequeue_count) == (TEXT, 2)
    queue.delete(first)  # too late: it is the second delivery's now
    assert len(queue.messages) == 1
    queue.delete(second)
    assert queue.messages == []
