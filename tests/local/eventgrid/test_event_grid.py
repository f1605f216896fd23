"""Event Grid behaves as Microsoft documents it: payloads, handshake, retries, dead letters; and worse on demand."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.clock import LoopClock
from local.eventgrid import (
    PERSONAL_DATA,
    Answer,
    DeliveryError,
    EventGrid,
    EventGridSettings,
    HandshakeError,
    HttpDeliver,
)
from local.exchanges import ExchangeLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

URL = "https://host/runtime/webhooks/eventgrid?functionName=endpoint_events&code=s3cret"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
START = datetime(2026, 2, 3, 4, 5, 6, 611735, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    operation: str = "write"
    status: str = "Succeeded"
    resource_id: str = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.Network/privateEndpoints/pe"
    )
    resource_type: str = "Microsoft.Network/privateEndpoints"
    subscription_id: str = SUBSCRIPTION
    tenant_id: str = "22222222-2222-2222-2222-222222222222"
    correlation_id: str = "11111111-1111-1111-1111-111111111111"
    at: datetime = START
    client_id: str = ""


@dataclass
class Webhook:
    """A consenting webhook that writes down what it gets; `answer` decides the status of a notification."""

    clock: LoopClock
    answer: Callable[[int], int] = lambda _number: 202
    seconds: Callable[[int], float] = lambda _number: 0.0
    got: list[tuple[float, Mapping[str, str], Any]] = field(default_factory=list)

    async def __call__(self, method: str, _url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method == "OPTIONS":
            return Answer(200, {"WebHook-Allowed-Origin": headers["webhook-request-origin"]})
        value = json.loads(body)
        if headers["aeg-event-type"] == "SubscriptionValidation":
            code = value[0]["data"]["validationCode"]
            headers = {"content-type": "application/json; charset=utf-8"}
            return Answer(200, headers, json.dumps({"validationResponse": code}).encode())
        self.got.append((asyncio.get_running_loop().time(), headers, value))
        number = len(self.got)
        await self.clock.sleep(self.seconds(number))
        status = self.answer(number)
        if status == 0:
            raise DeliveryError("connection refused")
        return Answer(status)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [value[0] if isinstance(value, list) else value for _at, _headers, value in self.got]

    @property
    def waits(self) -> list[float]:
        return [round(later - earlier) for (earlier, *_), (later, *_) in pairwise(self.got)]


@pytest.fixture
def clock() -> LoopClock:
    return LoopClock(START)


@pytest.fixture
def webhook(clock: LoopClock) -> Webhook:
    return Webhook(clock)


@pytest.fixture
def settings() -> EventGridSettings:
    return EventGridSettings(retry_jitter=0.0)


@pytest.fixture
def grid(clock: LoopClock, webhook: Webhook, settings: EventGridSettings) -> EventGrid:
    return EventGrid(clock, deliver=webhook, settings=settings, random=Random(1))


async def publish(grid: EventGrid, *changes: Change) -> None:
    for change in changes or (Change(),):
        grid.publish(change)
    await grid.drain()


async def test_a_write_is_delivered_alone_in_an_array_with_the_headers_of_event_grid(
    grid: EventGrid, webhook: Webhook
) -> None:
    await grid.subscribe(URL)
    await publish(grid)
    ((_at, headers, value),) = webhook.got
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-delivery-count"] == "0"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert isinstance(value, list)
    (event,) = value
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["eventTime"] == "2026-02-03T04:05:06.6117350Z"
    assert event["topic"] == f"/subscriptions/{SUBSCRIPTION}"
    assert event["data"]["operationName"] == "Microsoft.Network/privateEndpoints/write"
    assert event["data"]["correlationId"] == "11111111-1111-1111-1111-111111111111"


async def test_a_write_spells_resourcegroups_in_lower_case_and_a_delete_does_not(
    grid: EventGrid, webhook: Webhook
) -> None:
    await grid.subscribe(URL)
    await publish(grid, Change(), Change("delete"))
    write, delete = webhook.events
    assert write["subject"] == write["data"]["resourceUri"] == write["data"]["authorization"]["scope"]
    assert "/resourcegroups/" in write["subject"]
    assert "httpRequest" not in write["data"]
    assert "/resourceGroups/" in delete["subject"]
    assert delete["data"]["httpRequest"]["method"] == "DELETE"
    assert delete["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"


async def test_events_carry_personal_data_and_never_the_resource(grid: EventGrid, webhook: Webhook) -> None:
    await grid.subscribe(URL)
    await publish(grid, Change(), Change("delete"))
    for event in webhook.events:
        assert all(text in json.dumps(event) for text in PERSONAL_DATA)
        assert not {"properties", "resourceInfo"} & event["data"].keys()


async def test_cloud_events_come_bare_after_a_handshake_by_options(grid: EventGrid, webhook: Webhook) -> None:
    await grid.subscribe(URL, schema="CloudEventSchemaV1_0")
    await publish(grid)
    ((_at, headers, event),) = webhook.got
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert event["specversion"] == "1.0"
    assert event["source"] == f"/subscriptions/{SUBSCRIPTION}"
    assert event["type"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert "topic" not in event


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
async def test_a_webhook_that_does_not_consent_gets_no_subscription(clock: LoopClock, schema: Any) -> None:
    async def unaware(_method: str, _url: str, _headers: Mapping[str, str], _body: bytes) -> Answer:
        return Answer(200, {}, b"{}")

    grid = EventGrid(clock, deliver=unaware)
    with pytest.raises(HandshakeError):
        await grid.subscribe(URL, schema=schema)
    grid.publish(Change())
    assert grid.pending == 0


async def test_filters_ignore_case_and_let_only_what_was_asked_for_through(grid: EventGrid, webhook: Webhook) -> None:
    await grid.subscribe(
        URL,
        included_types=["microsoft.resources.resourcewritesuccess"],
        operation_names=["microsoft.network/PRIVATEENDPOINTS/write"],
    )
    other = Change(resource_type="Microsoft.Network/virtualNetworks")
    await publish(grid, Change("delete"), Change(status="Failed"), other, Change())
    assert [event["data"]["operationName"] for event in webhook.events] == ["Microsoft.Network/privateEndpoints/write"]


async def test_a_filter_by_subject_lets_through_what_contains_one_of_its_texts(
    grid: EventGrid, webhook: Webhook
) -> None:
    other = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/x"
    await grid.subscribe(URL, subject_parts=["/NOTHING/", "/PRIVATEENDPOINTS/"])
    await publish(grid, Change(resource_id=other), Change())
    assert ["/privateEndpoints/" in event["subject"] for event in webhook.events] == [True]


async def test_retries_follow_the_documented_schedule(grid: EventGrid, webhook: Webhook) -> None:
    webhook.answer = lambda number: 202 if number == 12 else 500
    await grid.subscribe(URL)
    grid.settings.event_time_to_live_minutes = 10_000
    await publish(grid)
    assert webhook.waits == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 43200]
    assert [headers["aeg-delivery-count"] for _at, headers, _ in webhook.got][:3] == ["0", "1", "2"]
    assert [attempt.outcome for attempt in grid.deliveries][-2:] == ["GenericError", "Delivered"]


async def test_time_can_be_scaled_and_waits_are_jittered(grid: EventGrid, webhook: Webhook) -> None:
    webhook.answer = lambda number: 202 if number == 3 else 500
    grid.settings.time_scale, grid.settings.retry_jitter = 0.1, 0.5
    await grid.subscribe(URL)
    await publish(grid)
    first, second, third = (at for at, *_ in webhook.got)
    assert 0.5 <= second - first <= 1.5
    assert 1.5 <= third - second <= 4.5
    assert second - first != 1.0


@pytest.mark.parametrize("status", [400, 401, 403, 413])
async def test_some_answers_are_final_and_the_event_becomes_a_dead_letter_five_minutes_later(
    grid: EventGrid, webhook: Webhook, status: int
) -> None:
    webhook.answer = lambda _number: status
    dead: list[dict[str, Any]] = []
    await grid.subscribe(URL, dead_letter=dead.append)
    started = asyncio.get_running_loop().time()
    await publish(grid)
    assert asyncio.get_running_loop().time() - started == pytest.approx(300)
    assert len(webhook.got) == 1
    (letter,) = dead
    assert letter["deliveryAttempts"] == 1
    assert letter["publishTime"] == letter["lastDeliveryAttemptTime"] == "2026-02-03T04:05:06.6117350Z"
    assert letter["subject"] == webhook.events[0]["subject"]


async def test_attempts_are_limited(grid: EventGrid, webhook: Webhook) -> None:
    webhook.answer = lambda _number: 404
    grid.settings.max_delivery_attempts = 3
    dead: list[dict[str, Any]] = []
    await grid.subscribe(URL, schema="CloudEventSchemaV1_0", dead_letter=dead.append)
    await publish(grid)
    assert webhook.waits == [300, 300]  # after a 404 at least five minutes
    assert dead[0]["deadletterreason"] == "MaxDeliveryAttemptsExceeded"
    assert dead[0]["lastdeliveryoutcome"] == "NotFound"


async def test_an_old_event_is_given_up(grid: EventGrid, webhook: Webhook) -> None:
    webhook.answer = lambda _number: 0
    grid.settings.event_time_to_live_minutes = 1
    dead: list[dict[str, Any]] = []
    await grid.subscribe(URL, dead_letter=dead.append)
    await publish(grid)
    assert len(webhook.got) == 3  # at 0, 10 and 40 s; 100 s is too late
    assert dead[0]["deadLetterReason"] == "TimeToLiveExceeded"
    assert dead[0]["lastDeliveryOutcome"] == "ResolutionError"


async def test_without_dead_letters_an_undeliverable_event_is_lost(grid: EventGrid, webhook: Webhook) -> None:
    webhook.answer = lambda _number: 400
    await grid.subscribe(URL)
    await publish(grid)
    assert len(webhook.got) == 1


async def test_an_answer_after_thirty_seconds_is_too_late_and_the_retry_overlaps(
    grid: EventGrid, webhook: Webhook
) -> None:
    webhook.seconds = lambda number: 100.0 if number == 1 else 0.0
    await grid.subscribe(URL)
    await publish(grid)
    assert webhook.waits == [40]
    assert [attempt.outcome for attempt in grid.deliveries] == ["TimedOut", "Delivered"]
    await grid.close()


async def test_a_success_that_comes_late_but_before_the_retry_is_one(grid: EventGrid, webhook: Webhook) -> None:
    webhook.seconds = lambda _number: 35.0
    await grid.subscribe(URL)
    await publish(grid)
    assert len(webhook.got) == 1


async def test_every_event_can_be_duplicated_dropped_and_reordered(grid: EventGrid, webhook: Webhook) -> None:
    await grid.subscribe(URL)
    grid.settings.duplicate = True
    await publish(grid)
    assert [event["id"] for event in webhook.events] == [webhook.events[0]["id"]] * 2
    grid.settings.duplicate = False
    grid.settings.drop = lambda event: "Delete" in event["eventType"]
    await publish(grid, Change("delete"), Change())
    assert len(webhook.got) == 3
    grid.settings.drop = False
    grid.settings.delivery_delay = lambda event: 60.0 if "Write" in event["eventType"] else 0.0
    await publish(grid, Change(), Change("delete"))
    assert [event["eventType"].rsplit(".", 1)[-1] for event in webhook.events[3:]] == [
        "ResourceDeleteSuccess",
        "ResourceWriteSuccess",
    ]


async def test_reordering_at_random_loses_the_order(grid: EventGrid, webhook: Webhook) -> None:
    await grid.subscribe(URL)
    grid.settings.reorder_within = 10
    changes = [replace(Change(), correlation_id=str(number)) for number in range(10)]
    await publish(grid, *changes)
    order = [event["data"]["correlationId"] for event in webhook.events]
    assert sorted(order) == [str(number) for number in range(10)]
    assert order != sorted(order)


async def test_an_endpoint_that_keeps_failing_is_left_alone_for_new_events_too(
    grid: EventGrid, webhook: Webhook
) -> None:
    """Why the app's Event Grid stage must not fail for reasons of Azure's or Elastic's."""
    webhook.answer = lambda number: 500 if number <= 2 else 202
    grid.settings.probation_after, grid.settings.probation_seconds = 2, 1000
    await grid.subscribe(URL)
    grid.publish(Change())
    await asyncio.sleep(20)  # failed at 0 and at 10 s
    await publish(grid, replace(Change(), correlation_id="new"))
    assert webhook.waits[:2] == [10, 1000]
    assert [event["data"]["correlationId"] for event in webhook.events].index("new") >= 2
    await publish(grid)
    assert webhook.waits[-1] == 0, "a success ends it"


async def test_what_outlives_its_time_in_probation_is_a_dead_letter_that_says_so(
    grid: EventGrid, webhook: Webhook
) -> None:
    webhook.answer = lambda _number: 500
    grid.settings.probation_after, grid.settings.event_time_to_live_minutes = 1, 5
    dead: list[dict[str, Any]] = []
    await grid.subscribe(URL, dead_letter=dead.append)
    await publish(grid)
    assert len(webhook.got) == 1
    assert (dead[0]["lastDeliveryOutcome"], dead[0]["deadLetterReason"]) == ("Probation", "TimeToLiveExceeded")


@pytest.mark.parametrize(
    ("schema", "media"),
    [("EventGridSchema", "application/json"), ("CloudEventSchemaV1_0", "application/cloudevents-batch+json")],
)
async def test_events_of_a_batch_come_retry_and_end_together(
    grid: EventGrid, webhook: Webhook, schema: Any, media: str
) -> None:
    webhook.answer = lambda number: 503 if number == 1 else 202 if number < 4 else 413
    dead: list[dict[str, Any]] = []
    await grid.subscribe(URL, schema=schema, max_events_per_batch=3, dead_letter=dead.append)
    await publish(grid, *[Change()] * 4)
    assert sorted(len(value) for _at, _headers, value in webhook.got) == [1, 3, 3]
    assert webhook.got[0][1]["content-type"] == f"{media}; charset=utf-8"
    await publish(grid, *[Change()] * 2)
    assert len({letter["id"] for letter in dead}) == 2
    assert [attempt.events for attempt in grid.deliveries] == [3, 1, 3, 2]


async def test_evidence_and_claims_may_be_empty(grid: EventGrid, webhook: Webhook) -> None:
    grid.settings.bare_evidence = True
    await grid.subscribe(URL)
    await publish(grid)
    assert webhook.events[0]["data"]["authorization"]["evidence"] == []
    assert webhook.events[0]["data"]["claims"] == {}


async def test_closing_drops_what_is_on_its_way(grid: EventGrid, webhook: Webhook) -> None:
    webhook.answer = lambda _number: 500
    await grid.subscribe(URL)
    grid.publish(Change())
    await asyncio.sleep(1)
    assert grid.pending == 1
    await grid.close()
    assert grid.pending == 0


async def test_requests_and_answers_are_written_down_without_the_key(clock: LoopClock, webhook: Webhook) -> None:
    log = ExchangeLog(clock=clock)
    webhook.answer = lambda number: 0 if number == 1 else 202
    grid = EventGrid(clock, deliver=webhook, write=log.write)
    await grid.subscribe(URL)
    await publish(grid)
    handshake, refused, delivered = log.exchanges
    assert handshake["response_body"].keys() == {"validationResponse"}
    assert refused["status"] is None
    assert (delivered["status"], delivered["service"]) == (202, "eventgrid")
    assert delivered["request_body"][0]["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert "s3cret" not in json.dumps(log.exchanges)


async def test_http_delivery_returns_the_answer_or_says_that_none_came() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "down":
            raise httpx.ConnectError("refused")
        return httpx.Response(202, headers={"x": "y"}, content=request.content)

    deliver = HttpDeliver(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    got = await deliver("POST", "http://up/?a=b", {}, b"body")
    assert (got.status, got.headers["x"], got.body) == (202, "y", b"body")
    with pytest.raises(DeliveryError, match="refused"):
        await deliver("POST", "http://down/", {}, b"")
    await deliver.close()
