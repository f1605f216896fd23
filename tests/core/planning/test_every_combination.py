"""Every combination of absent, ours, adopted and foreign things, when an endpoint comes, changes and goes.

Each case is carried out step by step in a world of plain values that judges every step by itself (S1 to S5, S8, S9; no
step whose precondition the plan breaks; nothing foreign touched). Then nothing is left to do, now and two hours later,
and what is not as it should be is explained. A case that fails prints itself: put it in `one()` to look at it alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

import pytest

from shared.core.model.conditions import Condition
from shared.core.planning.plan import Plan
from shared.core.planning.removal import RemovalPlan
from tests.core.core_parts import ADDRESS, GUID, HUB, MARKER, VNET, zone_id
from tests.core.planning.combination_parts import Case, crossed, dns_cases, elastic_cases, world_of
from tests.core.world_parts import World, settled

SEEDS = int(os.environ.get("COMBINATION_SEEDS", "1"))
"""How often every combination of things is looked at, each time under other circumstances."""

SHOWN = 5
"""Failing cases that are printed."""


def one(case: Case) -> World:
    """Carry out one case; its steps so far stand in the assertion's message."""
    steps: list[str] = []
    try:
        world, found = settled(world_of(case), steps)
        if isinstance(found, Plan):
            _check_true(case, world, found)
        else:
            _check_gone(world, found)
    except AssertionError as error:
        told = "".join(f"\n      {number}. {step}" for number, step in enumerate(steps, 1))
        what = str(error).splitlines()[0] if str(error) else "an assertion"
        raise AssertionError(f"{what}\n    Case({case})\n    steps:{told or ' none'}") from error
    return world


def every(cases: Iterable[Case], at_least: int) -> None:
    failed, told = [], 0
    for told, case in enumerate(cases, 1):  # noqa: B007 - how many there were
        try:
            one(case)
        except AssertionError as error:
            failed.append(f"{error}")
    head = f"{len(failed)} of {told} cases failed; the first:"
    assert not failed, "\n  - ".join([head, *failed[:SHOWN]])
    assert told >= at_least, f"only {told} cases: the generator lost some"


# -- the end -------------------------------------------------------------------------------------------------------


def _check_true(case: Case, world: World, found: Plan) -> None:
    """What a condition says is so, and where nothing stands in the way all of them do."""
    told = {condition.type: condition for condition in found.conditions}
    policies = [policy for policy in world.elastic.policies if any(r.endpoint_guid == GUID for r in policy.rules)]
    _check_names(case, world, told)
    if "PolicyReady" in told and told["PolicyReady"].true:
        assert any(r.endpoint_name == "pe-search" for p in policies for r in p.rules if r.endpoint_guid == GUID)
    if "Associated" in told and told["Associated"].true and case.target not in {"unseen", "stopped"}:
        wished = case.change != "no longer asked" or case.target == "asking"
        assert not wished or {one for _, one in world.elastic.pairs() if one == "d1"}, "it is not associated"
    if case.association == "foreign" and case.policy != "doubled":
        assert ("p-1", "d1") not in world.elastic.pairs(), "the fight goes on"
    made = [policy for policy in policies if policy.id == "p-new"]
    assert not any(policy.include_by_default for policy in made), "S9"
    if not _in_the_way(case):
        untrue = [condition for condition in found.conditions if not condition.true]
        assert not untrue, f"nothing stands in the way, but: {untrue}"


def _check_names(case: Case, world: World, told: dict[str, Condition]) -> None:
    """Clients get the endpoint's address, or it is told which network keeps them from it, and how."""
    answers = [world.resolved(vnet) for vnet in case.answering]
    if all(name in told and told[name].true for name in ("Linked", "RecordReady")):
        assert all(ADDRESS in (one or ()) for one in answers), "names do not resolve to the endpoint"
    reasons = {condition.reason for condition in told.values()}
    if "AnsweredByAnotherZone" in reasons:
        assert any(one is not None and ADDRESS not in one for one in answers), "no other zone answers the clients"
    if "AnsweringNetworkNotLinked" in reasons:
        assert (case.hub, None in answers) == ("none", True), "the network that answers is linked, or is to be"
    if "NoPlaceForZone" in reasons:
        (there,) = [zone for zone in world.zones if zone.id == zone_id()]
        assert not case.place.startswith("second"), "the second group has a place"
        assert there.record is not None, "the zone in the group is free"
        assert ADDRESS not in there.record.addresses, "the zone in the group is right"


def _in_the_way(case: Case) -> bool:
    """Whether anything may keep the connection from being complete."""
    return _in_the_way_of_names(case) or (
        case.record in {"foreign", "another's"}
        or (case.record == "adopted" and case.change == "address")
        or (case.record == "shared" and case.change == "no address")
        or case.policy in {"misnamed", "extended"}
        or case.association == "foreign"
        or case.target not in {"closed", "consenting", "opted in", "asking"}
        or case.change in {"no address", "pending", "rejected"}
    )


def _in_the_way_of_names(case: Case) -> bool:
    """A network that answers is linked elsewhere or to none and not to be linked; or the zone has no place."""
    hub_answers, own_answers = HUB in case.answering, VNET in case.answering
    linked = case.hub == "elsewhere" or (case.hub == "ours" and case.zone != "absent")
    seen = (own_answers and case.link == "foreign") or (hub_answers and linked)
    return (
        (hub_answers and case.hub in {"none", "elsewhere"})
        or (case.answers == "both" and case.link == "foreign" and case.hub == "ours")
        or (case.place == "taken" and not seen)
    )


def _check_gone(world: World, found: RemovalPlan) -> None:
    """Of what was ours nothing is left, or it is said what and why."""
    mine = [one for one in world.zones if one.marker == MARKER]
    links = [link for one in world.zones for link in one.links if link.marker == MARKER]
    records = [one.record for one in world.zones if one.record and one.record.marker]
    held = [record for record in records if record.marker and record.marker.holder(world.record.id)]
    policies = [policy for policy in world.elastic.policies if policy.marker == MARKER]
    left = [*mine, *links, *held, *policies, *world.elastic.our_pairs, *world.elastic.our_claims]
    assert not left or found.leftovers or found.problems, f"left without a word: {left}"


# -- every case ----------------------------------------------------------------------------------------------------


def _of(action: str, cases: Callable[[], Iterator[Case]]) -> Iterator[Case]:
    return (case for case in cases() if case.action == action)


@pytest.mark.parametrize("action", ["create", "change", "remove"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_combination_of_things_is_safe_and_comes_to_rest(seed: int, action: str) -> None:
    every(_of(action, lambda: crossed(seed)), at_least=2400)


@pytest.mark.parametrize("action", ["create", "change", "remove"])
def test_every_combination_in_dns_is_safe_and_comes_to_rest(action: str) -> None:
    every(_of(action, dns_cases), at_least=1200)


@pytest.mark.parametrize("action", ["create", "change", "remove"])
def test_every_combination_in_elastic_cloud_is_safe_and_comes_to_rest(action: str) -> None:
    every(_of(action, elastic_cases), at_least=450)
