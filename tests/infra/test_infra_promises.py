"""What the pages promise of every installation, and what the app cannot run without: it holds for every choice."""

from __future__ import annotations

from functools import cache, reduce
from ipaddress import ip_network
from operator import getitem
from typing import Any

import pytest

from tests.infra.paper_azure import Azure, Resource
from tests.infra.paper_choices import (
    CHOICES,
    GROUP,
    HOME,
    HUB,
    OTHER,
    OTHER_GROUP,
    deployed,
    each_choice,
    places_of,
    properties,
)
from tests.infra.queries import ALERTS, Rule, duration, rules
from tests.infra.shipped import BUILT_IN

WEB, STORAGE, INSIGHTS, NETWORK = (f"Microsoft.{name}" for name in ("Web", "Storage", "Insights", "Network"))
ACCOUNTS = f"{STORAGE}/storageAccounts"
SITES = f"{WEB}/sites"
PROMISED: list[tuple[str, str, Any]] = [
    (f"{WEB}/serverfarms", "sku.name", "FC1"),
    (SITES, "properties.httpsOnly", True),
    (SITES, "properties.siteConfig.minTlsVersion", "1.2"),
    (SITES, "properties.siteConfig.scmMinTlsVersion", "1.2"),
    (SITES, "properties.functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"),
    (f"{SITES}/basicPublishingCredentialsPolicies", "properties.allow", False),
    (f"{SITES}/config", "properties.PYTHON_ISOLATE_WORKER_DEPENDENCIES", "1"),
    (f"{SITES}/config", "properties.AzureWebJobsStorage__credential", "managedidentity"),
    (ACCOUNTS, "properties.allowSharedKeyAccess", False),
    (ACCOUNTS, "properties.allowBlobPublicAccess", False),
    (ACCOUNTS, "properties.supportsHttpsTrafficOnly", True),
    (ACCOUNTS, "properties.minimumTlsVersion", "TLS1_2"),
    (f"{ACCOUNTS}/blobServices/containers", "properties.publicAccess", "None"),
    ("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", True),
    ("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection", True),
    (f"{INSIGHTS}/components", "properties.DisableLocalAuth", True),
    (f"{INSIGHTS}/scheduledQueryRules", "properties.enabled", True),
    (f"{INSIGHTS}/scheduledQueryRules", "properties.autoMitigate", True),
    (f"{INSIGHTS}/metricAlerts", "properties.enabled", True),
    (f"{NETWORK}/privateDnsZones/virtualNetworkLinks", "properties.registrationEnabled", False),
    ("Microsoft.EventGrid/systemTopics", "location", "global"),
    ("Microsoft.EventGrid/systemTopics", "properties.topicType", "Microsoft.Resources.Subscriptions"),
]


@cache
def installation(choice: str) -> Azure:
    """Deployed once: the tests here only read."""
    return deployed(choice)


def made(azure: Azure, kind: str) -> list[tuple[Resource, dict[str, Any]]]:
    """Every resource of a kind, with what it was made of."""
    return [(one, one.body) for one in azure.of(kind) if one.body is not None]


@pytest.mark.parametrize(("kind", "path", "value"), PROMISED, ids=lambda part: str(part).rpartition("/")[2])
def test_a_promise_holds_for_every_resource_of_its_kind_with_every_choice(kind: str, path: str, value: Any) -> None:
    found: list[Any] = []
    for choice in CHOICES:
        bodies = [body for _, body in made(installation(choice), kind)]
        found += [reduce(getitem, path.split("."), body) for body in bodies]
    assert found
    assert [one for one in found if one != value] == []


@each_choice
def test_the_app_signs_in_with_its_own_identity_everywhere(choice: str) -> None:
    azure = installation(choice)
    (site,), (settings,) = (made(azure, kind) for kind in (SITES, f"{SITES}/config"))
    (identity,) = site[1]["identity"]["userAssignedIdentities"]
    body, values = site[1]["properties"], settings[1]["properties"]
    assert "keyVaultReferenceIdentity" not in body  # no setting is a reference: the app reads the vault itself
    storage = body["functionAppConfig"]["deployment"]["storage"]
    assert storage["authentication"]["userAssignedIdentityResourceId"] == identity
    client = azure.properties(azure.made[identity.lower()])["clientId"]
    assert values["AZURE_CLIENT_ID"] == values["AzureWebJobsStorage__clientId"] == client
    assert values["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == f"ClientId={client};Authorization=AAD"


@each_choice
def test_the_app_is_in_a_subnet_that_flex_consumption_takes(choice: str) -> None:
    azure = installation(choice)
    (site,) = properties(azure, SITES)
    given = CHOICES[choice].get("appSubnetId")
    assert bool(given) is not bool(made(azure, f"{NETWORK}/virtualNetworks"))
    if given:
        assert site["virtualNetworkSubnetId"] == given
        return
    ((network, body),) = made(azure, f"{NETWORK}/virtualNetworks")
    app, endpoints = body["properties"]["subnets"]
    assert site["virtualNetworkSubnetId"] == f"{network.id}/subnets/{app['name']}"
    (delegation,) = app["properties"]["delegations"]
    assert delegation["properties"]["serviceName"] == "Microsoft.App/environments"
    ranges = [ip_network(one["properties"]["addressPrefix"]) for one in (app, endpoints)]
    assert not ranges[0].overlaps(ranges[1])
    assert all(one.subnet_of(ip_network("10.250.0.0/24")) for one in ranges)  # type: ignore[arg-type]


@each_choice
def test_a_topic_carries_the_events_of_the_subscription_that_it_is_in(choice: str) -> None:
    for topic, body in made(installation(choice), "Microsoft.EventGrid/systemTopics"):
        assert body["properties"]["source"] == "/".join(topic.scope.split("/")[:3])


@each_choice
def test_every_alert_reaches_the_people_who_are_to_be_told(choice: str) -> None:
    azure, chosen = installation(choice), CHOICES[choice]
    group = chosen.get("actionGroupId") or next(
        (one.id for one in azure.of(f"{INSIGHTS}/actionGroups") if one.body), ""
    )
    assert bool(group) is bool(chosen.get("actionGroupId") or chosen.get("alertEmail"))
    told = [tuple(one["actions"]["actionGroups"]) for one in properties(azure, f"{INSIGHTS}/scheduledQueryRules")]
    metrics = properties(azure, f"{INSIGHTS}/metricAlerts")
    told += [tuple(action["actionGroupId"] for action in one["actions"]) for one in metrics]
    assert set(told) == {(group,) if group else ()}


def test_the_rules_that_azure_gets_are_those_that_the_tests_of_the_alerts_evaluate() -> None:
    azure = installation("default")
    got = {}
    for alert, body in made(azure, f"{INSIGHTS}/scheduledQueryRules"):
        rule = body["properties"]
        (criterion,) = rule["criteria"]["allOf"]
        assert criterion["timeAggregation"] == "Count"
        name = alert.name.removeprefix("production-")
        assert criterion["query"] == ALERTS[name]
        columns = tuple(one["name"] for one in criterion["dimensions"])
        times = duration(rule["windowSize"]), duration(rule["evaluationFrequency"])
        got[name] = Rule(name, criterion["operator"], criterion["threshold"], *times, columns)
    assert got == rules()


def test_the_window_of_the_sweeps_alert_follows_the_schedule_that_was_chosen() -> None:
    azure = deployed("default", sweepWindow="PT2H")
    windows = {
        one.name: body["properties"]["windowSize"] for one, body in made(azure, f"{INSIGHTS}/scheduledQueryRules")
    }
    assert windows["production-no-successful-sweep"] == "PT2H"


def test_logs_have_the_limit_that_was_chosen() -> None:
    (workspace,) = properties(deployed("default", logDailyLimitGb=9), "Microsoft.OperationalInsights/workspaces")
    assert workspace["workspaceCapping"] == {"dailyQuotaGb": 9}


@each_choice
def test_the_app_links_the_networks_that_it_was_given_and_not_its_own_unasked(choice: str) -> None:
    azure = installation(choice)
    (settings,) = properties(azure, f"{SITES}/config")
    given = entries(CHOICES[choice].get("dnsLinkVnets", ""))
    assert entries(settings["DNS_LINK_VNETS"]) == given
    assert networks_of(azure, "endpointReader") == given  # of its actions, joining counts there


@each_choice
def test_the_app_reads_the_networks_that_it_links_and_its_own(choice: str) -> None:
    azure = installation(choice)
    (settings,) = properties(azure, f"{SITES}/config")
    (site,) = properties(azure, SITES)
    own, _, _ = site["virtualNetworkSubnetId"].partition("/subnets/")
    assert settings["APP_VNET"] == own
    assert networks_of(azure, "networkReader") == {own.lower()} | entries(settings["DNS_LINK_VNETS"])


def entries(listed: str) -> set[str]:
    """The ids of a setting, in lower case."""
    return {one.strip().lower() for one in listed.split(",") if one.strip()}


def networks_of(azure: Azure, role: str) -> set[str]:
    """The networks on which the app has this role of roles.json, or should be given it."""
    return {place for place in places_of(azure, role) if "/virtualnetworks/" in place}


ZONES_ARE_WRITTEN_IN = {
    "default": {f"/subscriptions/{HOME}"},
    "several subscriptions": {f"/subscriptions/{HOME}", f"/subscriptions/{OTHER}"},
    "a hub": {GROUP},
    "zones in two groups": {GROUP, OTHER_GROUP},
    "zones elsewhere, nothing deleted": {f"/subscriptions/{HOME}", GROUP, f"/subscriptions/{OTHER}"},
    "everything twice, in other letters": {GROUP, f"/subscriptions/{OTHER}"},
}


@pytest.mark.parametrize("choice", ZONES_ARE_WRITTEN_IN)
def test_the_app_writes_zones_where_the_deployer_has_them_and_nowhere_else(choice: str) -> None:
    azure = installation(choice)
    places = {place.lower() for place in ZONES_ARE_WRITTEN_IN[choice]}
    assert places_of(azure, "dnsWriter") == places
    if CHOICES[choice].get("allowDelete", True):
        assert places_of(azure, "dnsRemover") == places


def test_every_group_for_zones_is_told_to_the_app_and_the_app_reads_its_subscription() -> None:
    azure = installation("zones in two groups")
    (settings,) = properties(azure, f"{SITES}/config")
    assert entries(settings["DNS_ZONE_RESOURCE_GROUPS"]) == {GROUP.lower(), OTHER_GROUP.lower()}
    read = {place for place in places_of(azure, "endpointReader") if place.count("/") == 2}
    assert read == {f"/subscriptions/{one}" for one in (HOME, OTHER, HUB)}
    assert read <= places_of(azure, "networkReader")


@each_choice
def test_one_event_that_is_not_delivered_is_enough_for_its_alert(choice: str) -> None:
    azure = installation(choice)
    names = {one.name.rpartition("/")[2] for one in azure.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")}
    watched = set()
    for alert in properties(azure, f"{INSIGHTS}/metricAlerts"):
        (criterion,) = alert["criteria"]["allOf"]
        (dimension,) = criterion["dimensions"]
        assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
        assert (dimension["name"], set(dimension["values"])) == ("EventSubscriptionName", names)
        watched.add((alert["scopes"][0], criterion["metricName"]))
    topics = {
        one.id.rpartition("/eventSubscriptions/")[0]
        for one in azure.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    }
    assert watched == {(topic, metric) for topic in topics for metric in ("DeadLetteredCount", "DroppedEventCount")}


BUILT_IN_ON = {
    "storageBlobDataOwner": "storageAccounts",
    "storageQueueDataContributor": "storageAccounts",
    "storageTableDataContributor": "storageAccounts",
    "keyVaultSecretsUser": "vaults",
    "monitoringMetricsPublisher": "components",
    "queueMessageSender": "queues",
    "blobDataContributor": "containers",
    "eventGridDataSender": "topics",
}


def test_each_built_in_role_is_on_one_resource_and_not_on_what_holds_it() -> None:
    names = {guid: name for name, guid in BUILT_IN.items()}
    assigned = set()
    for choice in CHOICES:
        for one, body in made(installation(choice), "Microsoft.Authorization/roleAssignments"):
            role = body["properties"]["roleDefinitionId"].rpartition("/")[2]
            if role in names:
                assigned.add((names[role], one.scope.split("/")[-2]))
    assert assigned == set(BUILT_IN_ON.items())


def test_what_is_deleted_by_age_is_dead_letters_only() -> None:
    (policy,) = properties(installation("default"), f"{ACCOUNTS}/managementPolicies")
    (rule,) = policy["policy"]["rules"]
    assert rule["definition"]["filters"]["prefixMatch"] == ["dead-letters/"]
    assert rule["definition"]["actions"] == {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 90}}}


def test_instances_are_as_large_and_as_many_as_was_chosen() -> None:
    (site,) = properties(deployed("default", instanceMemoryMb=4096, maximumInstanceCount=77), SITES)
    chosen = {"instanceMemoryMB": 4096, "maximumInstanceCount": 77, "alwaysReady": None}
    assert site["functionAppConfig"]["scaleAndConcurrency"] == chosen


def test_the_groups_that_were_chosen_are_kept_warm() -> None:
    (site,) = properties(installation("always ready"), SITES)
    assert site["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"] == [
        {"name": "function:reconcile", "instanceCount": 1},
        {"name": "http", "instanceCount": 2},
    ]


@each_choice
def test_event_grid_may_write_to_its_queue_and_container_and_nothing_else(choice: str) -> None:
    azure, chosen = installation(choice), CHOICES[choice]
    (app,) = (one for one in azure.of("Microsoft.ManagedIdentity/userAssignedIdentities") if "-app-" in one.name)
    told = [one for one in azure.outputs["AUTOPILOT_ROLES"] if one["principal"] != azure.properties(app)["principalId"]]
    scopes = {one["scope"].rpartition("/")[2] for one in told}
    delivery = chosen.get("eventDelivery", "queue")
    letters = {"dead-letters"} if chosen.get("topicIdentityEnabled", True) and delivery != "none" else set()
    assert scopes == letters | ({"reconcile"} if delivery == "queue" else set())
    topics = [one for one in azure.of("Microsoft.EventGrid/systemTopics") if chosen.get("privateAccess")]
    if topics:
        assert {one["principal"] for one in told} == {azure.identity(one)["principalId"] for one in topics}


@each_choice
def test_each_private_endpoint_has_the_zone_of_what_it_leads_to(choice: str) -> None:
    azure = installation(choice)
    groups = {"blob": "blob", "queue": "queue", "table": "table", "vault": "vaultcore", "site": "azurewebsites"}
    kinds = {"vault": "vault", "site": "sites"}
    for endpoint, body in made(azure, f"{NETWORK}/privateEndpoints"):
        (connection,) = body["properties"]["privateLinkServiceConnections"]
        name = connection["name"]
        assert connection["properties"]["groupIds"] == [kinds.get(name, name)]
        inside = [
            group
            for one, group in made(azure, f"{NETWORK}/privateEndpoints/privateDnsZoneGroups")
            if one.name.startswith(f"{endpoint.name}/")
        ]
        chosen = CHOICES[choice]
        theirs = chosen.get("privateAccessZoneGroup", "")
        assert len(inside) == (bool(theirs) or "appSubnetId" not in chosen)
        for group in inside:
            (config,) = group["properties"]["privateDnsZoneConfigs"]
            zone = config["properties"]["privateDnsZoneId"]
            assert f"/privatelink.{groups[name]}." in zone
            assert zone.startswith(f"{theirs or endpoint.scope}/providers/Microsoft.Network/privateDnsZones/")
