"""What time it is, the storage service says: a machine's wrong clock, its jumps and its sleep change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import ServiceClock, SystemClock, machine_clock
from shared.core.model.errors import Forbidden
from shared.state.connect import AzureStorage
from shared.state.storage_settings import StorageSettings

ROOT = Path(__file__).parents[2]
TRUE = datetime(2026, 3, 4, 5, 6, 7, 250_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Machine:
    """A machine whose clock is off by so much, and time that passes as the test says."""

    def __init__(self, off: timedelta = timedelta()) -> None:
        self.off = off
        self.seconds = 4711.0

    def true(self) -> datetime:
        return TRUE + timedelta(seconds=self.seconds - 4711.0)

    def now(self) -> datetime:
        return self.true() + self.off

    def passed(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def ask(machine: Machine, clock: ServiceClock, before: float = 0.0, after: float = 0.0) -> None:
    """A request that is on its way for `before` seconds, and its answer for `after`."""
    heard = clock.request_sent()
    machine.seconds += before
    date = format_datetime(machine.true(), usegmt=True)
    machine.seconds += after
    heard(date)


@pytest.mark.parametrize("minutes", [-600, -10, -1, 1, 10, 600])
def test_the_first_answer_puts_a_wrong_clock_right(minutes: int) -> None:
    machine = Machine(timedelta(minutes=minutes))
    clock = ServiceClock(machine)
    assert clock.now() == machine.now()
    ask(machine, clock)
    assert abs(clock.now() - machine.true()) <= SECOND


def test_a_right_clock_keeps_its_fractions_of_a_second() -> None:
    machine = Machine()
    clock = ServiceClock(machine)
    for latency in (0.0, 0.4, 3.0, 0.1):
        ask(machine, clock, latency, latency)
        assert clock.now() == machine.true()


@given(
    st.floats(-7200, 7200),
    st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0, 500)), min_size=1, max_size=8),
)
def test_with_any_latencies_it_is_as_right_as_the_quickest_answer(
    off: float, answers: list[tuple[float, float, float]]
) -> None:
    machine = Machine(timedelta(seconds=off))
    clock = ServiceClock(machine)
    for before, after, pause in answers:
        ask(machine, clock, before, after)
        machine.seconds += pause
    quickest = min(before + after for before, after, _ in answers)
    assert abs(clock.now() - machine.true()) <= timedelta(seconds=quickest + 1.001)


def test_a_clock_that_is_set_while_the_app_runs_moves_nothing() -> None:
    machine = Machine(timedelta(minutes=10))
    clock = ServiceClock(machine)
    ask(machine, clock)
    machine.off = timedelta(minutes=-30)
    assert abs(clock.now() - machine.true()) <= SECOND


@pytest.mark.parametrize(
    "text", [None, "", "tomorrow", "Fri, 31 Dec 9999 23:59:59 GMT", "Wed, 04 Mar 2099 05:06:07 GMT"]
)
def test_a_date_that_makes_no_sense_moves_nothing(text: str | None) -> None:
    machine = Machine(timedelta(minutes=1))
    clock = ServiceClock(machine)
    ask(machine, clock)
    before = clock.now()
    clock.request_sent()(text)
    assert clock.now() == before


def test_the_doctor_is_given_the_machines_own_clock() -> None:
    machine = Machine()
    assert machine_clock(ServiceClock(machine)) is machine
    assert machine_clock(machine) is machine


def test_durations_go_on_and_never_jump() -> None:
    clock = SystemClock()
    first = clock.passed()
    assert clock.passed() >= first


def test_no_other_module_asks_a_machine_what_time_it_is() -> None:
    asked = ("datetime.now", "utcnow", "time.time(", "date.today", "time_ns(")
    found = [
        f"{path.relative_to(ROOT)}: {one}"
        for folder in ("shared", "functions")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for one in asked
        if one in path.read_text() and path.name != "clock.py"
    ]
    assert found == []


# -- through the SDKs, over a socket -------------------------------------------------------------------------------

AHEAD = timedelta(hours=2)


@asynccontextmanager
async def storage_ahead() -> AsyncIterator[str]:
    """A storage service whose time is two hours ahead of this machine's, and that refuses everything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = format_datetime(datetime.now(UTC) + AHEAD, usegmt=True)
        writer.write(
            f"HTTP/1.1 403 Forbidden\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/acct"
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.real_time
@pytest.mark.parametrize("what", ["table", "queue"])
async def test_every_answer_of_tables_and_queues_tells_the_time_also_a_refusal(what: str) -> None:
    clock = ServiceClock(SystemClock())
    async with storage_ahead() as url:
        text = f"AccountName=acct;AccountKey=c2VjcmV0LWtleQ==;TableEndpoint={url};QueueEndpoint={url}"
        storage = AzureStorage(
            StorageSettings(text),
            lambda _: pytest.fail("no identity"),
            queue_name="work",
            request_sent=clock.request_sent,
        )
        async with aclosing(storage):
            with pytest.raises(Forbidden):
                await (storage.control.get("pause") if what == "table" else storage.queue.poisoned())
    assert abs(clock.now() - datetime.now(UTC) - AHEAD) < timedelta(seconds=30)
