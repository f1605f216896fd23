"""The DNS rules: which zone, which links, whose `*` record. Data in, plan out."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from shared.core.model import conditions as c
from shared.core.model.arm_ids import parse_arm_id
from shared.core.model.conditions import Condition, WaitingFor
from shared.core.model.markers import Holder, RecordMarker
from shared.core.model.ownership import Owner
from shared.core.model.resources import NameResolution, WildcardRecord, Zone
from shared.core.model.steps import CreateLink, CreateZone, PutWildcardRecord
from shared.core.options.dns import RecordMode
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import ZoneHome
from shared.core.planning.dns import DnsFacts, DnsPlan, link_name, plan_dns
from shared.core.planning.dns_record import MAX_RECORDS
from tests.core.core_parts import (
    ADDRESS,
    ENDPOINT_ID,
    HUB,
    MINE,
    OTHER_ENDPOINT_ID,
    OTHER_VNET,
    OTHERS,
    SERVICE,
    STRANGER,
    SUBSCRIPTION,
    VNET,
    desired,
    held_by,
    link,
    plan_options,
    record,
    zone,
    zone_id,
)
from tests.core.planning.plan_parts import dns_after, settle_dns

FIRST, UNION = plan_options(), plan_options(record_mode=RecordMode.UNION)
BOTH = ("10.1.0.9", ADDRESS)


def told(found: DnsPlan) -> dict[str, Condition]:
    return {condition.type: condition for condition in found.conditions}


def reasons(found: DnsPlan) -> dict[str, str]:
    return {condition.type: condition.reason for condition in found.conditions}


def record_steps(found: DnsPlan) -> list[PutWildcardRecord]:
    return [step for step in found.steps if isinstance(step, PutWildcardRecord)]


def linked_now(found: DnsPlan) -> list[str]:
    return [step.vnet_id for step in found.steps if isinstance(step, CreateLink)]


# -- the record, of every maker, in a zone that the network is linked to or not, in either mode --------------------

OLD = Holder(MINE.connection_id, "10.1.0.3", ENDPOINT_ID)
RECORDS: dict[str, WildcardRecord | None] = {
    "absent": None,
    "ours": record(ADDRESS, marker=held_by(MINE)),
    "ours-moved": record("10.1.0.3", marker=held_by(OLD)),
    "ours-tampered": record("10.9.9.9", marker=held_by(MINE)),
    "ours-emptied": record(marker=held_by(MINE)),
    "ours-unheld": record(ADDRESS, marker=held_by()),
    "foreign-same": record(ADDRESS),
    "foreign-other": record("10.9.9.9"),
    "foreign-both": record("10.9.9.9", ADDRESS),
    "foreign-empty": record(),
    "installation-same": record(ADDRESS, marker=held_by(MINE, instance="another-installation")),
    "installation-other": record("10.9.9.9", marker=held_by(MINE, instance="another-installation")),
    "another-holds": record("10.1.0.9", marker=held_by(OTHERS)),
    "shared": record(*BOTH, marker=held_by(OTHERS, MINE)),
    "shared-without-mine": record("10.1.0.9", marker=held_by(OTHERS, MINE)),
}
GOOD = {
    "ours": "PointsToEndpoint",
    "foreign-same": "Adopted",
    "installation-same": "Adopted",
    "shared": "PointsToEndpoint",
}
BLOCKED = {
    "foreign-other": "RecordHeldByOthers",
    "foreign-both": "RecordHeldByOthers",
    "foreign-empty": "RecordHeldByOthers",
    "installation-other": "RecordHeldByOthers",
    "another-holds": "RecordHeldByAnotherEndpoint",
}
WRITTEN = {
    "absent": (ADDRESS,),
    "ours-moved": (ADDRESS,),
    "ours-tampered": (ADDRESS,),
    "ours-emptied": (ADDRESS,),
    "ours-unheld": (ADDRESS,),
    "shared-without-mine": BOTH,
}
CASES = list(product(RECORDS, (True, False), (FIRST, UNION)))
IDS = [
    f"{name}-{'linked' if is_linked else 'unlinked'}-{options.dns.record_mode}" for name, is_linked, options in CASES
]


def expected(name: str, is_linked: bool, options: PlanOptions) -> tuple[str | None, str | None, tuple[str, ...] | None]:
    """Reason if good, reason if a person must act, addresses if written: one of the three."""
    if options is UNION and name == "foreign-both":
        return "Adopted", None, None
    if options is UNION and name == "another-holds" and is_linked:
        return None, None, BOTH
    return GOOD.get(name), BLOCKED.get(name), WRITTEN.get(name)


@pytest.mark.parametrize(("name", "is_linked", "options"), CASES, ids=IDS)
def test_the_record_is_made_followed_adopted_shared_or_left_alone(
    name: str, is_linked: bool, options: PlanOptions
) -> None:
    zones = (zone(link(VNET if is_linked else OTHER_VNET), record=RECORDS[name]),)
    good, blocked, addresses = expected(name, is_linked, options)
    found = plan_dns(desired(), zones, options)
    condition = told(found)[c.RECORD_READY]
    assert [step.addresses for step in record_steps(found)] == ([addresses] if addresses else [])
    assert condition.true == (good is not None)
    assert (condition.needs is WaitingFor.PERSON) == (blocked is not None)
    if good or blocked:
        assert condition.reason == (good or blocked)
    assert bool(condition.next_step) == (blocked is not None)
    assert (found.record is not None) == condition.true


@pytest.mark.parametrize(("name", "is_linked", "options"), CASES, ids=IDS)
def test_a_network_is_linked_only_to_a_zone_whose_record_is_right_for_it(
    name: str, is_linked: bool, options: PlanOptions
) -> None:
    zones = (zone(link(VNET if is_linked else OTHER_VNET), record=RECORDS[name]),)
    found = plan_dns(desired(options=plan_options(link_vnets=(HUB,))), zones, options)
    blocked = told(found)[c.RECORD_READY].needs is WaitingFor.PERSON
    missing = [HUB] if is_linked else [VNET, HUB]
    assert linked_now(found) == ([] if blocked else missing)
    if blocked:
        assert told(found)[c.LINKED].reason == told(found)[c.RECORD_READY].reason
        assert told(found)[c.LINKED].needs is WaitingFor.PERSON
    settle_dns(desired(options=plan_options(link_vnets=(HUB,))), zones, options)


@pytest.mark.parametrize(("name", "is_linked", "options"), CASES, ids=IDS)
def test_what_others_made_is_the_same_after_the_plan(name: str, is_linked: bool, options: PlanOptions) -> None:
    foreign = zone(link(OTHER_VNET, marker=None), record=record("10.8.8.8"), group="theirs", marker=None)
    before = zone(link(VNET if is_linked else OTHER_VNET, marker=STRANGER), record=RECORDS[name])
    after = settle_dns(desired(), (foreign, before), options)
    assert after[0] == foreign
    assert set(before.links) <= set(after[1].links)
    if before.record and (not before.record.marker or before.record.marker.instance != "autopilot"):
        assert after[1].record == before.record


@pytest.mark.parametrize(("name", "is_linked", "options"), CASES, ids=IDS)
def test_a_plan_that_is_not_blocked_ends_with_every_condition_true(
    name: str, is_linked: bool, options: PlanOptions
) -> None:
    zones = (zone(link(VNET if is_linked else OTHER_VNET), record=RECORDS[name]),)
    _, blocked, _ = expected(name, is_linked, options)
    after = plan_dns(desired(), settle_dns(desired(), zones, options), options)
    assert all(condition.true for condition in after.conditions) == (blocked is None)


# -- the record, in particular -------------------------------------------------------------------------------------


def test_a_record_is_created_only_if_absent_and_followed_only_as_it_was_read() -> None:
    (created,) = record_steps(plan_dns(desired(), (zone(link()),), plan_options(record_ttl=42)))
    (moved,) = record_steps(plan_dns(desired(), (zone(link(), record=RECORDS["ours-moved"]),), FIRST))
    assert (created.etag, created.ttl, created.marker) == (None, 42, held_by(MINE))
    assert (moved.etag, moved.marker) == ("e-1", held_by(MINE))


def test_the_blocked_endpoint_is_told_who_holds_the_record_and_how_to_share_it() -> None:
    zones = (zone(link(), record=RECORDS["another-holds"]),)
    condition = told(plan_dns(desired(), zones, FIRST))[c.RECORD_READY]
    assert OTHER_ENDPOINT_ID in condition.message
    assert "10.1.0.9" in condition.message
    assert "DNS_RECORD_MODE=union" in condition.next_step
    unlinked = (zone(link(OTHER_VNET), record=RECORDS["another-holds"]),)
    assert "union" not in told(plan_dns(desired(), unlinked, UNION))[c.RECORD_READY].next_step


def test_a_holder_without_an_endpoint_id_is_named_by_its_connection() -> None:
    nameless = record("10.1.0.9", marker=held_by(replace(OTHERS, endpoint_id="")))
    condition = told(plan_dns(desired(), (zone(link(), record=nameless),), FIRST))[c.RECORD_READY]
    assert OTHERS.connection_id in condition.message


@pytest.mark.parametrize("name", ["foreign-other", "installation-other", "foreign-empty"])
def test_a_foreign_record_in_the_way_is_described_with_what_it_points_to(name: str) -> None:
    condition = told(plan_dns(desired(), (zone(link(), record=RECORDS[name]),), FIRST))[c.RECORD_READY]
    assert {"foreign-other": "10.9.9.9", "installation-other": "another-installation"}.get(
        name, "nothing"
    ) in condition.message
    assert ADDRESS in condition.next_step


def test_sharing_keeps_every_holder_and_stops_at_the_20_records_that_azure_allows() -> None:
    holders = tuple(Holder(f"{n:016x}", f"10.2.0.{n}", "") for n in range(MAX_RECORDS))
    almost, full = (
        zone(link(), record=record(*(h.address for h in some), marker=held_by(*some)))
        for some in (holders[:-1], holders)
    )
    (step,) = record_steps(plan_dns(desired(), (almost,), UNION))
    assert len(step.addresses) == MAX_RECORDS
    assert set(step.marker.holders) == {*holders[:-1], MINE}
    refused = plan_dns(desired(), (full,), UNION)
    assert (refused.steps, reasons(refused)[c.RECORD_READY]) == ((), "RecordFull")


def test_an_endpoint_that_shares_a_record_keeps_its_place_when_the_mode_goes_back_to_first() -> None:
    found = plan_dns(desired(), (zone(link(), record=RECORDS["shared"]),), FIRST)
    assert (found.steps, found.record_addresses) == ((), BOTH)


@pytest.mark.parametrize(
    ("name", "owner"), [("ours", Owner.OURS), ("foreign-same", Owner.ADOPTED), ("installation-same", Owner.ADOPTED)]
)
def test_what_is_used_is_known_as_ours_or_adopted(name: str, owner: Owner) -> None:
    marker = {"ours": None}.get(name, STRANGER)
    ours = zone(link(), record=RECORDS[name])
    theirs = zone(link(marker=marker), record=RECORDS[name], marker=marker)
    found = plan_dns(desired(), (ours if name == "ours" else theirs,), FIRST)
    assert found.zone is not None
    assert found.record is not None
    assert (found.zone.owner, found.record.owner, found.links[0].owner) == (owner, owner, owner)
    assert (found.zone.id, found.record.id) == (zone_id().text, f"{zone_id().text}/A/*")


# -- which zone ----------------------------------------------------------------------------------------------------

HOME = ZoneHome(SUBSCRIPTION, "dns-hub")


def test_a_zone_is_made_at_the_endpoints_own_group_with_record_and_link() -> None:
    found = plan_dns(desired(), (), FIRST)
    assert [type(step) for step in found.steps] == [CreateZone, PutWildcardRecord, CreateLink]
    assert {step.zone.key for step in found.steps} == {zone_id().key}
    assert all(condition.needs is WaitingFor.WORK for condition in found.conditions)
    (made,) = settle_dns(desired(), (), FIRST)
    assert (made.name, made.marker, made.links[0].vnet_id) == (SERVICE.zone, desired().marker, VNET)


def test_a_zone_is_made_at_the_hub_group_of_the_settings() -> None:
    options = plan_options(zone_resource_groups=(HOME,))
    (made,) = settle_dns(desired(options=options), (), options)
    assert made.id.key == zone_id("dns-hub").key


def test_a_zone_that_the_network_is_linked_to_is_the_zone_wherever_it_is() -> None:
    options = plan_options(zone_resource_groups=(HOME,))
    zones = (zone(group="dns-hub"), zone(link(VNET.upper(), marker=None), group="theirs", marker=None))
    found = plan_dns(desired(options=options), zones, options)
    assert found.zone is not None
    assert (found.zone.id, found.zone.owner) == (zone_id("theirs").text, Owner.ADOPTED)
    assert (linked_now(found), [step.zone.key for step in record_steps(found)]) == ([], [zone_id("theirs").key])


def test_a_zone_at_home_is_used_and_not_made_again_however_its_id_is_spelled() -> None:
    home = zone(group="NET-PROD", name=SERVICE.zone.upper())
    found = plan_dns(desired(), (home,), FIRST)
    assert [type(step) for step in found.steps] == [PutWildcardRecord, CreateLink]


def test_a_zone_elsewhere_that_the_network_is_not_linked_to_is_none_of_ours() -> None:
    theirs = zone(link(OTHER_VNET), record=record("10.9.9.9"), group="theirs", marker=None)
    found = plan_dns(desired(), (theirs,), FIRST)
    assert [type(step) for step in found.steps] == [CreateZone, PutWildcardRecord, CreateLink]
    assert settle_dns(desired(), (theirs,), FIRST)[0] == theirs


def test_zones_of_other_regions_do_not_matter() -> None:
    west = zone(link(VNET), link(HUB), record=record("10.9.9.9"), name="privatelink.westus2.azure.elastic-cloud.com")
    options = plan_options(link_vnets=(HUB,))
    found = plan_dns(desired(options=options), (west, zone()), options)
    assert linked_now(found) == [VNET, HUB]
    assert linked_now(plan_dns(desired(options=options), (west,), options)) == [VNET, HUB]


def test_the_zone_follows_the_alias_not_the_endpoints_location() -> None:
    assert desired(location="japaneast").zone_homes[0].name == SERVICE.zone


# -- links ---------------------------------------------------------------------------------------------------------


def test_further_networks_are_linked_once_and_the_endpoints_own_not_twice() -> None:
    options = plan_options(link_vnets=(HUB, HUB.upper(), VNET.upper()))
    (made,) = settle_dns(desired(options=options), (), options)
    assert [one.vnet_id.lower() for one in made.links] == [VNET.lower(), HUB.lower()]


def test_a_further_network_that_another_zone_serves_is_named_and_the_rest_goes_ahead() -> None:
    options = plan_options(link_vnets=(HUB,))
    theirs = zone(link(HUB), group="theirs", marker=None)
    for zones in ((theirs,), (theirs, zone())):
        after = settle_dns(desired(options=options), zones, options)
        found = plan_dns(desired(options=options), after, options)
        assert all(condition.true for condition in found.conditions), "no client of the endpoint's network asks it"
        (advice,) = found.advice
        assert advice.reason == "NetworkLinkedToAnotherZone"
        assert HUB in advice.message
        assert found.elsewhere == (HUB.lower(),)
        assert after[-1].link_to(VNET) is not None
        assert told(found)[c.RECORD_READY].true


def test_a_link_that_is_being_made_is_waited_for() -> None:
    found = plan_dns(desired(), (zone(link(completed=False), record=RECORDS["ours"]),), FIRST)
    assert (found.steps, reasons(found)[c.LINKED], told(found)[c.LINKED].needs) == ((), "InProgress", WaitingFor.TIME)


def test_a_persons_turn_is_told_before_a_link_that_only_takes_time() -> None:
    zones = (zone(link(completed=False), record=RECORDS["ours"]), zone(link(HUB), group="theirs"))
    found = plan_dns(desired(), zones, FIRST, DnsFacts(NameResolution((VNET, HUB), ("10.0.0.4", "10.9.0.4"))))
    assert reasons(found)[c.LINKED] == "AnsweredByAnotherZone"


def test_a_network_always_gets_the_same_link_name() -> None:
    assert link_name(VNET) == link_name(VNET.upper()) != link_name(HUB)
    assert len(link_name(VNET)) <= 80


# -- no address yet ------------------------------------------------------------------------------------------------


def test_without_an_address_zone_and_link_go_ahead_and_the_record_waits() -> None:
    wanted = desired(address=None)
    found = plan_dns(wanted, (), FIRST)
    assert [type(step) for step in found.steps] == [CreateZone, CreateLink]
    assert (reasons(found)[c.RECORD_READY], told(found)[c.RECORD_READY].needs) == ("NoAddressYet", WaitingFor.TIME)
    after = plan_dns(wanted, dns_after((), found.steps, FIRST), FIRST)
    assert reasons(after) == {c.ZONE_READY: "Exists", c.LINKED: "Linked", c.RECORD_READY: "NoAddressYet"}


@pytest.mark.parametrize("name", [name for name, found in RECORDS.items() if found is not None])
@pytest.mark.parametrize("options", [FIRST, UNION], ids=["first", "union"])
def test_without_an_address_no_network_is_linked_to_a_zone_that_has_a_record(name: str, options: PlanOptions) -> None:
    found = plan_dns(desired(address=None), (zone(link(OTHER_VNET), record=RECORDS[name]),), options)
    assert (found.steps, reasons(found)[c.LINKED]) == ((), "NoAddressYet")


def test_without_an_address_a_record_that_is_there_is_left_as_it_is() -> None:
    found = plan_dns(desired(address=None), (zone(link(), record=RECORDS["ours"]),), FIRST)
    assert (found.steps, reasons(found)[c.LINKED]) == ((), "Linked")


def test_every_step_describes_itself_to_a_person() -> None:
    steps = plan_dns(desired(), (), FIRST).steps
    assert [str(step) for step in steps] == [
        f"create private DNS zone {SERVICE.zone} in resource group net-prod",
        f"create * A record {ADDRESS} in {SERVICE.zone}",
        f"link private DNS zone {SERVICE.zone} to virtual network {VNET}",
    ]
    (update,) = record_steps(plan_dns(desired(), (zone(link(), record=RECORDS["ours-moved"]),), FIRST))
    assert str(update).startswith("update * A record")


def test_two_endpoints_of_one_network_end_up_sharing_one_record() -> None:
    other = desired(id=parse_arm_id(OTHER_ENDPOINT_ID), address="10.1.0.9")
    zones: tuple[Zone, ...] = ()
    for wanted in (other, desired(), other):
        zones = settle_dns(wanted, zones, UNION)
    (shared,) = zones
    assert shared.record is not None
    assert set(shared.record.addresses) == {ADDRESS, "10.1.0.9"}
    assert isinstance(shared.record.marker, RecordMarker)
    assert len(shared.record.marker.holders) == 2
    assert plan_dns(desired(), zones, UNION).steps == ()
