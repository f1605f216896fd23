"""Event Grid at a queue of a storage account, and at a function that still starts: what is refused, and what is lost.

A refused event is the quietest way to lose one: nothing tries it again.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from local.arm import ResourceEvent
from local.clock import LoopClock
from local.eventgrid import (
    AccountSettings,
    Answer,
    DeliveryError,
    Destination,
    EventGrid,
    EventGridSettings,
    QueueDeliver,
    StorageAccount,
)
from tests.harness.estate import START

CHANGE = ResourceEvent(
    "write",
    "Succeeded",
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe",
    "Microsoft.Network/privateEndpoints",
    "s",
    "t",
    "c",
    START,
)
QUEUE = "https://st1.queue.core.windows.net/reconcile"


class Site:
    """A grid with one subscription to a queue; `queue` has what arrived, `letters` what became a dead letter."""

    def __init__(self, **settings: Any) -> None:
        clock = LoopClock(START)
        self.queue: list[str] = []
        self.letters: list[dict[str, Any]] = []
        self.is_away = False
        self.account = StorageAccount(clock, AccountSettings(**settings))
        self.grid = EventGrid(clock, deliver=self.no_webhook, settings=EventGridSettings(retry_jitter=0.0))

    async def no_webhook(self, *_: Any) -> Answer:
        raise AssertionError("no webhook is asked for a queue")

    async def put(self, text: str) -> None:
        if self.is_away:
            raise DeliveryError("the queue service is away")
        self.queue.append(text)

    async def subscribe(self) -> None:
        await self.grid.subscribe(
            QUEUE,
            destination=Destination.QUEUE,
            deliver=QueueDeliver(self.account, self.put),
            dead_letter=self.account.guarded(self.letters.append),
        )

    async def publish(self) -> None:
        self.grid.publish(CHANGE)
        await self.grid.drain()

    @property
    def attempts(self) -> list[int | None]:
        return [attempt.status for attempt in self.grid.deliveries]


async def opened(**settings: Any) -> Site:
    site = Site(**settings)
    await site.subscribe()
    return site


async def test_each_event_becomes_a_message_of_its_own_with_no_handshake_before_it() -> None:
    site = await opened()
    await site.publish()
    await site.publish()
    assert [json.loads(text)["subject"].rsplit("/", 1)[-1] for text in site.queue] == ["pe", "pe"]
    assert site.attempts == [201, 201]


async def test_a_user_assigned_identity_does_not_pass_a_storage_firewall_and_its_dead_letters_are_lost_too() -> None:
    site = await opened(firewall=True)
    await site.publish()
    assert site.attempts == [403], "a 403 is never tried again"
    assert (site.queue, site.letters) == ([], [])
    assert len(site.account.lost) == 1


async def test_the_systems_own_identity_passes_the_firewall() -> None:
    site = await opened(firewall=True, topic_identity="system-assigned")
    await site.publish()
    assert (len(site.queue), site.attempts) == (1, [201])


async def test_a_role_is_refused_until_it_has_spread_and_what_came_meanwhile_is_not_tried_again() -> None:
    site = await opened(role_spread_seconds=120)
    await site.publish()
    assert (site.queue, site.attempts) == ([], [403])
    assert len(site.letters) == 1, "a dead letter goes five minutes later, when the role has spread"
    await site.publish()
    assert (len(site.queue), site.attempts) == (1, [403, 201])
    site.account.assign()
    await site.publish()
    assert (len(site.queue), site.attempts) == (1, [403, 201, 403])


async def test_without_its_roles_the_topic_delivers_nothing() -> None:
    site = await opened()
    site.account.revoke()
    await site.publish()
    assert (site.queue, site.letters, len(site.account.lost)) == ([], [], 1)


async def test_a_queue_that_is_away_is_tried_again() -> None:
    site = await opened()
    site.is_away = True
    site.grid.publish(CHANGE)
    await asyncio.sleep(5)
    site.is_away = False
    await site.grid.drain()
    assert (len(site.queue), site.attempts) == (1, [None, 201])


@pytest.mark.parametrize(
    ("destination", "attempts"), [(Destination.FUNCTION, [401, 202]), (Destination.WEBHOOK, [401])]
)
async def test_a_401_is_tried_again_at_a_function_of_an_app_only(destination: Destination, attempts: list[int]) -> None:
    clock, statuses = LoopClock(START), [401, 202]

    async def deliver(_method: str, _url: str, headers: Any, body: bytes) -> Answer:
        if headers["aeg-event-type"] == "SubscriptionValidation":
            code = json.loads(body)[0]["data"]["validationCode"]
            return Answer(200, {}, json.dumps({"validationResponse": code}).encode())
        return Answer(statuses.pop(0))

    grid = EventGrid(clock, deliver=deliver, settings=EventGridSettings(retry_jitter=0.0))
    await grid.subscribe("https://app/runtime/webhooks/eventgrid", destination=destination)
    started = asyncio.get_running_loop().time()
    grid.publish(CHANGE)
    await grid.drain()
    assert [attempt.status for attempt in grid.deliveries] == attempts
    if destination is Destination.FUNCTION:
        assert asyncio.get_running_loop().time() - started >= 300
