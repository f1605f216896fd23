"""What the host needs of a queue service, whichever it is: Azure Storage (or Azurite), or one in memory.

`local.host.storage_queues` and `local.host.memory_queues` provide it, `local.host.queue_listener` and the queue outputs
use it. Content is text as it is stored; its encoding is the listener's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class QueueError(Exception):
    """The service did not do what it was asked: unreachable, or the message is no longer ours."""


@dataclass(frozen=True)
class StoredMessage:
    """A message as received; `pop_receipt` proves that we are the last who received it."""

    id: str
    content: str
    dequeue_count: int
    pop_receipt: str
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime


class Queue(Protocol):
    """One queue."""

    async def create(self) -> None:
        """Make it unless it exists."""

    async def send(self, content: str) -> None:
        """Add a message, making the queue if needed."""

    async def receive(self, count: int, visibility_timeout: float) -> list[StoredMessage]:
        """Take up to `count` visible messages and hide them for a while."""

    async def update(self, message: StoredMessage, visibility_timeout: float) -> StoredMessage:
        """Hide a message of ours until `visibility_timeout` from now; return it with its new receipt."""

    async def delete(self, message: StoredMessage) -> None:
        """Remove a message of ours."""


class QueueService(Protocol):
    """All queues."""

    def queue(self, connection: str, name: str) -> Queue:
        """Return a queue of the storage account that the app setting `connection` names."""

    async def close(self) -> None:
        """Close connections."""
