"""Runs a function for each message of a queue: polling, concurrency, renewal, retry, poison.

`FunctionsHost` starts one for each queue trigger. The rules are those of the real host's queue extension: at most
`batchSize + newBatchThreshold` at once, a message is hidden and kept hidden while it runs, shown again after
`visibilityTimeout` when it fails, and moved to `<queue>-poison` when it failed `maxDequeueCount` times.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from local.host.queues import Queue, QueueError, StoredMessage

if TYPE_CHECKING:
    from random import Random

    from local.clock import LoopClock
    from local.host.settings import QueueSettings

logger = logging.getLogger("local.host")
Run = Callable[[bytes, StoredMessage], Awaitable[None]]
_FIRST_WAIT = 0.1


def encode(body: bytes, settings: QueueSettings) -> str:
    """A message's text as it is stored."""
    return base64.b64encode(body).decode() if settings.base64 else body.decode()


def decode(content: str, settings: QueueSettings) -> bytes:
    """The message itself; raises ValueError when it is not what `messageEncoding` says."""
    if not settings.base64:
        return content.encode()
    try:
        body = base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise ValueError(f"it is not base64: {error}") from error
    body.decode()  # messages are text; UnicodeDecodeError is a ValueError
    return body


class QueueListener:
    """One queue, one function."""

    def __init__(
        self,
        name: str,
        queue: Queue,
        poison: Queue,
        run: Run,
        settings: QueueSettings,
        clock: LoopClock,
        random: Random,
    ) -> None:
        self._name = name
        self._queue = queue
        self._poison = poison
        self._run = run
        self._settings = settings
        self._clock = clock
        self._random = random
        self._news = asyncio.Event()
        self.running: set[asyncio.Task[None]] = set()

    def notify(self) -> None:
        """Poll at once: this host itself has just put a message on the queue."""
        self._news.set()

    async def listen(self) -> None:
        """Poll until cancelled; messages in hand go on in `running`."""
        created, empty_polls = False, 0
        while True:
            await self._room()
            self._news.clear()
            messages: list[StoredMessage] = []
            try:
                if not created:
                    await self._queue.create()
                    created = True
                messages = await self._queue.receive(self._settings.batch_size, self._settings.lease)
            except QueueError as error:
                logger.warning("Queue '%s' cannot be polled: %s", self._name, error)
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self.running.add(task)
                task.add_done_callback(self.running.discard)
            empty_polls = 0 if messages else empty_polls + 1
            if not messages:
                await self._pause(empty_polls)

    async def _room(self) -> None:
        while len(self.running) > self._settings.new_batch_threshold:
            await asyncio.wait(self.running, return_when=asyncio.FIRST_COMPLETED)

    async def _pause(self, empty_polls: int) -> None:
        doubled = (2 ** min(empty_polls - 1, 30) - 1) * self._random.uniform(0.8, 1.2) + 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_FIRST_WAIT * doubled, self._settings.max_polling_interval)):
                await self._news.wait()

    async def _process(self, message: StoredMessage) -> None:
        try:
            await self._handle(_Held(self._queue, message))
        except QueueError as error:
            # It turns visible again by itself, when its time is up.
            logger.warning("Message %s of queue '%s': %s", message.id, self._name, error)

    async def _handle(self, held: _Held) -> None:
        message, most = held.message, self._settings.max_dequeue_count
        if message.dequeue_count > most:
            await self._to_poison(held)
            return
        try:
            body = decode(message.content, self._settings)
        except ValueError as error:
            logger.error("Message %s of queue '%s' cannot be decoded: %s", message.id, self._name, error)  # noqa: TRY400 - the decoder's stack says nothing more
            await self._to_poison(held)
            return
        renewal = asyncio.create_task(self._renew(held))
        failed = False
        try:
            await self._run(body, message)
        except asyncio.CancelledError:
            await held.show(0)  # the host is stopping: the next one need not wait until the lease is up
            raise
        except Exception:  # noqa: BLE001 - any error of the function; the invocation has logged it
            failed = True
        finally:
            renewal.cancel()
        if not failed:
            await held.delete()
        elif message.dequeue_count >= most:
            await self._to_poison(held)
        else:
            await held.show(self._settings.visibility_timeout)

    async def _renew(self, held: _Held) -> None:
        while True:
            await self._clock.sleep(self._settings.lease / 2)
            try:
                await held.show(self._settings.lease)
            except QueueError as error:
                logger.warning("Message %s of queue '%s' is not held any more: %s", held.message.id, self._name, error)
                return

    async def _to_poison(self, held: _Held) -> None:
        logger.error(
            "Message %s of queue '%s' moves to '%s-poison' after %d attempts",
            held.message.id,
            self._name,
            self._name,
            held.message.dequeue_count,
        )
        await self._poison.send(held.message.content)
        await held.delete()


class _Held:
    """A message in hand; every change brings a new receipt, so changes wait for one another."""

    def __init__(self, queue: Queue, message: StoredMessage) -> None:
        self.message = message
        self._queue = queue
        self._lock = asyncio.Lock()

    async def show(self, after: float) -> None:
        async with self._lock:
            self.message = await self._queue.update(self.message, after)

    async def delete(self) -> None:
        async with self._lock:
            await self._queue.delete(self.message)
