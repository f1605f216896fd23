"""What is wrong with the app itself is told once it has lasted, and so is its end: once each, in a known form."""

from __future__ import annotations

import azure.functions as func
import pytest

from shared.app import provide
from shared.composition import build_topic
from shared.core.model.errors import InvalidSettings, RetryLater
from shared.core.model.event_topics import Delivery, TopicLook
from shared.core.notifications.app_problems import MOST_WAITING, AppNews
from shared.core.reports.app_health import Code
from shared.installation.event_topics import Seen
from shared.installation.pause import lift_pause, pause
from shared.notifications.app_problems import DOCUMENT, Teller, tell_app_problems
from shared.state.rows import ControlRow
from shared.sweep import sweep as sweeping
from tests.functions.trigger_parts import functions
from tests.harness.estate import Estate
from tests.harness.platform_parts import ASKED
from tests.notifications.notify_parts import connected, judged, once, sweeps


def news(estate: Estate) -> list[tuple[str, str]]:
    """Each event of the app itself: the last word of its type, and the problem."""
    told = [(event["type"].rpartition(".")[2], event["data"].get("problem")) for event in estate.topic.events]
    return [(word, problem) for word, problem in told if problem]


async def test_a_key_that_is_refused_is_told_by_the_second_sweep_and_its_replacement_by_the_first(
    estate: Estate,
) -> None:
    await connected(estate)
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    await estate.sweep()
    assert news(estate) == [], "one sweep may have met a moment"
    await sweeps(estate, 1200)
    assert news(estate) == [("KeyRefused", "KeyRefused")], "it is no news that it still is"
    estate.elastic_settings.api_key_expires_at = None
    await sweeps(estate, 900)
    assert news(estate) == [("KeyRefused", "KeyRefused"), ("AppRecovered", "KeyRefused")]
    (refused, over) = (event for event in estate.topic.events if event["data"].get("problem"))
    assert refused["data"]["nextStep"].startswith("Create a new Elastic Cloud API key")
    assert refused["data"]["since"] == over["data"]["since"]


async def test_a_sweep_that_fails_is_told_though_no_sweep_ends(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "take_snapshot", fail)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await estate.sweep()
            await estate.clock.sleep(300)
    assert news(estate) == [("SweepFailed", "SweepFailed")]
    await estate.sweep()
    assert news(estate)[1:] == [("AppRecovered", "SweepFailed")]


async def test_a_pause_and_a_late_sweep_are_certain_at_once(estate: Estate) -> None:
    context = estate.worker.context
    await estate.sweep()
    await estate.clock.sleep(3600)
    await pause(context, {"minutes": 30, "reason": "a change of the firewall"}, ASKED)
    await estate.sweep()
    assert news(estate) == [("SweepLate", "SweepLate"), ("Paused", "Paused")]
    assert "a change of the firewall" in estate.topic.events[-1]["data"]["message"]
    await lift_pause(context, ASKED)
    await estate.sweep()
    assert sorted(news(estate)[2:]) == [("AppRecovered", "Paused"), ("AppRecovered", "SweepLate")]


class Timer(func.TimerRequest):
    """A firing of the timer."""

    @property
    def past_due(self) -> bool:
        return False


async def test_wrong_settings_are_told_by_the_timer_once_and_are_no_end_of_what_else_is_wrong(estate: Estate) -> None:
    context = estate.worker.context
    await tell_app_problems(context, [AppNews(Code.REMOVALS_STOPPED, "Too many.", "Look.")], "c")
    wrong = InvalidSettings("The app's settings are wrong:\n  MODE: expected enforce, observe or ignore, not 'x'")
    timer, asked = functions()["check_health"], Teller(context.topic, estate.storage.control, context.clock)
    with provide(wrong, estate.storage, topic=asked.topic):
        for _ in range(2):
            with pytest.raises(InvalidSettings):
                await timer(Timer())
    assert news(estate) == [("RemovalsStopped", "RemovalsStopped"), ("SettingsWrong", "SettingsWrong")]
    told = estate.topic.events[-1]
    assert told["data"]["message"].startswith("The app's settings are wrong: MODE: expected enforce")
    assert judged(told) == []
    await estate.sweep()
    assert sorted(news(estate)[2:]) == [("AppRecovered", "RemovalsStopped"), ("AppRecovered", "SettingsWrong")]


@pytest.mark.parametrize(
    ("wrong", "known"),
    [
        ({"MODE": "x"}, True),
        ({"NOTIFY_TOPIC_ENDPOINT": "no address"}, False),
        ({"INSTANCE_ID": "?"}, False),
        ({}, True),
    ],
)
async def test_the_topic_is_known_unless_its_own_settings_are_wrong(wrong: dict[str, str], known: bool) -> None:
    right = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.invalid/api/events", "INSTANCE_ID": "production"}
    topic = build_topic(right | wrong)
    assert (topic is not None) is known


async def test_all_else_that_a_sweep_finds_is_told_too_and_every_event_is_as_the_schema_says(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object) -> object:
        return Seen(looks=(TopicLook("sub-1", Delivery.NO_TOPIC, lost=True),))

    async def poisoned() -> int:
        return 1

    async def unread(*_: object) -> None:
        raise RetryLater("Azure answered 503.")

    monkeypatch.setattr(sweeping, "look_hourly", lost)
    monkeypatch.setattr(estate.storage.queue, "poisoned", poisoned)
    monkeypatch.setattr(sweeping, "keep_list", unread)
    await sweeps(estate, 900)
    assert sorted(word for word, _ in news(estate)) == ["EventsLost", "MessagesPoisoned", "SweepIncomplete"]
    await tell_app_problems(
        estate.worker.context, [AppNews(Code.REMOVALS_STOPPED, "Too many.", "Look at GET /api/removals.")], "c"
    )
    assert news(estate)[3] == ("RemovalsStopped", "RemovalsStopped")
    assert [(event["type"], found) for event in estate.topic.events if (found := judged(event))] == []


async def test_a_topic_that_is_down_or_loses_its_answer_is_told_later_with_the_same_ids(estate: Estate) -> None:
    context, stopped = estate.worker.context, [AppNews(Code.REMOVALS_STOPPED, "Too many.", "Look.")]
    estate.topic.settings.fail = 503
    for _ in range(MOST_WAITING):
        await tell_app_problems(context, stopped, "c")
        await tell_app_problems(context, [], "c")
        await estate.clock.sleep(60)
    estate.topic.settings.fail, estate.topic.settings.lose_answers = None, True
    await tell_app_problems(context, [], "c")
    estate.topic.settings.lose_answers = False
    await tell_app_problems(context, [], "c")
    assert len(estate.topic.events) == 2 * MOST_WAITING
    assert len(once(estate.topic.events)) == MOST_WAITING, "the oldest were dropped"
    assert await told_again(estate) == 0


async def test_a_damaged_memory_is_begun_anew(estate: Estate) -> None:
    stopped = [AppNews(Code.REMOVALS_STOPPED, "Too many.", "Look.")]
    await estate.storage.control.put(ControlRow(DOCUMENT, {"standing": {"RemovalsStopped": 7}, "outbox": 7}))
    await tell_app_problems(estate.worker.context, stopped, "c")
    assert news(estate) == [("RemovalsStopped", "RemovalsStopped")]


async def told_again(estate: Estate) -> int:
    before = len(estate.topic.events)
    await tell_app_problems(estate.worker.context, [], "c")
    return len(estate.topic.events) - before
