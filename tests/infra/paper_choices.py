"""What people choose when they deploy, and each choice deployed on paper; for the tests of what is made then."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.infra.paper_azure import CLOUDS, Azure
from tests.infra.paper_bicep import deploy, deploy_to_group
from tests.infra.shipped import load, load_list

HOME, OTHER, HUB = (f"00000000-0000-0000-0000-0000000000a{number}" for number in (1, 2, 3))
GROUP = f"/subscriptions/{HUB}/resourceGroups/rg-hub"
OTHER_GROUP = f"/subscriptions/{OTHER}/resourceGroups/rg-zones"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-hub"
SPOKE = f"/subscriptions/{HOME}/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke"
GUARDS = f"/subscriptions/{HOME}/resourceGroups/rg-guards/providers/Microsoft.Network"
LINK_SCOPE = f"{GROUP}/providers/Microsoft.Insights/privateLinkScopes/hub-logs"
THEIRS = f"/subscriptions/{OTHER}/resourceGroups/rg-theirs/providers/Microsoft.EventGrid/systemTopics/theirs"
ROLE = "providers/Microsoft.Authorization/roleDefinitions"
MADE_BEFOREHAND = {
    "endpointReader": "00000000-0000-0000-0000-0000000000b1",
    "networkReader": f"/subscriptions/{HOME}/{ROLE}/00000000-0000-0000-0000-0000000000b2",
    "dnsWriter": f"/{ROLE}/00000000-0000-0000-0000-0000000000b3",
    "dnsRemover": "00000000-0000-0000-0000-0000000000b4",
}
ALL_PRIVATE = "all private in a network of theirs"
CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "function": {"eventDelivery": "function"},
    "none": {"eventDelivery": "none"},
    "an app without public access": {"privateAccess": True, "alertEmail": "a@example.com"},
    "private data": {"privateAccess": True, "eventDelivery": "function"},
    ALL_PRIVATE: {
        "eventDelivery": "none",
        "appSubnetId": f"{SPOKE}/subnets/app",
        "endpointSubnetId": f"{SPOKE}/subnets/endpoints",
        "privateLinkScopeId": LINK_SCOPE,
    },
    "nothing hardened, all of a hub": {
        "privateAccess": True,
        "privateAccessZoneGroup": GROUP,
        "networkSecurityGroupId": f"{GUARDS}/networkSecurityGroups/guard",
        "routeTableId": f"{GUARDS}/routeTables/way-out",
        "networkDnsServers": "10.0.0.4, 10.0.0.5",
        "zoneRedundancy": True,
        "alwaysReady": "function:reconcile=2,http=0",
        "hardening": dict.fromkeys(load_list("hardening.json"), False),
    },
    "several subscriptions": {
        "resourceTags": "cost-center = 12=3, owner=platform team,",
        "azureSubscriptions": f"{HOME}, {OTHER.upper()}",
        "existingSystemTopics": THEIRS,
        "eventDelivery": "function",
    },
    "several subscriptions, to the queue": {"azureSubscriptions": f"{HOME},{OTHER}"},
    "a hub": {
        "dnsZoneResourceGroups": GROUP,
        "dnsLinkVnets": NETWORK,
        "appSubnetId": f"{SPOKE}/subnets/app",
        "endpointSubnetId": f"{SPOKE}/subnets/endpoints",
        "privateAccess": True,
    },
    "zones in two groups": {"dnsZoneResourceGroups": f"{GROUP}, {OTHER_GROUP}"},
    "only a subnet of a hub": {"appSubnetId": f"{NETWORK}/subnets/app"},
    "zones elsewhere, nothing deleted": {
        "dnsScopes": f"{GROUP}, /subscriptions/{OTHER}",
        "dnsSubscriptions": HUB,
        "allowDelete": False,
    },
    "everything twice, in other letters": {
        "azureSubscriptions": f"{HOME},{OTHER}, {OTHER.upper()} ,",
        "dnsSubscriptions": f"{HUB},",
        "dnsZoneResourceGroups": GROUP,
        "dnsScopes": f"{GROUP.upper()},,/subscriptions/{OTHER}, /SUBSCRIPTIONS/{OTHER.upper()}",
        "dnsLinkVnets": f"{NETWORK},{NETWORK.upper()}, ",
    },
    "organizations": {
        "organizations": f"eu=subscription:{OTHER},tag:elastic-org=eu; us-2 = group:rg-us",
        "defaultOrganization": False,
        "ecApiKey": "secret",
    },
    "notifications and a group of people": {
        "notificationTopicId": f"{GROUP}/providers/Microsoft.EventGrid/topics/notices",
        "actionGroupId": f"{GROUP}/providers/Microsoft.Insights/actionGroups/people",
    },
    "topics without an identity": {
        "topicIdentityEnabled": False,
        "eventDelivery": "function",
        "appSettings": {"INSTANCE_ID": "before"},
    },
    "roles made beforehand": {"roleIds": ", ".join(f"{name}={id_}" for name, id_ in MADE_BEFOREHAND.items())},
    "a deployer who may not assign": {
        "assignRoles": False,
        "privateAccess": True,
        "azureSubscriptions": f"{HOME},{OTHER}",
        "dnsZoneResourceGroups": GROUP,
        "dnsLinkVnets": NETWORK,
        "notificationTopicId": f"{GROUP}/providers/Microsoft.EventGrid/topics/notices",
    },
    "always ready": {"alwaysReady": "function:reconcile=1, http=2"},
}
each_choice = pytest.mark.parametrize("choice", CHOICES)


def deployed(
    choice: str,
    *,
    environment: str = "production",
    cloud: str = "AzureCloud",
    home: str = HOME,
    contributor: bool = False,
    **other: Any,
) -> Azure:
    """As azd does it: the infrastructure, then the events, with the outputs, where the function gets them."""
    azure = Azure(CLOUDS[cloud], contributor=contributor)
    chosen = values(choice, environment=environment, **other)
    azure, outputs = deploy(azure, "main.bicep", home, chosen)
    assert all(isinstance(value, str) for name, value in outputs.items() if name != "AUTOPILOT_ROLES")
    azure.outputs = outputs | {"AUTOPILOT_ROLES": one_by_one(outputs["AUTOPILOT_ROLES"])}
    if outputs["AUTOPILOT_EVENT_DELIVERY"] == "function":
        _, told = deploy(azure, "events.bicep", home, values_of_events(chosen, outputs))
        azure.outputs["AUTOPILOT_ROLES"] += [one for topic in told["AUTOPILOT_ROLES"] for one in topic]
    return azure


def one_by_one(groups: list[dict[str, list[str]]]) -> list[dict[str, str]]:
    """The roles that a deployment tells, each by itself."""
    return [
        {"principal": principal, "role": role, "scope": scope}
        for group in groups
        for role, scope, principal in product(group["roles"], group["scopes"], group["principals"])
    ]


AT_GROUP = {"environmentName": "production", "principalId": "00000000-0000-0000-0000-0000000000c1"}
"""The parameters of management-group.bicep, as a platform team gives them."""


def deployed_at_group(group: str = "landing-zones", **other: Any) -> tuple[Azure, dict[str, Any]]:
    """What a platform team makes at a management group, and its outputs."""
    azure = Azure(CLOUDS["AzureCloud"])
    return azure, deploy_to_group(azure, "management-group.bicep", group, {**AT_GROUP, **other})


def deployments(choice: str) -> list[tuple[str, dict[str, Any]]]:
    """The templates that are deployed, one after the other, and what each is given."""
    chosen = values(choice)
    outputs = deployed(choice).outputs
    events = [("events.bicep", values_of_events(chosen, outputs))]
    return [("main.bicep", chosen), *(events if outputs["AUTOPILOT_EVENT_DELIVERY"] == "function" else [])]


def values(choice: str, *, environment: str = "production", **other: Any) -> dict[str, Any]:
    """The parameters of main.bicep."""
    return {"environmentName": environment, "location": "eastus2", **CHOICES[choice], **other}


def values_of_events(chosen: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    """The parameters of events.bicep: what the hook postdeploy makes of the outputs."""
    return {
        "environmentName": chosen["environmentName"],
        "location": outputs["AZURE_LOCATION"],
        "eventDelivery": "function",
        "functionAppId": outputs["AUTOPILOT_APP_ID"],
        "storageId": outputs["AUTOPILOT_STORAGE_ID"],
        "topicIdentityId": outputs["AUTOPILOT_TOPIC_IDENTITY_ID"],
        "actionGroupId": outputs["AUTOPILOT_ACTION_GROUP_ID"],
        "watchedSubscriptions": chosen.get("azureSubscriptions", ""),
        "existingSystemTopics": outputs["AUTOPILOT_EXISTING_SYSTEM_TOPICS"],
        "assignRoles": chosen.get("assignRoles", True),
        "resourceTags": chosen.get("resourceTags", ""),
    }


def places_of(azure: Azure, role: str) -> set[str]:
    """Where this role of roles.json is given to the app, or should be: ids in lower case."""
    beginning = f"Private Link Autopilot {load('roles.json')[role]['title']} ("
    given = MADE_BEFOREHAND[role].rpartition("/")[2]
    return {
        one["scope"].lower()
        for one in azure.outputs["AUTOPILOT_ROLES"]
        if one["role"] == given or one["role"].startswith(beginning)
    }


def properties(azure: Azure, kind: str) -> list[dict[str, Any]]:
    return [one.body["properties"] for one in azure.of(kind) if one.body is not None]
