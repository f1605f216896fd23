"""What must be set and what is taken for the rest; all that is wrong is told at once, and no secret shown."""

from __future__ import annotations

import pytest

from shared.core.model.errors import InvalidSettings
from shared.core.options.dns import RecordMode
from shared.core.options.removal import OnDelete
from shared.core.options.values import ZoneHome
from shared.settings import DEFAULT_SCHEDULE, load
from tests.settings.settings_parts import (
    GROUP,
    LEAST,
    SECRET,
    STORAGE_KEY,
    SUBSCRIPTION,
    VNET,
    optional,
    problems_of,
)

# -- defaults ----------------------------------------------------------------------------------------------------------


def test_the_least_that_must_be_set_is_enough() -> None:
    settings = load(LEAST)
    assert (settings.scope.subscriptions, settings.elastic.api_key) == ((SUBSCRIPTION,), SECRET)
    assert settings.scope.resource_groups == frozenset({"*"})
    assert settings.targets.deployments_allowed == settings.targets.first_policy_allowed == frozenset()
    assert (settings.azure.arm_url, settings.elastic.url) == (
        "https://management.azure.com",
        "https://api.elastic-cloud.com",
    )
    assert (settings.dns.zone_resource_groups, settings.dns.link_vnets, settings.health.name_server) == ((), (), None)
    assert (settings.health.probe_port, settings.timing.journal_days, settings.health.schedule) == (
        9243,
        90,
        DEFAULT_SCHEDULE,
    )


def test_every_default_is_a_value_that_its_own_parser_takes_unchanged() -> None:
    defaults = {one.name: one.default for one in optional()}
    assert load(LEAST | defaults) == load(LEAST)


def test_an_empty_setting_counts_as_not_set() -> None:
    assert load(LEAST | {one.name: "  " for one in optional()}) == load(LEAST)


def test_what_the_core_needs_is_handed_on() -> None:
    environ = LEAST | {
        "INSTANCE_ID": "Blue",
        "DNS_ZONE_RESOURCE_GROUPS": GROUP,
        "DNS_LINK_VNETS": VNET,
        "DNS_RECORD_MODE": "union",
        "DNS_RECORD_TTL": "60",
        "ELASTIC_DEPLOYMENTS_ALLOWED": "Orders",
        "ELASTIC_FIRST_POLICY_ALLOWED": "d1",
        "LAG_SECONDS": "737",
        "POLICY_SEARCH_SECONDS": "738",
        "APPROVAL_OVERDUE_SECONDS": "77",
        "PROBE_PORT": "443",
        "ELASTIC_LAST_POLICY_ALLOWED": "d2",
        "ASSOCIATION_RESTORES": "5",
        "ELASTIC_CLAIM": "true",
        "ON_DELETE": "retain",
        "REMOVAL_GRACE_SECONDS": "99",
    }
    options = load(environ).plan_options
    assert (options.installation.instance_id, options.dns.zone_resource_groups, options.dns.link_vnets) == (
        "blue",
        (ZoneHome(SUBSCRIPTION, "dns-hub"),),
        (VNET,),
    )
    assert (options.dns.record_mode, options.dns.record_ttl) == (RecordMode.UNION, 60)
    assert options.targets.deployments_allowed == frozenset({"orders"})
    assert options.targets.first_policy_allowed == frozenset({"d1"})
    assert options.targets.last_policy_allowed == frozenset({"d2"})
    assert (options.timing.lag, options.timing.approval_overdue) == (737.0, 77.0)
    assert (options.targets.association_restores, options.targets.claim) == (5, True)
    assert (options.removal.on_delete, options.removal.grace) == (OnDelete.RETAIN, 99.0)


def test_the_groups_are_handed_on_themselves_so_that_no_copy_can_differ() -> None:
    settings = load(LEAST)
    groups = ("scope", "installation", "dns", "targets", "removal", "timing")
    assert all(getattr(settings.plan_options, group) is getattr(settings, group) for group in groups)


MARS = "marsnorth-prod-099-privatelink-service.12345678-1234-1234-1234-123456789abc.marsnorth.azure.privatelinkservice"


def test_a_service_that_this_version_does_not_know_is_a_setting() -> None:
    services = load(LEAST | {"ELASTIC_SERVICES": f" {MARS} ,"}).services
    found = services.recognise(MARS).service
    assert found is not None
    assert (found.region, found.zone) == ("marsnorth", "privatelink.marsnorth.azure.elastic-cloud.com")
    assert load(LEAST).services.recognise(MARS).service is None


@pytest.mark.parametrize("wrong", ["eastus2", f"{MARS}, eastus2", "my-service.azure.privatelinkservice"])
def test_what_is_no_alias_of_elastics_is_told(wrong: str) -> None:
    (problem,) = problems_of(LEAST | {"ELASTIC_SERVICES": wrong})
    assert problem.startswith("ELASTIC_SERVICES: expected aliases")


# -- everything that is wrong, at once ---------------------------------------------------------------------------------


def test_nothing_set_tells_everything_that_is_required() -> None:
    assert [problem.split(":")[0] for problem in problems_of({})] == [
        "AZURE_SUBSCRIPTIONS",
        "EC_API_KEY",
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
        ({"RUN_SECONDS": "30"}, "RUN_SECONDS"),
        ({"LAG_SECONDS": "719"}, "LAG_SECONDS"),
        ({"LAG_SECONDS": "721"}, "POLICY_SEARCH_SECONDS"),
        ({"POLICY_SEARCH_SECONDS": "719"}, "POLICY_SEARCH_SECONDS"),
        ({"WAIT_FIRST_SECONDS": "61"}, "WAIT_MAX_SECONDS"),
        ({"WAIT_MAX_SECONDS": "14"}, "WAIT_MAX_SECONDS"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changed: dict[str, str], name: str) -> None:
    (problem,) = problems_of(LEAST | changed)
    assert problem.startswith(f"{name}: expected")


@pytest.mark.parametrize("url", ["https://api.elastic-cloud.com", "https://127.0.0.1:8443", "http://localhost:8443"])
def test_a_short_lag_is_a_choice_of_its_own_wherever_the_api_is(url: str) -> None:
    short = LEAST | {"ELASTIC_API_URL": url, "LAG_SECONDS": "10", "POLICY_SEARCH_SECONDS": "10"}
    (problem,) = problems_of(short)
    assert problem.startswith("LAG_SECONDS: expected at least 720")
    assert problem.endswith("unless SHORT_LAG_ALLOWED is true, not 10")
    assert load(short | {"SHORT_LAG_ALLOWED": "true"}).timing.lag == 10


def test_a_contradiction_is_told_together_with_all_else_that_is_wrong() -> None:
    wrong = {"AZURE_SUBSCRIPTIONS": "", "WAIT_MAX_SECONDS": "1", "ARM_OPERATION_SECONDS": "60", "RUN_SECONDS": "soon"}
    told = {problem.split(":")[0]: problem for problem in problems_of(LEAST | wrong)}
    assert set(told) == {"AZURE_SUBSCRIPTIONS", "WAIT_MAX_SECONDS", "RUN_SECONDS"}  # how the two agree is not known yet
    assert told["WAIT_MAX_SECONDS"] == "WAIT_MAX_SECONDS: expected no less than WAIT_FIRST_SECONDS, not 1"


def test_settings_that_only_just_agree_are_taken() -> None:
    settings = load(LEAST | {"WAIT_FIRST_SECONDS": "60"})
    assert (settings.timing.wait_first, settings.timing.wait_max) == (60, 60)


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_shows_in_a_description_of_the_settings() -> None:
    settings = load(LEAST)
    assert SECRET not in f"{settings} {settings!r}"


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_SUBSCRIPTIONS": "wrong"},
        {"EC_API_KEY": f"{SECRET} {SECRET}"},
        {"EC_API_KEY": f"{SECRET}\u00e9"},
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
    (problem,) = problems_of(LEAST | {"EC_API_KEY": text})
    assert problem.startswith("EC_API_KEY: expected an API key")


# -- storage -----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("uri", ["https://[x", "https://acct:99999", "https://acct:x"])
def test_an_address_of_the_storage_that_is_no_url_is_one_problem_and_raises_nothing_else(uri: str) -> None:
    environ = LEAST | {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "acct"}
    (problem,) = problems_of(environ | {"AzureWebJobsStorage__tableServiceUri": uri})
    assert problem.startswith("AzureWebJobsStorage__tableServiceUri: expected")


def test_a_wrong_storage_setting_is_told_by_its_own_name() -> None:
    environ = LEAST | {"AzureWebJobsStorage": "", "AzureWebJobsStorage__queueServiceUri": "http://acct"}
    problems = problems_of(environ)
    assert problems[0].startswith("AzureWebJobsStorage__tableServiceUri: expected")
    assert problems[1].startswith("AzureWebJobsStorage__queueServiceUri: expected")
