"""First checks that make something of the installation's own, look at what Azure does, and take it back in every case.

`first_checks` runs them with `--change`.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from contextlib import ExitStack
from typing import Any

from azure_cli import Refused, az, looks, unless_refused
from installation import Installation, output

ZONE = "first-checks.private"
OURS = "first-checks"
"""Name of the queue, the event subscription and the link that are made."""
EVENTS_API, QUEUE_API = "2025-02-15", "2024-01-01"
LOOKS = 30
"""Ten seconds apart: five minutes."""


def few_instances(installation: Installation) -> str:
    """Whether fewer than 40 instances are taken; set back to what it was."""
    where = ("--name", output("APP_NAME"), "--resource-group", installation.group, "--subscription", installation.home)
    before = az("functionapp", "scale", "config", "show", *where)["maximumInstanceCount"]
    try:
        az("functionapp", "scale", "config", "set", "--maximum-instance-count", "20", *where)
        return "20 is taken"
    finally:
        az("functionapp", "scale", "config", "set", "--maximum-instance-count", str(before), *where)


def events_of_dns(installation: Installation) -> str:
    """A zone, a link and a record in the group of the events: what Azure reports of them, how often, in which form."""
    where = ("--resource-group", installation.events_group, "--subscription", installation.home)
    with ExitStack() as undo:
        try:
            heard = _listen(installation, undo)
        except Refused as refusal:
            heard = f"no events were asked for: {refusal}"
        az("network", "private-dns", "zone", "create", "--name", ZONE, *where)
        undo.callback(az, "network", "private-dns", "zone", "delete", "--name", ZONE, *where, "--yes")
        network = output("NETWORK_ID")
        if (
            f"/resourcegroups/{installation.group}/".lower() in network.lower()
        ):  # of ours: no network of others is linked
            link = ("--name", OURS, "--zone-name", ZONE, *where)
            asked = ("--virtual-network", network, "--registration-enabled", "false")
            az("network", "private-dns", "link", "vnet", "create", *link, *asked)
            undo.callback(az, "network", "private-dns", "link", "vnet", "delete", *link, "--yes")
        record = ("--zone-name", ZONE, "--record-set-name", "*", "--ipv4-address", "10.0.0.4")
        az("network", "private-dns", "record-set", "a", "add-record", *record, *where)
        logged: Counter[str] = Counter()
        events: list[dict[str, Any]] = []
        for _ in looks(LOOKS):
            log = az("monitor", "activity-log", "list", *where, "--offset", "15m")
            logged = Counter(
                one["operationName"]["value"] for one in log if "rivateDns" in one["operationName"]["value"]
            )
            events = [] if heard else unless_refused(_events, [])
            if any("/A/" in one for one in logged) and (heard or any("/A/" in one["subject"] for one in events)):
                break
        return f"activity log {dict(logged)}; {heard or _told(events)}"


def _listen(installation: Installation, undo: ExitStack) -> str:
    """Have events about the zone put into a queue of their own, which this person may read; or why not."""
    mine = [one for one in _topics(installation) if one["subscribed"]]
    if installation.delivery != "queue" or not mine:
        return "no events were asked for: they go to no queue in the app's subscription"
    storage, topic = output("STORAGE_ID"), mine[0]["id"]
    wanted = mine[0]["subscribed"]["properties"]["deliveryWithResourceIdentity"]
    wanted["destination"]["properties"]["queueName"] = OURS
    only = [{"operatorType": "StringContains", "key": "subject", "values": [ZONE]}]
    properties = {
        "deliveryWithResourceIdentity": wanted,
        "eventDeliverySchema": mine[0]["subscribed"]["properties"]["eventDeliverySchema"],
        "filter": {"advancedFilters": only},
    }
    queue = f"{storage}/queueServices/default/queues/{OURS}?api-version={QUEUE_API}"
    events = f"{topic}/eventSubscriptions/{OURS}?api-version={EVENTS_API}"
    for url, body in ((queue, {}), (events, properties)):
        az("rest", "--method", "put", "--url", url, "--body", json.dumps({"properties": body}))
        undo.callback(az, "rest", "--method", "delete", "--url", url)
    me = az("ad", "signed-in-user", "show")["id"]
    role = ("--assignee", me, "--role", "Storage Queue Data Reader", "--scope", storage)
    az("role", "assignment", "create", *role)
    undo.callback(az, "role", "assignment", "delete", *role)
    return ""


def _topics(installation: Installation) -> list[dict[str, Any]]:
    """System topics of the app's subscription, each with our event subscription where it has one."""
    found = []
    for topic in az("eventgrid", "system-topic", "list", "--subscription", installation.home):
        name = f"{topic['id']}/eventSubscriptions/{installation.event_subscription}"
        url = f"{name}?api-version={EVENTS_API}"
        found.append(
            {**topic, "subscribed": unless_refused(lambda url=url: az("rest", "--method", "get", "--url", url))}
        )
    return found


def _events() -> list[dict[str, Any]]:
    """What lies in the queue."""
    where = ("--queue-name", OURS, "--account-name", output("STORAGE_ID").rpartition("/")[2])
    peeked = az("storage", "message", "peek", *where, "--auth-mode", "login", "--num-messages", "32")
    return [_decoded(one["content"]) for one in peeked]


def _decoded(text: str) -> Any:
    """A message as JSON; Event Grid writes it in base64, which Azure CLI may have undone."""
    return json.loads(text if text.startswith("{") else base64.b64decode(text))


def _told(events: list[dict[str, Any]]) -> str:
    """How many of each operation, and the form of one about a record; nothing of who made it."""
    if not events:
        return "no event has come to the queue, or it may not be read"
    counted = Counter(one["data"]["operationName"] for one in events)
    shown = next((one for one in events if "/A/" in one["subject"]), events[0])
    subject = shown["subject"].partition("/providers/")[2]
    return f"events {dict(counted)}; one is {shown['type']} about {subject} with {sorted(shown['data'])}"
