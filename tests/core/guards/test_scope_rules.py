"""Scope: allow and deny lists, deny first, and a reason that names the setting."""

from __future__ import annotations

import pytest

from shared.core.guards.scope import out_of_scope, outside, outside_by_id, told_by_id
from shared.core.model.conditions import WaitingFor
from shared.core.options.scope import Scope
from shared.settings import descriptions, load
from tests.core.core_parts import SUBSCRIPTION, endpoint, scope_of

OTHER = "99999999-0000-4000-8000-00000000beef"
TAGS = {"Env": "Prod", "team": "search"}
PE = endpoint(location="West Europe", tags=TAGS)


def names(*entries: str) -> frozenset[str]:
    return frozenset(entries)


@pytest.mark.parametrize(
    ("scope", "setting"),
    [
        (scope_of(), ""),
        # subscriptions
        (scope_of(subscriptions=(SUBSCRIPTION,)), ""),
        (scope_of(subscriptions=(OTHER,)), "AZURE_SUBSCRIPTIONS"),
        (scope_of(subscriptions_denied=(SUBSCRIPTION,)), "AZURE_SUBSCRIPTIONS_DENIED"),
        (
            scope_of(subscriptions=(SUBSCRIPTION,), subscriptions_denied=(SUBSCRIPTION,)),
            "AZURE_SUBSCRIPTIONS_DENIED",
        ),
        # resource groups: a bare name is in any subscription, a full one in its own
        (scope_of(resource_groups=names("net-prod")), ""),
        (scope_of(resource_groups=names(f"{SUBSCRIPTION}/net-prod")), ""),
        (scope_of(resource_groups=names(f"{OTHER}/net-prod", "net")), "AZURE_RESOURCE_GROUPS"),
        (scope_of(resource_groups=names()), "AZURE_RESOURCE_GROUPS"),
        (scope_of(resource_groups_denied=names("net-prod")), "AZURE_RESOURCE_GROUPS_DENIED"),
        (scope_of(resource_groups_denied=names(f"{SUBSCRIPTION}/net-prod")), "AZURE_RESOURCE_GROUPS_DENIED"),
        (scope_of(resource_groups_denied=names(f"{OTHER}/net-prod", "net")), ""),
        (
            scope_of(resource_groups=names("net-prod"), resource_groups_denied=names("*")),
            "AZURE_RESOURCE_GROUPS_DENIED",
        ),
        # locations: the endpoint's own, in Azure's short form
        (scope_of(locations=names("westeurope")), ""),
        (scope_of(locations=names("eastus2")), "AZURE_LOCATIONS"),
        (scope_of(locations_denied=names("westeurope")), "AZURE_LOCATIONS_DENIED"),
        (scope_of(locations=names("westeurope"), locations_denied=names("westeurope")), "AZURE_LOCATIONS_DENIED"),
        # tags: one is enough, for either list
        (scope_of(tags=names("env")), ""),
        (scope_of(tags=names("env=prod", "cost")), ""),
        (scope_of(tags=names("env=test", "prod")), "AZURE_TAGS"),
        (scope_of(tags_denied=names("env=test")), ""),
        (scope_of(tags_denied=names("team")), "AZURE_TAGS_DENIED"),
        (scope_of(tags=names("env=prod"), tags_denied=names("team=search")), "AZURE_TAGS_DENIED"),
        (scope_of(tags_denied=names("*")), "AZURE_TAGS_DENIED"),
    ],
)
def test_each_list_says_who_is_in_and_names_itself_to_who_is_not(scope: Scope, setting: str) -> None:
    found = outside(scope, PE)
    assert (found.next_step if found else "") == (
        f"Change the setting {setting} if the app is to handle this endpoint." if setting else ""
    )
    by_id = outside_by_id(scope, PE.id)
    assert (by_id is not None) is setting.startswith(("AZURE_SUBSCRIPTIONS", "AZURE_RESOURCE_GROUPS"))
    if found is not None:
        condition = out_of_scope(found)
        assert (condition.type, condition.status, condition.reason) == ("Recognised", "False", "OutOfScope")
        assert f"setting {setting}" in f"{condition.message} "
        assert f"setting {setting} if" in condition.next_step
        assert condition.needs is WaitingFor.EVENT
        assert setting in {one.name for one in descriptions()}


def test_an_endpoint_without_tags_is_in_scope_only_where_none_is_needed() -> None:
    bare = endpoint(tags={})
    assert outside(scope_of(tags_denied=names("env")), bare) is None
    assert outside(scope_of(tags=names("env")), bare) is not None


@pytest.mark.parametrize("name", ["LOCATIONS", "LOCATIONS_DENIED", "TAGS", "TAGS_DENIED"])
def test_whether_the_id_tells_all_follows_from_the_lists(name: str) -> None:
    least = {
        "AZURE_SUBSCRIPTIONS": SUBSCRIPTION,
        "AZURE_RESOURCE_GROUPS_DENIED": "net",
        "EC_API_KEY": "key",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    }
    assert told_by_id(load(least).scope)
    assert not told_by_id(load(least | {f"AZURE_{name}": "eastus2"}).scope)


def test_the_settings_reach_the_rules_each_in_its_place() -> None:
    scope = load(
        {
            "AZURE_SUBSCRIPTIONS": SUBSCRIPTION,
            "AZURE_SUBSCRIPTIONS_DENIED": OTHER,
            "AZURE_RESOURCE_GROUPS": "a",
            "AZURE_RESOURCE_GROUPS_DENIED": "b",
            "AZURE_LOCATIONS": "cc",
            "AZURE_LOCATIONS_DENIED": "dd",
            "AZURE_TAGS": "e",
            "AZURE_TAGS_DENIED": "f",
            "EC_API_KEY": "key",
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        }
    ).scope
    assert scope == Scope(
        (SUBSCRIPTION,), (), (OTHER,), names("a"), names("b"), names("cc"), names("dd"), names("e"), names("f")
    )
