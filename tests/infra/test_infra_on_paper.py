"""What a deployment would make of each set of choices: places, names, rights, settings, ways in."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from shared.settings import load
from shared.version import VERSION
from tests.infra.paper_azure import CLOUDS, Azure, misnamed
from tests.infra.paper_bicep import ParameterFile, comes_first, deploy
from tests.infra.paper_choices import (
    ALL_PRIVATE,
    CHOICES,
    GROUP,
    HOME,
    LINK_SCOPE,
    NETWORK,
    OTHER,
    SPOKE,
    deployed,
    each_choice,
    properties,
)
from tests.infra.paper_functions import Stopped
from tests.infra.shipped import INFRA, bicep

OWN_SUBNET = {"appSubnetId": f"{SPOKE}/subnets/app"}
HOST_WRITES = ["AppDependencies", "AppExceptions", "AppMetrics", "AppPerformanceCounters", "AppRequests", "AppTraces"]


@pytest.mark.parametrize(
    ("environment", "choice"),
    [
        ({}, "default"),
        ({"AZURE_LOCATIONS": "", "DEFAULT_ORGANIZATION": "", "REMOVAL_LIMIT": "", "ON_DELETE": ""}, "default"),
        (
            {"PRIVATE_ACCESS": "True", "REMOVAL_GRACE_SECONDS": "600", "EVENT_DELIVERY": "function"},
            "private data",
        ),
        ({"EVENT_DELIVERY": "none", "HARDENING": "{}"}, "none"),
        (
            {
                "EVENT_DELIVERY": "none",
                "APP_SUBNET_ID": str(CHOICES[ALL_PRIVATE]["appSubnetId"]),
                "ENDPOINT_SUBNET_ID": str(CHOICES[ALL_PRIVATE]["endpointSubnetId"]),
                "PRIVATE_LINK_SCOPE_ID": LINK_SCOPE,
            },
            ALL_PRIVATE,
        ),
    ],
)
def test_azd_deploys_what_was_chosen_and_else_the_defaults(environment: dict[str, str], choice: str) -> None:
    environment = {"AZURE_ENV_NAME": "production", "AZURE_LOCATION": "eastus2", **environment}
    given = ParameterFile(environment, INFRA / "main.bicepparam").values()
    azure, _ = deploy(Azure(CLOUDS["AzureCloud"]), "main.bicep", HOME, given)
    chosen = {"environmentName": "production", "location": "eastus2", **CHOICES[choice]}
    assert azure == deploy(Azure(CLOUDS["AzureCloud"]), "main.bicep", HOME, chosen)[0]


@each_choice
@pytest.mark.parametrize("environment", ["ab", "Prod-EU-2", "a-name-of-20-letters"])
def test_it_can_be_deployed_under_any_name_and_azure_takes_the_names(choice: str, environment: str) -> None:
    assert misnamed(deployed(choice, environment=environment)) == []


@each_choice
def test_a_second_deployment_whose_ids_are_in_other_letters_assigns_no_role_under_another_name(choice: str) -> None:
    """Azure refuses the same assignment under another name."""
    other = {key: in_other_letters(value) for key, value in CHOICES[choice].items()}
    first, second = (
        {(one.scope.lower(), one.name) for one in azure.of("Microsoft.Authorization/roleAssignments")}
        for azure in (deployed(choice), deployed(choice, **other))
    )
    assert first == second


def in_other_letters(value: Any) -> Any:
    """Ids of places as a person may write them: GUIDs and names in capitals."""
    ids = r"0{10}a\w|rg-hub|vnet-hub|notices"
    return re.sub(ids, lambda found: found[0].upper(), value) if isinstance(value, str) else value


@pytest.mark.parametrize(("chosen", "days"), [({}, 90), ({"logRetentionDays": 45}, 45)])
def test_every_log_of_the_app_is_kept_for_as_long_as_was_chosen(chosen: dict[str, int], days: int) -> None:
    """Azure keeps these tables for 90 days at no cost: less is what a deployer chose."""
    made = deployed("default", **chosen).of("Microsoft.OperationalInsights/workspaces/tables")
    kept = {one.name.rpartition("/")[2]: one.body["properties"]["totalRetentionInDays"] for one in made if one.body}
    assert kept == dict.fromkeys(HOST_WRITES, days)


@each_choice
def test_custom_roles_are_assigned_where_they_may_be_and_nowhere_else(choice: str) -> None:
    azure = deployed(choice)
    roles = {
        one.name: one.body["properties"] for one in azure.of("Microsoft.Authorization/roleDefinitions") if one.body
    }
    used, given = set(), set()
    for one in azure.of("Microsoft.Authorization/roleAssignments"):
        assert one.body is not None
        made = one.body["properties"]
        same = (one.scope.lower(), made["principalId"], made["roleDefinitionId"].rpartition("/")[2])
        assert same not in given, "Azure refuses the same assignment under another name"
        given.add(same)
        role = roles.get(same[2])
        assert uuid.UUID(one.name)
        if role is not None:
            (there,) = [at for at in role["assignableScopes"] if f"{one.scope}/".lower().startswith(f"{at}/")]
            used.add(there)
    assert {at for role in roles.values() for at in role["assignableScopes"]} - used <= {f"/subscriptions/{HOME}"}
    fewer = {"zones elsewhere, nothing deleted": 3, "roles made beforehand": 0, "a deployer who may not assign": 0}
    assert len(roles) == fewer.get(choice, 4)


@each_choice
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_app_takes_the_settings_that_are_made_for_it(choice: str, cloud: str) -> None:
    (made,) = properties(deployed(choice, cloud=cloud), "Microsoft.Web/sites/config")
    resolved = {
        name: f"key-{name}" if value.startswith("@Microsoft.KeyVault") else value for name, value in made.items()
    }
    settings = load(resolved)
    assert settings.azure.arm_url == CLOUDS[cloud]["resourceManager"].rstrip("/")
    named = "before" if choice == "topics without an identity" else r"production-[0-9a-z]{13}"
    assert re.fullmatch(named, settings.installation.instance_id), "a token tells installations of one name apart"


@each_choice
def test_every_watched_subscription_has_one_subscription_to_its_events(choice: str) -> None:
    azure = deployed(choice)
    (settings,) = properties(azure, "Microsoft.Web/sites/config")
    subscriptions = azure.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    events = CHOICES[choice].get("eventDelivery") != "none"
    watched = settings["AZURE_SUBSCRIPTIONS"].split(",")
    assert [one.scope.split("/")[2] for one in subscriptions] == (watched if events else [])
    for one in subscriptions:
        assert one.body is not None
        made = one.body["properties"]
        assert (made["destination"] is None) != (made["deliveryWithResourceIdentity"] is None)
        topic = azure.made.get(one.id.lower().rpartition("/eventsubscriptions/")[0])
        told = [made["deadLetterWithResourceIdentity"], made["deliveryWithResourceIdentity"]]
        identities = [as_who["identity"] for as_who in told if as_who]
        if CHOICES[choice].get("privateAccess"):
            assert identities
            assert all(one == {"type": "SystemAssigned"} for one in identities), "no other passes the firewall"
            assert topic is not None
            assert topic.body is not None
            assert topic.body["identity"] == {"type": "SystemAssigned"}
            continue
        if topic is None:
            assert one.name.startswith("theirs/")
            assert all(one == {"type": "SystemAssigned"} for one in identities), "its owner cannot give it ours before"
        else:
            needed = {one["userAssignedIdentity"] for one in identities}
            assert topic.body is not None
            assert needed == set((topic.body["identity"] or {}).get("userAssignedIdentities", {}))


@each_choice
def test_what_is_closed_is_closed_and_what_must_come_in_comes_in(choice: str) -> None:
    azure, chosen = deployed(choice), CHOICES[choice]
    (storage,), (vault,) = (
        properties(azure, kind) for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults")
    )
    (site,) = properties(azure, "Microsoft.Web/sites")
    delivery = chosen.get("eventDelivery", "queue")
    private = chosen.get("privateAccess", delivery == "none")
    called = delivery == "function"
    assert storage["networkAcls"] == {"bypass": "AzureServices", "defaultAction": "Deny" if private else "Allow"}
    # To Event Grid, and with Deny to no other.
    assert storage["publicNetworkAccess"] == ("Disabled" if private and delivery == "none" else "Enabled")
    assert vault["publicNetworkAccess"] == ("Disabled" if private else "Enabled")
    assert site["publicNetworkAccess"] == ("Disabled" if private and not called else "Enabled")
    reached = {one.name.rpartition("-")[2] for one in azure.of("Microsoft.Network/privateEndpoints")}
    data = {"blob", "queue", "table", "vault"}
    assert reached == (data | {"site"} if private and not called else data if private else set())


@pytest.mark.parametrize(
    ("cloud", "zones"),
    [
        ("AzureCloud", {"core.windows.net": 3, "vaultcore.azure.net": 1, "azurewebsites.net": 1}),
        ("AzureUSGovernment", {"core.usgovcloudapi.net": 3, "vaultcore.usgovcloudapi.net": 1, "azurewebsites.us": 1}),
        ("AzureChinaCloud", {"core.chinacloudapi.cn": 3, "vaultcore.azure.cn": 1, "chinacloudsites.cn": 1}),
    ],
)
def test_private_endpoints_have_the_zones_of_their_cloud(cloud: str, zones: dict[str, int]) -> None:
    """https://learn.microsoft.com/azure/private-link/private-endpoint-dns."""
    made = [
        one.name
        for one in deployed("an app without public access", cloud=cloud).of("Microsoft.Network/privateDnsZones")
    ]
    assert {end: sum(name.endswith(f".{end}") for name in made) for end in zones} == zones
    assert len(made) == 5


@pytest.mark.parametrize(
    ("what", "needed"),
    [
        (
            "app",
            {"data", "monitoring", "network"},
        ),  # rights, which come with the storage; logs; a way
        ("events", {"app", "data"}),  # Event Grid writes as soon as it is told to
        ("rights", {"identities", "network"}),  # a role is given on the network that is made
    ],
)
def test_what_something_needs_when_it_starts_is_deployed_before_it(what: str, needed: set[str]) -> None:
    assert needed <= comes_first("main.bicep", what)


@each_choice
def test_what_is_made_tells_the_version_that_made_it(choice: str) -> None:
    tagged = [one for one in deployed(choice).made.values() if one.body is not None and one.body.get("tags")]
    assert len(tagged) > 8
    assert {one.body["tags"]["private-link-autopilot-version"] for one in tagged if one.body is not None} == {VERSION}


def test_the_code_comes_last_and_from_the_address_that_is_given() -> None:
    url = "https://example.com/autopilot.zip"
    (package,) = deployed("default", packageUrl=url).of("Microsoft.Web/sites/extensions")
    assert package.body is not None
    assert package.body["properties"] == {"packageUri": url, "remoteBuild": False}
    assert deployed("default").of("Microsoft.Web/sites/extensions") == []
    modules = set(re.findall(r"^module (\w+) ", bicep("main.bicep"), re.MULTILINE)) - {"package"}
    assert modules <= comes_first("main.bicep", "package"), "all others"


def test_where_the_code_is_refused_azures_error_has_the_command_that_repeats_it() -> None:
    """Azure tells the name of the deployment that failed, and nothing that a template could say."""
    (name,) = re.findall(r"module package 'app/package\.bicep' = if \(.+\{\n  name: '(.+)'", bicep("main.bicep"))
    assert "run-the-same-az-deployment-sub-create" in name
    assert re.fullmatch(r"[\w.()-]{1,64}", name), "what Azure takes as a name"


def test_where_the_topic_is_anothers_there_is_a_group_whose_tag_proves_that_events_arrive() -> None:
    groups = {one.id.lower() for one in deployed("several subscriptions").of("Microsoft.Resources/resourceGroups")}
    assert {f"/subscriptions/{one}/resourcegroups/rg-production-events" for one in (HOME, OTHER)} <= groups


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"topicIdentityEnabled": False}, "eventDelivery=queue delivers with an identity"),
        (
            {"privateAccess": True, **OWN_SUBNET},
            "appSubnetId needs a subnet for private endpoints: set endpointSubnetId",
        ),
        (
            {"eventDelivery": "none", **OWN_SUBNET},
            "privateAccess, which eventDelivery=none sets, with appSubnetId needs",
        ),
        ({"endpointSubnetId": f"{SPOKE}/subnets/endpoints"}, "set appSubnetId too"),
        ({**OWN_SUBNET, "endpointSubnetId": f"{NETWORK}/subnets/endpoints"}, "only in the subscription of its network"),
        (
            {"networkSecurityGroupId": f"{GROUP}/providers/a/b/c"},
            "and routeTableId take whole ids in the subscription",
        ),
        ({"routeTableId": f"{GROUP}/providers/a/b/c"}, f"in the subscription that is deployed to ({HOME})"),
        ({**OWN_SUBNET, "networkSecurityGroupId": "guard"}, "appSubnetId leaves your network as it is"),
        (
            {**OWN_SUBNET, "routeTableId": "way-out"},
            "set networkSecurityGroupId, routeTableId and networkDnsServers there",
        ),
        ({**OWN_SUBNET, "networkDnsServers": "10.0.0.4"}, "and leave them out here"),
        ({"appSubnetId": NETWORK}, "appSubnetId and endpointSubnetId take whole ids of subnets"),
        ({"appSubnetId": f"{NETWORK}/subnets/app_subnet"}, "appSubnetId names a subnet with an underscore"),
        ({**OWN_SUBNET, "endpointSubnetId": f"{SPOKE}/subnets/APP"}, "appSubnetId and endpointSubnetId are the same"),
        ({"alwaysReady": "http=1,function:reconcile"}, "alwaysReady takes group=number"),
        *(
            ({name: "theirs"}, "notificationTopicId and privateAccessZoneGroup take whole ids")
            for name in ("privateLinkScopeId", "actionGroupId", "privateAccessZoneGroup", "notificationTopicId")
        ),
        *(
            ({name: f"{GROUP}, theirs"}, "which begin with /subscriptions/, and no names")
            for name in ("existingSystemTopics", "dnsLinkVnets", "dnsZoneResourceGroups", "dnsScopes")
        ),
        *(
            ({name: f"{HOME}, theirs"}, "take ids of subscriptions")
            for name in ("azureSubscriptions", "dnsSubscriptions")
        ),
        ({"networkAddressPrefix": "10.0.0.0/26"}, "networkAddressPrefix must be /25 or larger"),
        ({"zoneRedundancy": True, "alwaysReady": "http=2,function:reconcile=1"}, "zoneRedundancy keeps two instances"),
        ({"maximumInstanceCount": 1, "alwaysReady": "http=2"}, "than maximumInstanceCount=1 allows"),
        ({"resourceTags": ",".join(f"tag{number}=x" for number in range(13))}, "resourceTags takes 12 tags at most"),
        ({"hardening": {"sshEnabled": False}}, "and not sshEnabled"),
        ({"defaultOrganization": False}, "leaves no Elastic Cloud organization"),
        ({"location": "germanynorth"}, "germanynorth is not known to have Flex Consumption"),
        ({"roleIds": "reader=00000000-0000-0000-0000-0000000000b1"}, "and not reader="),
        *(({"environmentName": name}, "letters, digits and hyphens") for name in ("prod_eu", "prod.eu", "prod-", "ü2")),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_what_cannot_work_stops_before_anything_is_made_and_says_what_to_set(chosen: dict[str, Any], says: str) -> None:
    azure = Azure(CLOUDS["AzureCloud"])
    with pytest.raises(Stopped, match=re.escape(says)):
        deploy(azure, "main.bicep", HOME, {"environmentName": "production", "location": "eastus2", **chosen})
    assert azure.made == {}


def test_all_that_cannot_work_is_said_at_once() -> None:
    wrong = {"topicIdentityEnabled": False, "defaultOrganization": False, "location": "nowhere"}
    with pytest.raises(Stopped, match=r"eventDelivery=queue.*defaultOrganization=false.*nowhere"):
        deployed("default", **wrong)


def test_a_region_that_has_got_flex_consumption_since_is_taken_when_the_deployer_says_so() -> None:
    assert "East US 2".replace(" ", "").lower() in json.loads((INFRA / "regions.json").read_text(encoding="utf-8"))
    assert deployed("default", location="East US 2").of("Microsoft.Web/sites")
    assert deployed("default", location="germanynorth", anyLocation=True).of("Microsoft.Web/sites")
