"""What the tests of the state share: a storage of either kind, and a clock for it."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from azure.core.exceptions import ResourceNotFoundError

from local.clock import LoopClock
from local.storage.memory import MemoryStorage
from local.storage.memory_queue import MemoryQueue
from shared.state.connect import AzureStorage
from shared.state.storage_settings import StorageSettings

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient

    from shared.state.ports import (
        ChecksTable,
        Clock,
        ConnectionTable,
        ControlTable,
        HostTable,
        JournalTable,
        Storage,
        ThingTable,
        WorkQueue,
    )

START = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)


class SetClock:
    """A clock that goes only when it is told to: real storage, made-up time."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def now(self) -> datetime:
        return self.at

    def passed(self) -> float:
        return (self.at - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class Backend:
    """A storage with the clock that its users are given."""

    storage: Storage
    clock: Clock
    queue_client: QueueClient | None = None

    @property
    def connections(self) -> ConnectionTable:
        return self.storage.connections

    @property
    def journal(self) -> JournalTable:
        return self.storage.journal

    @property
    def checks(self) -> ChecksTable:
        return self.storage.checks

    @property
    def hosts(self) -> HostTable:
        return self.storage.hosts

    @property
    def control(self) -> ControlTable:
        return self.storage.control

    @property
    def things(self) -> ThingTable:
        return self.storage.things

    @property
    def queue(self) -> WorkQueue:
        return self.storage.queue

    async def advance(self, seconds: float) -> None:
        """Let time pass: virtual time for the double; Azurite itself does not notice."""
        if isinstance(self.clock, SetClock):
            self.clock.at += timedelta(seconds=seconds)
        else:
            await self.clock.sleep(seconds)

    async def messages(self) -> int:
        """How many messages the queue has, hidden ones too."""
        if self.queue_client is None:
            assert isinstance(self.storage.queue, MemoryQueue)
            return len(self.storage.queue.messages)
        try:
            return (await self.queue_client.get_queue_properties()).approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    async def receive(self) -> str | None:
        """Take a visible message's text."""
        if self.queue_client is None:
            assert isinstance(self.storage.queue, MemoryQueue)
            message = self.storage.queue.receive()
            return None if message is None else message.text
        received = await self.queue_client.receive_message(visibility_timeout=600)
        return None if received is None else str(received.content)


def azure_storage(connection_string: str, unique: str = "") -> AzureStorage:
    """A storage whose tables and queue no other test uses; their names end so."""
    unique = unique or uuid.uuid4().hex
    return AzureStorage(
        StorageSettings(connection_string),
        no_credential,
        queue_name=f"work-{unique}",
        connections_table=f"connections{unique}",
        journal_table=f"journal{unique}",
        control_table=f"control{unique}",
        checks_table=f"checks{unique}",
        hosts_table=f"hosts{unique}",
        things_table=f"things{unique}",
    )


def no_credential(client_id: str | None) -> NoReturn:
    """Make no identity: a connection string needs none."""
    raise AssertionError(f"a connection string needs no identity: {client_id}")


def virtual() -> Backend:
    """The double, on virtual time, for tests that wait for messages."""
    clock = LoopClock(START)
    return Backend(MemoryStorage(clock), clock)
