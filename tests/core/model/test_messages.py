"""Messages of the work queue: what is written can be read, raw events can be read too, nothing else can."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.errors import InvalidInput
from shared.core.model.messages import PUT_BACKS_MAX, VERSION, Cause, WorkMessage, decode
from tests.core.core_parts import ENDPOINT_ID, sample

MESSAGE = WorkMessage(parse_endpoint_id(ENDPOINT_ID), Cause.MANUAL, "c-1")
BODY: dict[str, Any] = json.loads(MESSAGE.encode())


def read(body: object) -> WorkMessage:
    return only(json.dumps(body))


def only(text: str | bytes) -> WorkMessage:
    """The one request in a message that is understood in full."""
    decoded = decode(text, new_correlation_id="new-1")
    assert (decoded.dropped, decoded.checks) == ((), ())
    (work,) = decoded.work
    return work


@pytest.mark.parametrize(
    "wake_at",
    [
        None,
        datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC),
        datetime(2026, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    ],
)
@pytest.mark.parametrize("encoded", [str, str.encode])
def test_a_message_that_was_written_reads_the_same(wake_at: datetime | None, encoded: Any) -> None:
    message = WorkMessage(MESSAGE.endpoint, Cause.WAIT, "c-1", wake_at)
    assert only(encoded(message.encode())) == message


def test_a_message_holds_the_id_the_cause_and_the_correlation_and_nothing_else() -> None:
    assert BODY == {"v": 1, "endpoint": ENDPOINT_ID, "cause": "manual", "correlationId": "c-1"}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("grid_write", "event-write"),
        ("grid_write_bare", "event-write"),
        ("grid_delete", "event-delete"),
        ("cloud_write", "event-write"),
        ("cloud_delete", "event-delete"),
    ],
)
def test_a_raw_event_of_either_schema_is_a_message(name: str, cause: str) -> None:
    message = only(sample(name))
    assert (message.cause, message.endpoint.name, message.wake_at) == (cause, "pe-search", None)
    assert message.correlation_id == "5f0c7a52-3d3b-4b5e-9f8e-0d6f1c2b3a49"


def test_a_raw_event_without_a_correlation_id_gets_the_new_one() -> None:
    assert only(sample("notification_created")).correlation_id == "new-1"


@pytest.mark.parametrize("given_id", [None, ""])
def test_a_message_without_a_correlation_id_gets_the_new_one(given_id: object) -> None:
    assert read(BODY | {"correlationId": given_id}).correlation_id == "new-1"


def test_a_message_without_a_cause_says_so() -> None:
    assert read({"v": 1, "endpoint": ENDPOINT_ID}) == WorkMessage(MESSAGE.endpoint, Cause.UNKNOWN, "new-1")


@pytest.mark.parametrize("cause", ["x" * 500, "Manual", "", 7, [], {}, None])
def test_a_cause_that_this_version_does_not_know_is_none(cause: object) -> None:
    assert read(BODY | {"cause": cause}).cause is Cause.UNKNOWN


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_read_as_it_is_written(cause: Cause) -> None:
    assert only(WorkMessage(MESSAGE.endpoint, cause, "c-1").encode()).cause is cause


@pytest.mark.parametrize("given_id", ["y" * 65, "a\r\nx-evil: 1", "a b", "ä", 7, ["a"]])
def test_a_correlation_id_that_cannot_stand_in_a_header_is_replaced(given_id: object) -> None:
    assert read(BODY | {"correlationId": given_id}).correlation_id == "new-1"


@pytest.mark.parametrize("name", ["grid_failure", "grid_other_type", "grid_child", "grid_validation"])
def test_other_raw_events_are_dropped_and_say_why(name: str) -> None:
    decoded = decode(sample(name), new_correlation_id="new-1")
    assert (decoded.work, decoded.checks, decoded.raw) == ((), (), True)
    assert len(decoded.dropped) == 1


def test_a_batch_of_raw_events_is_a_request_for_each_endpoint() -> None:
    decoded = decode(sample("grid_batch"), new_correlation_id="new-1")
    assert ([work.endpoint.name for work in decoded.work], decoded.raw) == (["pe-search", "pe-logs"], True)


@pytest.mark.parametrize("version", [0, -1, "1", "2", 2.0, None, [1]])
def test_a_message_of_another_version_is_refused_and_says_what_to_do(version: object) -> None:
    with pytest.raises(InvalidInput, match="version") as refused:
        read(BODY | {"v": version})
    assert "Deploy" in refused.value.next_step


def test_a_message_of_a_newer_version_is_to_be_put_back_whole_and_counted() -> None:
    body = {"v": VERSION + 1, "unknown": {"of": ["another", "form"]}}
    for count in (1, 2):
        decoded = decode(json.dumps(body), new_correlation_id="new-1")
        (text,) = decoded.newer
        assert (decoded.work, decoded.checks, decoded.raw) == ((), (), False)
        body = json.loads(text)
        assert body == {"v": VERSION + 1, "unknown": {"of": ["another", "form"]}, "putBacks": count}


def test_what_no_newer_instance_took_for_a_day_is_left_to_a_person() -> None:
    with pytest.raises(InvalidInput, match="version"):
        read(BODY | {"v": VERSION + 1, "putBacks": PUT_BACKS_MAX})


@pytest.mark.parametrize(
    "endpoint",
    [None, 7, "", [], {}, "pe-search", f"{ENDPOINT_ID}/x/y", ENDPOINT_ID.replace("privateEndpoints", "nics")],
)
def test_a_message_that_names_no_endpoint_is_refused(endpoint: object) -> None:
    with pytest.raises(InvalidInput):
        read(BODY | {"endpoint": endpoint})


@pytest.mark.parametrize("wake_at", ["soon", 7, [], "2026-05-06T07:08:09", "2026-13-06T07:08:09Z", ""])
def test_a_wake_up_time_that_is_none_is_refused(wake_at: object) -> None:
    with pytest.raises(InvalidInput, match="wake-up time"):
        read(BODY | {"wakeAt": wake_at})


@pytest.mark.parametrize("text", ["", "{", "null", "3", '"x"', "[]", "[1]", "[{},{}]", "[" * 200_000, b"\xff"])
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(text, new_correlation_id="new-1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(ENDPOINT_ID),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=6,
)


@settings(deadline=None, database=None)
@given(st.dictionaries(st.sampled_from(["v", "endpoint", "cause", "correlationId", "wakeAt", "eventType"]), JSON))
def test_every_message_is_read_or_refused(body: dict[str, Any]) -> None:
    for candidate in (body, {"v": 1, **body}, {"v": 1, "endpoint": ENDPOINT_ID, **body}):
        with suppress(InvalidInput):
            decoded = decode(json.dumps(candidate), new_correlation_id="new-1")
            assert all(message.endpoint.is_private_endpoint for message in decoded.work)
            assert decoded.work or decoded.dropped or decoded.newer
