"""What the hooks know of the installation: from azd's environment, or from a named deployment of `infra/main.bicep`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from azure_cli import Refused, az, azd_values, unless_refused

OUTPUTS = "AUTOPILOT_"
TITLE = "Private Link Autopilot "
"""What the names of the custom roles begin with."""
HOME_TAG = "private-link-autopilot-home"
"""On the group of the events in each subscription: the subscription of the app that they are for."""
LISTS_OF_IDS = ("DNS_SCOPES", "DNS_ZONE_RESOURCE_GROUPS", "DNS_LINK_VNETS")
SINGLE_IDS = (
    "APP_SUBNET_ID",
    "ENDPOINT_SUBNET_ID",
    "NOTIFICATION_TOPIC_ID",
    "PRIVATE_LINK_SCOPE_ID",
    "PRIVATE_ACCESS_ZONE_GROUP",
)


@dataclass(frozen=True)
class Installation:
    """Names and places of one installation; ids of subscriptions in lower case."""

    name: str
    location: str
    home: str
    """The subscription of the app."""
    watched: tuple[str, ...]
    management_groups: tuple[str, ...]
    """Names; what is below them is watched too, with topics by `topics`."""
    named: tuple[str, ...]
    """Ids of resources of others that the deployment was given: zones' groups, networks, topics."""
    dns_subscriptions: tuple[str, ...]
    topics: tuple[str, ...]
    delivery: str
    assign_roles: bool
    """Whether the deployment assigns roles; else a platform team does."""

    @property
    def group(self) -> str:
        """The resource group of all that the deployment makes in the app's subscription."""
        return f"rg-{self.name}"

    @property
    def events_group(self) -> str:
        """In each watched subscription: holds the topic, unless there is one; by its tag delivery is proved."""
        return f"rg-{self.name}-events"

    @property
    def event_subscription(self) -> str:
        """Its name on every topic."""
        return f"privatelink-{self.name}"

    @property
    def dns(self) -> tuple[str, ...]:
        """Subscriptions in which the app has to do with zones and networks only."""
        named = (subscription_of(one) for one in self.named)
        return unique(*self.dns_subscriptions, *(one for one in named if one not in self.watched))

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Every subscription in which the installation has something."""
        return unique(self.home, *self.watched, *self.dns)

    @property
    def heard(self) -> tuple[str, ...]:
        """Subscriptions whose events the app gets: the watched ones, and those of other topics that it was given."""
        return unique(*self.watched, *map(subscription_of, self.topics))

    @property
    def foreign_groups(self) -> tuple[str, ...]:
        """Resource groups that the deployment wrote something into and did not make: `subscription/name`."""
        return unique(*(group_of(one) for one in (*self.named, *self.topics)))


def read(deployment: str = "") -> Installation:
    """The installation that azd deploys, or that of a deployment by name."""
    if not deployment and not os.environ.get("AZURE_ENV_NAME"):
        os.environ.update(azd_values())
    home = os.environ.get("AZURE_SUBSCRIPTION_ID", "")
    if deployment or not home:
        home = _signed_in()
    if deployment:
        _from_deployment(deployment)
    name = os.environ.get("AZURE_ENV_NAME", "")
    if not name:
        sys.exit("Set AZURE_ENV_NAME to the name of the installation, or give the name of its deployment.")
    groups = tuple(_list("AZURE_MANAGEMENT_GROUPS"))
    watched = unique(*_list("AZURE_SUBSCRIPTIONS")) or (() if groups else (home.lower(),))
    return Installation(
        name=name,
        location=os.environ.get("AZURE_LOCATION", ""),
        home=home.lower(),
        watched=watched,
        management_groups=groups,
        named=(*(one for name in LISTS_OF_IDS for one in _list(name)), *filter(None, map(os.environ.get, SINGLE_IDS))),
        dns_subscriptions=unique(*_list("DNS_SUBSCRIPTIONS")),
        topics=tuple(_list("EXISTING_SYSTEM_TOPICS")),
        delivery=os.environ.get("EVENT_DELIVERY") or os.environ.get("AUTOPILOT_EVENT_DELIVERY") or "queue",
        assign_roles=os.environ.get("ASSIGN_ROLES", "").lower() != "false",
    )


def subscription_of(resource: str) -> str:
    """The subscription in an id, in lower case."""
    return resource.lower().split("/")[2]


def group_of(resource: str) -> str:
    """The resource group in an id as `subscription/name`, in lower case; empty for a subscription."""
    found = re.match(r"/subscriptions/([^/]+)/resourcegroups/([^/]+)", resource.lower())
    return "/".join(found.groups()) if found else ""


def unique(*values: str) -> tuple[str, ...]:
    """Each once, in lower case, in their order."""
    return tuple(dict.fromkeys(value.lower() for value in values if value))


def output(name: str) -> str:
    """An output of the deployment; empty before the first one."""
    return os.environ.get(OUTPUTS + name, "")


def told_roles() -> list[dict[str, str]]:
    """Principal, role and scope of each role that the deployment told; it tells them in groups, to be short."""
    return [
        {"principal": principal, "role": role, "scope": scope}
        for group in json.loads(output("ROLES") or "[]")
        for role, scope, principal in product(group["roles"], group["scopes"], group["principals"])
    ]


def refuse_a_name_that_is_taken(installation: Installation, subscriptions: Sequence[str]) -> None:
    """Two installations of one name would take each other's events in a subscription that both watch."""
    query = (
        "resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' "
        f"and name =~ '{installation.events_group}' and isnotempty(tags['{HOME_TAG}']) "
        # Else more than the hundred that a page holds.
        f"and tostring(tags['{HOME_TAG}']) !~ '{installation.home}' | project subscriptionId, tags"
    )
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    body = json.dumps({"subscriptions": list(subscriptions), "query": query})
    told = (
        unless_refused(lambda: az("rest", "--method", "post", "--url", url, "--body", body)) if subscriptions else None
    )
    rows = (told or {}).get("data", [])
    taken = {row["subscriptionId"]: home_of(row["tags"], installation) for row in rows}
    for subscription, home in taken.items():
        if home != installation.home:
            raise Refused(
                f"Another installation of the name {installation.name}, in {home}, has the events of {subscription}: "
                "one of both gets them. Choose another name (azd env new NAME), or do not watch that subscription. "
                f"If the other is gone for good, delete what it left there: the group {installation.events_group}."
            )


def home_of(tags: dict[str, str] | None, installation: Installation) -> str:
    """The subscription of the app whose events a group is for; an older group does not tell, and counts as ours."""
    return str((tags or {}).get(HOME_TAG) or installation.home).lower()


def below(groups: Sequence[str]) -> list[str]:
    """Ids of the subscriptions below these management groups, at every level."""
    found: list[str] = []
    for group in groups:
        # Azure CLI puts the address of Azure Resource Manager before a path.
        url = f"/providers/Microsoft.Management/managementGroups/{group}/descendants?api-version=2020-05-01"
        while url:
            page = az("rest", "--method", "get", "--url", url)
            found += [one["name"] for one in page["value"] if str(one["type"]).lower().endswith("/subscriptions")]
            url = page.get("nextLink") or ""
    return found


def _list(name: str) -> list[str]:
    return [one.strip() for one in os.environ.get(name, "").split(",") if one.strip()]


def _text(value: object) -> str:
    """A value as azd keeps it in its environment."""
    return value if isinstance(value, str) else json.dumps(value)


def _signed_in() -> str:
    try:
        return str(az("account", "show")["id"])
    except Refused as refusal:
        sys.exit(f"{refusal}\nazd has a sign-in of its own; the hooks need that of Azure CLI: az login")


def _from_deployment(deployment: str) -> None:
    """Its parameters and outputs, under the names that azd would give them."""
    try:
        shown = az("deployment", "sub", "show", "--name", deployment)["properties"]
    except Refused as refusal:
        sys.exit(str(refusal))
    for name, given in (shown.get("parameters") or {}).items():
        value = given.get("value")
        if isinstance(value, (str, int, float)):
            os.environ[re.sub(r"([A-Z])", r"_\1", name).upper()] = str(value)
    # Azure may answer an output with other capitals, AUTOPILOT_APP_ID as autopiloT_APP_ID (Azure/bicep#9360).
    outputs = {name.upper(): _text(given["value"]) for name, given in (shown.get("outputs") or {}).items()}
    os.environ.update(outputs)
    if OUTPUTS + "EVENT_DELIVERY" not in outputs:
        sys.exit(
            f"The deployment {deployment} has no output AUTOPILOT_EVENT_DELIVERY: is it the one of infra/main.bicep?"
        )
    os.environ["AZURE_ENV_NAME"] = os.environ.pop("ENVIRONMENT_NAME", "")
    os.environ["AZURE_LOCATION"] = os.environ.pop("LOCATION", "")
