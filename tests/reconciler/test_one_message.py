"""At most one message of ours per endpoint stands in the queue: a wait takes the place of the one before."""

from __future__ import annotations

import asyncio

from shared.core.model.messages import Cause, decode
from tests.harness.estate import Estate
from tests.harness.wire import Call, Fault


def ours(estate: Estate) -> list[Cause]:
    """The causes of the messages that stand in the queue."""
    return [decode(message.text, new_correlation_id="test").work[0].cause for message in estate.queue.messages]


async def awaiting_approval(estate: Estate) -> str:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    assert (await estate.connection(endpoint)).status.phase == "AwaitingApproval"
    assert ours(estate) == [Cause.WAIT]
    return endpoint


async def test_events_about_an_endpoint_that_waits_add_no_message(estate: Estate) -> None:
    endpoint = await awaiting_approval(estate)
    for cause in ("event-write", "manual", "timer", "event-write"):
        await estate.send(endpoint, cause)
        await estate.settle(0.5)
        assert ours(estate) == [Cause.WAIT]
        wake_at = (await estate.connection(endpoint)).schedule.wake_at
        assert wake_at == decode(estate.queue.messages[0].text, new_correlation_id="test").work[0].wake_at


async def test_a_wait_that_replaced_another_still_wakes_the_connection(estate: Estate) -> None:
    endpoint = await awaiting_approval(estate)
    await estate.send(endpoint, "event-write")
    await estate.settle(0.5)
    before = (await estate.connection(endpoint)).status.generation
    await estate.settle(120)
    assert (await estate.connection(endpoint)).status.generation > before


async def test_a_run_that_needs_no_other_takes_back_the_wait_that_stands(estate: Estate) -> None:
    endpoint = await awaiting_approval(estate)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags["elastic-privatelink"] = "ignore"
    await estate.send(endpoint, "event-write")
    await estate.settle(0.5)
    assert (await estate.connection(endpoint)).status.phase == "Ignored"
    assert ours(estate) == []


async def test_a_wait_that_a_worker_has_taken_meanwhile_is_not_touched(estate: Estate) -> None:
    """A run that an event began, while another process has taken the wait."""
    endpoint = await awaiting_approval(estate)
    (wait,) = estate.queue.messages
    await estate.clock.sleep((wait.visible_at - estate.clock.now()).total_seconds())
    taken = estate.queue.receive()
    assert taken is not None
    await estate.send(endpoint, "event-write")
    await estate.settle(0.5)
    assert len(estate.queue.messages) == 2, "that one is being handled; the new wait stands by itself"
    await estate.handle(taken)
    assert ours(estate) == [Cause.WAIT]
    assert (await estate.connection(endpoint)).schedule.wake_at is not None


async def test_a_worker_that_dies_between_its_wait_and_its_record_leaves_one_wait(estate: Estate) -> None:
    endpoint = await awaiting_approval(estate)
    await estate.send(endpoint, "event-write")
    estate.worker = estate.new_worker(_dies_after_the_wait)
    await estate.settle(900)
    assert ours(estate) == [Cause.WAIT]
    wake_at = (await estate.connection(endpoint)).schedule.wake_at
    assert wake_at is not None
    assert wake_at > estate.clock.now(), "it goes on"


async def test_a_run_that_ends_takes_the_guard_of_its_lease_out_of_the_queue(estate: Estate) -> None:
    """Another worker met the lease while the run held it, left word, and a guard in case the holder dies."""
    endpoint = await awaiting_approval(estate)
    other = estate.new_worker()

    async def busy() -> None:
        await estate.send(endpoint, "event-write")
        message = next(one for one in estate.queue.messages if decode_cause(one.text) == Cause.EVENT_WRITE)
        await estate.handle(message, other)
        assert Cause.LEASE in ours(estate), "the guard stands while the lease is held"

    met = asyncio.Event()

    def meanwhile(call: Call) -> None:
        if call.service == "elastic" and not met.is_set():
            met.set()

    estate.worker = estate.new_worker(meanwhile)
    estate.elastic_settings.latency_seconds = 5
    await estate.send(endpoint, "manual")
    running = asyncio.ensure_future(estate.settle(30))
    await met.wait()
    await busy()
    await running
    assert Cause.LEASE not in ours(estate)
    assert ours(estate) == [Cause.WAIT]


def decode_cause(text: str) -> Cause:
    return decode(text, new_correlation_id="test").work[0].cause


def _dies_after_the_wait(call: Call) -> Fault | None:
    return Fault.CRASH_AFTER if (call.service, call.what) == ("queue", "replace") else None
