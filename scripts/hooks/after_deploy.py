"""After the code is deployed: subscribe it to events, prove once that they arrive, and ask for a sweep."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from azure_cli import Refused, az, az_soon, by_azd, looks, remember, say, unless_refused
from installation import Installation, output, subscription_of

PROVED = "AUTOPILOT_DELIVERY_PROVED"
ROLE_SPREADS = 120
"""Seconds after which a role has nearly always spread to where it is looked up."""
LOOKS = 60
"""At the metric, ten seconds apart: ten minutes."""
TOPICS_AT_ONCE = 200
"""Subscriptions of one deployment of infra/events.bicep, which takes no more."""
SET_AGAIN = 12
"""Looks between two changes of the tag: an event that Azure refuses while a role spreads is never sent again."""


def wait_for_roles() -> None:
    """Before the upload: storage refuses it for a minute after the role is assigned, and azd does not try again."""
    storage = output("STORAGE_ID")
    listed = unless_refused(lambda: az("role", "assignment", "list", "--scope", storage), []) if storage else []
    # Python before 3.11 does not read a time that ends in Z.
    made = [datetime.fromisoformat(re.sub(r"Z$", "+00:00", one["createdOn"])) for one in listed if one.get("createdOn")]
    if not made:
        return
    age = (_now() - max(made)).total_seconds()
    if age < ROLE_SPREADS:
        say("  Waiting until the app's rights on its storage have spread")
        for _ in looks(2 + int((ROLE_SPREADS - age) / 10)):
            pass


def subscribe_and_prove(installation: Installation) -> None:
    """Everything; a delivery that could not be proved fails the hook after all else is done."""
    if installation.delivery == "function":
        subscribe_function(installation)
    proved = installation.delivery == "none" or prove_delivery(installation)
    ask_for_sweep()
    if not proved:
        sys.exit(
            "No event has arrived. The timer finds every endpoint all the same, minutes later. Look at the metrics of "
            "the system topic in the portal, then run this again: azd hooks run postdeploy"
        )


def subscribe_function(installation: Installation) -> None:
    """Azure refuses an event subscription to a function that is not there yet: that is why the template cannot."""
    function = f"{output('APP_ID')}/functions/endpoint_events"
    said = ""
    for _ in looks(30):
        try:
            az("resource", "show", "--ids", function, "--api-version", "2024-04-01")
            break
        except Refused as refusal:
            said = str(refusal)
    else:
        sys.exit(
            f"{said}\nThe function endpoint_events has not appeared in 5 minutes. If it was not found, the app did not "
            "start: look at its log stream."
        )
    watched, topics = installation.watched, installation.topics
    if not installation.heard:
        return
    try:
        deploy_events(installation, output("TOPIC_IDENTITY_ID"), watched, topics, "events")
    except Refused as refusal:
        if not output("TOPIC_IDENTITY_ID") or not re.search("(?i)identit", str(refusal)):
            raise
        say("  Azure refuses the system topic an identity: events go to the function, and leave no dead letters")
        deploy_events(installation, "", watched, topics, "events")
        remember("TOPIC_IDENTITY_ENABLED", "false", "topicIdentityEnabled")
    say("  Subscribed to events in: " + ", ".join(installation.heard))


def deploy_events(
    installation: Installation, identity: str, subscriptions: Sequence[str], topics: Sequence[str], name: str
) -> None:
    """Topics, unless they are among these, and our event subscription, for each of the subscriptions.

    With the first part go the topics of other subscriptions, which hold zones only.
    """
    for part in range(0, max(len(subscriptions), 1), TOPICS_AT_ONCE):
        some, later = subscriptions[part : part + TOPICS_AT_ONCE], set(subscriptions[TOPICS_AT_ONCE:])
        theirs = [
            one for one in topics if subscription_of(one) in some or (not part and subscription_of(one) not in later)
        ]
        number = f"-{part // TOPICS_AT_ONCE + 1}" if part else ""
        az_soon(
            *("deployment", "sub", "create", "--name", f"privatelink-{name}-{installation.name}{number}"),
            *("--subscription", installation.home, "--location", installation.location),
            *("--template-file", "infra/events.bicep", "--parameters"),
            f"environmentName={installation.name}",
            f"location={installation.location}",
            f"eventDelivery={installation.delivery}",
            f"functionAppId={output('APP_ID')}",
            f"storageId={output('STORAGE_ID')}",
            f"topicIdentityId={identity}",
            f"actionGroupId={output('ACTION_GROUP_ID')}",
            f"watchedSubscriptions={','.join(some)}",
            f"existingSystemTopics={','.join(theirs)}",
            f"resourceTags={os.environ.get('RESOURCE_TAGS', '')}",
            f"assignRoles={'true' if installation.assign_roles else 'false'}",
        )


# -- proof -----------------------------------------------------------------------------------------------------------


def prove_delivery(installation: Installation) -> bool:
    """Once per way of delivery and list of subscriptions: change a tag, see the event delivered in each."""
    proof = f"{installation.delivery}:{','.join(sorted(installation.heard))}"
    if os.environ.get(PROVED) == proof:
        return True
    results = [_prove(installation, subscription) for subscription in installation.heard]
    if all(results) and by_azd():
        remember(PROVED, proof, "")
    return all(results)


def _prove(installation: Installation, subscription: str) -> bool:
    topic = _topic(installation, subscription)
    if not topic:
        say(f"  There is no system topic in {subscription}")
        return False
    began = _now()
    for number in looks(LOOKS):
        if number % SET_AGAIN == 0:
            _change_tag(installation, subscription)
        if _delivered(installation, topic, began):
            say(f"  Proved: an event of {subscription} has arrived")
            return True
    say(f"  Not proved in ten minutes: no event of {subscription} has arrived")
    return False


def _topic(installation: Installation, subscription: str) -> str:
    for topic in installation.topics:
        if subscription_of(topic) == subscription:
            return topic
    asked = ("eventgrid", "system-topic", "list", "--resource-group", installation.events_group)
    listed = unless_refused(lambda: az(*asked, "--subscription", subscription), [])
    return str(listed[0]["id"]) if listed else ""


def _change_tag(installation: Installation, subscription: str) -> None:
    group = f"/subscriptions/{subscription}/resourceGroups/{installation.events_group}"
    value = f"privatelink-probe={_now().strftime('%Y-%m-%dT%H:%M:%SZ')}"
    try:
        az("tag", "update", "--resource-id", group, "--operation", "Merge", "--tags", value)
    except Refused as refusal:
        say(f"  The tag of {group} could not be changed: {refusal}")


def _delivered(installation: Installation, topic: str, began: datetime) -> bool:
    metrics = unless_refused(
        lambda: az(
            *("monitor", "metrics", "list", "--resource", topic, "--metrics", "DeliverySuccessCount"),
            *("--filter", f"EventSubscriptionName eq '{installation.event_subscription}'"),
            *("--aggregation", "Total", "--interval", "PT1M"),
            *("--start-time", (began - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")),
        )
    )
    series = [one for metric in (metrics or {}).get("value", []) for one in metric.get("timeseries", [])]
    return any(point.get("total") for one in series for point in one.get("data", []))


def ask_for_sweep() -> None:
    """The timer's function, run now: it finds what happened before events arrived."""
    app = output("APP_ID")
    if not app:
        return
    # Azure Resource Manager hands this on to the app's host, with the rights of who is signed in: no key is needed.
    url = f"{app}/hostruntime/admin/functions/check_health?api-version=2024-04-01"
    try:
        az_soon("rest", "--method", "post", "--url", url, "--body", "{}", tries=3)
        say("  Asked for a sweep")
    except Refused as refusal:
        say(f"  A sweep was not asked for; the timer does it within minutes: {str(refusal).splitlines()[0][:200]}")


def _now() -> datetime:
    return datetime.now(timezone.utc)
