"""What delivers a subscription's events to the app: its system topic and the app's event subscription on that.

Looked at by `clouds.azure.event_topics`, kept by `installation.event_topics`, told by the doctor. Azure has one topic
for a subscription, and another team may own it: its next deployment may take out what it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Delivery(StrEnum):
    """Whether events of a subscription can reach the app."""

    WHOLE = "Whole"
    NO_TOPIC = "NoTopic"
    NO_EVENT_SUBSCRIPTION = "NoEventSubscription"
    NO_IDENTITY = "NoIdentity"
    """The topic lacks the identity that the app's event subscription delivers with."""
    NO_RIGHTS = "NoRights"
    """That identity may not write to the app's storage: Azure refuses the event, and never sends it again."""


@dataclass(frozen=True, slots=True)
class TopicLook:
    """One subscription, as it was seen."""

    subscription: str
    delivery: Delivery
    topic: str = ""
    """Id of the system topic; empty where there is none."""
    identity: str = ""
    """What the event subscription delivers with: `SystemAssigned` or the id of an identity; empty for none."""
    others: tuple[str, ...] = ()
    """Ids of the identities that the topic's owner gave it."""
    lost: bool = False
    """Whether it was whole once, or the template made it: then what is missing now was taken away."""
    left_out: tuple[str, ...] = ()
    """Operations that the filter of the event subscription does not let through, or not all of them."""
    zones_only: bool = False
    """Whether nothing is watched there: it may hold zones, whose changes a topic there would tell."""


def identity_command(look: TopicLook) -> str:
    """What the topic's owner runs to give it the identity that is missing."""
    wanted = [*look.others, *([look.identity] if look.identity.startswith("/") else [])]
    if not wanted:
        # `--mi-system-assigned` changes nothing in an update (Azure CLI 2.91).
        return f"az eventgrid system-topic update --ids {look.topic} --identity systemassigned"
    kinds = ", ".join(["SystemAssigned"] * (look.identity == "SystemAssigned") + ["UserAssigned"])
    given = ", ".join(f'"{one}": {{}}' for one in wanted)
    body = f'{{"identity": {{"type": "{kinds}", "userAssignedIdentities": {{{given}}}}}}}'
    return f"az rest --method patch --url {look.topic}?api-version=2025-02-15 --body '{body}'"
