"""Adds what delivers events where a watched subscription lacks it, those below management groups included.

A template makes the topics of the subscriptions that it is given by id. Which ones are below a management group changes
from day to day, and the app finds them by itself; until each has a topic with the app's event subscription, the timer
alone sees its endpoints. This (`scripts/topics.sh`) takes Contributor on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import before_provision
from after_deploy import deploy_events
from azure_cli import Refused, az, say
from installation import Installation, below, output, refuse_a_name_that_is_taken, unique

AT_ONCE = 8
"""Questions side by side: each starts Azure CLI anew, which takes a second."""


@dataclass(frozen=True)
class Look:
    """What delivers a subscription's events; `lacks` and `stops` are empty where all is there."""

    subscription: str
    lacks: str = ""
    """What this can add."""
    stops: str = ""
    """What its owner has to do first."""
    topic: str = ""
    """Id of a topic that another team made."""


def add(installation: Installation, named: Sequence[str] = ()) -> None:
    """Look at every watched subscription; add what is missing, and all of it in those that are named."""
    if installation.delivery == "none":
        raise Refused("This installation takes no events (EVENT_DELIVERY=none): there is nothing to add.")
    if not output("STORAGE_ID"):
        raise Refused("The deployment tells no storage (AUTOPILOT_STORAGE_ID): deploy infra/main.bicep first.")
    watched = unique(*installation.watched, *below(installation.management_groups))
    heard, given = unique(*watched, *installation.heard), unique(*named)
    strangers = [one for one in given if one not in heard]
    if strangers:
        raise Refused(f"Not watched: {', '.join(strangers)}. AZURE_SUBSCRIPTIONS and AZURE_MANAGEMENT_GROUPS decide.")
    refuse_a_name_that_is_taken(installation, heard)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        looks = list(pool.map(lambda one: _looked_at(installation, one, may_make=one in watched), heard))
    stopped = [one for one in looks if one.stops]
    wanted = [one for one in looks if not one.stops and (one.lacks or one.subscription in given)]
    for one in (*stopped, *wanted):
        say(f"  {one.subscription}: {one.stops or one.lacks or 'named'}")
    if wanted:
        ids = [one.subscription for one in wanted]
        before_provision.register(dict.fromkeys(ids, before_provision.WATCHED))
        deploy_events(
            installation, output("TOPIC_IDENTITY_ID"), ids, [one.topic for one in wanted if one.topic], "topics"
        )
    say(f"{len(watched)} subscriptions are watched; added what delivers events in {len(wanted)} of them.")
    if stopped:
        raise Refused(f"{len(stopped)} of them wait for what stands above; until then the timer sees their endpoints.")


def _looked_at(installation: Installation, subscription: str, *, may_make: bool) -> Look:
    try:
        listed = az("eventgrid", "system-topic", "list", "--subscription", subscription)
        topics = [one for one in listed if one["topicType"].lower() == before_provision.SUBSCRIPTIONS]
        if not topics and not may_make:
            return Look(subscription, stops="its topic is gone, and nothing is watched there: EXISTING_SYSTEM_TOPICS")
        if not topics:
            return Look(subscription, lacks="no topic")
        (_, _, _, _, group, *_, name), topic = topics[0]["id"].split("/"), topics[0]
        theirs = "" if group.lower() == installation.events_group.lower() else topic["id"]
        command = before_provision.identity_command(topic) if theirs and output("TOPIC_IDENTITY_ID") else ""
        if command:
            return Look(
                subscription, stops=f"another team's topic has no identity of its own. Its owner runs: {command}"
            )
        where = ("--resource-group", group, "--subscription", subscription, "--system-topic-name", name)
        found = [one["name"].lower() for one in az("eventgrid", "system-topic", "event-subscription", "list", *where)]
    except Refused as refusal:
        return Look(subscription, stops=f"not read: {str(refusal).splitlines()[0][:200]}")
    there = installation.event_subscription.lower() in found
    return Look(subscription, "" if there else "no event subscription of this installation", topic=theirs)
