"""A sweep adds nothing to a queue that is behind; what was lost it sends again; what people ask for is their own."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from local.world import SEEDED, VNET_REGIONS
from shared.api.queries import rerun_endpoint
from shared.core.model.callers import Asked
from shared.core.model.messages import Cause, decode
from shared.core.model.record import ConnectionRecord
from shared.state.codec import holding
from shared.state.rows import ConnectionRow
from shared.sweep.backlog import PATIENCE
from shared.sweep.sweep import sweep
from tests.harness.estate import Estate
from tests.harness.wire import Call, Fault, Killed
from tests.sweep.sweep_parts import a_ready_connection, delete_the_record

UNFINISHED = int(os.environ.get("UNFINISHED", "8"))
"""Endpoints of the test of ten sweeps; `make burst` takes 512."""

INTERVAL = 300.0
"""Seconds from one sweep to the next."""


async def unheard(estate: Estate, number: int, *, recorded: bool = False) -> list[str]:
    """Endpoints whose events were lost; `recorded`: a run has begun each, and got no further."""
    estate.events.settings.drop = True
    endpoints = [
        await estate.put_endpoint(
            f"pe-{one}", vnet=SEEDED[one % len(SEEDED)], location=VNET_REGIONS[one % len(SEEDED) // 2]
        )
        for one in range(number)
    ]
    await estate.clock.sleep(60)
    for endpoint in endpoints if recorded else ():
        record = ConnectionRecord(endpoint)
        await estate.storage.connections.insert(holding(ConnectionRow(record.id), record))
    return endpoints


def in_the_queue(estate: Estate) -> Counter[str]:
    """How many messages stand in the queue about each endpoint."""
    decoded = [decode(message.text, new_correlation_id="test") for message in estate.queue.messages]
    return Counter(work.endpoint.key for one in decoded for work in one.work)


def once_each(endpoints: list[str]) -> Counter[str]:
    return Counter(endpoint.lower() for endpoint in endpoints)


@pytest.mark.parametrize("recorded", [False, True], ids=["without a record", "with one"])
@pytest.mark.parametrize("pause", [0.0, INTERVAL], ids=["at once", "each in its time"])
async def test_ten_sweeps_over_unfinished_endpoints_leave_one_message_for_each(
    estate: Estate, recorded: bool, pause: float
) -> None:
    endpoints = await unheard(estate, UNFINISHED, recorded=recorded)
    for _ in range(10):
        await estate.sweep()
        await estate.clock.sleep(pause)
    assert in_the_queue(estate) == once_each(endpoints)


async def test_sweeps_add_nothing_to_the_events_that_wait(estate: Estate) -> None:
    endpoints = [await estate.put_endpoint(f"pe-{one}") for one in range(4)]
    await estate.clock.sleep(60)
    events = in_the_queue(estate)
    for _ in range(5):
        found = await estate.sweep()
        assert (found.enqueued, found.held_back) == (0, 4)
        await estate.clock.sleep(INTERVAL)
    assert set(events) == set(once_each(endpoints))
    assert in_the_queue(estate) == events


async def test_a_wait_that_is_late_in_a_queue_that_is_behind_is_not_sent_again(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    for _ in range(10):
        await estate.clock.sleep(INTERVAL)
        await estate.sweep()
    assert in_the_queue(estate) == once_each([endpoint])


async def test_two_sweeps_at_once_leave_one_message_for_each(estate: Estate) -> None:
    endpoints = await unheard(estate, 4)
    await asyncio.gather(*(sweep(estate.new_worker().context, f"at-once-{number}") for number in range(2)))
    await sweep(estate.new_worker().context, "after-them")
    assert in_the_queue(estate) == once_each(endpoints)


@pytest.mark.parametrize("recorded", [False, True], ids=["without a record", "with one"])
async def test_what_the_queue_has_lost_the_next_sweep_sends_again(estate: Estate, recorded: bool) -> None:
    endpoints = await unheard(estate, 4, recorded=recorded)
    await estate.sweep()
    estate.queue.messages.clear()
    await estate.clock.sleep(INTERVAL)
    assert (await estate.sweep()).enqueued == 4
    assert in_the_queue(estate) == once_each(endpoints)


async def test_a_sweep_that_is_killed_while_it_sends_is_made_up_for_once_the_queue_is_up_to_date(
    estate: Estate,
) -> None:
    endpoints = await unheard(estate, 4)
    sends = 0

    def dies_at_the_third(call: Call) -> Fault | None:
        nonlocal sends
        sends += (call.service, call.what) == ("queue", "send")
        return Fault.CRASH_BEFORE if sends == 3 else None

    with pytest.raises(Killed):
        await estate.sweep(estate.new_worker(dies_at_the_third))
    assert len(in_the_queue(estate)) == 2
    await estate.clock.sleep(700)
    assert (await estate.sweep()).held_back == 4, "two of them stand there, and nothing tells which"
    await estate.settle(INTERVAL)
    assert (await estate.sweep()).enqueued == 2
    await estate.settle()
    found = [(await estate.connection(endpoint)).status.phase for endpoint in endpoints]
    assert found.count("Ready") >= 1


async def test_drift_is_repaired_by_the_first_sweep_that_finds_the_queue_up_to_date(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    await delete_the_record(estate, endpoint)
    await estate.send(endpoint.replace("pe-1", "others"))
    await estate.clock.sleep(60)
    assert (await estate.sweep()).held_back == 1
    await estate.settle(INTERVAL)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_queue_that_is_always_behind_gets_what_is_missing_once_an_hour(estate: Estate) -> None:
    endpoints = await unheard(estate, 2)
    await estate.send(endpoints[0])
    await estate.clock.sleep(60)
    enqueued = 0
    sweeps = round(PATIENCE.total_seconds() / INTERVAL)
    for _ in range(sweeps):
        enqueued += (await estate.sweep()).enqueued
        await estate.clock.sleep(INTERVAL)
    assert enqueued == 0
    assert (await estate.sweep()).enqueued == 2
    await estate.clock.sleep(INTERVAL)
    assert (await estate.sweep()).enqueued == 0, "and not at every sweep from then on"


async def test_what_a_person_asks_for_is_sent_however_long_the_queue_is(estate: Estate) -> None:
    endpoints = await unheard(estate, 3)
    await estate.sweep()
    await estate.clock.sleep(INTERVAL)
    await rerun_endpoint(estate.worker.context, endpoints[0], Asked("operator", "by-hand"))
    await estate.sweep()
    assert in_the_queue(estate)[endpoints[0].lower()] == 2
    last = decode(estate.queue.messages[-1].text, new_correlation_id="test").work[0]
    assert (last.cause, last.correlation_id) == (Cause.MANUAL, "by-hand")
    await estate.settle()
    entries = (await estate.storage.journal.newest((await estate.connection(endpoints[0])).id, 100)).entries
    assert entries


async def test_a_sweep_that_has_nothing_to_send_does_not_look_at_the_queue(estate: Estate) -> None:
    await a_ready_connection(estate)
    estate.worker = estate.new_worker()
    await estate.sweep()
    assert [call.what for call in estate.worker.wire.calls if call.service == "queue"] == ["poisoned"]
