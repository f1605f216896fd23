"""The settings: every parser's edges, everything wrong told at once, no secret shown, and the page about them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.settings_page import table
from shared.core.desired import DEPLOYMENTS_TAG
from shared.core.errors import InvalidSettings
from shared.core.modes import MODE_TAG, Mode
from shared.core.organizations import key_setting, scope_setting
from shared.core.rules import OnDelete, RecordMode, ZoneHome
from shared.core.selection import ENDPOINTS_TAG, FIRST_POLICY_TAG
from shared.settings import DEFAULT_SCHEDULE, Description, Settings, descriptions, load

SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000beef"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dns-hub"
VNET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
SECRET = "essu_cH9zdGF5LXNlY3JldA=="
STORAGE_KEY = "c3RvcmFnZS1rZXk="
LEAST = {
    "AZURE_SUBSCRIPTIONS": SUBSCRIPTION,
    "ELASTIC_API_KEY": SECRET,
    "AzureWebJobsStorage": f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={STORAGE_KEY}",
}
PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        load(environ)
    head, *problems = refused.value.what.splitlines()
    assert head == "The app's settings are wrong:"
    assert "docs/settings.md" in refused.value.next_step
    return [problem.strip() for problem in problems]


def field_of(name: str) -> str:
    return next(field.name for field in dataclasses.fields(Settings) if field.metadata.get("name") == name)


def value_of(name: str, text: str, **others: str) -> Any:
    return getattr(load(LEAST | others | {name: text}), field_of(name))


def optional() -> list[Description]:
    """All but those of `LEAST`; the key is required only where there is no other."""
    return [one for one in descriptions() if one.default is not None and one.name != "ELASTIC_API_KEY"]


# -- defaults ------------------------------------------------------------------------------------------------------


def test_the_least_that_must_be_set_is_enough() -> None:
    settings = load(LEAST)
    assert (settings.subscriptions, settings.elastic_api_key) == ((SUBSCRIPTION,), SECRET)
    assert settings.resource_groups == frozenset({"*"})
    assert settings.deployments_allowed == settings.first_policy_allowed == frozenset()
    assert (settings.arm_url, settings.elastic_url) == (
        "https://management.azure.com",
        "https://api.elastic-cloud.com",
    )
    assert (settings.zone_home, settings.link_vnets, settings.name_server) == (None, (), None)
    assert (settings.probe_port, settings.journal_days, settings.schedule) == (9243, 90, DEFAULT_SCHEDULE)


def test_every_default_is_a_value_that_its_own_parser_takes_unchanged() -> None:
    defaults = {one.name: one.default for one in optional()}
    assert load(LEAST | defaults) == load(LEAST)


def test_an_empty_setting_counts_as_not_set() -> None:
    assert load(LEAST | {one.name: "  " for one in optional()}) == load(LEAST)


def test_what_the_core_needs_is_handed_on() -> None:
    environ = LEAST | {
        "INSTANCE_ID": "Blue",
        "DNS_ZONE_RESOURCE_GROUP": GROUP,
        "DNS_LINK_VNETS": VNET,
        "DNS_RECORD_MODE": "union",
        "DNS_RECORD_TTL": "60",
        "ELASTIC_DEPLOYMENTS_ALLOWED": "Orders",
        "ELASTIC_FIRST_POLICY_ALLOWED": "d1",
        "POLICY_LAG_SECONDS": "37",
        "APPROVAL_OVERDUE_SECONDS": "77",
        "PROBE_PORT": "443",
        "ELASTIC_LAST_POLICY_ALLOWED": "d2",
        "ASSOCIATION_RESTORES": "5",
        "ELASTIC_CLAIM": "true",
        "ON_DELETE": "retain",
        "REMOVAL_GRACE_SECONDS": "99",
    }
    rules = load(environ).rules()
    assert (rules.instance_id, rules.zone_home, rules.link_vnets) == (
        "blue",
        ZoneHome(SUBSCRIPTION, "dns-hub"),
        (VNET,),
    )
    assert (rules.record_mode, rules.record_ttl, rules.probe_port) == (RecordMode.UNION, 60, 443)
    assert (rules.deployments_allowed, rules.first_policy_allowed) == (frozenset({"orders"}), frozenset({"d1"}))
    assert (rules.policy_lag, rules.approval_overdue) == (37.0, 77.0)
    assert (rules.last_policy_allowed, rules.association_restores, rules.claim) == (frozenset({"d2"}), 5, True)
    assert (rules.on_delete, rules.removal_grace) == (OnDelete.RETAIN, 99.0)


# -- everything that is wrong, at once -----------------------------------------------------------------------------


def test_nothing_set_tells_everything_that_is_required() -> None:
    assert [problem.split(":")[0] for problem in problems_of({})] == [
        "AZURE_SUBSCRIPTIONS",
        "ELASTIC_API_KEY",
        "AzureWebJobsStorage",
    ]


def test_all_errors_are_told_together_each_with_its_name_what_was_expected_and_what_was_there() -> None:
    wrong = {
        "AZURE_SUBSCRIPTIONS": "prod",
        "ELASTIC_API_URL": "http://api.elastic-cloud.com",
        "DNS_RECORD_MODE": "both",
        "DNS_RECORD_TTL": "-1",
        "WAIT_MAX_SECONDS": "soon",
        "HEALTH_SCHEDULE": "*/5 * * * *",
        "AzureWebJobsStorage": "text",
    }
    problems = problems_of(LEAST | wrong)
    assert [problem.split(":")[0] for problem in problems] == [
        "AZURE_SUBSCRIPTIONS",
        "ELASTIC_API_URL",
        "DNS_RECORD_MODE",
        "DNS_RECORD_TTL",
        "HEALTH_SCHEDULE",
        "WAIT_MAX_SECONDS",
        "AzureWebJobsStorage",
    ]
    assert all("expected" in problem for problem in problems)
    assert "not 'prod'" in problems[0]
    assert "first or union" in problems[2]
    assert "between 0.2 and 3600" in problems[5]


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_a_required_list_with_nothing_in_it_is_not_set(text: str) -> None:
    assert problems_of(LEAST | {"AZURE_SUBSCRIPTIONS": text}) == ["AZURE_SUBSCRIPTIONS: required, and not set"]


def test_a_long_value_is_shown_in_part() -> None:
    (problem,) = problems_of(LEAST | {"PROBE_PORT": "x" * 10_000})
    assert len(problem) < 200


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"RUN_SECONDS": "101"}, "LEASE_SECONDS"),
        ({"LEASE_SECONDS": "109"}, "LEASE_SECONDS"),
        ({"WAIT_FIRST_SECONDS": "61"}, "WAIT_MAX_SECONDS"),
        ({"WAIT_MAX_SECONDS": "14"}, "WAIT_MAX_SECONDS"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changed: dict[str, str], name: str) -> None:
    (problem,) = problems_of(LEAST | changed)
    assert problem.startswith(f"{name}: expected")


def test_settings_that_only_just_agree_are_taken() -> None:
    settings = load(LEAST | {"RUN_SECONDS": "100", "WAIT_FIRST_SECONDS": "60"})
    assert (settings.lease_seconds, settings.wait_first, settings.wait_max) == (120, 60, 60)


# -- secrets -------------------------------------------------------------------------------------------------------


def test_no_secret_shows_in_a_description_of_the_settings() -> None:
    settings = load(LEAST)
    assert SECRET not in f"{settings} {settings!r}"


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_SUBSCRIPTIONS": "wrong"},
        {"ELASTIC_API_KEY": f"{SECRET} {SECRET}"},
        {"ELASTIC_API_KEY": f"{SECRET}\u00e9"},
        {"AzureWebJobsStorage": f"AccountKey={STORAGE_KEY};Broken"},
        {"AzureWebJobsStorage": f"AccountKey={STORAGE_KEY}"},
        {"AzureWebJobsStorage": f"https://acct.queue.core.windows.net/?sig={STORAGE_KEY}"},
    ],
)
def test_no_secret_shows_in_an_error(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load(LEAST | environ)
    text = f"{refused.value} {refused.value!r}"
    assert SECRET not in text
    assert STORAGE_KEY not in text


@pytest.mark.parametrize(
    "text", ["a key", "schl\u00fcssel", "a\nb", "@Microsoft.KeyVault(SecretUri=https://v/secrets/k)"]
)
def test_what_cannot_be_a_key_is_refused(text: str) -> None:
    (problem,) = problems_of(LEAST | {"ELASTIC_API_KEY": text})
    assert problem.startswith("ELASTIC_API_KEY: expected an API key")


# -- every parser's edges ------------------------------------------------------------------------------------------

GOOD: list[tuple[str, str, Any]] = [
    ("AZURE_SUBSCRIPTIONS", f" {SUBSCRIPTION.upper()} ,,{SUBSCRIPTION}", (SUBSCRIPTION,)),
    ("AZURE_RESOURCE_GROUPS", "Net, net ,Dns", frozenset({"net", "dns"})),
    ("AZURE_SUBSCRIPTIONS_DENIED", SUBSCRIPTION.upper(), (SUBSCRIPTION,)),
    ("AZURE_RESOURCE_GROUPS", f"{SUBSCRIPTION.upper()}/Net, a.b-(c)_d, *", {f"{SUBSCRIPTION}/net", "a.b-(c)_d", "*"}),
    ("AZURE_RESOURCE_GROUPS_DENIED", "Net,", {"net"}),
    ("AZURE_LOCATIONS", "East US 2, westeurope", {"eastus2", "westeurope"}),
    ("AZURE_LOCATIONS_DENIED", "*", {"*"}),
    ("AZURE_TAGS", " Env = Prod , team, cost=, url=https://x?a=b", {"env=prod", "team", "cost=", "url=https://x?a=b"}),
    ("AZURE_TAGS_DENIED", "*", {"*"}),
    ("MODE", "Observe", "observe"),
    ("ELASTIC_DEPLOYMENTS_DENIED", "My Orders,D1", {"my orders", "d1"}),
    ("ON_DELETE", "Retain", "retain"),
    ("REMOVAL_GRACE_SECONDS", "0", 0.0),
    ("REMOVAL_GRACE_SECONDS", "604800", 604800.0),
    ("REMOVAL_LIMIT", "0", 0),
    ("ELASTIC_LAST_POLICY_ALLOWED", "My Orders,D1", {"my orders", "d1"}),
    ("ASSOCIATION_RESTORES", "0", 0),
    ("ELASTIC_CLAIM", "TRUE", True),
    ("AZURE_CLIENT_ID", "any", "any"),
    ("AZURE_RESOURCE_MANAGER_URL", "https://management.usgovcloudapi.net/", "https://management.usgovcloudapi.net"),
    ("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1:8443", "http://127.0.0.1:8443"),
    ("ELASTIC_API_URL", "http://localhost:9/x/", "http://localhost:9/x"),
    ("ELASTIC_DEPLOYMENTS_ALLOWED", "*", frozenset({"*"})),
    ("ELASTIC_FIRST_POLICY_ALLOWED", "My Orders,D1", frozenset({"my orders", "d1"})),
    ("INSTANCE_ID", "Prod-EU-1", "prod-eu-1"),
    ("DNS_ZONE_RESOURCE_GROUP", GROUP.upper(), ZoneHome(SUBSCRIPTION, "DNS-HUB")),
    ("DNS_LINK_VNETS", f"{VNET}, {VNET}", (VNET,)),
    ("DNS_SUBSCRIPTIONS", SUBSCRIPTION, (SUBSCRIPTION,)),
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
    ("JOURNAL_DAYS", "3650", 3650),
    ("CHECKS_DAYS", "1", 1),
    ("HEALTH_SCHEDULE", "0 0 3 * * MON-FRI", "0 0 3 * * MON-FRI"),
]
BAD: list[tuple[str, str]] = [
    ("ELASTIC_ORGANIZATIONS", "EU"),
    ("ELASTIC_ORGANIZATIONS", "default"),
    ("ELASTIC_ORGANIZATIONS", "eu_west"),
    ("ELASTIC_ORGANIZATIONS", "-eu"),
    ("ELASTIC_ORGANIZATIONS", "x" * 31),
    ("AZURE_SUBSCRIPTIONS", f"{SUBSCRIPTION},x"),
    ("AZURE_SUBSCRIPTIONS", f"{{{SUBSCRIPTION}}}"),
    ("AZURE_SUBSCRIPTIONS_DENIED", "*"),
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
    ("REMOVAL_LIMIT", "-1"),
    ("REMOVAL_LIMIT", "100001"),
    ("ASSOCIATION_RESTORES", "-1"),
    ("ASSOCIATION_RESTORES", "often"),
    ("DNS_SUBSCRIPTIONS", "all"),
    ("AZURE_RESOURCE_MANAGER_URL", "management.azure.com"),
    ("AZURE_RESOURCE_MANAGER_URL", "http://management.azure.com"),
    ("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1.evil.example"),
    ("AZURE_RESOURCE_MANAGER_AUDIENCE", "https://"),
    ("ELASTIC_API_URL", "https://a b"),
    ("ELASTIC_API_URL", "ftp://api.elastic-cloud.com"),
    ("ELASTIC_API_URL", "http://localhost.evil.example"),
    ("INSTANCE_ID", "a b"),
    ("INSTANCE_ID", "a]"),
    ("INSTANCE_ID", "x" * 41),
    ("DNS_ZONE_RESOURCE_GROUP", "dns-hub"),
    ("DNS_ZONE_RESOURCE_GROUP", f"{GROUP}/"),
    ("DNS_ZONE_RESOURCE_GROUP", f"{GROUP}/providers/Microsoft.Network/privateDnsZones/x"),
    ("DNS_ZONE_RESOURCE_GROUP", f"/subscriptions/{'-' * 36}/resourceGroups/g"),
    ("DNS_ZONE_RESOURCE_GROUP", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/a%20b"),
    ("DNS_ZONE_RESOURCE_GROUP", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/.."),
    ("DNS_LINK_VNETS", "hub"),
    ("DNS_LINK_VNETS", f"{VNET}/subnets/default"),
    ("DNS_LINK_VNETS", VNET.replace("virtualNetworks", "privateEndpoints")),
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
    ("POLICY_LAG_SECONDS", "0"),
    ("VISIBILITY_SECONDS", "9"),
    ("ARM_POLL_SECONDS", "0"),
    ("ARM_OPERATION_SECONDS", "61"),
    ("REQUEST_TIMEOUT_SECONDS", "0"),
    ("RUN_SECONDS", "541"),
    ("LEASE_SECONDS", "14"),
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


def test_every_setting_that_can_be_wrong_has_a_bad_value_here() -> None:
    free_text = {"AZURE_CLIENT_ID"}
    tried = {name for name, _ in BAD} | {"ELASTIC_API_KEY", "WAIT_MAX_SECONDS"}
    assert {one.name for one in descriptions()} == tried | free_text


# -- organizations -------------------------------------------------------------------------------------------------

OTHER_SECRET = "essu_YW5vdGhlci1zZWNyZXQ="
TWO = LEAST | {
    "ELASTIC_ORGANIZATIONS": "eu-west, us",
    "ELASTIC_API_KEY_EU_WEST": OTHER_SECRET,
    "ELASTIC_SCOPE_EU_WEST": f"subscription:{SUBSCRIPTION.upper()}, group:Net, Group:{SUBSCRIPTION}/Data",
    "ELASTIC_API_KEY_US": f"{OTHER_SECRET}2",
    "ELASTIC_SCOPE_US": "tag:Team, tag: Unit = Sales,",
}


def test_organizations_are_read_in_order_each_with_its_key_and_scope() -> None:
    settings = load(TWO)
    west, us = settings.organizations
    assert (west.name, west.api_key, us.name, us.api_key) == ("eu-west", OTHER_SECRET, "us", f"{OTHER_SECRET}2")
    assert west.scope.entries == {f"subscription:{SUBSCRIPTION}", "group:net", f"group:{SUBSCRIPTION}/data"}
    assert us.scope.entries == {"tag:team", "tag:unit=sales"}
    rules = settings.rules()
    assert (rules.organizations, rules.has_default_organization) == ((west.scope, us.scope), True)


def test_the_key_of_the_default_organization_may_be_missing_where_there_are_others() -> None:
    settings = load(TWO | {"ELASTIC_API_KEY": ""})
    assert not settings.rules().has_default_organization
    assert [problem.split(":")[0] for problem in problems_of(LEAST | {"ELASTIC_API_KEY": ""})] == ["ELASTIC_API_KEY"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ELASTIC_API_KEY_US": ""}, "ELASTIC_API_KEY_US: required, because ELASTIC_ORGANIZATIONS names us"),
        ({"ELASTIC_SCOPE_US": " , "}, "ELASTIC_SCOPE_US: required, because ELASTIC_ORGANIZATIONS names us"),
        ({"ELASTIC_API_KEY_US": f"{SECRET} x"}, "ELASTIC_API_KEY_US: expected an API key"),
        ({"ELASTIC_API_KEY_US": "@Microsoft.KeyVault(x)"}, "ELASTIC_API_KEY_US: expected an API key"),
        ({"ELASTIC_API_KEY_US": SECRET}, "ELASTIC_API_KEY_US: expected a key of another organization"),
        ({"ELASTIC_SCOPE_US": "subscription:prod"}, "ELASTIC_SCOPE_US: expected subscription:ID"),
        ({"ELASTIC_SCOPE_US": "group:a/b"}, "ELASTIC_SCOPE_US: expected subscription:ID"),
        ({"ELASTIC_SCOPE_US": "group:*"}, "ELASTIC_SCOPE_US: expected subscription:ID"),
        ({"ELASTIC_SCOPE_US": "tag:team="}, "ELASTIC_SCOPE_US: expected subscription:ID"),
        ({"ELASTIC_SCOPE_US": "tag:=x"}, "ELASTIC_SCOPE_US: expected subscription:ID"),
        ({"ELASTIC_SCOPE_US": "tag:a,net"}, "ELASTIC_SCOPE_US: expected subscription:ID"),
    ],
)
def test_what_is_wrong_with_an_organization_is_told_by_the_name_of_its_own_setting(
    changes: dict[str, str], expected: str
) -> None:
    (problem,) = problems_of(TWO | changes)
    assert problem.startswith(expected)


def test_all_organizations_problems_are_told_with_the_others_and_no_key_is_shown() -> None:
    wrong = {"ELASTIC_API_KEY": f"{SECRET} ", "ELASTIC_SCOPE_EU_WEST": "x", "ELASTIC_API_KEY_US": f"{OTHER_SECRET} 2"}
    problems = problems_of(TWO | wrong | {"DNS_RECORD_TTL": "-1", "ELASTIC_SCOPE_US": ""})
    names = ["DNS_RECORD_TTL", "ELASTIC_SCOPE_EU_WEST", "ELASTIC_API_KEY_US", "ELASTIC_SCOPE_US"]
    assert [problem.split(":")[0] for problem in problems] == names
    shown = "\n".join(problems) + repr(load(TWO)) + repr(load(TWO).organizations) + str(load(TWO).organizations)
    assert SECRET not in shown
    assert OTHER_SECRET not in shown


# -- storage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "storage",
    [
        {"AzureWebJobsStorage": "UseDevelopmentStorage=true"},
        {"AzureWebJobsStorage__accountName": "acct"},
        {
            "AzureWebJobsStorage__tableServiceUri": "https://acct.table.core.windows.net",
            "AzureWebJobsStorage__queueServiceUri": "https://acct.queue.core.windows.net",
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": "1111",
        },
    ],
)
def test_each_form_of_the_storage_settings_is_enough(storage: dict[str, str]) -> None:
    assert load(LEAST | {"AzureWebJobsStorage": ""} | storage) == load(LEAST)


def test_a_wrong_storage_setting_is_told_by_its_own_name() -> None:
    environ = LEAST | {"AzureWebJobsStorage": "", "AzureWebJobsStorage__queueServiceUri": "http://acct"}
    problems = problems_of(environ)
    assert problems[0].startswith("AzureWebJobsStorage__tableServiceUri: expected")
    assert problems[1].startswith("AzureWebJobsStorage__queueServiceUri: expected")


# -- docs/settings.md ----------------------------------------------------------------------------------------------


def test_the_page_has_every_setting_with_its_default_and_text() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(table()) in page, "run scripts/settings_page.py"


def test_the_page_names_no_setting_that_there_is_not() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|(?<=`)MODE(?=[`=])", page))
    named -= {key_setting("eu-west"), scope_setting("eu-west")}  # the example of those that have a name in them
    assert named == {one.name for one in descriptions()}
    storage = set(re.findall(r"AzureWebJobsStorage__\w+", page))
    assert storage == {
        f"AzureWebJobsStorage__{name}"
        for name in ("accountName", "tableServiceUri", "queueServiceUri", "blobServiceUri", "credential", "clientId")
    }


def test_the_page_explains_the_tags_that_stand_beside_the_settings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tags = {DEPLOYMENTS_TAG, MODE_TAG, ENDPOINTS_TAG, FIRST_POLICY_TAG}
    assert [tag for tag in tags if f"| `{tag}` |" not in page] == []


def test_the_page_explains_every_mode_and_every_list_of_the_scope() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [mode for mode in Mode if f"| `{mode}` |" not in page] == []
    scope = page.split("## Scope")[1].split("## Modes")[0]
    lists = {
        one.name
        for one in descriptions()
        if re.match(r"AZURE_(SUBSCRIPTIONS|RESOURCE_GROUPS|LOCATIONS|TAGS)", one.name)
    }
    assert len(lists) == 8
    assert [name for name in lists if f"`{name}`" not in scope] == []
