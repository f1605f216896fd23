"""A variable whose name is nearly a setting's is named, and stops nothing; names of azd, Azure and the host are not."""

from __future__ import annotations

import logging

import pytest

from local.clock import LoopClock
from shared.api.doctor import examine_without_settings
from shared.app import check_settings
from shared.core.model.errors import InvalidSettings
from shared.core.reports.doctor.findings import Level
from shared.core.reports.doctor.judge import judge_near_names
from shared.settings import descriptions, load, misspelt
from shared.settings.deployment import DEPLOYMENT_CHOICES
from tests.settings.settings_parts import LEAST

HITS = [
    ("AZURE_TAG_DENIED", "AZURE_TAGS_DENIED"),
    ("AZURE_SUBSCRIPTIONS_DENY", "AZURE_SUBSCRIPTIONS_DENIED"),
    ("AZURE_SUBSCRIPTION", "AZURE_SUBSCRIPTIONS"),
    ("ELASTIC_DEPLOYMENT_ALLOWED", "ELASTIC_DEPLOYMENTS_ALLOWED"),
    ("ELASTIC_DEPLOYMNETS_DENIED", "ELASTIC_DEPLOYMENTS_DENIED"),
    ("EC_API_KEYS", "EC_API_KEY"),
    ("EC_APIKEY", "EC_API_KEY"),
    ("ON_DELETED", "ON_DELETE"),
    ("REMOVAL_LIMITS", "REMOVAL_LIMIT"),
    ("mode", "MODE"),
    ("Dns_Link_Vnets", "DNS_LINK_VNETS"),
]
NO_HITS = [
    # azd, Azure and the SDKs
    "AZURE_LOCATION",
    "AZURE_ENV_NAME",
    "AZURE_RESOURCE_GROUP",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    # the Functions host and App Service
    "AzureWebJobsStorage",
    "AzureWebJobsStorage__clientId",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_SITE_NAME",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPSETTING_AZURE_SUBSCRIPTIONS",
    "PYTHON_ISOLATE_WORKER_DEPENDENCIES",
    # what any process has, and what looks like nothing of ours
    "PATH",
    "HOME",
    "NODE",
    "CODE",
    "MODEL",
    "DNS_SERVER",
    "ELASTIC_PASSWORD",
    "ELASTIC_APM_SECRET_TOKEN",
]


@pytest.mark.parametrize(("given", "meant"), HITS)
def test_a_name_that_is_nearly_a_settings_is_named_with_it_and_the_settings_are_taken(given: str, meant: str) -> None:
    settings = load(LEAST | {given: "x"})
    assert [(near.given, near.meant) for near in settings.near_names] == [(given, meant)]
    assert f"did you mean {meant}?" in str(settings.near_names[0])


@pytest.mark.parametrize("name", NO_HITS)
def test_other_names_are_not_taken_for_a_setting(name: str) -> None:
    assert misspelt({name: "x"}) == ()


def test_no_name_of_the_table_is_taken_for_another() -> None:
    assert misspelt({one.name: "x" for one in (*descriptions(), *DEPLOYMENT_CHOICES)}) == ()


def test_an_organizations_settings_are_known_and_a_slip_in_one_is_named() -> None:
    environ = {"ELASTIC_ORGANIZATIONS": "eu, x", "EC_API_KEY_EU": "k", "ELASTIC_SCOPE_EU": "s", "EC_API_KEY_X": "l"}
    assert misspelt(environ) == ()
    (near,) = misspelt(environ | {"ELASTIC_SCOPES_EU": "s"})
    assert (near.given, near.meant) == ("ELASTIC_SCOPES_EU", "ELASTIC_SCOPE_EU")


def test_the_value_of_such_a_variable_is_never_shown() -> None:
    assert "s3cret" not in str(misspelt({"EC_API_KEYS": "s3cret"})[0])


def test_it_is_said_once_in_the_log_when_the_app_is_loaded(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (LEAST | {"AZURE_TAG_DENIED": "x"}).items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING, "privatelink"):
        check_settings()
    assert [record.message for record in caplog.records if "did you mean" in record.message] == [
        "AZURE_TAG_DENIED is no setting of this app and does nothing; did you mean AZURE_TAGS_DENIED?"
    ]


async def test_doctor_names_it_as_a_warning_also_while_a_setting_is_missing_for_it() -> None:
    environ = {name: value for name, value in LEAST.items() if name != "AZURE_SUBSCRIPTIONS"}
    with pytest.raises(InvalidSettings) as refused:
        load(environ | {"AZURE_SUBSCRIPTION": "x"})
    report = await examine_without_settings(refused.value, None, LoopClock())
    levels = {finding.level: finding.what for finding in report.findings}
    assert set(levels) == {Level.PROBLEM, Level.WARNING}
    assert levels[Level.WARNING].endswith("did you mean AZURE_SUBSCRIPTIONS?")


def test_a_finding_says_what_to_do() -> None:
    (finding,) = judge_near_names(["x"])
    assert (finding.level, finding.next_step.split()[0]) == (Level.WARNING, "Correct")
