"""What a template cannot do, before its deployment: providers, others' topics, what left the list, a deleted vault."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import undo
from azure_cli import Refused, az, looks, remember, say, unless_refused
from installation import Installation, below, refuse_a_name_that_is_taken, subscription_of, unique

REGIONS = Path(__file__).resolve().parents[2] / "infra" / "regions.json"
"""Those that the template takes by itself."""
WATCHED = ("Microsoft.Network", "Microsoft.EventGrid", "Microsoft.Insights")
HOME = (
    *WATCHED,
    "Microsoft.App",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
DNS = ("Microsoft.Network",)
SUBSCRIPTIONS = "microsoft.resources.subscriptions"
"""Type of a system topic whose events are those of a subscription."""


def prepare(installation: Installation) -> None:
    """All of it; what one part may not do is said and leaves the others alone, but for a topic that cannot deliver."""
    silent: list[str] = []
    left = subscriptions_that_left(installation)
    check_region(installation)
    if installation.delivery != "none":
        refuse_a_name_that_is_taken(installation, installation.heard)
    register_providers(installation)
    installation = fall_back_from_refused_identity(installation)
    if installation.delivery == "none":
        stop_events(installation)
    else:
        silent = use_existing_topics(installation, left)
    remove_from(left, installation)
    recover_vault(installation)
    if silent:
        sys.exit(
            "Stopped before anything is deployed: Azure would refuse the events in the middle of it. Run the same "
            "again after the owner of the topic, or choose EVENT_DELIVERY=function, which needs no identity, or none."
        )


def check_region(installation: Installation) -> None:
    """Not every region has Flex Consumption: better said now than after half of the deployment."""
    listed = unless_refused(lambda: az("functionapp", "list-flexconsumption-locations"), [])
    regions = {one["name"].replace(" ", "").lower() for one in listed}
    location = installation.location.replace(" ", "").lower()
    if not regions or not location:
        return
    if location not in regions:
        sys.exit(f"{installation.location} has no Flex Consumption. Regions that have: {', '.join(sorted(regions))}")
    if location not in json.loads(REGIONS.read_text(encoding="utf-8")):
        say(f"  {installation.location} has Flex Consumption, which this version does not know yet")
        remember("ANY_LOCATION", "true", "anyLocation")


# -- providers -------------------------------------------------------------------------------------------------------


def register_providers(installation: Installation) -> None:
    """Register what each subscription needs."""
    wanted = dict.fromkeys(installation.dns, DNS) | dict.fromkeys(installation.heard, WATCHED)
    wanted[installation.home] = HOME
    register(wanted)


def register(wanted: dict[str, tuple[str, ...]]) -> None:
    """Register these providers in these subscriptions, and wait for at most five minutes until all are."""
    waiting: list[tuple[str, str]] = []
    for subscription, namespaces in wanted.items():
        try:
            listed = az(
                "provider", "list", "--subscription", subscription, "--query", "[].[namespace, registrationState]"
            )
        except Refused as refusal:
            say(f"  Not read which providers {subscription} has: {_first_line(refusal)}")
            continue
        there = {namespace.lower() for namespace, state in listed if state == "Registered"}
        waiting += [
            (subscription, one) for one in namespaces if one.lower() not in there and _register(subscription, one)
        ]
    for _ in looks(30):
        waiting = [one for one in waiting if not _is_registered(*one)]
        if not waiting:
            return
    for subscription, namespace in waiting:
        say(f"  {namespace} is still being registered in {subscription} after five minutes; the deployment may need it")


def _register(subscription: str, namespace: str) -> bool:
    try:
        az("provider", "register", "--namespace", namespace, "--subscription", subscription)
    except Refused as refusal:
        say(
            f"  Not allowed to register {namespace} in {subscription}: {_first_line(refusal)}\n"
            f"  Its owner runs: az provider register --namespace {namespace} --subscription {subscription} --wait"
        )
        return False
    say(f"  Registering {namespace} in {subscription}")
    return True


def _is_registered(subscription: str, namespace: str) -> bool:
    shown = unless_refused(lambda: az("provider", "show", "--namespace", namespace, "--subscription", subscription))
    return bool(shown) and shown["registrationState"] == "Registered"


# -- topics ----------------------------------------------------------------------------------------------------------


def use_existing_topics(installation: Installation, left: Sequence[str]) -> list[str]:
    """Azure has one system topic per subscription: another team's is used, one that is gone is forgotten.

    So is one of a subscription that has left the list: the template would take its events again. Returns the ids of
    those that cannot deliver as was chosen.
    """
    silent: list[str] = []
    found = {subscription_of(one): one for one in installation.topics if subscription_of(one) not in left}
    for subscription in unique(*installation.watched, *found):
        try:
            listed = az("eventgrid", "system-topic", "list", "--subscription", subscription)
        except Refused as refusal:
            say(
                f"  Not read which system topics {subscription} has: {_first_line(refusal)}\n"
                f"  Its owner runs: az eventgrid system-topic list --subscription {subscription}\n"
                "  and tells the id of that of the type Microsoft.Resources.Subscriptions for EXISTING_SYSTEM_TOPICS."
            )
            continue
        found.pop(subscription, None)
        for topic in listed:
            ours = topic["id"].lower().split("/")[4] == installation.events_group.lower()
            if topic["topicType"].lower() == SUBSCRIPTIONS and not ours:
                found[subscription] = topic["id"]
                silent += [topic["id"]] if _lacks_identity(installation, topic) else []
    if sorted(found.values()) != sorted(installation.topics):
        say("  System topics that exist already: " + (", ".join(found.values()) or "none any more"))
        remember("EXISTING_SYSTEM_TOPICS", ",".join(found.values()), "existingSystemTopics")
    return silent


def _lacks_identity(installation: Installation, topic: dict[str, Any]) -> bool:
    command = identity_command(topic)
    if installation.delivery != "queue" or not command:
        return False
    say(f"  {topic['id']} has no identity of its own to deliver with. Its owner runs:\n  {command}")
    return True


def identity_command(topic: dict[str, Any]) -> str:
    """What the owner of a topic runs so that it has an identity of its own; empty where it has one."""
    told = topic.get("identity") or {}
    others = told.get("userAssignedIdentities") or {}
    if "systemassigned" in re.sub(r"\s", "", str(told.get("type", ""))).lower():
        return ""
    if not others:
        # Its --mi-system-assigned changes nothing in an update (Azure CLI 2.91).
        return f"az eventgrid system-topic update --ids {topic['id']} --identity systemassigned"
    body = {"identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {one: {} for one in others}}}
    return f"az rest --method patch --url {topic['id']}?api-version=2025-02-15 --body '{json.dumps(body)}'"


def stop_events(installation: Installation) -> None:
    """A template leaves what it does not name: the events of a deployment that had them would go on."""
    for subscription in installation.heard:
        undo.remove_events(installation, subscription)


def fall_back_from_refused_identity(installation: Installation) -> Installation:
    """Where Azure refused the topic an identity in the last deployment, events go to the function instead.

    Not to the function of an app without public access, which that would open: it then looks by itself.
    """
    if installation.delivery != "queue":
        return installation
    listed = unless_refused(lambda: az("deployment", "sub", "list", "--subscription", installation.home), [])
    ours = [one for one in listed if (one.get("tags") or {}).get("azd-env-name") == installation.name]
    if not ours:
        return installation
    last = max(ours, key=lambda one: str(one["properties"]["timestamp"]))["properties"]
    error = json.dumps(last.get("error") or {})
    refused = re.search("systemTopics", error) and re.search("(?i)identit", error)
    if last["provisioningState"] != "Failed" or not refused:
        return installation
    said = "  Azure refused the system topic an identity in the last deployment: "
    if os.environ.get("PRIVATE_ACCESS", "").lower() == "true":
        say(f"{said}the app looks by itself instead. EVENT_DELIVERY=function would open it to public access.")
        remember("EVENT_DELIVERY", "none", "eventDelivery")
        return replace(installation, delivery="none")
    say(f"{said}events go to the function instead.")
    remember("EVENT_DELIVERY", "function", "eventDelivery")
    remember("TOPIC_IDENTITY_ENABLED", "false", "topicIdentityEnabled")
    return replace(installation, delivery="function")


# -- what left, and what is back -------------------------------------------------------------------------------------


def subscriptions_that_left(installation: Installation) -> list[str]:
    """Those in which the app has rights from the deployments before, and has nothing to do any more."""
    return [one for one in undo.places_of_roles(installation) if one not in installation.subscriptions]


def remove_from(left: Sequence[str], installation: Installation) -> None:
    """Azure refuses to take a subscription out of a role's places while an assignment of it stands there."""
    still = unique(*unless_refused(lambda: below(installation.management_groups), [])) if left else ()
    for subscription in left:
        say(f"  {subscription} has left the list: removing the app's rights there" + _and_events(subscription, still))
        undo.remove_assignments(installation, subscription)
        if subscription not in still:
            undo.remove_events(installation, subscription)


def _and_events(subscription: str, still: Sequence[str]) -> str:
    if subscription in still:
        return "; it is watched through its management group, so its events stay"
    return ", and its events"


def recover_vault(installation: Installation) -> None:
    """A deleted vault keeps its name for 90 days: the one of this installation is recovered, with the key in it."""
    if not installation.location:
        return
    asked = ("keyvault", "list-deleted", "--resource-type", "vault", "--subscription", installation.home)
    for vault in unless_refused(lambda: az(*asked), []):
        properties = vault["properties"]
        ours = (properties.get("tags") or {}).get("azd-env-name") == installation.name
        here = properties["location"].replace(" ", "").lower() == installation.location.replace(" ", "").lower()
        if not (ours and here):
            continue
        say(f"  Recovering the vault {vault['name']}, which an earlier installation of this name left deleted")
        tags = f"azd-env-name={installation.name}"
        where = ("--location", installation.location, "--subscription", installation.home)
        az("group", "create", "--name", installation.group, "--tags", tags, *where)
        az("keyvault", "recover", "--name", vault["name"], *where)


def _first_line(refusal: Refused) -> str:
    return str(refusal).splitlines()[0][:300] if str(refusal) else "no reason given"
