"""What is wrong with the app itself is kept by each sweep, and each answer says it with what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.api.decisions import decide
from shared.api.recovered import show_recovered
from shared.core.model.errors import RetryLater
from shared.core.model.event_topics import Delivery, TopicLook
from shared.core.reports.app_health import Code, found_by_sweep
from shared.installation.app_health import DOCUMENT, decided, keep, look
from shared.installation.event_topics import Seen
from shared.installation.pause import pause
from shared.state.rows import ControlRow
from shared.sweep import sweep as sweeping
from tests.harness.estate import Estate
from tests.harness.platform_parts import ASKED


async def codes(estate: Estate) -> list[str]:
    return [one.code for one in (await look(estate.worker.context)).problems]


async def test_nothing_is_wrong_after_a_sweep_that_saw_everything(estate: Estate) -> None:
    assert await codes(estate) == []
    await estate.put_endpoint()
    await estate.settle()
    await estate.sweep()
    assert await codes(estate) == []


async def test_a_key_that_elastic_cloud_does_not_take_is_told_until_it_is_replaced(estate: Estate) -> None:
    await estate.put_endpoint()
    await estate.settle()
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    await estate.sweep()
    (told,) = (await look(estate.worker.context)).problems
    assert told.code == Code.KEY_REFUSED
    assert "Elastic Cloud takes no API key of the app. Not read: deployments, policies" in told.message
    assert told.next_step.startswith("Create a new Elastic Cloud API key")
    estate.elastic_settings.api_key_expires_at = None
    await estate.clock.sleep(3600)
    await estate.sweep()
    assert await codes(estate) == []


async def test_a_sweep_that_does_not_come_is_late(estate: Estate) -> None:
    await estate.sweep()
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.clock.sleep(timedelta(minutes=29).total_seconds())
    assert await codes(estate) == []
    await estate.clock.sleep(120)
    assert await codes(estate) == [Code.SWEEP_LATE]
    await estate.sweep()
    assert await codes(estate) == []


async def test_a_sweep_that_fails_is_told_until_one_does_not(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "take_snapshot", fail)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await estate.sweep()
    (told,) = (await look(estate.worker.context)).problems
    assert (told.code, "ZeroDivisionError" in told.message) == (Code.SWEEP_FAILED, True)
    await estate.sweep()
    assert await codes(estate) == []


async def test_what_a_sweep_could_not_read_and_messages_that_failed_are_told(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object) -> object:
        raise RetryLater("Azure answered 503.")

    async def poisoned() -> int:
        return 1

    monkeypatch.setattr(sweeping, "look_hourly", lost)
    monkeypatch.setattr(estate.storage.queue, "poisoned", poisoned)
    await estate.sweep()
    assert await codes(estate) == [Code.MESSAGES_POISONED, Code.SWEEP_INCOMPLETE]


async def test_events_that_are_lost_are_told(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def seen(_: object) -> object:
        return Seen(looks=(TopicLook("sub-1", Delivery.NO_TOPIC, lost=True), TopicLook("sub-2", Delivery.WHOLE)))

    monkeypatch.setattr(sweeping, "look_hourly", seen)
    await estate.sweep()
    (told,) = (await look(estate.worker.context)).problems
    assert (told.code, told.message) == (Code.EVENTS_LOST, "Events of 1 subscription do not arrive: sub-1.")


def test_removals_that_are_stopped_are_told() -> None:
    (told,) = found_by_sweep([], [], [], stopped=True, poisoned=0)
    assert (told.code, "GET /api/removals" in told.next_step) == (Code.REMOVALS_STOPPED, True)


async def test_what_was_recovered_is_told_until_a_person_confirms_it(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    estate.storage.things.clear()
    await estate.sweep()
    context = estate.worker.context
    (told,) = (await look(context)).problems
    assert (told.code, told.message) == (
        Code.RECOVERED_UNCONFIRMED,
        "3 things with the app's marks, which its tables do not know: none of it is removed.",
    )
    shown = await show_recovered(context)
    await decide(context, {"decision": "confirm-recovered", "list": shown["list"]}, ASKED)
    assert await codes(estate) == [], "no sweep is needed to say so"
    await estate.sweep()
    assert await codes(estate) == []


async def test_a_confirmation_ends_no_other_problem(estate: Estate) -> None:
    context = estate.worker.context
    await keep(context, found_by_sweep(["poison"], [], [], stopped=True, poisoned=1))
    await decided(context, Code.REMOVALS_STOPPED)
    assert await codes(estate) == [Code.MESSAGES_POISONED, Code.SWEEP_INCOMPLETE]


@pytest.mark.parametrize("damaged", [{}, {"at": 7, "due": 7, "problems": []}, {"problems": "x"}])
async def test_a_damaged_row_says_nothing_and_the_next_sweep_mends_it(
    estate: Estate, damaged: dict[str, object]
) -> None:
    context = estate.worker.context
    await pause(context, {"minutes": 30}, ASKED)
    await estate.storage.control.put(ControlRow(DOCUMENT, damaged))
    seen = await look(context)
    assert (seen.pause is not None, seen.problems) == (True, ())
    await keep(context, ())
    assert (await look(context)).problems == ()
