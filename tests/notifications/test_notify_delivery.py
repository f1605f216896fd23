"""At least once, also when a process dies or a request fails on the way; and never at the cost of the work."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

import pytest

from shared.core.model.arm_ids import connection_id
from shared.core.notifications.transitions import MOST_WAITING
from shared.notifications.outbox import BATCH, REST, SEND_SECONDS
from tests.harness.estate import Estate
from tests.harness.wire import Call, Fault, Killed, Refusal, Stall
from tests.notifications.notify_parts import ON, Trouble, connected, look, of_connections, once, sweeps, told


def topic_calls(estate: Estate) -> int:
    return sum(call.service == "topic" for call in estate.worker.wire.calls)


# -- processes that die --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
async def test_a_process_that_dies_while_it_sends_loses_nothing(estate: Estate, fault: Fault) -> None:
    estate.worker = estate.new_worker(lambda call: fault if call.service == "topic" else None)
    dying = estate.worker
    endpoint = await estate.put_endpoint()
    while not dying.wire.dead:
        await estate.settle(20)
    taken = list(estate.topic.events)
    assert len(taken) == (fault is Fault.CRASH_AFTER)
    estate.queue.messages.clear()  # not even the message that it worked on comes back
    await estate.ready(endpoint)
    await estate.sweep()
    assert len(estate.topic.events) == len(taken) + 1
    assert len(once(estate.topic.events)) == 1
    assert all(event == estate.topic.events[0] for event in estate.topic.events), "to the letter"


class Dies:
    """At the nth write of a record or control document, or request to the topic."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number, self.fault, self.met = number, fault, 0

    def __call__(self, call: Call) -> Fault | None:
        self.met += call.service == "topic" or (call.service in {"connections", "control"} and call.writes)
        return self.fault if self.met == self.number else None


async def in_a_run(dies: Dies) -> Estate:
    """The process that connects an endpoint dies."""
    estate = await Estate(settings=ON).open()
    estate.worker = estate.new_worker(dies)
    await estate.put_endpoint()
    await estate.settle()
    return estate


async def in_a_sweep(dies: Dies) -> Estate:
    """The process that sends what was left dies, and a process before it could send nothing."""
    estate = await Estate(settings=ON).open()
    estate.topic.settings.fail = 503
    await connected(estate)
    estate.topic.settings.fail = None
    with suppress(Killed, BaseExceptionGroup):
        await estate.sweep(estate.new_worker(dies))
    return estate


@pytest.mark.parametrize("tell", [in_a_run, in_a_sweep])
async def test_a_death_at_any_moment_leaves_all_told_under_one_id(tell: Any) -> None:
    number, dies = 0, None
    while dies is None or dies.met >= number:
        number += 1
        for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            dies = Dies(number, fault)
            estate = await tell(dies)
            await estate.clock.sleep(3600)  # what a dead sweep held is free again
            await estate.sweep(estate.new_worker())
            events = once(of_connections(estate))
            assert [(e["data"]["phase"], e["data"]["sequence"]) for e in events] == [("Ready", 1)], (
                f"{fault} at {number}"
            )
            assert all(event in events for event in of_connections(estate)), "a second time is the same to the letter"
    assert number > (10 if tell is in_a_run else 2)


async def test_a_lost_answer_is_asked_again_with_the_same_ids(estate: Estate) -> None:
    estate.topic.settings.lose_answers = True
    await connected(estate)
    await sweeps(estate, 900)
    estate.topic.settings.lose_answers = False
    await sweeps(estate, 300)
    assert len(estate.topic.events) >= 4
    assert len(once(estate.topic.events)) == 1
    before = len(estate.topic.requests)
    await sweeps(estate, 900)
    assert len(estate.topic.requests) == before, "once it was taken there is silence"


async def test_runs_and_sweeps_at_the_same_time_agree_in_the_end(estate: Estate) -> None:
    estate.topic.settings.hang_seconds = 5.0
    endpoints = [await estate.put_endpoint(f"pe-{n}", region=r) for n, r in enumerate(("eastus2", "westeurope"))]
    for _ in range(6):
        await asyncio.gather(estate.settle(20), estate.sweep(estate.new_worker()))
    estate.topic.settings.hang_seconds = 0.0
    await estate.settle()
    await sweeps(estate, 600)
    events = once(estate.topic.events)
    assert sorted((e["subject"], e["data"]["phase"], e["data"]["sequence"]) for e in events) == [
        (endpoint, "Ready", 1) for endpoint in sorted(endpoints)
    ]
    assert [(await estate.connection(endpoint)).notifications.outbox for endpoint in endpoints] == [(), ()]


async def test_a_sweep_leaves_the_record_of_a_run_under_way_to_that_run(estate: Estate) -> None:
    estate.topic.settings.fail = 503
    endpoint = await connected(estate)
    estate.topic.settings.fail = None
    slow = estate.new_worker(
        lambda call: Stall(60) if call.name.startswith(f"arm GET https://arm.local{endpoint}") else None
    )
    await estate.send(endpoint)
    run = asyncio.create_task(estate.settle(90, slow))
    await estate.clock.sleep(1)
    await estate.sweep(estate.new_worker())
    assert await slow.context.leases.held(connection_id(endpoint)), "the run is still under way"
    assert estate.topic.events == []
    await run
    assert told(estate) == ["Ready"]


# -- a topic that fails --------------------------------------------------------------------------------------------


async def test_a_topic_that_is_down_for_hours_gets_all_of_it_afterwards_in_order(estate: Estate) -> None:
    estate.topic.settings.fail = 503
    endpoint, trouble = await connected(estate), Trouble(estate)
    other = await connected(estate, "pe-2", "westeurope")
    for on in (True, False, True, False):
        trouble.on = on
        for one in (endpoint, other):
            await look(estate, one)
        await sweeps(estate, 1800)
    assert estate.topic.events == []
    estate.topic.settings.fail = None
    await estate.sweep()
    for one in (endpoint, other):
        events = [event for event in estate.topic.events if event["subject"] == one]
        assert [event["data"]["phase"] for event in events] == ["Ready", "Degraded", "Ready", "Degraded", "Ready"]
        assert [event["data"]["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert len(estate.topic.events) == 10


async def when_ready(settings: dict[str, str], **switches: Any) -> tuple[float, Estate]:
    estate = await Estate(settings=settings).open()
    for name, value in switches.items():
        setattr(estate.topic.settings, name, value)
    began = estate.clock.now()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    ready_since = (await estate.ready(endpoint)).status.ready_since
    assert ready_since is not None
    return (ready_since - began).total_seconds(), estate


@pytest.mark.parametrize("switches", [{"fail": 500}, {"fail": 403}, {"fail": 413}, {"hang_seconds": 10**5}])
async def test_the_work_takes_as_long_as_without_a_topic(switches: dict[str, Any]) -> None:
    undisturbed, _ = await when_ready({})
    disturbed, estate = await when_ready(ON, **switches)
    assert disturbed == pytest.approx(undisturbed, abs=2.0), "loading the SDK takes some of it, a topic would take ten"
    assert told(estate) == []
    assert not estate.queue.messages
    assert not estate.queue.poison


async def test_no_run_waits_for_a_hanging_topic_longer_than_a_moment_and_not_each_time(estate: Estate) -> None:
    estate.topic.settings.hang_seconds = 10**5
    endpoint = await connected(estate)
    began = estate.clock.now()
    for number in range(20):
        await estate.send(f"{endpoint}-{number}", "event-delete")
        await look(estate, endpoint)
    assert (estate.clock.now() - began).total_seconds() < 60
    assert topic_calls(estate) == 1, "after a failure runs leave it alone for a while"
    began = estate.clock.now()
    await estate.sweep()
    assert (estate.clock.now() - began).total_seconds() == pytest.approx(SEND_SECONDS)
    assert topic_calls(estate) == 2, "sweeps go on trying"
    await estate.clock.sleep(REST.total_seconds())
    await look(estate, endpoint)
    assert topic_calls(estate) == 3


async def test_a_failure_is_logged_with_what_to_do_and_counted(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    estate.topic.settings.fail = 403
    await connected(estate)
    assert "1 notification not sent" in caplog.text
    assert "role EventGrid Data Sender on the topic" in caplog.text
    assert '{"event":"NotificationsSent"' in caplog.text
    assert '"count":1,"error":"The app' in caplog.text


async def test_the_line_of_a_run_counts_what_it_told(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await connected(estate)
    lines = [json.loads(r.getMessage()) for r in caplog.records if r.getMessage().startswith('{"event":"Reconcile')]
    assert [line["topicCalls"] for line in lines if line["phase"] == "Ready"] == [1]
    assert sum(line["topicCalls"] for line in lines) == topic_calls(estate) == 1


async def test_a_bug_in_telling_does_not_undo_the_work(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> None:
        raise TypeError("made by the test")

    assert estate.worker.context.topic is not None
    monkeypatch.setattr(type(estate.worker.context.topic), "publish", lambda _, notices: broken(notices))
    await connected(estate)
    assert not estate.queue.messages
    assert "made by the test" in caplog.text


async def test_more_than_fits_into_one_request_goes_in_several_each_connections_events_together(
    estate: Estate,
) -> None:
    estate.topic.settings.fail = 503
    regions = ["eastus2", "westeurope", "japaneast", "uksouth"]
    endpoints = [await connected_in(estate, f"pe-{n}", regions[n % 4]) for n in range(32)]
    estate.topic.settings.fail = None
    estate.worker = estate.new_worker()
    await estate.sweep()
    assert sorted(event["subject"] for event in estate.topic.events) == sorted(endpoints)
    assert topic_calls(estate) == 2
    assert len(estate.topic.events) <= 2 * BATCH


async def connected_in(estate: Estate, name: str, region: str) -> str:
    """A connection that is told of: Ready, or Blocked because another one holds the region's record."""
    endpoint = await estate.put_endpoint(name, region=region)
    await estate.settle(120)
    return endpoint


async def test_of_too_many_that_wait_the_oldest_are_dropped_with_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    estate = await Estate(settings=ON | {"NOTIFY_AFTER_SECONDS": "0"}).open()
    estate.topic.settings.fail = 503
    endpoint, trouble = await connected(estate), Trouble(estate)
    for number in range(MOST_WAITING + 4):
        trouble.on = number % 2 == 0
        await look(estate, endpoint)
    estate.topic.settings.fail = None
    trouble.on = False
    await estate.sweep()
    numbers = [event["data"]["sequence"] for event in estate.topic.events]
    assert numbers == list(range(MOST_WAITING + 6 - MOST_WAITING, MOST_WAITING + 6))
    assert caplog.text.count("notification dropped, too many wait") == 5


async def test_storage_that_fails_meanwhile_is_no_reason_for_a_sweep_to_fail(estate: Estate) -> None:
    estate.topic.settings.fail = 503
    await connected(estate)
    estate.topic.settings.fail = None

    seen: list[str] = []

    def refuse(call: Call) -> Refusal | None:
        seen.append(call.what)
        # All that a sweep asks before is what it needs itself.
        return Refusal(503) if call.service == "control" and "poisoned" in seen else None

    await estate.sweep(estate.new_worker(refuse))
    assert estate.topic.events == []
    await estate.clock.sleep(3600)
    await estate.sweep()
    assert told(estate) == ["Ready"]
