"""Whether events of every watched subscription can reach the app: the sweep looks once an hour, the doctor tells.

So it does of the subscriptions in which zones may be beside these, as the settings name them. Another team's topic may
stand there, or none: then the sweep alone sees what others change in the zones, and nothing is lost.

What was seen is kept in table `control`. A subscription that was whole once, or that a setting names, for which the
template made everything, has lost what is missing; any other one has never had it, and is served by the sweep alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.clouds.azure.event_topics import look_at_topic
from shared.context import Context, log
from shared.core.model.errors import AutopilotError, Blocked
from shared.core.model.event_topics import Delivery, TopicLook
from shared.core.model.json_values import mapping, mappings, stored_instant, text, texts
from shared.state.control import DamagedRow, OnLostRace, understood, update

DOCUMENT = "event-topics"
EVERY = timedelta(hours=1)
AT_ONCE = 16
LIVE_MAX = 20
"""Subscriptions that the doctor looks at itself; of more it tells what the last sweep saw."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What delivers events, subscription by subscription."""

    at: datetime | None = None
    looks: tuple[TopicLook, ...] = ()
    whole: Mapping[str, str] = field(default_factory=dict)
    """Id of the topic of each subscription that was whole once."""
    errors: tuple[AutopilotError, ...] = ()


async def look_hourly(context: Context) -> Seen:
    """What delivers events, seen within the hour; what could not be read keeps its last look. Called by the sweep."""
    if not context.settings.azure.event_subscription:
        return Seen()
    kept, now = await _recall(context), context.clock.now()
    if kept.at is not None and now - kept.at < EVERY:
        return replace(kept, looks=tuple(_judged(context, one, kept) for one in kept.looks))
    seen = await _look(context, kept)
    for one in seen.looks:
        if one.lost:
            log.warning("events of subscription %s are lost: %s [%s]", one.subscription, one.delivery, one.topic)

    def written(_: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {
            "at": now.isoformat(),
            "looks": [
                {
                    "subscription": one.subscription,
                    "delivery": str(one.delivery),
                    "topic": one.topic,
                    "identity": one.identity,
                    "others": list(one.others),
                    "zonesOnly": one.zones_only,
                    "leftOut": list(one.left_out),
                }
                for one in seen.looks
            ],
            "whole": dict(seen.whole),
        }

    await update(context.storage.control, context.clock, DOCUMENT, written, lost=OnLostRace.SKIP, mend=True)
    return seen


async def present(context: Context) -> Seen | None:
    """What delivers events now, or by the last look where subscriptions are many; None: the settings want no events."""
    if not context.settings.azure.event_subscription:
        return None
    kept = await _recall(context)
    if len(_places(context)) <= LIVE_MAX:
        return await _look(context, kept)
    return replace(kept, looks=tuple(_judged(context, one, kept) for one in kept.looks))


async def _look(context: Context, kept: Seen) -> Seen:
    gate, name = asyncio.Semaphore(AT_ONCE), context.settings.azure.event_subscription

    async def one(subscription: str) -> TopicLook | AutopilotError:
        async with gate:
            try:
                found = await look_at_topic(context.endpoints.clients, subscription, name)
            except AutopilotError as error:
                if isinstance(error, Blocked) and subscription not in watched:  # no right is needed there
                    return TopicLook(subscription, Delivery.NO_TOPIC, zones_only=True)
                return error
            return replace(found, zones_only=subscription not in watched)

    watched = context.settings.scope.watched_subscriptions
    places = _places(context)
    answers = await asyncio.gather(*map(one, places))
    before = {one.subscription: one for one in kept.looks}
    errors = tuple(one for one in answers if isinstance(one, AutopilotError))
    looks = [
        before.get(subscription) if isinstance(found, AutopilotError) else found
        for subscription, found in zip(places, answers, strict=True)
    ]
    known = [one for one in looks if one is not None]
    whole = {s: topic for s, topic in kept.whole.items() if s in places}
    whole |= {one.subscription: one.topic for one in known if one.delivery is Delivery.WHOLE}
    now = replace(kept, whole=whole)
    return replace(now, looks=tuple(_judged(context, one, now) for one in known), errors=errors)


def _places(context: Context) -> tuple[str, ...]:
    """The watched subscriptions, and the others in which the settings let zones be."""
    return tuple(
        dict.fromkeys((*context.settings.scope.watched_subscriptions, *context.options.dns.zone_subscriptions))
    )


def _judged(context: Context, look: TopicLook, seen: Seen) -> TopicLook:
    never_made = look.zones_only or look.subscription in context.settings.scope.found
    made = look.subscription in seen.whole or not never_made
    return replace(look, lost=made and look.delivery is not Delivery.WHOLE)


async def _recall(context: Context) -> Seen:
    row = await context.storage.control.get(DOCUMENT)
    try:
        return Seen() if row is None else understood(row, _seen)
    except DamagedRow as error:
        log.warning("what delivers events is not known: %s", error)
        return Seen()


def _seen(document: Mapping[str, Any]) -> Seen:
    looks = tuple(
        TopicLook(
            text(one["subscription"]),
            Delivery(one["delivery"]),
            text(one.get("topic")),
            text(one.get("identity")),
            texts(one.get("others")),
            zones_only=one.get("zonesOnly") is True,
            left_out=texts(one.get("leftOut")),
        )
        for one in mappings(document["looks"])
    )
    whole = {str(name): text(topic) for name, topic in mapping(document.get("whole")).items()}
    return Seen(stored_instant(document["at"]), looks, whole)
