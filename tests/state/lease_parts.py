"""What tests of the leases share: workers, and what stands in the tables. Used by the tests of leases."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.storage.memory_queue import MemoryQueue
from shared.core.model.conditions import Phase
from shared.core.model.errors import LostRace, RetryLater
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_parts import RecordStatus
from shared.state.codec import holding
from shared.state.control import LASTING
from shared.state.leases import Busy, Held, Leases
from shared.state.rows import ConnectionRow, ControlLook, ControlRow

if TYPE_CHECKING:
    from shared.state.ports import Clock, ControlTable
    from tests.state.state_backends import Backend

TTL = LASTING
ENDPOINT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe-1"
VIRTUAL_TIME = pytest.mark.parametrize("backend", ["memory"], indirect=True)
"""Leases end by the service's time, and only the double's can be moved."""
GUARD = '{"cause": "guard"}'


def worker(backend: Backend, name: str, control: ControlTable | None = None, *, clock: Clock | None = None) -> Leases:
    return Leases(
        backend.connections,
        control or backend.control,
        backend.queue,
        clock or backend.clock,
        owner_id=name,
        rng=random.Random(name),
    )


def new_row() -> ConnectionRow:
    return holding(ConnectionRow("c1"), version(0))


def version(number: int, phase: Phase = Phase.PROVISIONING) -> ConnectionRecord:
    """A record that can be told from others."""
    return ConnectionRecord(ENDPOINT, status=RecordStatus(generation=number, phase=phase))


async def owner(backend: Backend) -> str | None:
    """Who holds the lease."""
    row = await backend.control.get("lease-c1")
    return None if row is None else row.document["holder"]


async def pending(backend: Backend) -> bool:
    """Whether work was left for the holder."""
    row = await backend.control.get("word-c1")
    return row is not None and row.document["pending"]


def shown(row: ConnectionRow) -> tuple[int, str]:
    """Which version a row holds, and what its columns say."""
    return row.document["status"]["generation"], row.columns.phase


async def acquire(leases: Leases) -> Held | Busy:
    return await leases.acquire("c1", new_row, GUARD)


async def held(leases: Leases) -> Held:
    taken = await acquire(leases)
    assert isinstance(taken, Held)
    return taken


async def stored(backend: Backend) -> ConnectionRow:
    row = await backend.connections.get("c1")
    assert row is not None
    return row


async def deliver_next(backend: Backend) -> Held | Busy:
    """Wait for the next message, as the host does, and act on it."""
    queue = backend.queue
    assert isinstance(queue, MemoryQueue)
    due = queue.next_visible_at()
    assert due is not None
    await backend.clock.sleep(max(0.0, (due - backend.clock.now()).total_seconds()))
    message = queue.receive()
    assert message is not None
    assert message.text == GUARD
    queue.delete(message)
    return await acquire(worker(backend, "guard"))


class AheadTable:
    """The control table as one front end of the service shows it, whose time is ahead of the others'."""

    def __init__(self, table: ControlTable, seconds: float) -> None:
        self._table = table
        self._seconds = timedelta(seconds=seconds)
        self.get, self.put, self.delete, self.list = table.get, table.put, table.delete, table.list

    async def look(self, name: str) -> ControlLook:
        row, read_at = await self._table.look(name)
        return ControlLook(row, read_at + self._seconds)


class AwayQueue:
    async def send(self, text: str, delay: float = 0.0) -> None:
        raise RetryLater("storage is away")


class AnswersLost:
    """A table whose first write is applied and then reported as a conflict: what a repeated request gets to see."""

    def __init__(self, table: ControlTable) -> None:
        self._table = table
        self.lost = 0
        self.get, self.look, self.delete = table.get, table.look, table.delete

    async def put(self, row: ControlRow) -> ControlRow:
        written = await self._table.put(row)
        if not self.lost:
            self.lost += 1
            raise LostRace("conflict")
        return written


class AlwaysLate:
    """A table in which another worker is always faster."""

    def __init__(self, table: ControlTable) -> None:
        self.lost = 0
        self.get, self.look, self.delete = table.get, table.look, table.delete

    async def put(self, row: ControlRow) -> ControlRow:
        self.lost += 1
        raise LostRace("another worker was faster")
