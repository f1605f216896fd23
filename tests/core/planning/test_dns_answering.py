"""The network that answers an endpoint's clients decides which zone is used, and whether it is ever Ready."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Phase, phase_of
from shared.core.model.reasons import Reason
from shared.core.model.record_parts import DnsState, RefusedNetwork
from shared.core.model.resources import NameResolution, WildcardRecord, Zone
from shared.core.model.steps import CreateLink, CreateZone, PutWildcardRecord
from shared.core.options.dns import RecordMode
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import ZoneHome
from shared.core.planning.dns import MOST_ZONES, DnsFacts, DnsPlan, plan_dns
from tests.core.core_parts import (
    ADDRESS,
    HUB,
    MARKER,
    MINE,
    OTHER_VNET,
    OTHERS,
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

FIRST, UNION = plan_options(), plan_options(record_mode=RecordMode.UNION)
AT_THE_HUB = DnsFacts(NameResolution((HUB,), ("10.0.0.4",)))
OTHERS_MARKER = replace(MARKER, connection_id=OTHERS.connection_id, endpoint_id=OTHERS.endpoint_id)
OF_ANOTHER = record("10.1.0.9", marker=held_by(OTHERS))
HUB_ZONE = zone(link(HUB), record=OF_ANOTHER, group="hub", marker=OTHERS_MARKER)


def planned(
    zones: tuple[Zone, ...],
    options: PlanOptions = FIRST,
    facts: DnsFacts = AT_THE_HUB,
    known: DnsState = DnsState(),
) -> tuple[DnsPlan, dict[str, Condition]]:
    found = plan_dns(desired(options=options), zones, options, facts, known)
    return found, {condition.type: condition for condition in found.conditions}


def test_the_zone_of_the_hub_is_the_zone_though_the_endpoints_own_network_has_another() -> None:
    found, told = planned((zone(link(VNET)), zone(link(HUB), group="hub", marker=None)))
    assert found.zone is not None
    assert found.zone.id == zone_id("hub").text
    assert [step.zone.key for step in found.steps if isinstance(step, PutWildcardRecord)] == [zone_id("hub").key]
    assert told[c.LINKED].true


def test_where_the_hub_answers_for_another_endpoint_this_one_is_degraded_and_told_the_ways_out() -> None:
    found, told = planned((HUB_ZONE,))
    condition = told[c.RECORD_READY]
    assert found.steps == (), "no zone of its own would help: its clients ask the hub"
    assert condition.reason == "AnsweredByAnotherZone"
    for text in (HUB, zone_id("hub").text, OTHERS.endpoint_id, "10.1.0.9"):
        assert text in condition.message
    assert "DNS_RECORD_MODE=union" in condition.next_step
    assert phase_of(told, was_ready=False) is Phase.DEGRADED


@pytest.mark.parametrize("kept", [record("10.9.9.9"), OF_ANOTHER])
def test_a_hub_that_is_not_linked_to_the_zone_is_not_said_to_answer_by_its_record(kept: WildcardRecord) -> None:
    """A person pointed the record elsewhere: that comes first, the hub's link would make it worse."""
    found, told = planned((zone(record=kept, group="mine"),), plan_options(link_vnets=(HUB,)))
    assert found.steps == ()
    assert told[c.RECORD_READY].reason in {"RecordHeldByOthers", "RecordHeldByAnotherEndpoint"}
    assert phase_of(told, was_ready=True) is Phase.BLOCKED


def test_with_union_both_stand_in_the_hubs_record_though_the_endpoints_own_network_is_not_linked() -> None:
    found, _ = planned((HUB_ZONE,), UNION)
    (step,) = [step for step in found.steps if isinstance(step, PutWildcardRecord)]
    assert step.addresses == ("10.1.0.9", ADDRESS)
    both = replace(HUB_ZONE, record=record("10.1.0.9", ADDRESS, marker=held_by(OTHERS, MINE)))
    found, told = planned((both,), UNION)
    assert told[c.RECORD_READY].true
    (advice,) = [one for one in found.advice if one.reason == "RecordShared"]
    assert "10.1.0.9" in advice.message
    assert OTHERS.endpoint_id in advice.message


def test_a_hub_that_is_linked_to_nothing_is_linked_if_the_settings_name_it_and_named_if_not() -> None:
    mine = zone(link(VNET), record=record(ADDRESS, marker=held_by(MINE)))
    found, told = planned((mine,), plan_options(link_vnets=(HUB,)))
    assert [step.vnet_id for step in found.steps if isinstance(step, CreateLink)] == [HUB]
    found, told = planned((mine,))
    assert found.steps == ()
    assert (told[c.LINKED].reason, phase_of(told, was_ready=True)) == ("AnsweringNetworkNotLinked", Phase.DEGRADED)
    assert HUB in told[c.LINKED].message
    assert f"Add {HUB} to DNS_LINK_VNETS" in told[c.LINKED].next_step


@pytest.mark.parametrize(
    "resolution", [NameResolution((), ("8.8.8.8",), ("8.8.8.8",)), NameResolution((VNET,), read=False)]
)
def test_servers_that_are_not_known_block_nothing(resolution: NameResolution) -> None:
    mine = zone(link(VNET), record=record(ADDRESS, marker=held_by(MINE)))
    found, told = planned((mine,), facts=DnsFacts(resolution))
    assert found.steps == ()
    assert all(condition.true for condition in told.values())


def test_further_networks_with_another_zone_are_one_line_of_advice_with_a_count() -> None:
    further = tuple(HUB.replace("hub", f"hub-{number}") for number in range(5))
    theirs = zone(*(link(one) for one in further), group="theirs", marker=None)
    mine = zone(link(VNET), record=record(ADDRESS, marker=held_by(MINE)))
    found, told = planned((mine, theirs), plan_options(link_vnets=further), DnsFacts())
    assert all(condition.true for condition in told.values())
    (advice,) = found.advice
    assert "5 further networks" in advice.message
    assert "and 2 more" in advice.message


def test_a_network_that_azure_refused_to_link_is_not_asked_for_again() -> None:
    mine = zone(link(VNET), record=record(ADDRESS, marker=held_by(MINE)))
    refused = RefusedNetwork(HUB.lower(), Reason.NETWORK_LINKED_TO_ANOTHER_ZONE)
    known = DnsState(refused=(refused,))
    found, told = planned((mine,), plan_options(link_vnets=(HUB,)), DnsFacts(), known)
    assert found.steps == ()
    assert told[c.LINKED].true
    assert [advice.reason for advice in found.advice] == ["NetworkLinkedToAnotherZone"]


# -- a place for every zone ----------------------------------------------------------------------------------------

GROUPS = plan_options(zone_resource_groups=tuple(ZoneHome(SUBSCRIPTION, f"dns-{number}") for number in (1, 2, 3)))


def taken(group: str) -> Zone:
    return zone(link(OTHER_VNET), record=OF_ANOTHER, group=group, marker=OTHERS_MARKER)


def made_in(found: DnsPlan) -> list[str]:
    return [step.zone.resource_group for step in found.steps if isinstance(step, CreateZone)]


def test_the_zone_is_made_in_the_first_group_that_has_none_of_the_name() -> None:
    for zones, expected in (((), "dns-1"), ((taken("dns-1"),), "dns-2"), ((taken("dns-1"), taken("dns-2")), "dns-3")):
        assert made_in(planned(zones, GROUPS, DnsFacts())[0]) == [expected]


def test_a_zone_of_others_in_a_group_is_used_if_its_record_is_absent_or_ours() -> None:
    for kept in (None, record(ADDRESS)):
        theirs = zone(group="dns-2", marker=None, record=kept)
        found, _ = planned((taken("dns-1"), theirs), GROUPS, DnsFacts())
        assert found.zone is not None
        assert found.zone.id == theirs.id.text


def test_a_zone_that_was_just_made_for_another_endpoint_is_that_ones() -> None:
    begun = zone(group="dns-1", marker=OTHERS_MARKER)
    assert made_in(planned((begun,), GROUPS, DnsFacts())[0]) == ["dns-2"]


def test_our_own_zone_stays_in_use_wherever_it_is() -> None:
    mine = zone(group="dns-3", record=record(ADDRESS, marker=held_by(MINE)))
    found, _ = planned((mine,), GROUPS, DnsFacts())
    assert found.zone is not None
    assert found.zone.id == zone_id("dns-3").text


def test_without_a_free_place_a_condition_says_so_and_nothing_is_made() -> None:
    found, told = planned(tuple(taken(f"dns-{number}") for number in (1, 2, 3)), GROUPS, DnsFacts())
    assert found.steps == ()
    assert told[c.ZONE_READY].reason == "NoPlaceForZone"
    assert OTHERS.endpoint_id in told[c.ZONE_READY].message
    assert "DNS_ZONE_RESOURCE_GROUPS" in told[c.ZONE_READY].next_step
    assert phase_of(told, was_ready=False) is Phase.BLOCKED
    waits_for = {condition.needs for condition in told.values()}
    assert waits_for == {c.WaitingFor.PERSON}, "nothing that a sweep would look for again"


def test_no_zone_is_made_in_a_subscription_that_has_nearly_as_many_as_azure_allows() -> None:
    other = "00000000-0000-0000-0000-0000000000ff"
    counts = {SUBSCRIPTION.lower(): MOST_ZONES}
    found, told = planned((), GROUPS, DnsFacts(zone_counts=counts))
    assert (found.steps, told[c.ZONE_READY].reason) == ((), "TooManyZones")
    both = plan_options(zone_resource_groups=(ZoneHome(SUBSCRIPTION, "dns-1"), ZoneHome(other, "dns-1")))
    (step,) = [
        step for step in planned((), both, DnsFacts(zone_counts=counts))[0].steps if isinstance(step, CreateZone)
    ]
    assert step.zone.subscription_id == other
    almost = {SUBSCRIPTION.lower(): MOST_ZONES - 1}
    assert made_in(planned((), GROUPS, DnsFacts(zone_counts=almost))[0]) == ["dns-1"]
