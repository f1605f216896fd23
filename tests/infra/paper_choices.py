"""What people choose when they deploy, and each choice deployed on paper; for the tests of what is made then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.paper_azure import CLOUDS, Azure
from tests.infra.paper_bicep import deploy

HOME, OTHER, HUB = (f"00000000-0000-0000-0000-0000000000a{number}" for number in (1, 2, 3))
GROUP = f"/subscriptions/{HUB}/resourceGroups/rg-hub"
OTHER_GROUP = f"/subscriptions/{OTHER}/resourceGroups/rg-zones"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-hub"
THEIRS = f"/subscriptions/{OTHER}/resourceGroups/rg-theirs/providers/Microsoft.EventGrid/systemTopics/theirs"
CHOICES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "an app without public access": {"privateAccess": True, "eventDelivery": "queue", "alertEmail": "a@example.com"},
    "private data": {"privateAccess": True},
    "several subscriptions": {"azureSubscriptions": f"{HOME}, {OTHER.upper()}", "existingSystemTopics": THEIRS},
    "several subscriptions, to the queue": {"azureSubscriptions": f"{HOME},{OTHER}", "eventDelivery": "queue"},
    "a hub": {
        "dnsZoneResourceGroups": GROUP,
        "dnsLinkVnets": NETWORK,
        "appSubnetId": f"{NETWORK}/subnets/app",
        "endpointSubnetId": f"{NETWORK}/subnets/endpoints",
        "privateAccess": True,
        "privateAccessZones": False,
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
    "topics without an identity": {"topicIdentityEnabled": False, "appSettings": {"INSTANCE_ID": "before"}},
}
each_choice = pytest.mark.parametrize("choice", CHOICES)


def deployed(choice: str, *, environment: str = "production", cloud: str = "AzureCloud", **other: Any) -> Azure:
    """As azd does it: the infrastructure, then the events, with the outputs, where the function gets them."""
    chosen = {"environmentName": environment, "location": "eastus2", **CHOICES[choice], **other}
    azure, outputs = deploy(Azure(CLOUDS[cloud]), "main.bicep", HOME, chosen)
    assert all(isinstance(value, str) for value in outputs.values())
    if outputs["AUTOPILOT_EVENT_DELIVERY"] == "function":
        events = {
            "environmentName": environment,
            "location": outputs["AZURE_LOCATION"],
            "eventDelivery": "function",
            "functionAppId": outputs["AUTOPILOT_APP_ID"],
            "storageId": outputs["AUTOPILOT_STORAGE_ID"],
            "topicIdentityId": outputs["AUTOPILOT_TOPIC_IDENTITY_ID"],
            "actionGroupId": outputs["AUTOPILOT_ACTION_GROUP_ID"],
            "watchedSubscriptions": outputs["AUTOPILOT_WATCHED_SUBSCRIPTIONS"],
            "existingSystemTopics": outputs["AUTOPILOT_EXISTING_SYSTEM_TOPICS"],
        }
        deploy(azure, "events.bicep", HOME, events)
    return azure


def places_of(azure: Azure, title: str) -> set[str]:
    """Where the custom role of this title is given to the app: ids in lower case."""
    (role,) = [
        one.name
        for one in azure.of("Microsoft.Authorization/roleDefinitions")
        if one.body is not None and f" {title} (" in one.body["properties"]["roleName"]
    ]
    assigned = [one for one in azure.of("Microsoft.Authorization/roleAssignments") if one.body is not None]
    return {
        one.scope.lower()
        for one in assigned
        if one.body is not None and one.body["properties"]["roleDefinitionId"].endswith(role)
    }


def properties(azure: Azure, kind: str) -> list[dict[str, Any]]:
    return [one.body["properties"] for one in azure.of(kind) if one.body is not None]
