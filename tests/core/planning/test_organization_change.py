"""Which organization an endpoint belongs to by the settings, and when a connection may go over to another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.guards.scope import organization_of
from shared.core.model.errors import Blocked
from shared.core.model.organizations import OrganizationScope, key_setting, scope_setting
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.resources import Claim
from shared.core.planning.organization_change import (
    ensure_can_switch,
    leaves_something,
    left_behind,
    owns_anything,
    switch_record,
)
from tests.core.core_parts import (
    GUID,
    KNOWN,
    NOW,
    OTHER_MARKER,
    STRANGER,
    SUBSCRIPTION,
    desired,
    endpoint,
    plan_options,
    policy,
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


@pytest.mark.parametrize("held", HELD)
def test_what_is_ours_or_was_begun_is_left_behind_by_a_change_and_by_nothing_else(held: dict[str, Any]) -> None:
    record = KNOWN.with_elastic(**held)
    assert leaves_something(EU, record)
    assert not leaves_something(EU, record.with_elastic(organization="eu"))
    assert not leaves_something(desired(), record), "a record of an older version is the default organization's"


def test_what_others_made_holds_nothing_up() -> None:
    assert not owns_anything(KNOWN.with_elastic(**ADOPTED))


def left(record: ConnectionRecord, *policies: Any, claims: tuple[Claim, ...] = ()) -> tuple[str, ...]:
    return left_behind(record, policies, claims, plan_options(), NOW)


def test_everything_of_ours_that_still_stands_is_named() -> None:
    record = KNOWN.with_elastic(policy=OURS, claim=CLAIM)
    claims = (Claim("azure-eastus2", "pe-search", GUID.upper()),)
    assert left(record, policy("p-0"), policy(), claims=claims) == (
        "policy p-0 (pe-search)",
        "policy p-1 (pe-search)",
        "the claim to pe-search",
    )
    theirs = policy(description="", associations=("d1", "d2"))
    record = KNOWN.with_elastic(
        policy=OURS, associations=(AssociationMemory("d1", Owner.OURS), AssociationMemory("d3"))
    )
    assert left(record, theirs) == ("the association of policy p-1 (pe-search) with deployment d1",)


def test_what_is_gone_or_was_taken_over_or_belongs_to_others_is_not_left() -> None:
    record = KNOWN.with_elastic(policy=OURS, claim=CLAIM)
    others = (policy(description=""), policy("p-2", description=STRANGER.description()))
    assert left(record, *others, policy("p-3", description=OTHER_MARKER.description())) == ()


@pytest.mark.parametrize(
    "elastic", [{"policy_post_until": NOW}, {"policy": PolicyMemory("p-1", Owner.OURS, learned_at=NOW)}]
)
def test_a_policy_that_does_not_show_yet_is_left_until_it_would(elastic: dict[str, Any]) -> None:
    record = KNOWN.with_elastic(**elastic)
    assert left(record) == ("a policy that was just created and does not show yet",)
    later = NOW + timedelta(seconds=plan_options().timing.policy_search)
    assert left_behind(record, (), (), plan_options(), later) == ()


def test_the_refusal_names_both_organizations_what_is_left_and_what_to_do() -> None:
    with pytest.raises(Blocked) as refused:
        ensure_can_switch(EU, KNOWN.with_elastic(organization="us"), plan_options(), ("policy p-1 (pe-search)",))
    assert refused.value.reason == "OrganizationChanged"
    assert all(word in refused.value.what for word in ("us", "eu", "policy p-1 (pe-search)"))
    assert "Put the endpoint's tag, or the settings, back" in refused.value.next_step
    ensure_can_switch(EU, KNOWN, plan_options(), ())


def test_without_an_organization_the_settings_that_could_name_one_are_named() -> None:
    options = plan_options(organizations=(OrganizationScope("eu", frozenset()), OrganizationScope("us", frozenset())))
    with pytest.raises(Blocked) as refused:
        ensure_can_switch(replace(EU, organization=""), KNOWN, options, ())
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
