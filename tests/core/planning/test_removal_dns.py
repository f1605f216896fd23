"""The removal in DNS: the endpoint's own address, then what is ours, empty, and unused (S5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.markers import Holder, Marker
from shared.core.model.resources import Endpoint, NamedRecords, WildcardRecord, Zone
from shared.core.model.steps import DeleteLink, DeleteRecord, DeleteZone, DnsRemoval, PutWildcardRecord, WithdrawAddress
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.removal_dns import plan_dns_removal, users_of
from tests.core.core_parts import (
    ADDRESS,
    HUB,
    KNOWN,
    MARKER,
    MINE,
    OTHER_ENDPOINT_ID,
    OTHER_MARKER,
    OTHER_VNET,
    OTHERS,
    STRANGER,
    VNET,
    endpoint,
    held_by,
    link,
    plan_options,
    record,
    zone,
)

GONE = KNOWN.with_identity(vnet_id=VNET)
OPTIONS = plan_options()
OURS = record(ADDRESS, marker=held_by(MINE))
BOTH = record("10.1.0.9", ADDRESS, marker=held_by(OTHERS, MINE))


def another(vnet: str = VNET) -> Endpoint:
    return endpoint(id=parse_arm_id(OTHER_ENDPOINT_ID), name="pe-logs", vnet_id=vnet)


def home(*vnets: str, kept: WildcardRecord | None = OURS, **changes: Any) -> Zone:
    links = tuple(replace(link(vnet), etag=f"etag of {vnet}") for vnet in vnets or (VNET,))
    found = replace(zone(*links, record=kept), other_records=0, etag="etag of zone")
    return replace(found, **changes)


def planned(
    found: Zone, others: tuple[Endpoint, ...] | None = (), options: PlanOptions = OPTIONS
) -> tuple[tuple[DnsRemoval, ...], tuple[str, ...]]:
    plan = plan_dns_removal(GONE, found, users_of(others, frozenset(), frozenset()), options)
    return plan.steps, plan.leftovers


def kinds(found: Zone, others: tuple[Endpoint, ...] | None = ()) -> list[str]:
    return [type(step).__name__ for step in planned(found, others)[0]]


ALL = ["DeleteRecord", "DeleteLink", "DeleteZone"]


def test_what_is_ours_and_unused_goes_record_first_and_zone_last_each_only_as_it_was_read() -> None:
    steps, left = planned(home(VNET, HUB))
    assert left == ()
    record_, spoke, hub, last = steps
    assert record_ == DeleteRecord(zone().id, (ADDRESS,), OURS.etag)
    assert [(one.vnet_id, one.etag) for one in (spoke, hub) if isinstance(one, DeleteLink)] == [
        (VNET, f"etag of {VNET}"),
        (HUB, f"etag of {HUB}"),
    ]
    assert last == DeleteZone(zone().id, "etag of zone")


# -- the record ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (OURS, ALL),
        (record("10.9.9.9", marker=held_by(MINE)), ALL),
        (None, ["DeleteLink", "DeleteZone"]),
        (BOTH, ["WithdrawAddress"]),
        (record("10.1.0.9", marker=held_by(OTHERS)), []),
        (record(ADDRESS), []),
        (record(ADDRESS, marker=held_by(MINE, instance="another-installation")), []),
    ],
    ids=["ours", "edited by hand", "gone", "shared", "another endpoint's", "by hand", "another installation's"],
)
def test_a_record_goes_only_if_it_is_ours_alone_and_while_it_stands_so_do_links_and_zone(
    kept: WildcardRecord | None, expected: list[str]
) -> None:
    assert kinds(home(kept=kept)) == expected


def test_of_a_shared_record_only_the_own_address_is_taken_out_as_it_was_read() -> None:
    (step,), left = planned(home(kept=BOTH), (another(),))
    assert step == WithdrawAddress(
        ADDRESS, PutWildcardRecord(zone().id, ("10.1.0.9",), OPTIONS.dns.record_ttl, held_by(OTHERS), BOTH.etag)
    )
    assert len(left) == 2


def test_an_address_that_another_holder_has_too_or_that_others_added_stays_in_a_shared_record() -> None:
    twin = Holder(OTHERS.connection_id, ADDRESS, OTHER_ENDPOINT_ID)
    kept = record(ADDRESS, "10.7.7.7", marker=held_by(twin, MINE))
    (step, *_), _ = planned(home(kept=kept), (another(),))
    assert isinstance(step, WithdrawAddress)
    assert step.record.addresses == (ADDRESS, "10.7.7.7")
    assert step.record.marker.holders == (twin,)


# -- links ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vnet", "users", "goes"),
    [
        (VNET, (), True),
        (VNET, (VNET,), False),
        (VNET, (VNET.upper(),), False),
        (VNET, (OTHER_VNET,), True),
        (HUB, (), True),
        (HUB, (HUB,), False),
        (HUB, (OTHER_VNET,), True),
        (HUB, None, False),
        (VNET, None, False),
    ],
)
def test_a_link_of_ours_goes_when_no_other_endpoint_is_in_its_network(
    vnet: str, users: tuple[str, ...] | None, *, goes: bool
) -> None:
    others = None if users is None else tuple(another(user) for user in users)
    steps, left = planned(home(vnet), others)
    assert any(isinstance(step, DeleteLink) for step in steps) == goes
    assert any(isinstance(step, DeleteZone) for step in steps) == goes
    assert bool(left) != goes


def test_a_further_network_stays_linked_while_the_zone_serves_any_other_endpoint() -> None:
    steps, left = planned(home(VNET, HUB, OTHER_VNET), (another(OTHER_VNET),))
    assert [step.vnet_id for step in steps if isinstance(step, DeleteLink)] == [VNET]
    assert sorted("other endpoints use the zone" in one for one in left) == [False, False, True]


@pytest.mark.parametrize(
    ("marker", "goes"),
    [
        (MARKER, True),
        (OTHER_MARKER, True),
        (None, False),
        (STRANGER, False),
    ],
    ids=["ours", "ours for another endpoint", "by hand", "another installation's"],
)
def test_a_link_that_this_installation_did_not_make_stays_and_so_does_the_zone(
    marker: Marker | None, *, goes: bool
) -> None:
    found = home(links=(replace(link(VNET, marker=marker), etag="l"),))
    assert kinds(found) == (ALL if goes else ["DeleteRecord"])


def test_a_foreign_link_to_a_network_that_never_was_the_endpoints_is_not_spoken_of() -> None:
    found = home(links=(replace(link(VNET), etag="l"), replace(link(OTHER_VNET, marker=None), etag="l")))
    steps, left = planned(found)
    assert [type(step) for step in steps] == [DeleteRecord, DeleteLink]
    (told,) = left
    assert "1 network stays linked" in told


# -- the zone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"marker": None},
        {"marker": STRANGER},
    ],
    ids=["by hand", "another installation's"],
)
def test_a_zone_that_is_not_ours_stays(changed: dict[str, Any]) -> None:
    steps, left = planned(home(**changed))
    assert [type(step) for step in steps] == [DeleteRecord, DeleteLink]
    assert len(left) == 1


@pytest.mark.parametrize(
    "changed",
    [{"other_records": 1}, {"other_records": None}, {"names": (NamedRecords("theirs"),)}],
    ids=["has other records", "not looked at", "has another name"],
)
def test_a_zone_with_records_of_others_stays_with_all_its_links_so_that_they_still_resolve(
    changed: dict[str, Any],
) -> None:
    steps, left = planned(home(VNET, HUB, **changed))
    assert [type(step) for step in steps] == [DeleteRecord]
    assert len(left) == 3


def test_a_network_of_the_settings_stays_linked_while_the_zone_is_there_and_goes_with_it() -> None:
    named = plan_options(link_vnets=(HUB,))
    assert [type(step).__name__ for step in planned(home(VNET, HUB), options=named)[0]] == [*ALL[:2], *ALL[1:]]
    steps, left = planned(home(VNET, HUB, marker=None), options=named)
    assert [step.vnet_id for step in steps if isinstance(step, DeleteLink)] == [VNET]
    assert "the settings name this network" in left[0]


def test_a_network_that_answers_the_clients_of_a_living_endpoint_stays_linked() -> None:
    """A spoke's clients ask the hub: no endpoint is in the hub itself."""
    users = users_of((another(OTHER_VNET),), frozenset({HUB.lower()}), frozenset())
    plan = plan_dns_removal(GONE, home(VNET, HUB), users, OPTIONS)
    assert [step.vnet_id for step in plan.steps if isinstance(step, DeleteLink)] == [VNET]


# -- what only has our tags ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["link", "zone"])
def test_what_has_our_tags_and_no_row_waits_for_a_persons_word(kind: str) -> None:
    links = tuple(replace(one, id=f"{one.id}-{n}") for n, one in enumerate(home(VNET, HUB).links))
    zone_ = home(VNET, HUB, links=links)
    copied = zone_.links[1].id if kind == "link" else zone_.id.text
    users = users_of((), frozenset(), frozenset({copied.lower()}))
    plan = plan_dns_removal(GONE, zone_, users, OPTIONS)
    assert plan.unconfirmed == (copied,)
    gone = {DeleteRecord: 1, DeleteLink: 1 if kind == "link" else 2}
    assert {type_: sum(isinstance(step, type_) for step in plan.steps) for type_ in gone} == gone
    assert not any(isinstance(step, DeleteZone) for step in plan.steps)


def test_what_would_stay_anyway_waits_for_no_word() -> None:
    zone_ = home(VNET, other_records=1)
    users = users_of((), frozenset(), frozenset({zone_.id.key, zone_.links[0].id.lower()}))
    assert plan_dns_removal(GONE, zone_, users, OPTIONS).unconfirmed == ()
