"""Which organization an endpoint belongs to by the settings, and when a connection may go over to another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.core.guards.scope import organization_of
from shared.core.model.errors import Blocked
from shared.core.model.organizations import OrganizationScope, key_setting, scope_setting
from shared.core.model.ownership import Owner
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.planning.former import (
    changed_explanation,
    ensure_has_one,
    in_former_organization,
    move,
    owns_anything,
    serving,
    switch_record,
)
from tests.core.core_parts import (
    GUID,
    KNOWN,
    NOW,
    SUBSCRIPTION,
    desired,
    endpoint,
    plan_options,
)

TAGS = {"Team": "Data", "empty": ""}


def belongs(*entries: str, has_default: bool = True) -> str:
    scopes = [OrganizationScope("eu", frozenset(entries))]
    return organization_of(endpoint(tags=TAGS), scopes, has_default=has_default)


@pytest.mark.parametrize(
    "entry",
    [
        f"subscription:{SUBSCRIPTION}",
        "group:net-prod",
        f"group:{SUBSCRIPTION}/net-prod",
        "tag:team",
        "tag:team=data",
        "tag:empty",
    ],
)
def test_one_entry_that_includes_the_endpoint_is_enough(entry: str) -> None:
    assert belongs("group:elsewhere", entry) == "eu"


@pytest.mark.parametrize(
    "entry",
    [
        "subscription:00000000-0000-0000-0000-000000000002",
        "subscription:net-prod",
        "group:net",
        "group:00000000-0000-0000-0000-000000000002/net-prod",
        "tag:net-prod",
        "tag:data",
        "tag:team=dat",
        "tag:empty=data",
    ],
)
def test_what_no_entry_includes_is_the_default_organizations_or_nobodys(entry: str) -> None:
    assert (belongs(entry), belongs(entry, has_default=False)) == ("default", "")


def test_of_several_organizations_that_include_it_the_first_has_it() -> None:
    scopes = [OrganizationScope(name, frozenset({"tag:team"})) for name in ("us", "eu")]
    assert organization_of(endpoint(tags=TAGS), scopes, has_default=True) == "us"
    assert organization_of(endpoint(tags=TAGS), scopes[::-1], has_default=True) == "eu"


def test_the_settings_of_an_organization_have_its_name_in_them() -> None:
    assert (key_setting("eu-west"), scope_setting("eu-west")) == ("EC_API_KEY_EU_WEST", "ELASTIC_SCOPE_EU_WEST")
    assert key_setting("default") == key_setting("") == "EC_API_KEY"


# -- a change of the organization ----------------------------------------------------------------------------------

EU = replace(desired(), organization="eu")
OURS = PolicyMemory("p-1", Owner.OURS, guid=GUID)
CLAIM = ClaimMemory("azure-eastus2", "pe-search", GUID, Owner.OURS)
HELD: list[dict[str, Any]] = [
    {"policy": OURS},
    {"policy_post_until": NOW},
    {"claim": CLAIM},
    {"policy": replace(OURS, owner=Owner.ADOPTED), "associations": (AssociationMemory("d1", Owner.OURS),)},
    {"policy": replace(OURS, owner=Owner.ADOPTED), "associations": (AssociationMemory("d1"),)},
]
ADOPTED: dict[str, Any] = {
    "policy": replace(OURS, owner=Owner.ADOPTED),
    "claim": replace(CLAIM, owner=Owner.ADOPTED),
    "associations": (AssociationMemory("d1", Owner.ADOPTED),),
}


@pytest.mark.parametrize("held", [*HELD, ADOPTED, {"policy": replace(OURS, owner=Owner.ADOPTED)}])
def test_the_former_organization_serves_as_long_as_the_record_has_anything_there(held: dict[str, Any]) -> None:
    record = KNOWN.with_elastic(**held)
    assert serving(EU, record).organization == "default", "a record of an older version is the default organization's"
    assert serving(EU, record.with_elastic(organization="eu")) == EU
    assert serving(EU, record.with_elastic(organization="us")).organization == "us"
    assert serving(desired(), record) == desired()


def test_an_endpoint_that_has_nothing_anywhere_is_served_by_its_own() -> None:
    assert serving(EU, KNOWN) == EU


def test_what_others_made_is_not_ours() -> None:
    assert not owns_anything(KNOWN.with_elastic(**ADOPTED))


def test_while_the_former_one_serves_both_are_named_and_what_to_do() -> None:
    told = changed_explanation(EU, KNOWN.with_elastic(organization="us", policy=OURS))
    assert told is not None
    assert all(word in told.message for word in ("us", "eu"))
    assert "Put the endpoint's tag, or the settings, back" in told.next_step
    assert '"organization": "eu"' in told.next_step
    assert changed_explanation(EU, KNOWN.with_elastic(organization="eu")) is None


@pytest.mark.parametrize("held", [held for held in HELD if "policy" in held or "claim" in held])
def test_a_move_keeps_what_is_to_be_taken_away_and_begins_anew(held: dict[str, Any]) -> None:
    record = KNOWN.with_elastic(**held)
    moved = move(record, "eu", NOW)
    former = in_former_organization(moved)
    assert former is not None
    assert (former.organization, former.elastic.policy, former.elastic.claim) == (
        "default",
        record.elastic.policy,
        record.elastic.claim,
    )
    assert (moved.elastic.organization, owns_anything(moved)) == ("eu", False)
    back = move(moved, "default", NOW)
    assert (back.elastic.policy, back.elastic.claim, back.former_things) == (
        record.elastic.policy,
        record.elastic.claim,
        (),
    )


def test_without_an_organization_the_settings_that_could_name_one_are_named() -> None:
    options = plan_options(organizations=(OrganizationScope("eu", frozenset()), OrganizationScope("us", frozenset())))
    with pytest.raises(Blocked) as refused:
        ensure_has_one(replace(EU, organization=""), options)
    assert refused.value.reason == "NoOrganization"
    for setting in ("ELASTIC_SCOPE_EU", "ELASTIC_SCOPE_US", "EC_API_KEY"):
        assert setting in refused.value.what
        assert setting in refused.value.next_step


def test_a_record_that_goes_over_forgets_what_it_used_and_one_that_stays_nothing() -> None:
    record = KNOWN.with_elastic(**ADOPTED)
    gone = switch_record(record, "eu")
    assert (gone.elastic.organization, gone.elastic.policy, gone.elastic.claim, gone.elastic.associations) == (
        "eu",
        PolicyMemory(),
        None,
        (),
    )
    assert switch_record(record, "default") == record.with_elastic(organization="default")
