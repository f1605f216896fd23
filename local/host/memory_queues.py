"""Queues in memory with Azure Storage's rules, for tests on virtual time. Used by tests and by the in-process world."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from local.host.queues import QueueError, StoredMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import LoopClock

_TIME_TO_LIVE = timedelta(days=7)


class MemoryQueue:
    """One queue; what has been visible longest comes first, as Azurite orders it (Azure promises no order)."""

    def __init__(self, clock: LoopClock, next_number: Callable[[], int]) -> None:
        self.messages: list[StoredMessage] = []
        self._clock = clock
        self._next_number = next_number

    async def create(self) -> None:
        """Nothing to do: it is there."""

    async def send(self, content: str, delay: float = 0.0) -> None:
        """Add a message, visible after `delay`."""
        now = self._clock.now()
        self.messages.append(
            StoredMessage(
                id=f"message-{self._next_number()}",
                content=content,
                dequeue_count=0,
                pop_receipt="",
                inserted_on=now,
                expires_on=now + _TIME_TO_LIVE,
                next_visible_on=now + timedelta(seconds=delay),
            )
        )

    async def receive(self, count: int, visibility_timeout: float) -> list[StoredMessage]:
        """Take visible messages."""
        now = self._clock.now()
        self.messages = [one for one in self.messages if one.expires_on > now]
        visible = [one for one in self.messages if one.next_visible_on <= now]
        taken = sorted(visible, key=lambda one: one.next_visible_on)[:count]
        return [self._hide(replace(one, dequeue_count=one.dequeue_count + 1), visibility_timeout) for one in taken]

    async def update(self, message: StoredMessage, visibility_timeout: float) -> StoredMessage:
        """Hide for longer, or show again."""
        return self._hide(self._ours(message), visibility_timeout)

    async def delete(self, message: StoredMessage) -> None:
        """Remove it."""
        self.messages.remove(self._ours(message))

    def _ours(self, message: StoredMessage) -> StoredMessage:
        for one in self.messages:
            if (one.id, one.pop_receipt) == (message.id, message.pop_receipt):
                return one
        raise QueueError(f"{message.id} was taken by another or deleted")

    def _hide(self, message: StoredMessage, seconds: float) -> StoredMessage:
        until = self._clock.now() + timedelta(seconds=seconds)
        hidden = replace(message, pop_receipt=f"receipt-{self._next_number()}", next_visible_on=until)
        position = next(place for place, one in enumerate(self.messages) if one.id == message.id)
        self.messages[position] = hidden
        return hidden


class MemoryQueueService:
    """All queues of one account; a queue appears when it is first named."""

    def __init__(self, clock: LoopClock) -> None:
        self.queues: dict[str, MemoryQueue] = {}
        self._clock = clock
        self._numbers = itertools.count(1)

    def queue(self, connection: str, name: str) -> MemoryQueue:  # noqa: ARG002 - one account under every name
        """Return the queue `name`."""
        return self.queues.setdefault(name, MemoryQueue(self._clock, self._numbers.__next__))

    async def close(self) -> None:
        """Nothing to close."""
