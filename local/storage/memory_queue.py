"""In-memory double of the work queue; used by `memory`, which has the tables."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.model.messages import checked_message, visibility_timeout
from shared.core.model.record_parts import QueuedMessage
from shared.state.rows import QueueLook

if TYPE_CHECKING:
    from datetime import datetime

    from shared.clock import Clock


@dataclass(slots=True)
class Message:
    """A queue message. `receipt` changes with every delivery and update: who has an old one has no say any more."""

    number: int
    text: str
    visible_at: datetime
    sent_at: datetime
    dequeue_count: int = 0
    receipt: int = 0


class MemoryQueue:
    """`WorkQueue`, and the side of it that the Functions host sees: delivery, retry, poison; host.json's are levers."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_dequeue: int = 8,
        retry_visibility: float = 30.0,
        processing_visibility: float = 600.0,
    ) -> None:
        self._clock = clock
        self.max_dequeue = max_dequeue
        self.retry_visibility = timedelta(seconds=retry_visibility)
        self._processing_visibility = timedelta(seconds=processing_visibility)
        self._numbers = itertools.count(1)
        self.messages: list[Message] = []
        self.poison: list[Message] = []

    async def send(self, text: str, delay: float = 0.0) -> QueuedMessage:
        """Add a message."""
        checked_message(text)
        await asyncio.sleep(0)
        message = Message(next(self._numbers), text, self._after(delay), sent_at=self._clock.now())
        self.messages.append(message)
        return QueuedMessage(str(message.number), str(message.receipt))

    async def replace(self, message: QueuedMessage, text: str, delay: float = 0.0) -> QueuedMessage | None:
        """Put another text and another time in a message's place."""
        checked_message(text)
        await asyncio.sleep(0)
        stored = self._stored(message)
        if stored is None:
            return None
        stored.text, stored.visible_at = text, self._after(delay)
        stored.receipt += 1
        return QueuedMessage(message.id, str(stored.receipt))

    async def withdraw(self, message: QueuedMessage) -> None:
        """Delete a message that no worker has taken."""
        await asyncio.sleep(0)
        stored = self._stored(message)
        if stored is not None:
            self.messages.remove(stored)

    def receive(self) -> Message | None:
        """Deliver the message that has been visible longest; it hides for the time of its processing."""
        message = self._next()
        if message is None:
            return None
        message.dequeue_count += 1
        message.receipt += 1
        message.visible_at = self._clock.now() + self._processing_visibility
        return replace(message)

    async def look(self) -> QueueLook:
        """All that is there, and when the message that is next was sent."""
        await asyncio.sleep(0)
        coming = self._next()
        waiting = len(self.messages)
        return QueueLook(waiting, coming.sent_at, coming.text) if coming else QueueLook(waiting, None)

    def delete(self, delivered: Message) -> None:
        """Done with it."""
        stored = self._delivered(delivered)
        if stored is not None:
            self.messages.remove(stored)

    async def poisoned(self) -> int:
        """How many messages were put aside."""
        await asyncio.sleep(0)
        return len(self.poison)

    async def replay_poison(self, limit: int) -> int:
        """Move messages back, one after the other."""
        messages = self.poison[:limit]
        for message in messages:
            await self.send(message.text)
            self.poison.remove(message)
        return len(messages)

    def abandon(self, delivered: Message) -> None:
        """Processing failed: deliver it again after a while, or put it aside as poison."""
        stored = self._delivered(delivered)
        if stored is None:
            return
        if stored.dequeue_count >= self.max_dequeue:
            self.messages.remove(stored)
            self.poison.append(stored)
        else:
            stored.visible_at = self._clock.now() + self.retry_visibility

    def next_visible_at(self) -> datetime | None:
        """When the next message can be received; None if there is none."""
        return min((message.visible_at for message in self.messages), default=None)

    def _next(self) -> Message | None:
        """The message that has been visible longest."""
        visible = [message for message in self.messages if message.visible_at <= self._clock.now()]
        return min(visible, key=lambda one: (one.visible_at, one.number), default=None)

    def _after(self, delay: float) -> datetime:
        return self._clock.now() + timedelta(seconds=visibility_timeout(delay))

    def _stored(self, message: QueuedMessage) -> Message | None:
        same = (message.id, message.receipt)
        return next((one for one in self.messages if (str(one.number), str(one.receipt)) == same), None)

    def _delivered(self, delivered: Message) -> Message | None:
        same = (delivered.number, delivered.receipt)
        return next((one for one in self.messages if (one.number, one.receipt) == same), None)
