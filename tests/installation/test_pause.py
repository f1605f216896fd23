"""A pause: queued work writes nothing from the moment on, nothing is lost, and the end comes by itself."""

from __future__ import annotations

import pytest

from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.errors import RetryLater
from shared.core.model.messages import Cause, WorkMessage
from shared.installation.pause import DOCUMENT, lift_pause, pause
from shared.reconciler.loop import reconcile
from tests.harness.estate import Estate
from tests.harness.outcome import end_state, snapshot
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Outcome, Refusal
from tests.harness.worker import Worker

DNS_API = "2024-06-01"


def written(worker: Worker) -> list[str]:
    """What a worker wrote in Azure and Elastic Cloud."""
    return [call.name for call in worker.wire.calls if call.writes and call.service in {"arm", "elastic"}]


async def paused(estate: Estate, minutes: float = 60) -> None:
    await pause(estate.worker.context, {"minutes": minutes, "reason": "freeze"}, ASKED)


async def test_queued_work_writes_nothing_once_the_pause_has_begun_and_says_so(estate: Estate) -> None:
    before = snapshot(estate)
    endpoint = await estate.put_endpoint()  # its events are on their way
    await paused(estate)
    await estate.settle()
    assert written(estate.worker) == []
    assert snapshot(estate) == before
    record = await estate.connection(endpoint)
    zone = record.condition("ZoneReady")
    assert zone is not None
    assert zone.reason == "ObserveMode"
    assert "the app is paused until 2026-01-05T10:00:00+00:00 (freeze)" in zone.message
    assert "DELETE /api/pause" in zone.next_step
    assert record.status.planned
    assert not estate.queue.messages


@pytest.mark.parametrize("end", ["expires", "lifted"])
@pytest.mark.parametrize("when", [0.5, 2, 5, 9, 15, 40])
async def test_whenever_it_begins_the_next_sweep_after_it_takes_up_what_waited(
    estate: Estate, when: float, end: str
) -> None:
    reference = await Estate().open()
    wanted = end_state(reference, await ready(reference))
    estate.elastic_settings.approval_seconds = 10
    endpoint = await estate.put_endpoint()
    await estate.settle(when)
    await paused(estate, minutes=30)
    begun = snapshot(estate)
    await estate.settle(600)
    assert snapshot(estate) == begun
    for _ in range(2):  # the timer goes on
        await estate.sweep()
        await estate.settle(300)
    assert snapshot(estate) == begun
    assert not estate.queue.messages
    if end == "lifted":
        await lift_pause(estate.worker.context, ASKED)
    else:
        await estate.clock.sleep(1800)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert end_state(estate, endpoint) == wanted


async def ready(estate: Estate) -> str:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    return endpoint


async def test_a_pause_over_ready_connections_enqueues_nothing_neither_when_it_begins_nor_when_it_ends(
    estate: Estate,
) -> None:
    await ready(estate)
    await paused(estate, minutes=30)
    for _ in range(12):
        assert (await estate.sweep()).enqueued == 0
        await estate.clock.sleep(300)


async def test_no_tag_and_no_person_gets_round_a_pause(estate: Estate) -> None:
    await paused(estate)
    endpoint = await estate.put_endpoint(tags={"elastic-privatelink": "enforce"})
    await estate.settle()
    await estate.send(endpoint, "manual")
    await estate.sweep()
    await estate.settle()
    assert written(estate.worker) == []


async def test_drift_in_a_pause_is_reported_and_mended_after_it(estate: Estate) -> None:
    endpoint = await ready(estate)
    good = end_state(estate, endpoint)
    await paused(estate, minutes=30)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    await estate.sweep()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Degraded"
    assert await estate.reason(endpoint, "RecordReady") == "ObserveMode"
    await estate.clock.sleep(1800)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert end_state(estate, endpoint) == good


async def test_a_pause_stops_removals_too(estate: Estate) -> None:
    endpoint = await ready(estate)
    await paused(estate, minutes=24 * 60)
    before = snapshot(estate)
    await estate.delete(endpoint)
    for _ in range(5):
        await estate.settle()
        await estate.clock.sleep(1200)
        await estate.sweep()
    assert snapshot(estate) == before


async def test_a_pause_outlives_every_process_and_holds_for_each(estate: Estate) -> None:
    await paused(estate)
    estate.worker = estate.new_worker()
    await estate.put_endpoint()
    await estate.settle()
    assert estate.worker.wire.calls
    assert written(estate.worker) == []


def no_control(call: Call) -> Outcome:
    """Table `control` does not answer."""
    return Refusal(503) if call.service == "control" else None


async def test_who_cannot_ask_whether_there_is_a_pause_does_nothing_and_the_message_comes_again(
    estate: Estate,
) -> None:
    endpoint = await estate.put_endpoint()
    blind = estate.new_worker(no_control)
    with pytest.raises(RetryLater):
        await reconcile(blind.context, WorkMessage(parse_endpoint_id(endpoint), Cause.MANUAL, "test"))
    with pytest.raises(RetryLater):
        await estate.sweep(blind)
    assert [call for call in blind.wire.calls if call.service in {"arm", "elastic"} and call.writes] == []
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_run_that_has_nothing_to_change_asks_once(estate: Estate) -> None:
    endpoint = await ready(estate)
    estate.worker = estate.new_worker()
    await estate.send(endpoint)
    await estate.settle()
    assert estate.worker.wire.control_rows.count(DOCUMENT) == 1
