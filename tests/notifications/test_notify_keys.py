"""The end of the Elastic Cloud API key is told two weeks before, three days before, and when it has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.harness.estate import Estate
from tests.notifications.notify_parts import ON, connected, once


def key_events(estate: Estate) -> list[dict[str, Any]]:
    return [event for event in estate.topic.events if event["type"] == "ElasticPrivateLink.KeyExpiring"]


async def expiring(estate: Estate, days: float) -> None:
    """A connection, and a key that ends after so many days."""
    await connected(estate)
    estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=days)


async def days(estate: Estate, number: float, *, restart: bool = False) -> None:
    """Days pass with a sweep every twelve hours, each perhaps in a new process."""
    for _ in range(round(number * 2)):
        if restart:
            estate.worker = estate.new_worker()
        await estate.sweep()
        began = estate.clock.now()
        await estate.settle(3600)
        await estate.clock.sleep(12 * 3600 - (estate.clock.now() - began).total_seconds())


@pytest.mark.parametrize("restart", [False, True])
async def test_each_of_the_three_is_told_once_though_processes_come_and_go(estate: Estate, restart: bool) -> None:
    await expiring(estate, 20.2)
    await days(estate, 5, restart=restart)
    assert key_events(estate) == []
    await days(estate, 17, restart=restart)
    assert [event["data"]["daysLeft"] for event in key_events(estate)] == [13, 2, 0]
    ends = estate.elastic_settings.api_key_expires_at
    assert ends is not None
    assert {event["data"]["expiresAt"][:19] for event in key_events(estate)} == {ends.isoformat()[:19]}
    assert {event["subject"] for event in key_events(estate)} == {"/ecApiKeys/default"}
    assert all(event["data"]["nextStep"] for event in key_events(estate))


async def test_each_organizations_key_is_told_by_its_own_name() -> None:
    estate = await Estate(settings=ON, second_scope="group:rg-second").open()
    await expiring(estate, 2.5)
    estate.second.settings.api_key_expires_at = estate.clock.now() + timedelta(days=10.2)
    await days(estate, 1)
    told = {event["data"]["organization"]: event["data"]["daysLeft"] for event in key_events(estate)}
    assert (told, len(key_events(estate))) == ({"default": 2, "second": 10}, 2)
    assert {event["subject"] for event in key_events(estate)} == {"/ecApiKeys/default", "/ecApiKeys/second"}


async def test_a_new_key_is_another_key(estate: Estate) -> None:
    await expiring(estate, 2)
    await days(estate, 1)
    estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=90)
    await days(estate, 5)
    assert len(key_events(estate)) == 1
    estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=13.1)
    await days(estate, 1)
    assert [event["data"]["daysLeft"] for event in key_events(estate)] == [1, 13]


async def test_a_key_without_an_end_after_one_that_had_one_is_no_reason_for_an_alarm(estate: Estate) -> None:
    """The old key's end comes, and Elastic Cloud cannot be reached at that moment: the new key is as good as ever."""
    await expiring(estate, 20)
    await estate.sweep()
    estate.elastic_settings.api_key_has_end = False
    estate.worker = estate.new_worker()
    await estate.sweep()
    await estate.clock.sleep(30 * 86400)
    estate.elastic_settings.faults.append(lambda *_: (503, {"errors": []}))
    estate.worker = estate.new_worker()
    await estate.sweep()
    assert key_events(estate) == []


async def test_a_topic_that_is_down_on_the_day_gets_it_later(estate: Estate) -> None:
    await expiring(estate, 2)
    estate.topic.settings.fail = 503
    await days(estate, 3)
    assert key_events(estate) == []
    estate.topic.settings.fail = None
    await estate.sweep()
    assert [event["data"]["daysLeft"] for event in key_events(estate)] == [1, 0]


async def test_a_lost_answer_is_asked_again_with_the_same_id(estate: Estate) -> None:
    await expiring(estate, 2)
    estate.topic.settings.lose_answers = True
    await estate.sweep()
    estate.topic.settings.lose_answers = False
    await estate.sweep()
    await estate.sweep()
    assert len(key_events(estate)) == 2
    assert len(once(key_events(estate))) == 1


async def test_a_damaged_memory_is_begun_anew(estate: Estate) -> None:
    await expiring(estate, 2)
    await estate.sweep()
    row = await estate.storage.control.get("notifications")
    assert row is not None
    await estate.storage.control.put(type(row)("notifications", {"keys": 7}, row.etag))
    await estate.sweep()
    assert len(key_events(estate)) == 2
    assert len(once(key_events(estate))) == 1, "with the same id: receivers drop it"


async def test_the_key_of_an_organization_that_the_settings_no_longer_have_is_not_told() -> None:
    """Neither its end, which comes weeks later, nor what waited while the topic was down."""
    estate = await Estate(settings=ON, second_scope="group:rg-second").open()
    await expiring(estate, 90)
    estate.second.settings.api_key_expires_at = estate.clock.now() + timedelta(days=10.2)
    estate.topic.settings.fail = 503
    await estate.sweep()
    estate.topic.settings.fail = None
    estate.worker = estate.new_worker(ELASTIC_ORGANIZATIONS="", EC_API_KEY_SECOND="", ELASTIC_SCOPE_SECOND="")
    await days(estate, 12)
    assert key_events(estate) == []
