"""Queue triggers: each message is run, retried, renewed and finally set aside by the rules of the real host."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import azure.functions as func  # noqa: TC002 - the host evaluates the annotations of functions
import pytest

from local.clock import LoopClock
from local.host import MemoryQueueService

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.host.memory_queues import MemoryQueue


def now() -> float:
    return asyncio.get_running_loop().time()


async def put(queue: MemoryQueue, *texts: str) -> None:
    for text in texts:
        await queue.send(base64.b64encode(text.encode()).decode())


async def test_a_message_is_run_once_and_removed(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    got: list[func.QueueMessage] = []

    @app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        got.append(message)

    running = start()
    await running.host.start()
    await put(running.queues.queues["work"], '{"a": 1}')
    await asyncio.sleep(10)
    (message,) = got
    assert message.get_json() == {"a": 1}
    assert message.dequeue_count == 1
    assert message.id
    assert message.pop_receipt
    assert message.insertion_time == running.clock.now().replace(second=6)
    assert running.queues.queues["work"].messages == []


async def test_what_became_visible_later_comes_later_though_it_was_sent_earlier() -> None:
    queue = MemoryQueueService(LoopClock(datetime(2026, 1, 5, tzinfo=UTC))).queue("", "work")
    await queue.send("a wait", delay=15)
    await asyncio.sleep(10)
    await queue.send("a first run")
    await asyncio.sleep(10)
    assert [message.content for message in await queue.receive(2, 30)] == ["a first run", "a wait"]


async def test_a_failed_message_comes_back_after_the_visibility_timeout_and_then_goes_to_poison(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    attempts: list[float] = []

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        attempts.append(now())
        raise ValueError("no")

    running = start()
    await running.host.start()
    await put(running.queues.queues["work"], "bad")
    await asyncio.sleep(85)  # the third attempt is over, a fourth would not be due
    assert len(attempts) == 3
    assert all(30 <= later - earlier <= 36 for earlier, later in pairwise(attempts))
    assert running.queues.queues["work"].messages == []
    assert [one.content for one in running.queues.queues["work-poison"].messages] == ["YmFk"]


async def test_what_cannot_be_decoded_goes_to_poison_unseen(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    got: list[bytes] = []

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        got.append(message.get_body())

    running = start()
    await running.host.start()
    await running.queues.queues["work"].send("not base64!")
    await running.queues.queues["work"].send(base64.b64encode(b"\xff\xfe").decode())
    await asyncio.sleep(10)
    assert got == []
    assert len(running.queues.queues["work-poison"].messages) == 2


async def test_a_poison_queue_can_have_a_function_too(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    got: list[bytes] = []

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        raise ValueError("no")

    @app.queue_trigger(arg_name="message", queue_name="work-poison", connection="AzureWebJobsStorage")
    async def poison(message: func.QueueMessage) -> None:
        got.append(message.get_body())

    running = start()
    await running.host.start()
    await put(running.queues.queues["work"], "bad")
    await asyncio.sleep(300)
    assert got == [b"bad"]


async def test_at_most_batch_size_and_threshold_run_at_once(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    running_now, most, done = 0, 0, 0

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        nonlocal running_now, most, done
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(1 + len(message.get_body()))
        running_now -= 1
        done += 1

    running = start()
    await running.host.start()
    await put(running.queues.queues["work"], *("x" * (n % 5) for n in range(40)))
    await asyncio.sleep(120)
    assert done == 40
    assert most == 6


async def test_a_long_run_keeps_its_message(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    runs = 0

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(1700)

    running = start()
    await running.host.start()
    await put(running.queues.queues["work"], "long")
    await asyncio.sleep(2500)
    assert runs == 1
    assert running.queues.queues["work"].messages == []


async def test_an_idle_queue_is_polled_ever_less_often_but_at_least_every_maximum(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    got: list[float] = []

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        got.append(now())

    running = start()
    await running.host.start()
    await asyncio.sleep(100.5)
    await put(running.queues.queues["work"], "x")
    await asyncio.sleep(10)
    assert 0.1 < got[0] - 100.5 <= 5


async def test_a_message_from_the_host_itself_is_taken_at_once(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    got: list[float] = []

    @app.event_grid_trigger(arg_name="event")
    @app.queue_output(arg_name="work", queue_name="work", connection="AzureWebJobsStorage")
    async def on_event(event: str, work: func.Out[str]) -> None:
        work.set(json.loads(event)["subject"])

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def take(message: func.QueueMessage) -> None:
        got.append(now())

    running = start()
    await running.host.start()
    await asyncio.sleep(100.5)
    assert (await running.webhook([{"subject": "/s"}])).status_code == 202
    await asyncio.sleep(10)
    assert got == [pytest.approx(100.5, abs=0.01)]


async def test_an_output_of_a_failed_function_is_not_sent(app: func.FunctionApp, start: Callable[..., Any]) -> None:
    @app.event_grid_trigger(arg_name="event")
    @app.queue_output(arg_name="work", queue_name="work", connection="AzureWebJobsStorage")
    async def on_event(event: str, work: func.Out[str]) -> None:
        work.set("x")
        raise ValueError("after all, no")

    running = start()
    assert (await running.webhook([{}])).status_code == 500
    assert running.queues.queues["work"].messages == []


async def test_a_function_that_returns_a_value_without_a_binding_fails(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    @app.event_grid_trigger(arg_name="event")
    async def on_event(event: str) -> Any:
        return "for no reader"

    answer = await start().webhook([{}])
    assert answer.status_code == 500
    assert "without a $return binding" in answer.text


async def test_stopping_waits_for_what_runs_and_gives_back_what_does_not_end(
    app: func.FunctionApp, start: Callable[..., Any]
) -> None:
    ended: list[str] = []

    @app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        text = message.get_body().decode()
        await asyncio.sleep(3 if text == "short" else 1000)
        ended.append(text)

    running = start()
    queue = running.queues.queues["work"]
    await put(queue, "short", "long")
    await running.host.start()
    await asyncio.sleep(1)
    await running.host.stop(grace=5)
    assert now() == pytest.approx(6, abs=0.2)
    assert ended == ["short"]
    (left,) = queue.messages
    assert left.content == base64.b64encode(b"long").decode()
    assert left.next_visible_on <= running.clock.now()
    await put(queue, "later")
    await asyncio.sleep(60)
    assert len(queue.messages) == 2
