"""The app on Flex under virtual time: scaled to zero, started by what comes, refusing deliveries while it starts.

The estate's clouds, the real function app on the local host, and Event Grid to either destination. The host starts
with the first delivery or message, as the platform starts it, and stops when it has had nothing to do for a while.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import httpx

from local.asgi import AsgiTransport
from local.cli.events import FILTERS
from local.clock import LoopClock
from local.eventgrid import (
    AccountSettings,
    Answer,
    Destination,
    EventGrid,
    EventGridSettings,
    HttpDeliver,
    QueueDeliver,
    StorageAccount,
)
from local.host import FunctionsHost, HostSettings, Keys
from local.host.queues import StoredMessage
from local.storage.memory_queue import MemoryQueue, Message
from shared.app import provide
from shared.context import Context
from shared.core.model.errors import InvalidSettings
from shared.settings import load
from tests.harness.estate import VAULT, Estate

ROOT = Path(__file__).resolve().parents[2]
KEYS = Keys(master="master", function="function", event_grid="event-grid")
WEBHOOK = f"https://app/runtime/webhooks/eventgrid?functionName=endpoint_events&code={KEYS.event_grid}"
STARTING = 20.0
"""Seconds from its start in which the host refuses deliveries."""
SCALER = 5.0
"""Seconds between two looks of the platform at the queue."""
IDLE = 600.0
"""Seconds without work after which the app is scaled to zero; the second try of a refused event comes before that."""
Way = Literal["queue", "function"]


class HostQueue:
    """The estate's queue as the host sees it; content is encoded, as it is stored."""

    def __init__(self, queue: MemoryQueue, clock: LoopClock) -> None:
        self._queue, self._clock = queue, clock

    async def create(self) -> None:
        """It is there."""

    async def send(self, content: str) -> None:
        """Add a message."""
        await self._queue.send(base64.b64decode(content).decode())

    async def receive(self, count: int, visibility_timeout: float) -> list[StoredMessage]:
        """Take what is due."""
        del visibility_timeout  # the estate's queue has its own
        taken = [self._queue.receive() for _ in range(count)]
        return [_stored(one) for one in taken if one is not None]

    async def update(self, message: StoredMessage, visibility_timeout: float) -> StoredMessage:
        """Keep it hidden for longer, or show it again."""
        held = self._held(message)
        if held is not None:
            held.visible_at = self._clock.now() + timedelta(seconds=visibility_timeout)
        return message

    async def delete(self, message: StoredMessage) -> None:
        """Done with it."""
        held = self._held(message)
        if held is not None:
            self._queue.messages.remove(held)

    def _held(self, message: StoredMessage) -> Message | None:
        same = (message.id, message.pop_receipt)
        return next((one for one in self._queue.messages if (str(one.number), str(one.receipt)) == same), None)


class PoisonQueue(HostQueue):
    """Where the host puts what failed too often."""

    async def send(self, content: str) -> None:
        """Put it aside."""
        now = self._clock.now()
        self._queue.poison.append(Message(0, base64.b64decode(content).decode(), now, sent_at=now))

    async def receive(self, count: int, visibility_timeout: float) -> list[StoredMessage]:
        """No trigger takes from it."""
        del count, visibility_timeout
        return []


class Queues:
    """The queues of the app's storage account."""

    def __init__(self, queue: MemoryQueue, clock: LoopClock) -> None:
        self._work, self._poison = HostQueue(queue, clock), PoisonQueue(queue, clock)

    def queue(self, connection: str, name: str) -> HostQueue:
        """By its name."""
        del connection
        return self._poison if name.endswith("-poison") else self._work

    async def close(self) -> None:
        """Nothing is open."""


def _stored(one: Message) -> StoredMessage:
    content = base64.b64encode(one.text.encode()).decode()
    times = (one.sent_at, one.sent_at + timedelta(days=7), one.visible_at)
    return StoredMessage(str(one.number), content, one.dequeue_count, str(one.receipt), *times)


class Flex:
    """The app and its events. `settings`: what is set; wrong ones are those of the processes that start from then on.

    The timer does not run: what an event did not bring would not come by itself.
    """

    def __init__(self, way: Way, account: AccountSettings | None = None, **settings: str) -> None:
        """`account`: how the storage account takes what Event Grid writes."""
        self.estate, self.settings = Estate(settings=VAULT), settings
        self.account = StorageAccount(self.estate.clock, account)
        self.letters: list[dict[str, Any]] = []
        self.starts = 0
        self._way = way
        self._host: FunctionsHost | None = None
        self._process = ExitStack()
        self._changing = asyncio.Lock()
        self._idle_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        estate = self.estate
        self.grid = EventGrid(estate.clock, deliver=self._deliver, settings=EventGridSettings())

    async def open(self) -> Flex:
        """Deploy: subscribe to the events, then leave the app alone, so that it is scaled to zero."""
        await self.estate.world.seed()
        if self._way == "queue":
            deliver = QueueDeliver(self.account, self._put)
            await self.grid.subscribe(
                "https://st/reconcile",
                destination=Destination.QUEUE,
                deliver=deliver,
                dead_letter=self.account.guarded(self.letters.append),
                **FILTERS,
            )
        else:
            await self._start()
            await asyncio.sleep(STARTING)
            await self.grid.subscribe(
                WEBHOOK, destination=Destination.FUNCTION, dead_letter=self.letters.append, **FILTERS
            )
            await self.stop()
        self.grid.deliveries.clear()
        self.estate.arm.listeners.append(self.grid.publish)
        task = asyncio.get_running_loop().create_task(self._scale())
        self._tasks.add(task)
        self.starts = 0
        return self

    async def close(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.grid.close()
        await self.stop()

    async def set(self, **settings: str) -> None:
        """A person corrects the settings, which restarts the app where it runs."""
        self.settings = settings
        if self._host is not None:
            await self.stop()
            await self._start()

    async def stop(self) -> None:
        """The platform takes the instance away."""
        async with self._changing:
            host, self._host = self._host, None
            if host is not None:
                await host.stop()
            self._process.close()

    @property
    def delivered(self) -> list[int | None]:
        """What each attempt of Event Grid was answered."""
        return [attempt.status for attempt in self.grid.deliveries]

    async def _start(self) -> None:
        """A new process where there is none, with what its settings say by now."""
        async with self._changing:
            if self._host is None:
                await self._begin()

    async def _begin(self) -> None:
        import function_app  # noqa: PLC0415 - the app is loaded once, by the first test that needs it

        self._process = ExitStack()
        self._process.enter_context(provide(self._context(), self.estate.storage))
        self._host = FunctionsHost(
            function_app.app,
            self.estate.clock,
            queues=Queues(self.estate.queue, self.estate.clock),
            keys=KEYS,
            environ={"AzureWebJobsStorage": "UseDevelopmentStorage=true", "AzureWebJobs.check_health.Disabled": "true"},
            settings=replace(HostSettings.read(ROOT), refuse_deliveries=STARTING),
        )
        self._idle_since = asyncio.get_running_loop().time()
        self.starts += 1
        await self._host.start()

    def _context(self) -> Context | InvalidSettings:
        try:
            load(self.estate.settings | self.settings)
        except InvalidSettings as wrong:
            return wrong
        self.estate.worker = self.estate.new_worker(**self.settings)
        return self.estate.worker.context

    async def _deliver(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the platform does with a request: it starts an instance for it where there is none."""
        await self._start()
        self._idle_since = asyncio.get_running_loop().time()
        assert self._host is not None
        async with httpx.AsyncClient(transport=AsgiTransport(self._host.app)) as client:
            return await HttpDeliver(client)(method, url, headers, body)

    async def _put(self, event: str) -> None:
        await self.estate.queue.send(event)

    async def _scale(self) -> None:
        """Start an instance for what waits in the queue, and take it away when it has had nothing to do."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SCALER)
            due = self.estate.queue.next_visible_at()
            if due is not None and due <= self.estate.clock.now():
                self._idle_since = loop.time()
                await self._start()
            elif self._host is not None and loop.time() - self._idle_since > IDLE:
                await self.stop()
