"""The triggers of events, queue and timer: what is enqueued, what is dropped with one line, what is raised."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta

import azure.functions as func
import pytest

from local.clock import LoopClock
from local.storage.memory import MemoryStorage
from shared.core.model.errors import InvalidInput, InvalidSettings
from shared.core.model.messages import decode
from tests.functions.conftest import Provide
from tests.functions.trigger_parts import ENDPOINT_ID, START, Output, app_in_memory, functions, sample, wrong_settings

PERSONAL = ("Erika", "erika@example.org", "203.0.113.77", "c0ffee", "Mustermann", "tenantId", "claims", "aaaaaaaa-1111")


def take(event: str, caplog: pytest.LogCaptureFixture) -> tuple[Output, list[str]]:
    """The messages and the lines logged."""
    trigger, output = functions()["endpoint_events"], Output()  # the app's start may have logged something by then
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        trigger(event, output)
    return output, [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("grid_write", "event-write"),
        ("grid_write_bare", "event-write"),
        ("grid_delete", "event-delete"),
        ("grid_tags", "event-write"),
        ("cloud_write", "event-write"),
        ("cloud_delete", "event-delete"),
        ("notification_created", "event-write"),
        ("notification_deleted", "event-delete"),
    ],
)
def test_an_event_of_either_schema_becomes_one_message_with_nothing_personal(
    name: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    output, lines = take(sample(name), caplog)
    (message,) = output.messages
    assert set(message) == {"v", "endpoint", "cause", "correlationId"}
    assert (message["endpoint"].lower(), message["cause"]) == (ENDPOINT_ID.lower(), cause)
    assert message["correlationId"]
    assert len(lines) == 1
    assert message["correlationId"] in lines[0]
    assert not [word for word in PERSONAL if word in f"{output.value} {lines}"]


def test_the_message_can_be_read_by_the_queue_trigger(caplog: pytest.LogCaptureFixture) -> None:
    output, _ = take(sample("grid_write"), caplog)
    (message,) = decode(output.value, new_correlation_id="new").work
    assert message.correlation_id == "5f0c7a52-3d3b-4b5e-9f8e-0d6f1c2b3a49"


def test_an_event_without_a_correlation_id_gets_one_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    (first,), (second,) = (take(sample("notification_created"), caplog)[0].messages for _ in range(2))
    assert first["correlationId"] != second["correlationId"]


def test_a_batch_becomes_a_message_for_each_endpoint_and_drops_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    mixed = json.dumps(json.loads(sample("grid_failure")) + json.loads(sample("grid_batch")))
    output, lines = take(mixed, caplog)
    assert [message["endpoint"].rpartition("/")[2] for message in output.messages] == ["pe-search", "pe-logs"]
    assert len(lines) == 3


@pytest.mark.parametrize(
    "event",
    [
        *(sample(name) for name in ("grid_failure", "grid_action", "grid_other_type", "grid_child", "grid_validation")),
        "",
        "{",
        "[]",
        "null",
        "7",
        '"text"',
        "{}",
        '{"type":7}',
        '{"type":"Microsoft.Resources.ResourceWriteSuccess","subject":"/Erika"}',
        '{"type":"Erika"}',
        '{"type":"Microsoft.Resources.ResourceWriteSuccess","subject":["/x"],"data":"Erika"}',
        "[" * 100_000,
    ],
    ids=lambda event: event[:20],
)
def test_anything_else_is_dropped_with_one_line_and_no_exception(event: str, caplog: pytest.LogCaptureFixture) -> None:
    output, lines = take(event, caplog)
    assert output.value is None
    assert len(lines) == 1
    assert lines[0].startswith("event dropped: The event ") or lines[0].startswith("event dropped: This is no ")
    assert not [word for word in PERSONAL if word in lines[0]]


# -- the queue -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"v":0}', b'{"v":1,"endpoint":"/x"}', b"\xff"])
async def test_a_message_that_cannot_be_understood_is_raised_so_that_it_ends_in_the_poison_queue(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        await functions()["reconcile"](func.QueueMessage(id="m-1", body=body))


async def test_a_message_for_an_endpoint_out_of_scope_is_done_with_and_says_so(
    provided: Provide, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_in_memory()
    provided(app.context)
    body = json.dumps({"v": 1, "endpoint": ENDPOINT_ID.replace("net-prod", "elsewhere"), "cause": "timer"})
    with caplog.at_level(logging.INFO):
        await functions()["reconcile"](func.QueueMessage(id="m-1", body=body.encode()))
    assert "out-of-scope" in caplog.text
    assert [row async for row in app.storage.connections.list()] == []


async def test_a_wait_that_is_no_longer_waited_for_changes_nothing(provided: Provide) -> None:
    app = app_in_memory()
    provided(app.context)
    wake_at = (START + timedelta(seconds=5)).isoformat()
    body = json.dumps({"v": 1, "endpoint": ENDPOINT_ID, "cause": "wait", "wakeAt": wake_at})
    await functions()["reconcile"](func.QueueMessage(id="m-1", body=body.encode()))
    assert app.messages == []
    assert [row async for row in app.storage.connections.list()] == []


# -- wrong settings ------------------------------------------------------------------------------------------------


async def test_with_wrong_settings_work_is_kept_for_later_and_not_dropped(provided: Provide) -> None:
    provided(wrong_settings())
    body = json.dumps({"v": 1, "endpoint": ENDPOINT_ID, "cause": "timer"}).encode()
    with pytest.raises(InvalidSettings, match="AZURE_SUBSCRIPTIONS"):
        await functions()["reconcile"](func.QueueMessage(id="m-1", body=body))
    with pytest.raises(InvalidSettings):
        await functions()["check_health"](Late(past_due=False))


async def test_with_wrong_settings_nothing_personal_of_a_raw_event_ends_in_the_poison_queue(
    provided: Provide,
) -> None:
    """The first deployment often lacks a setting; the events of that hour must not lie about with names in them."""
    storage = MemoryStorage(LoopClock(START))
    provided(wrong_settings(), storage)
    await functions()["reconcile"](func.QueueMessage(id="m-1", body=sample("grid_write").encode()))
    (message,) = storage.queue.messages
    (kept,) = decode(message.text, new_correlation_id="new").work
    assert kept.endpoint.key == ENDPOINT_ID.lower()
    assert not [word for word in PERSONAL if word in message.text]
    await functions()["reconcile"](func.QueueMessage(id="m-2", body=message.text.encode()))
    assert {one.text for one in storage.queue.messages} == {message.text}, "it waits on, however long they stay wrong"


async def test_with_wrong_settings_of_the_storage_too_a_raw_event_is_kept_for_later(
    provided: Provide,
) -> None:
    provided(wrong_settings())
    with pytest.raises(InvalidSettings):
        await functions()["reconcile"](func.QueueMessage(id="m-1", body=sample("grid_write").encode()))


async def test_with_wrong_settings_events_are_still_taken(provided: Provide, caplog: pytest.LogCaptureFixture) -> None:
    provided(wrong_settings())
    await asyncio.sleep(0)
    output, _ = take(sample("grid_write"), caplog)
    assert len(output.messages) == 1


class Late(func.TimerRequest):
    """A firing of the timer."""

    def __init__(self, *, past_due: bool) -> None:
        self._past_due = past_due

    @property
    def past_due(self) -> bool:
        return self._past_due


async def test_a_late_timer_says_so(provided: Provide, caplog: pytest.LogCaptureFixture) -> None:
    provided(wrong_settings())
    with caplog.at_level(logging.INFO), pytest.raises(InvalidSettings):
        await functions()["check_health"](Late(past_due=True))
    assert "the timer is late" in caplog.text
