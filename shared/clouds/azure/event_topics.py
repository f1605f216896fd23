"""The system topic of a subscription and the app's event subscription on it, read from ARM. Used by `installation`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from shared.clouds.azure.arm_reads import read_json, read_list
from shared.clouds.azure.clients import ArmClients
from shared.core.model.errors import Blocked, NotFound
from shared.core.model.event_filter import filter_of, left_out
from shared.core.model.event_topics import Delivery, TopicLook
from shared.core.model.json_values import mapping, text

log = logging.getLogger("privatelink")
API = "2025-02-15"
ROLES_API = "2022-04-01"
QUEUE_MESSAGE_SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
"""Ids of built-in roles: Storage Queue Data Message Sender, Storage Blob Data Contributor."""
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
    if there and wanted and not await _may_write(clients, _principal(given, wanted), mapping(body.get("properties"))):
        delivery = Delivery.NO_RIGHTS
    missing = left_out(filter_of(mapping(body.get("properties"))))
    return TopicLook(subscription, delivery, text(topic.get("id")), wanted, others, left_out=missing)


def _principal(identity: Mapping[str, Any], wanted: str) -> str:
    if wanted == "SystemAssigned":
        return text(identity.get("principalId"))
    given = mapping(identity.get("userAssignedIdentities")).items()
    return next((text(mapping(one).get("principalId")) for name, one in given if name.lower() == wanted.lower()), "")


async def _may_write(clients: ArmClients, principal: str, subscribed: Mapping[str, Any]) -> bool:
    """Whether an identity has the roles that it delivers and leaves dead letters with; also where that is not told."""
    needed = _places(subscribed)
    if not principal or not needed:
        return True
    storage = needed[0][0].partition("/queueServices/")[0].partition("/blobServices/")[0]
    path = f"{storage}/providers/Microsoft.Authorization/roleAssignments"
    query = f"{ROLES_API}&$filter=principalId%20eq%20'{principal}'"
    try:
        listed = await read_list(clients, path, query, "list a topic's roles", subscription=storage.split("/")[2])
    except (Blocked, NotFound) as error:  # the app's storage may be where it has no role of its own
        log.info("the roles of topics on storage are not known: %s", error)
        return True
    held = [mapping(one.get("properties")) for one in listed]
    return all(any(_covers(one, place, role) for one in held) for place, role in needed)


def _places(subscribed: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an event subscription writes to with an identity, and the role that lets it."""
    found = []
    delivery = mapping(mapping(subscribed.get("deliveryWithResourceIdentity")).get("destination"))
    queue = mapping(delivery.get("properties"))
    if text(delivery.get("endpointType")) == "StorageQueue" and text(queue.get("resourceId")):
        place = f"{text(queue.get('resourceId'))}/queueServices/default/queues/{text(queue.get('queueName'))}"
        found.append((place, QUEUE_MESSAGE_SENDER))
    letters = mapping(mapping(subscribed.get("deadLetterWithResourceIdentity")).get("deadLetterDestination"))
    blobs = mapping(letters.get("properties"))
    if text(blobs.get("resourceId")):
        place = (
            f"{text(blobs.get('resourceId'))}/blobServices/default/containers/{text(blobs.get('blobContainerName'))}"
        )
        found.append((place, BLOB_DATA_CONTRIBUTOR))
    return found


def _covers(assignment: Mapping[str, Any], place: str, role: str) -> bool:
    scope = text(assignment.get("scope")).lower().rstrip("/")
    same = text(assignment.get("roleDefinitionId")).lower().endswith(f"/{role}")
    return same and (place.lower() == scope or place.lower().startswith(f"{scope}/"))


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
