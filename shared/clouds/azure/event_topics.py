"""The system topic of a subscription and the app's event subscription on it, read from ARM. Used by `installation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.azure.arm import ArmClients
from shared.clouds.azure.arm_reads import read_json, read_list
from shared.core.model.errors import NotFound
from shared.core.model.event_topics import Delivery, TopicLook
from shared.core.model.json_values import mapping, text

API = "2025-02-15"
OF_SUBSCRIPTIONS = "microsoft.resources.subscriptions"
"""Type of a topic whose events are those of a subscription."""


async def look_at_topic(clients: ArmClients, subscription: str, event_subscription: str) -> TopicLook:
    """What delivers the events of a subscription; raises what reads raise."""
    place = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics"
    listed = await read_list(clients, place, API, "list the system topics", subscription=subscription)
    topic = next((one for one in listed if _type(one) == OF_SUBSCRIPTIONS and text(one.get("id"))), None)
    if topic is None:
        return TopicLook(subscription, Delivery.NO_TOPIC)
    given = mapping(topic.get("identity"))
    others = tuple(mapping(given.get("userAssignedIdentities")))
    path = f"{text(topic.get('id'))}/eventSubscriptions/{event_subscription}"
    try:
        body = await read_json(clients, path, API, "read the app's event subscription", subscription=subscription)
    except NotFound:
        return TopicLook(subscription, Delivery.NO_EVENT_SUBSCRIPTION, text(topic.get("id")), others=others)
    wanted = _identity(mapping(body.get("properties")))
    own = "systemassigned" in text(given.get("type")).lower().replace(" ", "")
    there = not wanted or (own if wanted == "SystemAssigned" else wanted.lower() in map(str.lower, others))
    delivery = Delivery.WHOLE if there else Delivery.NO_IDENTITY
    return TopicLook(subscription, delivery, text(topic.get("id")), wanted, others)


def _type(topic: Mapping[str, Any]) -> str:
    return text(mapping(topic.get("properties")).get("topicType")).lower()


def _identity(subscribed: Mapping[str, Any]) -> str:
    """What an event subscription delivers, or leaves dead letters, with."""
    for name in ("deliveryWithResourceIdentity", "deadLetterWithResourceIdentity"):
        identity = mapping(mapping(subscribed.get(name)).get("identity"))
        if identity:
            own = text(identity.get("type")).lower() == "systemassigned"
            return "SystemAssigned" if own else text(identity.get("userAssignedIdentity"))
    return ""
