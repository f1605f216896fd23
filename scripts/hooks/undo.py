"""Takes back what an installation has outside its own resource group, in every subscription. The hook of `azd down`.

Connections stay as they are, and keep working. Nothing of others is deleted: groups only where they carry the tag of
this installation, roles and event subscriptions by their names.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from azure_cli import Refused, az, az_soon, looks, say, unless_refused
from installation import TITLE, Installation, below, group_of, home_of, output, subscription_of, told_roles, unique


def before_down(installation: Installation) -> None:
    """`azd down` deletes every group that the deployment wrote into: refuse where one of these is not ours."""
    foreign = foreign_groups(installation)
    if foreign:
        sys.exit(
            "azd down would delete resource groups that this deployment did not make:\n  "
            + "\n  ".join(foreign)
            + "\nNothing has been changed. Remove the installation, and nothing else, with:\n"
            "  scripts/hook.sh undo"
        )
    take_back(installation)


def everything(installation: Installation) -> None:
    """Without azd, or where azd would delete too much: take back, then delete the installation's own groups."""
    take_back(installation)
    if _is_ours(installation, installation.home, installation.group):
        az("group", "delete", "--name", installation.group, "--subscription", installation.home, "--yes")
        say(f"  Deleted the resource group {installation.group}")


def take_back(installation: Installation) -> None:
    """Network integration, events, assignments, roles; then say what stays."""
    refuse_locks(installation)
    places = unique(*installation.subscriptions, *installation.heard, *places_of_roles(installation))
    vaults = unless_refused(lambda: _list_in_group("keyvault", installation), [])
    detach_subnet(installation)
    for subscription in places:
        remove_events(installation, subscription)
    for subscription in unless_refused(lambda: below(installation.management_groups), []):
        remove_events(installation, subscription)
        for topic in topics_of_others(installation, subscription):
            _remove_from_topic(installation, topic)
    leave_private_link_scope(installation)
    for subscription in places:
        remove_assignments(installation, subscription)
    remove_roles(installation)
    _say_what_stays(vaults, installation.management_groups)


def refuse_locks(installation: Installation) -> None:
    """A lock on the network, say, leaves the app half deleted (Azure/Azure-Functions#2543)."""
    group = ("--resource-group", installation.group, "--subscription", installation.home)
    locks = [one["id"] for one in unless_refused(lambda: az("lock", "list", *group)) or []]
    if locks:
        raise Refused(
            f"{installation.group} is locked, and would be deleted by half. Nothing has been changed. Remove the locks "
            f"first: az lock delete --ids {' '.join(locks)}"
        )


def foreign_groups(installation: Installation) -> list[str]:
    """Groups that are not ours and that the deployment was given, or wrote a role assignment into."""
    found = dict.fromkeys(installation.foreign_groups)
    for subscription in (*installation.subscriptions, *places_of_roles(installation)):
        for one in _assignments(installation, subscription):
            found[group_of(one["scope"])] = None
    return [one for one in found if one and not _is_ours(installation, *one.split("/"))]


def detach_subnet(installation: Installation) -> None:
    """Else the subnet stays in use after the app is gone, and with it the network."""
    app = output("APP_ID") or next(iter(unless_refused(lambda: _list_in_group("functionapp", installation), [])), "")
    if not app:
        return
    subnet = (
        (unless_refused(lambda: az("resource", "show", "--ids", app), {}) or {})
        .get("properties", {})
        .get("virtualNetworkSubnetId")
    )
    if not subnet:
        return
    where = ("--resource-group", installation.group, "--subscription", installation.home)
    az_soon("functionapp", "vnet-integration", "remove", "--name", app.split("/")[-1], *where)
    for _ in looks(30):
        shown = unless_refused(lambda: az("network", "vnet", "subnet", "show", "--ids", subnet))
        if not shown or not shown.get("serviceAssociationLinks"):
            say("  Detached the app from its subnet")
            return
    say(f"  The app is detached, but Azure still holds the subnet after five minutes: {subnet}")


def remove_events(installation: Installation, subscription: str) -> None:
    """Our event subscription and alerts on another team's topic; our own topic goes with its group."""
    if _is_anothers(installation, subscription):
        return
    for topic in installation.topics:
        if subscription_of(topic) == subscription:
            _remove_from_topic(installation, topic)
    if _is_ours(installation, subscription, installation.events_group):
        az("group", "delete", "--name", installation.events_group, "--subscription", subscription, "--yes")
        say(f"  Deleted the resource group {installation.events_group} in {subscription}")


def topics_of_others(installation: Installation, subscription: str) -> list[str]:
    """Topics that another team made in a subscription, and that have the installation's event subscription."""
    if _is_anothers(installation, subscription):
        return []
    found = []
    for topic in unless_refused(lambda: az("eventgrid", "system-topic", "list", "--subscription", subscription), []):
        parts = topic["id"].split("/")
        where = ("--resource-group", parts[4], "--subscription", subscription, "--system-topic-name", parts[-1])
        asked = ("eventgrid", "system-topic", "event-subscription", "list", *where)
        names = [one["name"] for one in unless_refused(lambda asked=asked: az(*asked), [])]
        if installation.event_subscription in names:
            found.append(topic["id"])
    return found


def _remove_from_topic(installation: Installation, topic: str) -> None:
    parts = topic.split("/")
    where = ("--resource-group", parts[4], "--subscription", parts[2])
    on_topic = ("--name", installation.event_subscription, "--system-topic-name", parts[-1])
    try:
        az("eventgrid", "system-topic", "event-subscription", "delete", *on_topic, *where, "--yes")
        say(f"  Removed the event subscription from {topic}")
    except Refused as refusal:
        say(f"  Not removed from {topic}: {refusal}")
    alerts = unless_refused(lambda: az("monitor", "metrics", "alert", "list", *where), [])
    for alert in alerts:
        # The metric has no hyphen: an installation whose name begins with ours has alerts on the same topic.
        if alert["name"].rpartition("-")[0] == f"{parts[-1]}-{installation.event_subscription}":
            az("monitor", "metrics", "alert", "delete", "--name", alert["name"], *where)


def leave_private_link_scope(installation: Installation) -> None:
    """The entries of our logs in a private link scope that was there before."""
    scope, version = os.environ.get("PRIVATE_LINK_SCOPE_ID", ""), "api-version=2021-09-01"
    if not scope:
        return
    url = f"{scope}/scopedResources?{version}"
    listed = unless_refused(lambda: az("rest", "--method", "get", "--url", url), {}) or {}
    ours = f"{installation.home}/{installation.group}".lower()
    for entry in listed.get("value", []):
        if group_of(entry["properties"]["linkedResourceId"]) == ours:
            az("rest", "--method", "delete", "--url", f"{entry['id']}?{version}")
            say(f"  Took {entry['name']} out of {scope}")


def remove_assignments(installation: Installation, subscription: str) -> None:
    """Every assignment of the app's identities in the subscription, at every scope."""
    found = [one["id"] for one in _assignments(installation, subscription)]
    if found and not installation.assign_roles:
        command = "az role assignment delete --ids " + " ".join(found)
        say(f"  The app's roles stay, which others assigned. They run: {command}")
    elif found:
        az_soon("role", "assignment", "delete", "--ids", *found)
        say(f"  Deleted {len(found)} role assignments in {subscription}")


def remove_roles(installation: Installation) -> None:
    """The custom roles, once nothing is assigned any more."""
    scope = f"/subscriptions/{installation.home}"
    for role in _roles(installation):
        if not installation.assign_roles:
            say(f"  and: az role definition delete --name {role['name']} --scope {scope}")
            continue
        az_soon("role", "definition", "delete", "--name", role["name"], "--scope", scope)
        say(f"  Deleted the role {role['roleName']}")


def places_of_roles(installation: Installation) -> tuple[str, ...]:
    """Subscriptions in which the installation's custom roles may be assigned, or the last deployment assigned one."""
    scopes = [scope for role in _roles(installation) for scope in role["assignableScopes"]]
    scopes += [one["scope"] for one in told_roles()]  # also of roles that were made beforehand
    return unique(*(subscription_of(scope) for scope in scopes if scope.lower().startswith("/subscriptions/")))


def _roles(installation: Installation) -> list[dict[str, Any]]:
    """By their names, which hold that of the installation and its token: another tenant's app may share the first."""
    asked = ("role", "definition", "list", "--custom-role-only", "true", "--subscription", installation.home)
    listed = unless_refused(lambda: az(*asked), [])
    token = output("TOKEN") or _token_of_vault(installation)
    named = re.compile(rf"{TITLE}.+ \({re.escape(installation.name)}(?: {token})?\)", re.IGNORECASE)
    return [role for role in listed if named.fullmatch(role["roleName"])]


def _token_of_vault(installation: Installation) -> str:
    """Where the outputs are lost: the vault's name is made of it."""
    vaults = unless_refused(lambda: _list_in_group("keyvault", installation), [])
    return next((vault.split("/kv-")[-1] for vault in vaults if "/kv-" in vault), "")


def _assignments(installation: Installation, subscription: str) -> list[dict[str, Any]]:
    """Those in the subscription; Azure lists those at the management groups above it too, which others remove."""
    found: list[dict[str, Any]] = []
    for principal in _principals(installation):
        asked = (
            "role",
            "assignment",
            "list",
            "--all",
            "--assignee-object-id",
            principal,
            "--subscription",
            subscription,
        )
        found += unless_refused(lambda asked=asked: az(*asked), [])
    place = f"/subscriptions/{subscription}/".lower()
    return [one for one in found if f"{one['scope']}/".lower().startswith(place)]


def _principals(installation: Installation) -> list[str]:
    where = ("--resource-group", installation.group, "--subscription", installation.home)
    return [one["principalId"] for one in unless_refused(lambda: az("identity", "list", *where), [])]


def _list_in_group(what: str, installation: Installation) -> list[str]:
    listed = az(what, "list", "--resource-group", installation.group, "--subscription", installation.home)
    return [one["id"] for one in listed]


def _is_ours(installation: Installation, subscription: str, group: str) -> bool:
    shown = unless_refused(lambda: az("group", "show", "--name", group, "--subscription", subscription))
    return bool(shown) and (shown.get("tags") or {}).get("azd-env-name") == installation.name


def _is_anothers(installation: Installation, subscription: str) -> bool:
    """Whether the events of the subscription are those of another installation of our name: all have our names then."""
    group = ("--name", installation.events_group, "--subscription", subscription)
    shown = unless_refused(lambda: az("group", "show", *group)) or {}
    return home_of(shown.get("tags"), installation) != installation.home


def _say_what_stays(vaults: list[str], groups: Sequence[str]) -> None:
    say("What stays:")
    for vault in vaults:
        name = vault.split("/")[-1]
        say(f"  the vault {name}, deleted and kept for 90 days; the next azd up of this name recovers it")
    for group in groups:
        say(f"  the roles at the management group {group}, with their assignments: the platform team removes them")
    say("  connections: the zones, links, records, policies and claims that the app made; they keep working")
    say("  peerings with the app's network, on the other side; the API key in Elastic Cloud: revoke it there")
