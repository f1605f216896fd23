"""The settings of several Elastic Cloud organizations: a key and a scope each."""

from __future__ import annotations

import pytest

from shared.core.model.organizations import DEFAULT, key_secret
from shared.settings import load
from tests.settings.settings_parts import (
    LEAST,
    SECRET,
    SUBSCRIPTION,
    problems_of,
)

OTHER_SECRET = "essu_YW5vdGhlci1zZWNyZXQ="
TWO = LEAST | {
    "ELASTIC_ORGANIZATIONS": "eu-west, us",
    "EC_API_KEY_EU_WEST": OTHER_SECRET,
    "ELASTIC_SCOPE_EU_WEST": f"subscription:{SUBSCRIPTION.upper()}, group:Net, Group:{SUBSCRIPTION}/Data",
    "EC_API_KEY_US": f"{OTHER_SECRET}2",
    "ELASTIC_SCOPE_US": "tag:Team, tag: Unit = Sales,",
}


def test_organizations_are_read_in_order_each_with_its_key_and_scope() -> None:
    settings = load(TWO)
    west, us = settings.organizations
    assert (west.name, west.api_key, us.name, us.api_key) == ("eu-west", OTHER_SECRET, "us", f"{OTHER_SECRET}2")
    assert west.scope.entries == {f"subscription:{SUBSCRIPTION}", "group:net", f"group:{SUBSCRIPTION}/data"}
    assert us.scope.entries == {"tag:team", "tag:unit=sales"}
    options = settings.plan_options
    assert (options.organizations, options.has_default_organization) == ((west.scope, us.scope), True)


def test_the_key_of_the_default_organization_may_be_missing_where_there_are_others() -> None:
    settings = load(TWO | {"EC_API_KEY": ""})
    assert not settings.plan_options.has_default_organization
    assert [problem.split(":")[0] for problem in problems_of(LEAST | {"EC_API_KEY": ""})] == ["EC_API_KEY"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"EC_API_KEY_US": ""}, "EC_API_KEY_US: required, because ELASTIC_ORGANIZATIONS names us"),
        ({"ELASTIC_SCOPE_US": " , "}, "ELASTIC_SCOPE_US: required, because ELASTIC_ORGANIZATIONS names us"),
        ({"EC_API_KEY_US": f"{SECRET} x"}, "EC_API_KEY_US: expected an API key"),
        ({"EC_API_KEY_US": "@Microsoft.KeyVault(x)"}, "EC_API_KEY_US: expected an API key"),
        ({"EC_API_KEY_US": SECRET}, "EC_API_KEY_US: expected a key of another organization"),
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
    wrong = {"EC_API_KEY": f"{SECRET} ", "ELASTIC_SCOPE_EU_WEST": "x", "EC_API_KEY_US": f"{OTHER_SECRET} 2"}
    problems = problems_of(TWO | wrong | {"DNS_RECORD_TTL": "-1", "ELASTIC_SCOPE_US": ""})
    names = ["DNS_RECORD_TTL", "ELASTIC_SCOPE_EU_WEST", "EC_API_KEY_US", "ELASTIC_SCOPE_US"]
    assert [problem.split(":")[0] for problem in problems] == names
    shown = "\n".join(problems) + repr(load(TWO)) + repr(load(TWO).organizations) + str(load(TWO).organizations)
    assert SECRET not in shown
    assert OTHER_SECRET not in shown


VAULT = {"ELASTIC_KEY_VAULT_URI": "https://kv-1.vault.azure.net/"}


def test_keys_in_a_vault_need_no_setting_and_one_in_a_setting_is_taken_before_the_vault() -> None:
    settings = load(TWO | VAULT | {"EC_API_KEY": "", "EC_API_KEY_EU_WEST": ""})
    assert settings.elastic.key_vault_uri == "https://kv-1.vault.azure.net"
    assert [(one.name, one.api_key) for one in settings.organizations] == [("eu-west", ""), ("us", f"{OTHER_SECRET}2")]
    assert settings.plan_options.has_default_organization
    assert [key_secret(name) for name in (DEFAULT, "eu-west")] == ["elastic-api-key", "elastic-api-key-eu-west"]


def test_with_a_vault_a_setting_says_that_there_is_no_default_organization() -> None:
    alone = VAULT | {"EC_API_KEY": "", "DEFAULT_ORGANIZATION": "false"}
    assert not load(TWO | alone).plan_options.has_default_organization
    (problem,) = problems_of(LEAST | alone)
    assert problem.startswith("DEFAULT_ORGANIZATION: expected true where ELASTIC_ORGANIZATIONS names no other")


def test_a_key_in_a_setting_is_checked_also_where_there_is_a_vault() -> None:
    (problem,) = problems_of(TWO | VAULT | {"EC_API_KEY_US": SECRET})
    assert problem.startswith("EC_API_KEY_US: expected a key of another organization")
