"""Every setting's edges: what its parser takes, and what it refuses by the setting's name."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from shared.core.model.errors import InvalidSettings
from shared.core.options.values import ZoneHome, denied_targets
from shared.settings import descriptions, load
from tests.settings.settings_parts import (
    GROUP,
    LEAST,
    SUBSCRIPTION,
    VNET,
    problems_of,
    value_of,
)

GOOD: list[tuple[str, str, Any]] = [
    ("AZURE_SUBSCRIPTIONS", f" {SUBSCRIPTION.upper()} ,,{SUBSCRIPTION}", (SUBSCRIPTION,)),
    ("AZURE_RESOURCE_GROUPS", "Net, net ,Dns", frozenset({"net", "dns"})),
    ("AZURE_SUBSCRIPTIONS_DENIED", SUBSCRIPTION.upper(), (SUBSCRIPTION,)),
    ("AZURE_MANAGEMENT_GROUPS", " Landing-Zones, landing-zones ,corp(1)_2", ("Landing-Zones", "corp(1)_2")),
    ("EVENT_SUBSCRIPTION", "privatelink-prod", "privatelink-prod"),
    ("AZURE_RESOURCE_GROUPS", f"{SUBSCRIPTION.upper()}/Net, a.b-(c)_d, *", {f"{SUBSCRIPTION}/net", "a.b-(c)_d", "*"}),
    ("AZURE_RESOURCE_GROUPS_DENIED", "Net,", {"net"}),
    ("AZURE_LOCATIONS", "East US 2, westeurope", {"eastus2", "westeurope"}),
    ("AZURE_LOCATIONS_DENIED", "*", {"*"}),
    ("AZURE_TAGS", " Env = Prod , team, cost=, url=https://x?a=b", {"env=prod", "team", "cost=", "url=https://x?a=b"}),
    ("AZURE_TAGS_DENIED", "*", {"*"}),
    ("MODE", "Observe", "observe"),
    ("ELASTIC_DEPLOYMENTS_DENIED", "My Orders,D1", denied_targets("My Orders,D1")),
    ("ON_DELETE", "Retain", "retain"),
    ("REMOVAL_GRACE_SECONDS", "0", 0.0),
    ("REMOVAL_GRACE_SECONDS", "604800", 604800.0),
    ("RETAINED_POLICIES_MAX", "0", 0),
    ("REMOVAL_LIMIT", "0", 0),
    ("ELASTIC_LAST_POLICY_ALLOWED", "My Orders,D1", {"my orders", "d1"}),
    ("ASSOCIATION_RESTORES", "0", 0),
    ("ELASTIC_CLAIM", "TRUE", True),
    ("AZURE_CLIENT_ID", SUBSCRIPTION, SUBSCRIPTION),
    ("AZURE_RESOURCE_MANAGER_URL", "https://management.usgovcloudapi.net/", "https://management.usgovcloudapi.net"),
    ("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1:8443", "http://127.0.0.1:8443"),
    ("ELASTIC_API_URL", "http://localhost:9/", "http://localhost:9"),
    ("ELASTIC_DEPLOYMENTS_ALLOWED", "*", frozenset({"*"})),
    ("ELASTIC_FIRST_POLICY_ALLOWED", "My Orders,D1", frozenset({"my orders", "d1"})),
    ("INSTANCE_ID", "Prod-EU-1", "prod-eu-1"),
    ("DNS_ZONE_RESOURCE_GROUPS", GROUP.upper(), (ZoneHome(SUBSCRIPTION, "DNS-HUB"),)),
    (
        "DNS_ZONE_RESOURCE_GROUPS",
        f"{GROUP},{GROUP}-two , {GROUP.upper()}",
        (ZoneHome(SUBSCRIPTION, "dns-hub"), ZoneHome(SUBSCRIPTION, "dns-hub-two")),
    ),
    ("DNS_LINK_VNETS", f"{VNET}, {VNET}", (VNET,)),
    ("DNS_SUBSCRIPTIONS", SUBSCRIPTION, (SUBSCRIPTION,)),
    ("RESOURCE_TAGS", " Owner = Team A ,cost= ,url=a=b,", (("Owner", "Team A"), ("cost", ""), ("url", "a=b"))),
    ("DNS_RECORD_MODE", "UNION", "union"),
    ("DNS_RECORD_TTL", "1", 1),
    ("DNS_RECORD_TTL", "86400", 86400),
    ("WAIT_FIRST_SECONDS", "0.2", 0.2),
    ("WAIT_MAX_SECONDS", "3600", 3600.0),
    ("PROBE_PORT", "443", 443),
    ("PROBE_DNS_SERVER", "10.0.0.4", ("10.0.0.4", 53)),
    ("PROBE_DNS_SERVER", "127.0.0.1:65535", ("127.0.0.1", 65535)),
    ("APP_VNET", VNET, VNET),
    ("VERDICT_CHANGES_AFTER", "1", 1),
    ("CHECKS_AT_ONCE", "500", 500),
    ("CHECKS_HERE", "0", 0),
    ("HOSTS_PER_CHECK", "10", 10),
    ("SOCKETS_AT_ONCE", "500", 500),
    ("TARGETS_MAX", "1", 1),
    ("SWEEP_TEST_SECONDS", "290", 290.0),
    ("ZONES_PER_SWEEP", "1000", 1000),
    ("DNS_READS_MAX", "100", 100),
    ("DNS_READS_LEFT", "0", 0),
    ("JOURNAL_DAYS", "3650", 3650),
    ("CHECKS_DAYS", "1", 1),
    ("HEALTH_SCHEDULE", "0 0 3 * * MON-FRI", "0 0 3 * * MON-FRI"),
]
BAD: list[tuple[str, str]] = [
    ("ELASTIC_SERVICES", "eastus2"),
    ("ELASTIC_ORGANIZATIONS", "EU"),
    ("ELASTIC_ORGANIZATIONS", "default"),
    ("ELASTIC_ORGANIZATIONS", "eu_west"),
    ("ELASTIC_ORGANIZATIONS", "-eu"),
    ("ELASTIC_ORGANIZATIONS", "x" * 31),
    ("AZURE_SUBSCRIPTIONS", f"{SUBSCRIPTION},x"),
    ("AZURE_SUBSCRIPTIONS", f"{{{SUBSCRIPTION}}}"),
    ("AZURE_SUBSCRIPTIONS_DENIED", "*"),
    ("AZURE_MANAGEMENT_GROUPS", "/providers/Microsoft.Management/managementGroups/landing-zones"),
    ("AZURE_MANAGEMENT_GROUPS", "*"),
    ("ALLOW_DELETE", "no"),
    ("NOTIFY_REPAIRS", "no"),
    ("EVENT_SUBSCRIPTION", "privatelink_prod"),
    ("NOTIFICATION_TOPIC_ID", "https://topic.eastus2-1.eventgrid.azure.net/api/events"),
    ("TELEMETRY_ID", "InstrumentationKey=00000000-0000-0000-0000-000000000000"),
    ("EVENT_SUBSCRIPTION", "/subscriptions/s"),
    ("AZURE_RESOURCE_GROUPS", "prod-*"),
    ("AZURE_RESOURCE_GROUPS", f"{GROUP}"),
    ("AZURE_RESOURCE_GROUPS_DENIED", "prod-*"),
    ("AZURE_RESOURCE_GROUPS_DENIED", "prod/net"),
    ("AZURE_RESOURCE_GROUPS_DENIED", f"{SUBSCRIPTION}/"),
    ("AZURE_RESOURCE_GROUPS_DENIED", f"{SUBSCRIPTION}/*"),
    ("AZURE_RESOURCE_GROUPS_DENIED", "a b"),
    ("AZURE_LOCATIONS", "west*"),
    ("AZURE_LOCATIONS_DENIED", "west-europe"),
    ("AZURE_TAGS", "env=*"),
    ("AZURE_TAGS_DENIED", "=prod"),
    ("MODE", "ignore"),
    ("MODE", "dry-run"),
    ("ELASTIC_DEPLOYMENTS_ALLOWED", "prod-*"),
    ("ELASTIC_DEPLOYMENTS_DENIED", "prod-*"),
    ("ELASTIC_FIRST_POLICY_ALLOWED", "*-prod"),
    ("ELASTIC_LAST_POLICY_ALLOWED", "*-prod"),
    ("ELASTIC_CLAIM", "always"),
    ("ON_DELETE", "keep"),
    ("REMOVAL_GRACE_SECONDS", "-1"),
    ("REMOVAL_GRACE_SECONDS", "604801"),
    ("RETAINED_POLICIES_MAX", "1025"),
    ("REMOVAL_LIMIT", "-1"),
    ("REMOVAL_LIMIT", "100001"),
    ("ASSOCIATION_RESTORES", "-1"),
    ("ASSOCIATION_RESTORES", "often"),
    ("DNS_SUBSCRIPTIONS", "all"),
    ("AZURE_RESOURCE_MANAGER_URL", "management.azure.com"),
    ("AZURE_RESOURCE_MANAGER_URL", "http://management.azure.com"),
    ("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1.evil.example"),
    ("AZURE_RESOURCE_MANAGER_URL", "https://management.azure.com?api-version=2024-05-01"),
    ("AZURE_RESOURCE_MANAGER_URL", "https://management.azure.com/#/home"),
    ("AZURE_CLIENT_ID", "id-privatelink-autopilot"),
    ("AZURE_RESOURCE_MANAGER_AUDIENCE", "https://"),
    ("ELASTIC_API_URL", "https://a b"),
    ("ELASTIC_API_URL", "https://api.elastic-cloud.com/api/v1"),
    ("ELASTIC_API_URL", "https://proxy.example/elastic/"),
    ("ELASTIC_API_URL", "https://[x"),
    ("ELASTIC_API_URL", "https://a:99999"),
    ("ELASTIC_KEY_VAULT_URI", "kv-1"),
    ("ELASTIC_KEY_VAULT_URI", "http://kv-1.vault.azure.net"),
    ("ELASTIC_KEY_VAULT_DOMAIN_CHECK", "no"),
    ("DEFAULT_ORGANIZATION", "none"),
    ("ELASTIC_API_URL", "ftp://api.elastic-cloud.com"),
    ("ELASTIC_API_URL", "http://localhost.evil.example"),
    ("INSTANCE_ID", "a b"),
    ("INSTANCE_ID", "a]"),
    ("INSTANCE_ID", "x" * 41),
    ("DNS_ZONE_RESOURCE_GROUPS", "dns-hub"),
    ("DNS_ZONE_RESOURCE_GROUPS", f"{GROUP}/"),
    ("DNS_ZONE_RESOURCE_GROUPS", f"{GROUP}/providers/Microsoft.Network/privateDnsZones/x"),
    ("DNS_ZONE_RESOURCE_GROUPS", f"/subscriptions/{'-' * 36}/resourceGroups/g"),
    ("DNS_ZONE_RESOURCE_GROUPS", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/a%20b"),
    ("DNS_ZONE_RESOURCE_GROUPS", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/.."),
    ("DNS_LINK_VNETS", "hub"),
    ("DNS_LINK_VNETS", f"{VNET}/subnets/default"),
    ("DNS_LINK_VNETS", VNET.replace("virtualNetworks", "privateEndpoints")),
    ("RESOURCE_TAGS", "owner"),
    ("RESOURCE_TAGS", "=platform"),
    ("RESOURCE_TAGS", "owner=a,Owner=b"),
    ("RESOURCE_TAGS", "elastic-privatelink-instance=other"),
    ("RESOURCE_TAGS", "owner=" + "x" * 257),
    ("RESOURCE_TAGS", ",".join(f"tag{number}=x" for number in range(13))),
    ("DNS_RECORD_MODE", "second"),
    ("DNS_RECORD_TTL", "0"),
    ("DNS_RECORD_TTL", "86401"),
    ("DNS_RECORD_TTL", "1.5"),
    ("DNS_RECORD_TTL", "9" * 5000),
    ("DNS_RECORD_TTL", "\u0663"),
    ("WAIT_FIRST_SECONDS", "0.1"),
    ("WAIT_FIRST_SECONDS", "nan"),
    ("WAIT_FIRST_SECONDS", "inf"),
    ("APPROVAL_OVERDUE_SECONDS", "59"),
    ("LAG_SECONDS", "0"),
    ("SHORT_LAG_ALLOWED", "here"),
    ("POLICY_SEARCH_SECONDS", "0"),
    ("VISIBILITY_SECONDS", "9"),
    ("ARM_POLL_SECONDS", "0"),
    ("ARM_OPERATION_SECONDS", "61"),
    ("REQUEST_TIMEOUT_SECONDS", "0"),
    ("RUN_SECONDS", "181"),
    ("PROBE_SECONDS", "61"),
    ("PROBE_PORT", "80"),
    ("PROBE_PORT", "9243 443"),
    ("PROBE_DNS_SERVER", "resolver.example"),
    ("PROBE_DNS_SERVER", "999.0.0.1"),
    ("PROBE_DNS_SERVER", "10.0.0.4:"),
    ("PROBE_DNS_SERVER", "10.0.0.4:0"),
    ("PROBE_DNS_SERVER", "10.0.0.4:65536"),
    ("PROBE_DNS_SERVER", "::1"),
    ("APP_VNET", "hub"),
    ("APP_VNET", f"{VNET},{VNET}2"),
    ("VERDICT_CHANGES_AFTER", "0"),
    ("VERDICT_CHANGES_AFTER", "6"),
    ("CHECKS_AT_ONCE", "0"),
    ("CHECKS_HERE", "-1"),
    ("HOSTS_PER_CHECK", "9"),
    ("SOCKETS_AT_ONCE", "501"),
    ("TARGETS_MAX", "1001"),
    ("SWEEP_TEST_SECONDS", "291"),
    ("ZONES_PER_SWEEP", "9"),
    ("DNS_READS_MAX", "99"),
    ("DNS_READS_LEFT", "-1"),
    ("JOURNAL_DAYS", "0"),
    ("CHECKS_DAYS", "0"),
    ("HEALTH_SCHEDULE", "every hour"),
    ("HEALTH_SCHEDULE", "0 * * * * * *"),
    ("NOTIFY_TOPIC_ENDPOINT", "http://topic.example.com/api/events"),
    ("NOTIFY_TOPIC_ENDPOINT", "evgt-privatelink"),
    ("NOTIFY_AFTER_SECONDS", "-1"),
]


@pytest.mark.parametrize(("name", "text", "expected"), GOOD)
def test_a_good_value_is_taken(name: str, text: str, expected: Any) -> None:
    assert value_of(name, text) == expected


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_bad_value_is_refused_with_the_settings_name(name: str, text: str) -> None:
    (problem,) = problems_of(LEAST | {name: text})
    assert problem.startswith(f"{name}: expected ")


HOSTILE = (
    *("https://[x", "[x", "http://[::1", "https://h:99999", "https://h:x/", "https://h:0", "http://\u2100"),
    *("\ud800", "\x00", "\u00b2", "\u0663", "\u212a", "1e999", "nan", "-inf", "-1", "9" * 5000, "x=" * 300),
    *(",", ";;", "a:b:c", "/subscriptions/[", "1" * 400 + "."),
)
STORAGE = tuple(f"AzureWebJobsStorage__{name}" for name in ("tableServiceUri", "queueServiceUri", "accountName"))


@pytest.mark.parametrize("name", [*(one.name for one in descriptions()), *STORAGE, "AzureWebJobsStorage"])
def test_no_value_of_a_setting_raises_anything_but_the_list_of_problems(name: str) -> None:
    """Settings are read while modules load: any other error leaves the app without functions."""
    own = LEAST | ({"AzureWebJobsStorage": ""} if name in STORAGE else {})
    for text in HOSTILE:
        for others in ({}, {"LAG_SECONDS": "1"}):  # a pair of wrong values is judged by what they agree on, too
            with contextlib.suppress(InvalidSettings):
                load(own | others | {name: text})


def test_every_setting_that_can_be_wrong_has_a_bad_value_here() -> None:
    tried = {name for name, _ in BAD} | {"EC_API_KEY", "WAIT_MAX_SECONDS"}
    assert {one.name for one in descriptions()} == tried
