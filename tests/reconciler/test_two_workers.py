"""Two workers and one endpoint: one writer at a time, nothing made twice, no work lost, no work piling up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from local.clock import Skewed
from local.elastic.history import most_policies_at_once
from shared.core.model.arm_ids import connection_id, parse_endpoint_id
from shared.core.model.errors import RetryLater
from shared.core.model.messages import Cause, WorkMessage
from shared.reconciler.loop import ROUNDS, Outcome, reconcile
from shared.state.leases import Held
from tests.harness.estate import Estate
from tests.harness.outcome import At, Story, creates, tell
from tests.harness.wire import Fault, Stall


def slow(estate: Estate) -> None:
    """Every cloud takes its time, so that two runs overlap."""
    estate.elastic_settings.latency_seconds = 0.8
    estate.arm_settings.zone_seconds = 4
    estate.arm_settings.link_seconds = 4


async def an_unheard_endpoint(estate: Estate) -> str:
    estate.events.settings.drop = True
    return await estate.put_endpoint()


def message(endpoint: str, cause: str = "manual") -> WorkMessage:
    return WorkMessage(parse_endpoint_id(endpoint), Cause(cause), "test")


async def both(estate: Estate, endpoint: str, *, seconds_apart: float = 0.0) -> tuple[Outcome, Outcome]:
    """Two processes handle a message each."""

    async def second() -> Outcome:
        await estate.clock.sleep(seconds_apart)
        return await reconcile(estate.new_worker().context, message(endpoint))

    return await asyncio.gather(reconcile(estate.worker.context, message(endpoint)), second())


async def test_of_two_workers_at_once_one_works_and_the_other_leaves_word(estate: Estate) -> None:
    slow(estate)
    endpoint = await an_unheard_endpoint(estate)
    assert sorted(await both(estate, endpoint)) == [Outcome.BUSY, Outcome.DONE]


async def test_two_workers_at_any_distance_make_everything_once() -> None:
    expected = creates((await tell()).estate)
    for tenths in range(0, 300, 15):
        estate = await Estate().open()
        slow(estate)
        endpoint = await an_unheard_endpoint(estate)
        await both(estate, endpoint, seconds_apart=tenths / 10)
        await estate.settle()
        await estate.ready(endpoint)
        found = estate.arm.private_endpoint(endpoint)
        assert found is not None
        assert most_policies_at_once(estate.elastic.history, found.resource_guid) == 1
        assert creates(estate) == expected, f"{tenths / 10} s apart"
        assert not estate.queue.messages, f"{tenths / 10} s apart"
        assert not estate.queue.poison


async def test_work_that_arrives_during_a_run_is_done_by_the_run_that_holds_the_lease(estate: Estate) -> None:
    """The second message asks for what the first run has read past: the holder looks again."""
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    await estate.ready(endpoint)
    slow(estate)
    first = asyncio.create_task(reconcile(estate.worker.context, message(endpoint)))
    await estate.clock.sleep(0.5)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags["elastic-deployments"] = "logs-eastus2"
    assert await reconcile(estate.new_worker().context, message(endpoint)) is Outcome.BUSY
    assert await first is Outcome.DONE
    assert await estate.reason(endpoint, "Associated") == "Associated"


async def test_the_guard_message_of_a_lease_that_was_given_back_does_nothing(estate: Estate) -> None:
    slow(estate)
    endpoint = await an_unheard_endpoint(estate)
    await both(estate, endpoint)
    assert not [m for m in estate.queue.messages if json.loads(m.text)["cause"] == "lease"], "it is taken out"
    await estate.settle(100)
    await estate.ready(endpoint)
    late = estate.new_worker()
    await estate.send(endpoint, "lease")  # one that could not be taken out
    await estate.settle(1000, late)
    assert [call.what for call in late.wire.calls] == ["get", "look", "look"], (
        "one look at the record, the lease and what is left"
    )
    assert not estate.queue.messages


async def test_a_dead_workers_lease_is_taken_over_when_it_ends_and_not_before(estate: Estate) -> None:
    endpoint = await an_unheard_endpoint(estate)
    estate.worker = estate.new_worker(lambda call: Fault.CRASH_AFTER if "rulesets" in call.what else None)
    await estate.send(endpoint)
    await estate.settle(1)
    died = estate.clock.now()
    outcomes = []
    for _ in range(5):
        outcomes.append(await reconcile(estate.worker.context, message(endpoint)))
        await estate.clock.sleep(3.5)
    assert outcomes == [Outcome.BUSY] * 5
    await estate.settle(60)
    await estate.ready(endpoint)
    assert await estate.worker.context.leases.idle(connection_id(endpoint))
    began = min(call.at for call in estate.elastic.requests if call.at > died)
    assert timedelta(seconds=17) <= began - died <= timedelta(seconds=23)


@asynccontextmanager
async def frozen_too(_: Held) -> AsyncIterator[None]:
    """A frozen process: its renewals do not go on, and neither does the limit that would break its work off."""
    yield


async def test_a_worker_that_lost_its_lease_changes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is frozen at any one call for longer than its lease lasts; another one works meanwhile."""
    monkeypatch.setattr(Held, "renewing", frozen_too)
    reference = await tell()
    calls = [call.name for call in reference.estate.worker.wire.calls]
    failed = []
    for name in dict.fromkeys(calls):
        for occurrence in range(1, calls.count(name) + 1):
            story = await a_frozen_worker(At(name, occurrence, Stall(400)))
            failed += [f"{name} ({occurrence}): {problem}" for problem in await story.problems(reference)]
    assert not failed, "\n" + "\n".join(failed)


async def a_frozen_worker(fault: At) -> Story:
    """One worker is frozen, and so are its own time limits; a second one is given a message when the lease is over.

    Their clocks are twenty minutes apart.
    """
    estate = await Estate().open()
    endpoint = await an_unheard_endpoint(estate)
    frozen = estate.new_worker(fault, machine=Skewed(estate.clock, timedelta(minutes=10)))
    estate.worker = estate.new_worker(machine=Skewed(estate.clock, -timedelta(minutes=10)))
    settings = frozen.context.settings
    endless = replace(settings, timing=replace(settings.timing, run_seconds=10**6, arm_wait=10**6))
    frozen = replace(frozen, context=replace(frozen.context, settings=endless))
    run = asyncio.create_task(reconcile(frozen.context, message(endpoint)))
    await estate.clock.sleep(200)
    await estate.send(endpoint)
    await estate.settle(150)
    await run
    await estate.settle()
    return Story(estate, endpoint, 0, 0)


async def test_a_run_that_hangs_is_given_up_in_its_time_and_holds_no_other_up(estate: Estate) -> None:
    endpoint = await an_unheard_endpoint(estate)
    hangs = estate.new_worker(At("connections replace", 1, Stall(10**4)))
    began = estate.clock.now()
    with pytest.raises(RetryLater, match="took longer than"):
        await reconcile(hangs.context, message(endpoint))
    assert (estate.clock.now() - began).total_seconds() <= hangs.context.settings.timing.run_seconds + 1
    assert await reconcile(estate.worker.context, message(endpoint)) is Outcome.DONE, "its lease was given back"
    await estate.settle()
    await estate.ready(endpoint)


@pytest.mark.parametrize(("cause", "handed"), [("timer", "pending"), ("event-delete", "event-delete")])
async def test_a_run_that_is_always_asked_for_more_hands_over_after_a_few_rounds(
    estate: Estate, cause: str, handed: str
) -> None:
    """Else one delivery of a message could last for ever, and the platform end it in the middle."""
    slow(estate)
    endpoint = await an_unheard_endpoint(estate)
    first = asyncio.create_task(reconcile(estate.worker.context, message(endpoint, "timer")))
    other = estate.new_worker()
    for _ in range(120):
        await estate.clock.sleep(1)
        if first.done():
            break
        await reconcile(other.context, message(endpoint, cause))
    assert first.done(), "it goes on and on"
    assert (await estate.connection(endpoint)).status.generation == ROUNDS
    causes = [json.loads(one.text)["cause"] for one in estate.queue.messages]
    assert (causes.count(handed), causes.count("wait")) == (1, 0), "it took the place of the wait"
    assert "manual" not in causes, "that would be the word of a person"
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_storm_of_messages_costs_a_bounded_number_of_runs(estate: Estate) -> None:
    slow(estate)
    endpoint = await an_unheard_endpoint(estate)
    for _ in range(20):
        await estate.send(endpoint)
    workers = [estate.new_worker() for _ in range(4)]
    await asyncio.gather(*(estate.settle(worker=worker) for worker in workers))
    await estate.ready(endpoint)
    reads = [r for r in estate.arm.requests if r.operation == "GET privateEndpoint"]
    assert len(reads) <= 12
    assert not estate.queue.poison


async def test_after_many_events_exactly_one_wake_up_is_in_the_queue(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    for _ in range(20):
        await estate.send(endpoint)
        await estate.settle(3)
    await estate.settle(120)
    now = estate.clock.now()
    causes = [json.loads(m.text)["cause"] for m in estate.queue.messages if m.visible_at > now]
    live = [m for m in estate.queue.messages if json.loads(m.text).get("wakeAt")]
    wake_at = (await estate.connection(endpoint)).schedule.wake_at
    assert wake_at is not None
    assert causes == ["wait"]
    assert json.loads(live[0].text)["wakeAt"] == wake_at.isoformat()


@pytest.mark.parametrize("seconds", [0.5, 2.0, 4.0, 6.0, 9.0])
async def test_a_deletion_that_is_told_during_a_run_is_as_good_as_any_other(estate: Estate, seconds: float) -> None:
    """The run that finds the word at its end has the cause of that message: nothing waits for two sweeps or a limit."""
    slow(estate)
    endpoint = await an_unheard_endpoint(estate)
    first = asyncio.create_task(reconcile(estate.worker.context, message(endpoint)))
    await estate.clock.sleep(seconds)
    await estate.azure("DELETE", endpoint)
    assert await reconcile(estate.new_worker().context, message(endpoint, "event-delete")) is Outcome.BUSY
    await first
    await estate.settle(5)
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.removal.event_told) == ("Removing", True)
    await estate.settle(3600)
    assert (await estate.connection(endpoint)).status.phase == "Removed"


@pytest.mark.parametrize(("cause", "heard"), [("manual", "manual"), ("timer", "pending"), ("event-write", "pending")])
async def test_a_persons_word_that_comes_during_a_run_is_heard_as_such_and_no_other_is_taken_for_one(
    estate: Estate, cause: str, heard: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "privatelink.telemetry")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    slow(estate)
    first = asyncio.create_task(reconcile(estate.worker.context, message(endpoint, "timer")))
    await estate.clock.sleep(0.5)
    assert await reconcile(estate.new_worker().context, message(endpoint, cause)) is Outcome.BUSY
    await first
    lines = [json.loads(one.getMessage()) for one in caplog.records if '"ReconcileCompleted"' in one.getMessage()]
    assert [line["cause"] for line in lines[-2:]] == ["timer", heard]
