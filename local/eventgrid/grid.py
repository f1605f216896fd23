"""The service: takes changes from ARM, finds who subscribed, and keeps the deliveries going.

`local.cli.stack` calls `publish` for each change and `subscribe` once the function app answers.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from local.eventgrid.delivery import Answer, Attempt, Deliver, Delivery, DeliveryError, Destination, Subscription
from local.eventgrid.payloads import ResourceChange, Schema, resource_event, validation_event
from local.eventgrid.probation import Probation
from local.eventgrid.settings import EventGridSettings, is_on
from local.exchanges import body_value

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from local.clock import LoopClock

_ORIGIN = "eventgrid.azure.net"


class HandshakeError(RuntimeError):
    """The webhook did not prove that it wants events; no subscription was made."""


class EventGrid:
    """All subscriptions of one (made-up) Azure subscription and the events on their way."""

    def __init__(
        self,
        clock: LoopClock,
        *,
        deliver: Deliver,
        settings: EventGridSettings | None = None,
        random: Random | None = None,
        topic: str = "/subscriptions/00000000-0000-0000-0000-000000000000",
        write: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        """Make it; `write` (an `ExchangeLog.write`) gets each request to a webhook and its answer."""
        self.settings = settings or EventGridSettings()
        self.subscriptions: list[Subscription] = []
        self.deliveries: list[Attempt] = []
        self._clock = clock
        self._deliver = deliver
        self._random = random or Random(0)
        self._topic = topic
        self._write = write
        self._leaving: dict[Subscription, list[dict[str, Any]]] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._late: set[asyncio.Task[Answer]] = set()

    @property
    def pending(self) -> int:
        """How many deliveries are on their way, waiting for a retry included."""
        return len(self._running)

    async def subscribe(
        self,
        url: str,
        *,
        name: str = "elastic-privatelink",
        schema: Schema = "EventGridSchema",
        included_types: Sequence[str] = (),
        operation_names: Sequence[str] = (),
        subject_parts: Sequence[str] = (),
        dead_letter: Callable[[dict[str, Any]], None] | None = None,
        max_events_per_batch: int = 1,
        destination: Destination = Destination.WEBHOOK,
        deliver: Deliver | None = None,
    ) -> Subscription:
        """Validate the webhook, then deliver what the filters let through; raises `HandshakeError`.

        A queue proves nothing: whether it can be written to shows with the first event. `deliver` is the way to this
        destination, where it is not the grid's.

        `operation_names` is the advanced filter `StringIn` on `data.operationName`, `subject_parts` the one
        `StringContains` on `subject`; an event has to pass both. With `max_events_per_batch` events that are on their
        way together come in one request; no event waits for others to come.
        """
        subscription = Subscription(
            name,
            url,
            schema,
            tuple(included_types),
            tuple(operation_names),
            tuple(subject_parts),
            Probation(self._clock, self.settings),
            dead_letter,
            max_events_per_batch,
            destination,
            deliver,
        )
        if destination is Destination.QUEUE:
            self.subscriptions.append(subscription)
            return subscription
        try:
            if schema == "CloudEventSchemaV1_0":
                await self._ask_origin(url)
            else:
                await self._ask_code(url, name)
        except DeliveryError as error:
            raise HandshakeError(f"the webhook cannot be reached: {error}") from error
        self.subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Send it no further events; what is on its way still arrives."""
        self.subscriptions.remove(subscription)

    def publish(self, change: ResourceChange) -> None:
        """Take a change from ARM; returns at once, deliveries run in the background."""
        event_id = self._guid()
        for subscription in self.subscriptions:
            event = resource_event(change, event_id, subscription.schema, bare=False)
            kind = str(event.get("eventType") or event["type"])
            wanted = subscription.wants(kind, event["data"]["operationName"], event["subject"])
            if not wanted or is_on(self.settings.drop, event):
                continue
            if is_on(self.settings.bare_evidence, event):
                event = resource_event(change, event_id, subscription.schema, bare=True)
            for _copy in range(2 if is_on(self.settings.duplicate, event) else 1):
                self._add(subscription, event)

    async def drain(self) -> None:
        """Wait until nothing is on its way any more: all delivered, given up or dead-lettered."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        """Drop all that is on its way."""
        tasks = [*self._running, *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _add(self, subscription: Subscription, event: dict[str, Any]) -> None:
        """Put it into the batch that is about to leave, or begin another one."""
        batch = self._leaving.get(subscription, [])
        if 0 < len(batch) < subscription.max_events_per_batch:
            batch.append(event)
            return
        self._leaving[subscription] = batch = [event]
        self._start(self._bring(subscription, batch))

    async def _bring(self, subscription: Subscription, batch: list[dict[str, Any]]) -> None:
        published = self._clock.now()
        delay = self.settings.delivery_delay
        wait = delay(batch[0]) if callable(delay) else delay
        await self._clock.sleep(wait + self._random.uniform(0, self.settings.reorder_within))
        if self._leaving.get(subscription) is batch:
            del self._leaving[subscription]
        await Delivery(
            self._clock,
            self.settings,
            self._random,
            partial(self._send, by=subscription.deliver),
            subscription,
            batch,
            self.deliveries.append,
            self._keep_late,
            published,
        ).run()

    def _keep_late(self, request: asyncio.Task[Answer]) -> None:
        self._late.add(request)

        def forget(task: asyncio.Task[Answer]) -> None:
            self._late.discard(task)
            if not task.cancelled():
                task.exception()  # read here, so that asyncio reports no error that no task awaited

        request.add_done_callback(forget)

    async def _send(self, method: str, url: str, headers: Any, body: bytes, by: Deliver | None = None) -> Answer:
        at = self._clock.now()
        answer: Answer | None = None
        try:
            answer = await (by or self._deliver)(method, url, headers, body)
        finally:
            if self._write is not None:
                request: dict[str, Any] = {"at": at.isoformat(), "service": "eventgrid", "method": method, "url": url}
                request |= {"request_headers": dict(headers), "request_body": body_value(body, headers)}
                self._write(request | _answered(answer))
        return answer

    async def _ask_code(self, url: str, name: str) -> None:
        code = self._guid()
        event = validation_event(self._topic, self._guid(), code, self._clock.now())
        headers = {
            "content-type": "application/json; charset=utf-8",
            "aeg-event-type": "SubscriptionValidation",
            "aeg-subscription-name": name.upper(),
            "aeg-delivery-count": "0",
            "aeg-data-version": "2",
            "aeg-metadata-version": "1",
        }
        answer = await self._send("POST", url, headers, json.dumps([event]).encode())
        if answer.status != 200 or _validation_response(answer.body) != code:
            raise HandshakeError(f"the webhook answered {answer.status} and did not return the validation code")

    async def _ask_origin(self, url: str) -> None:
        answer = await self._send("OPTIONS", url, {"webhook-request-origin": _ORIGIN}, b"")
        allowed = {name.lower(): value for name, value in answer.headers.items()}.get("webhook-allowed-origin")
        if answer.status != 200 or allowed not in ("*", _ORIGIN):
            raise HandshakeError(f"the webhook answered {answer.status} and did not allow {_ORIGIN} to deliver")

    def _guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def _validation_response(body: bytes) -> Any:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value.get("validationResponse") if isinstance(value, dict) else None


def _answered(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"status": None, "response_headers": {}, "response_body": None}
    headers = dict(answer.headers)
    return {"status": answer.status, "response_headers": headers, "response_body": body_value(answer.body, headers)}
