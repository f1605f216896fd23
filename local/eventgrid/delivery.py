"""One batch of events to one subscription: attempts, waits between them, and the end. A batch is one event by default.

`local.eventgrid.grid` runs one `Delivery` for each batch of each subscription, all side by side. What is fixed by
documentation is here: which answers count as success, which are final, how long is waited after which.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from local.eventgrid.payloads import Schema, event_time

if TYPE_CHECKING:
    from random import Random

    from local.clock import LoopClock
    from local.eventgrid.probation import Probation
    from local.eventgrid.settings import EventGridSettings

SUCCESS = range(200, 205)


class Destination(Enum):
    """Where a subscription's events go."""

    WEBHOOK = auto()
    FUNCTION = auto()
    """A function of an app in Azure, at the webhook of the Event Grid extension."""
    QUEUE = auto()
    """A queue of a storage account."""


_FINAL = {
    Destination.WEBHOOK: {400, 401, 403, 413},
    Destination.FUNCTION: {400, 403, 413},
    Destination.QUEUE: {400, 403, 413},
}
"""Never retried. A 401 is, of an Azure resource: its key may not be there yet."""
_LEAST_WAIT = {401: 300.0, 404: 300.0, 408: 120.0, 503: 30.0}
_OUTCOMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    503: "Busy",
}


class DeliveryError(Exception):
    """No answer came: no server listens, the name does not resolve, the connection broke."""


@dataclass(frozen=True)
class Answer:
    """What the webhook answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Deliver = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Answer]]
"""Send (method, url, headers, body); raises `DeliveryError` when no answer came."""


@dataclass(frozen=True)
class Attempt:
    """One request and how it ended; kept in `EventGrid.deliveries`."""

    subscription: str
    event_id: str
    number: int
    at: datetime
    status: int | None
    outcome: str
    events: int = 1
    """How many it brought; `event_id` is the first one's."""


@dataclass(eq=False)
class Subscription:
    """Who wants which events."""

    name: str
    url: str
    schema: Schema
    included_types: tuple[str, ...]
    operation_names: tuple[str, ...]
    subject_parts: tuple[str, ...]
    probation: Probation
    dead_letter: Callable[[dict[str, Any]], None] | None
    """Gets each event that cannot be delivered; None: it is lost, as by default in Azure."""
    max_events_per_batch: int = 1
    destination: Destination = Destination.WEBHOOK
    deliver: Deliver | None = None
    """Its own way there; None: the grid's."""

    def wants(self, event_type: str, operation_name: str, subject: str) -> bool:
        """Whether all filters let an event through; comparison ignores case, an empty filter lets all through."""
        if self.subject_parts and not any(part.casefold() in subject.casefold() for part in self.subject_parts):
            return False
        return _among(event_type, self.included_types) and _among(operation_name, self.operation_names)


def _among(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value.casefold() in {one.casefold() for one in wanted}


@dataclass(eq=False)
class Delivery:
    """Brings one batch to one subscription, all of it at once, or to its dead letters."""

    clock: LoopClock
    settings: EventGridSettings
    random: Random
    send: Deliver
    subscription: Subscription
    events: list[dict[str, Any]]
    log: Callable[[Attempt], None]
    on_late: Callable[[asyncio.Task[Answer]], None]
    published: datetime

    async def run(self) -> None:
        """Attempt until it is delivered, refused for good, too old, or tried too often."""
        number, last = 0, self._not_tried()
        while True:
            if not await self.subscription.probation.passed(self._deadline()):
                await self._give_up("TimeToLiveExceeded", replace(last, outcome="Probation"))
                return
            number += 1
            request = asyncio.create_task(self._request(number))
            last = await self._attempt(number, request)
            self.subscription.probation.note(delivered=last.outcome == "Delivered")
            if last.outcome == "Delivered":
                return
            reason = self._end_of_the_line(number, last)
            if reason:
                await self._give_up(reason, last)
                return
            await self.clock.sleep(self._wait_after(number, last.status))
            if _succeeded(request):  # the answer came late, but it came: no second delivery
                return
            if self._too_old():
                await self._give_up("TimeToLiveExceeded", last)
                return

    async def _request(self, number: int) -> Answer:
        cloud, batches = self._cloud_events(), self.subscription.max_events_per_batch > 1
        media = "application/json"
        if cloud:
            media = "application/cloudevents-batch+json" if batches else "application/cloudevents+json"
        headers = {
            "content-type": f"{media}; charset=utf-8",
            "aeg-subscription-name": self.subscription.name.upper(),
            "aeg-delivery-count": str(number - 1),
            "aeg-data-version": "2",
            "aeg-metadata-version": "1",
            "aeg-event-type": "Notification",
        }
        body = json.dumps(self.events[0] if cloud and not batches else self.events).encode()
        return await self.send("POST", self.subscription.url, headers, body)

    async def _attempt(self, number: int, request: asyncio.Task[Answer]) -> Attempt:
        at = self.clock.now()
        try:
            done, _ = await asyncio.wait([request], timeout=self.settings.answer_timeout)
        except asyncio.CancelledError:
            request.cancel()
            raise
        status: int | None = None
        if not done:
            outcome = "TimedOut"  # the request goes on: Event Grid does not call it back either
            self.on_late(request)
        elif isinstance(request.exception(), DeliveryError):
            outcome = "ResolutionError"
        else:
            status = request.result().status
            outcome = "Delivered" if status in SUCCESS else _OUTCOMES.get(status, "GenericError")
        attempt = replace(self._not_tried(), number=number, at=at, status=status, outcome=outcome)
        self.log(attempt)
        return attempt

    def _end_of_the_line(self, number: int, last: Attempt) -> str | None:
        if last.status in _FINAL[self.subscription.destination]:
            return "UndeliverableDueToHttpStatusCode"
        if number >= self.settings.max_delivery_attempts:
            return "MaxDeliveryAttemptsExceeded"
        return "TimeToLiveExceeded" if self._too_old() else None

    def _not_tried(self) -> Attempt:
        first = self.events[0]["id"]
        return Attempt(self.subscription.name, first, 0, self.published, None, "", len(self.events))

    def _cloud_events(self) -> bool:
        return self.subscription.schema == "CloudEventSchemaV1_0"

    def _deadline(self) -> datetime:
        return self.published + timedelta(minutes=self.settings.event_time_to_live_minutes * self.settings.time_scale)

    def _too_old(self) -> bool:
        return self.clock.now() >= self._deadline()

    def _wait_after(self, number: int, status: int | None) -> float:
        schedule = self.settings.retry_schedule
        wait = max(schedule[min(number, len(schedule)) - 1], _LEAST_WAIT.get(status or 0, 0.0))
        spread = self.random.uniform(-1, 1) * self.settings.retry_jitter
        return wait * (1 + spread) * self.settings.time_scale

    async def _give_up(self, reason: str, last: Attempt) -> None:
        if self.subscription.dead_letter is None:
            return  # Event Grid's default: the event is gone
        await self.clock.sleep(self.settings.dead_letter_delay * self.settings.time_scale)
        added = {
            "deadLetterReason": reason,
            "deliveryAttempts": last.number,
            "lastDeliveryOutcome": last.outcome,
            "publishTime": event_time(self.published),
            "lastDeliveryAttemptTime": event_time(last.at),
        }
        if self._cloud_events():  # its attribute names have no capitals
            added = {name.lower(): value for name, value in added.items()}
        for event in self.events:
            self.subscription.dead_letter(event | added)


def _succeeded(request: asyncio.Task[Answer]) -> bool:
    if not request.done() or request.cancelled() or request.exception() is not None:
        return False
    return request.result().status in SUCCESS
