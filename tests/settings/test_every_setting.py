"""Every setting away from its default: the app is built so, each value arrives where it is used, none is unread."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from shared.composition import (
    arm_options,
    build,
    elastic_options,
    topic_options,
    vault_options,
)
from shared.settings import Settings, descriptions, load
from tests.settings.settings_parts import GROUP, LEAST, SUBSCRIPTION, VNET

ROOT = Path(__file__).parents[2]
TOPIC = "https://topic.eastus2-1.eventgrid.azure.net/api/events"
CHANGED = {
    "AZURE_SUBSCRIPTIONS": f"{SUBSCRIPTION},11111111-0000-4000-8000-00000000beef",
    "AZURE_MANAGEMENT_GROUPS": "landing-zones",
    "AZURE_SUBSCRIPTIONS_DENIED": "11111111-0000-4000-8000-00000000beef",
    "AZURE_RESOURCE_GROUPS": "rg-apps",
    "AZURE_RESOURCE_GROUPS_DENIED": "rg-secret",
    "AZURE_LOCATIONS": "eastus2",
    "AZURE_LOCATIONS_DENIED": "westus",
    "AZURE_TAGS": "env=prod",
    "AZURE_TAGS_DENIED": "env=test",
    "MODE": "observe",
    "INSTANCE_ID": "prod-4abfa4f8a26c8",
    "AZURE_CLIENT_ID": SUBSCRIPTION,
    "AZURE_RESOURCE_MANAGER_URL": "https://management.usgovcloudapi.net",
    "AZURE_RESOURCE_MANAGER_AUDIENCE": "https://management.core.usgovcloudapi.net",
    "EVENT_SUBSCRIPTION": "privatelink-prod",
    "NOTIFICATION_TOPIC_ID": f"{GROUP}/providers/Microsoft.EventGrid/topics/notices",
    "TELEMETRY_ID": f"{GROUP}/providers/Microsoft.Insights/components/appi-prod",
    "ELASTIC_API_URL": "https://api.elastic.example",
    "EC_API_KEY": "",
    "ELASTIC_KEY_VAULT_URI": "https://kv-1.vault.example",
    "ELASTIC_KEY_VAULT_DOMAIN_CHECK": "false",
    "ELASTIC_SERVICES": "marsnorth-prod-099-privatelink-service.12345678-1234-1234-1234-123456789abc"
    ".marsnorth.azure.privatelinkservice",
    "ELASTIC_ORGANIZATIONS": "second",
    "DEFAULT_ORGANIZATION": "false",
    "ELASTIC_DEPLOYMENTS_ALLOWED": "logs",
    "ELASTIC_DEPLOYMENTS_DENIED": "secret",
    "ELASTIC_FIRST_POLICY_ALLOWED": "first",
    "ELASTIC_LAST_POLICY_ALLOWED": "last",
    "ELASTIC_CLAIM": "true",
    "ASSOCIATION_RESTORES": "5",
    "DNS_ZONE_RESOURCE_GROUPS": GROUP,
    "DNS_SUBSCRIPTIONS": SUBSCRIPTION,
    "DNS_LINK_VNETS": VNET,
    "RESOURCE_TAGS": "owner=platform",
    "DNS_RECORD_MODE": "union",
    "DNS_RECORD_TTL": "77",
    "ON_DELETE": "retain",
    "REMOVAL_GRACE_SECONDS": "1234",
    "REMOVAL_LIMIT": "7",
    "ALLOW_DELETE": "false",
    "NOTIFY_REPAIRS": "true",
    "RETAINED_POLICIES_MAX": "8",
    "PROBE_PORT": "443",
    "PROBE_SECONDS": "9",
    "PROBE_DNS_SERVER": "10.0.0.4:5353",
    "APP_VNET": f"{VNET}-app",
    "VERDICT_CHANGES_AFTER": "3",
    "CHECKS_AT_ONCE": "11",
    "CHECKS_HERE": "12",
    "HOSTS_PER_CHECK": "13",
    "SOCKETS_AT_ONCE": "14",
    "TARGETS_MAX": "15",
    "SWEEP_TEST_SECONDS": "241",
    "ZONES_PER_SWEEP": "76",
    "DNS_READS_MAX": "401",
    "DNS_READS_LEFT": "61",
    "HEALTH_SCHEDULE": "0 */7 * * * *",
    "WAIT_FIRST_SECONDS": "16",
    "WAIT_MAX_SECONDS": "301",
    "APPROVAL_OVERDUE_SECONDS": "901",
    "VISIBILITY_SECONDS": "301",
    "LAG_SECONDS": "731",
    "SHORT_LAG_ALLOWED": "true",
    "POLICY_SEARCH_SECONDS": "741",
    "ARM_POLL_SECONDS": "3",
    "ARM_OPERATION_SECONDS": "26",
    "REQUEST_TIMEOUT_SECONDS": "14",
    "RUN_SECONDS": "91",
    "JOURNAL_DAYS": "91",
    "CHECKS_DAYS": "15",
    "NOTIFY_TOPIC_ENDPOINT": TOPIC,
    "NOTIFY_AFTER_SECONDS": "301",
}
"""A value for every setting that is not its default."""
ENVIRON = LEAST | CHANGED | {"ELASTIC_SCOPE_SECOND": f"subscription:{SUBSCRIPTION}"}

OTHERWISE = {
    "HEALTH_SCHEDULE": "shared/app.py: SCHEDULE_SETTING",
    "ELASTIC_ORGANIZATIONS": "shared/settings/__init__.py: organization_names",
    "ELASTIC_SERVICES": "shared/settings/__init__.py: self.elastic.further_services",
    "DEFAULT_ORGANIZATION": "shared/settings/elastic.py: self.default_organization",
    "SHORT_LAG_ALLOWED": "shared/settings/agreement.py: SHORT_LAG_ALLOWED",
}
"""Settings that no module reads from its group: where they are read, and by which word."""


def value(settings: Settings, group: str, field: str) -> Any:
    return getattr(getattr(settings, group), field)


def test_the_table_has_every_setting_and_each_away_from_its_default() -> None:
    assert set(CHANGED) == {one.name for one in descriptions()}
    usual, changed = load(LEAST), load(ENVIRON)
    same = [
        one.name for one in descriptions() if value(usual, one.group, one.field) == value(changed, one.group, one.field)
    ]
    assert same == []


def test_the_app_is_built_and_each_part_has_what_was_set() -> None:
    context = build(ENVIRON)
    settings = context.settings
    assert context.endpoints.clients.options == arm_options(settings)
    assert context.topic is not None
    assert context.topic.options == topic_options(settings)
    assert set(context.elastic.names) == {"second"}, "there is no default one"


def test_every_option_of_a_client_is_the_one_that_was_set() -> None:
    settings = load(ENVIRON)
    arm = dataclasses.asdict(arm_options(settings))
    assert arm == {
        "url": CHANGED["AZURE_RESOURCE_MANAGER_URL"],
        "audience": CHANGED["AZURE_RESOURCE_MANAGER_AUDIENCE"],
        "poll_interval": 3.0,
        "operation_wait": 26.0,
        "timeout": 14.0,
        "tags": (("owner", "platform"),),
    }
    for one in elastic_options(settings):
        assert (one.url, one.timeout, one.probe_port) == (CHANGED["ELASTIC_API_URL"], 14.0, 443)
    vault = vault_options(settings)
    assert vault is not None
    assert (vault.url, vault.timeout) == (CHANGED["ELASTIC_KEY_VAULT_URI"], 14.0)
    topic = topic_options(settings)
    assert (topic.url, topic.source) == (TOPIC, f"/privatelink-autopilot/{CHANGED['INSTANCE_ID']}")


def reads() -> set[tuple[str, str]]:
    """What the product reads of something: `timing.lag`, also as `options.timing.lag`. Declarations do not count."""
    found = set()
    for folder in ("shared", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            if {"options", "settings"} & set(path.relative_to(ROOT).parts):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute | ast.Name):
                    of = node.value
                    found.add((of.attr if isinstance(of, ast.Attribute) else of.id, node.attr))
    return found


@pytest.mark.parametrize("one", [one for one in descriptions() if one.name not in OTHERWISE], ids=lambda one: one.name)
def test_every_setting_is_read_by_something(one: Any, known: set[tuple[str, str]]) -> None:
    assert (one.group, one.field) in known, f"{one.name} changes nothing: no module reads {one.group}.{one.field}"


@pytest.fixture(scope="module")
def known() -> set[tuple[str, str]]:
    return reads()


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_read_otherwise_is_read_where_the_table_says(name: str) -> None:
    module, _, word = OTHERWISE[name].partition(": ")
    assert word in (ROOT / module).read_text(encoding="utf-8")
