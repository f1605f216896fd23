"""The removal in Elastic Cloud: what we made goes, in order, under S2 and S4; what others use stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.core.guards.consent import OPT_OUT_TAG
from shared.core.guards.unseen_targets import UnseenTargets
from shared.core.model.ownership import Owned, Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, ClaimMemory, PolicyMemory
from shared.core.model.resources import Claim, Policy, Rule, Target
from shared.core.model.steps import (
    DeleteLink,
    DeletePolicy,
    DeleteRecord,
    DeleteZone,
    Disassociate,
    RemovalStep,
    UnclaimEndpoint,
)
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.removal import ObservedRemoval, RemovalPlan, held_up_by, plan_removal, still_there, warning_of
from tests.core.core_parts import (
    ADDRESS,
    GUID,
    HUB,
    IP_POLICY,
    KNOWN,
    MINE,
    OTHER_MARKER,
    STRANGER,
    VNET,
    held_by,
    plan_options,
    policy,
    record,
    target,
    zone,
)
from tests.core.core_parts import link as linked

REGION = "azure-eastus2"
OURS = AssociationMemory("d1", Owner.OURS, asked="d1", seen=True)
GONE = KNOWN.with_identity(vnet_id=VNET).with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=GUID))
CLOSED = target(attached=("p-1", IP_POLICY.id))
TAKE, DELETE = Disassociate("p-1", "d1", "orders"), DeletePolicy("p-1", "pe-search")


def having(*memories: AssociationMemory, **changes: Any) -> ConnectionRecord:
    return GONE.with_elastic(associations=memories, **changes)


def planned(
    *policies: Policy,
    record: ConnectionRecord = GONE,
    targets: tuple[Target, ...] = (CLOSED,),
    options: PlanOptions | None = None,
    **observed: Any,
) -> RemovalPlan:
    seen = ObservedRemoval(policies=(*policies, IP_POLICY), targets=targets, **observed)
    return plan_removal(record, seen, options or plan_options())


# -- the order -----------------------------------------------------------------------------------------------------


def test_everything_goes_in_the_order_that_the_clouds_and_clients_need() -> None:
    mine = ClaimMemory(REGION, "pe-search", GUID, Owner.OURS)
    known = having(OURS, claim=mine)
    home = replace(zone(replace(linked(), etag="l"), record=record(ADDRESS, marker=held_by(MINE))), other_records=0)
    found = planned(
        policy(associations=("d1",)),
        record=known,
        zones=(replace(home, etag="z"),),
        claims=(Claim(REGION, "pe-search", GUID),),
    )
    order = [Disassociate, DeletePolicy, UnclaimEndpoint, DeleteRecord, DeleteLink, DeleteZone]
    assert [type(step) for step in found.steps] == order
    assert (found.leftovers, found.problems) == ((), ())


def test_when_all_is_gone_nothing_is_left_to_do() -> None:
    assert planned(record=having(OURS)).steps == ()
    assert planned(record=having(OURS)).leftovers == ()


# -- associations (S2, S4) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "taken"),
    [
        (OURS, True),
        (AssociationMemory("d1"), True),
        (replace(OURS, owner=Owner.ADOPTED), False),
        (None, False),
    ],
    ids=["ours", "begun", "adopted", "not known"],
)
def test_only_our_associations_are_taken_away_and_a_policy_that_others_use_stays(
    memory: AssociationMemory | None, *, taken: bool
) -> None:
    found = planned(policy(associations=("d1",)), record=having(*([memory] if memory else [])))
    assert found.steps == ((TAKE, DELETE) if taken else ())
    assert bool(found.leftovers) != taken
    assert all("p-1" in left for left in found.leftovers)


def test_one_association_of_others_keeps_the_policy_and_ours_go_all_the_same() -> None:
    theirs = target("d2", name="logs", attached=("p-1", IP_POLICY.id))
    found = planned(policy(associations=("d1", "d2")), record=having(OURS), targets=(CLOSED, theirs))
    assert found.steps == (TAKE,)
    assert [("d2" in left, "1 deployment stays" in left) for left in found.leftovers] == [(True, False), (False, True)]


def test_associations_with_deployments_that_the_key_may_not_see_keep_the_policy() -> None:
    found = planned(policy(associations=("d1",), hidden_associations=2), record=having(OURS))
    assert found.steps == (TAKE,)
    assert "2 deployments stay associated" in found.leftovers[-1]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (target(attached=("p-1",)), "WouldReopenPublicAccess"),
        (target(attached=None), "WouldReopenPublicAccess"),
        (None, "WouldReopenPublicAccess"),
        (replace(CLOSED, tags={OPT_OUT_TAG: "ignore"}), "DeploymentOptedOut"),
    ],
    ids=["last", "unknown", "unseen", "opted out"],
)
def test_an_association_that_may_not_go_keeps_the_policy_and_asks_a_person(target: Target | None, reason: str) -> None:
    found = planned(policy(associations=("d1",)), record=having(OURS), targets=() if target is None else (target,))
    assert found.steps == ()
    assert [problem.reason for problem in found.problems] == [reason]


def test_the_last_policy_goes_where_it_is_allowed() -> None:
    found = planned(
        policy(associations=("d1",)),
        record=having(OURS),
        targets=(target(attached=("p-1",)),),
        options=plan_options(last_policy_allowed=frozenset({"d1"})),
    )
    assert found.steps == (replace(TAKE, may_reopen=True), DELETE)


def test_an_association_that_only_the_deployment_shows_is_seen() -> None:
    assert planned(policy(), record=having(OURS)).steps == (TAKE, DELETE)


# -- policies ------------------------------------------------------------------------------------------------------


def test_a_policy_that_was_made_though_its_answer_never_came_is_found_by_its_marker() -> None:
    assert planned(policy(), record=having(policy=PolicyMemory()), targets=()).steps == (DELETE,)


@pytest.mark.parametrize(
    "changed",
    [
        {"description": ""},
        {"description": STRANGER.description()},
        {"description": OTHER_MARKER.description()},
        {"type": "ip"},
    ],
    ids=["by hand", "another installation", "another connection", "another type"],
)
def test_a_policy_that_we_did_not_make_for_this_endpoint_stays(changed: dict[str, Any]) -> None:
    assert planned(policy(**changed), targets=()).steps == ()


@pytest.mark.parametrize(
    "others",
    [
        {"rules": (Rule("pe-search", GUID), Rule("pe-of-team-b", "b" * 8))},
        {"rules": (Rule("pe-of-team-b", "b" * 8),)},
        {"other_rules": 1},
    ],
    ids=["an endpoint", "an endpoint instead of ours", "another kind of rule"],
)
@pytest.mark.parametrize("description", [None, ""], ids=["ours", "by hand"])
def test_a_policy_that_lets_others_in_stays_with_all_its_associations(
    others: dict[str, Any], description: str | None
) -> None:
    changed = others if description is None else {**others, "description": description}
    found = planned(policy(associations=("d1",), **changed), record=having(OURS))
    assert (found.steps, len(found.leftovers)) == ((), 1)


def test_the_rule_of_the_former_endpoint_is_no_rule_of_others() -> None:
    """It was made anew, and gone before the policy followed."""
    former = "f0000000-fd88-41cc-81ac-1cfcdb1ac32e"
    both = (Rule("pe-search", GUID), Rule("pe-search", GUID.upper()), Rule("pe-search", former.upper()))
    followed = GONE.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=former))
    assert planned(policy(rules=both), record=followed, targets=()).steps == (DELETE,)
    # By then it used another owner's policy, and ours was left with the GUID of before.
    using_theirs = PolicyMemory("p-2", Owner.ADOPTED, guid=GUID)
    again = (
        GONE.with_identity(guid=former).reset_for_recreated().with_identity(guid=GUID).with_elastic(policy=using_theirs)
    )
    assert planned(policy(rules=both), record=again, targets=()).steps == (DELETE,)
    assert planned(policy(rules=()), targets=()).steps == (DELETE,)


def test_of_a_policy_of_others_only_what_we_associated_is_taken_away() -> None:
    by_hand = policy(description="", associations=("d1", "d2"))
    theirs = target("d2", name="logs", attached=("p-1", IP_POLICY.id))
    record = having(OURS, policy=PolicyMemory("p-1", Owner.ADOPTED, guid=GUID))
    found = planned(by_hand, record=record, targets=(CLOSED, theirs))
    assert (found.steps, found.leftovers) == ((TAKE,), ("policy p-1 (pe-search): made by others",))
    last = planned(by_hand, record=record, targets=(target(attached=("p-1",)),))
    assert (last.steps, [problem.reason for problem in last.problems]) == ((), ["WouldReopenPublicAccess"])


def test_an_association_with_another_policy_of_ours_than_the_one_in_use_is_not_known_to_be_ours() -> None:
    found = planned(policy("p-2", associations=("d1",)), record=having(OURS))
    assert found.steps == ()
    assert "not made by this app" in found.leftovers[0]


FORMER = {"description": "", "rules": (Rule("pe-search", "f" * 8),), "associations": ("d1",)}
"""Another owner's policy, as it was when we associated it with a target, and the endpoint made anew afterwards."""
MADE_ANEW = (
    having(OURS, policy=PolicyMemory("p-0", Owner.ADOPTED, guid="f" * 8))
    .with_policy(PolicyMemory("p-1", Owner.OURS, guid=GUID))
    .with_identity(guid=GUID)
)


@pytest.mark.parametrize(
    ("changed", "steps", "left"),
    [
        ({}, (Disassociate("p-0", "d1", "orders"),), 0),
        ({"rules": (Rule("pe-of-team-b", "b" * 8),)}, (), 1),
        ({"other_rules": 1}, (), 1),
        ({"associations": ()}, (), 0),
    ],
    ids=["as it was", "another endpoint by now", "others too", "taken away by hand"],
)
def test_what_we_associated_with_a_policy_of_others_before_goes_unless_others_come_in_by_it(
    changed: dict[str, Any], steps: tuple[RemovalStep, ...], left: int
) -> None:
    """The endpoint was made anew since, with another GUID and a policy of ours."""
    theirs = policy("p-0", **FORMER | changed)
    attached = ("p-0", IP_POLICY.id) if theirs.associations else (IP_POLICY.id,)
    found = planned(theirs, record=MADE_ANEW, targets=(target(attached=attached),))
    assert (found.steps, len(found.leftovers), found.problems) == (steps, left, ())


def test_the_last_policy_of_a_deployment_stays_though_it_is_one_of_before() -> None:
    found = planned(policy("p-0", **FORMER), record=MADE_ANEW, targets=(target(attached=("p-0",)),))
    assert (found.steps, [problem.reason for problem in found.problems]) == ((), ["WouldReopenPublicAccess"])


# -- claims --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "standing", "steps", "left"),
    [
        (Owner.OURS, True, 1, 0),
        (Owner.OURS, False, 1, 0),
        (Owner.ADOPTED, False, 0, 0),
        (Owner.ADOPTED, True, 0, 1),
        (None, True, 0, 0),
    ],
)
def test_a_claim_of_ours_is_given_up_whether_a_list_has_it_or_not_and_no_other(
    owner: Owner | None, *, standing: bool, steps: int, left: int
) -> None:
    memory = ClaimMemory(REGION, "pe-search", GUID, owner) if owner else None
    found = planned(record=having(claim=memory), claims=(Claim(REGION, "pe-search", GUID),) if standing else ())
    assert found.steps == ((UnclaimEndpoint(REGION, "pe-search", GUID),) if steps else ())
    assert len(found.leftovers) == left


# -- what the record says at the end -------------------------------------------------------------------------------

ALL = having(
    OURS,
    AssociationMemory("d2", Owner.ADOPTED),
    claim=ClaimMemory(REGION, "pe-search", GUID, Owner.OURS),
).with_dns(
    zone=Owned(zone().id.text, Owner.OURS),
    links=(Owned(linked().id, Owner.OURS), Owned(linked(HUB).id, Owner.OURS)),
    record=Owned(f"{zone().id.text}/A/*", Owner.OURS),
    record_addresses=(ADDRESS,),
)
STANDS = ObservedRemoval(
    zones=(zone(linked(), linked(HUB), record=record(ADDRESS)),),
    policies=(policy(associations=("d1",)),),
    targets=(target("d2", attached=("p-1",)),),
    claims=(Claim(REGION, "pe-search", GUID.upper()),),
)
D1_GONE = UnseenTargets(not_found=frozenset({"d1"}))
NOTHING = ALL.with_dns(zone=None, links=(), record=None, record_addresses=()).with_elastic(
    policy=PolicyMemory(), associations=()
)


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, ALL),
        ({"zones": ()}, ALL.with_dns(zone=None, links=(), record=None, record_addresses=())),
        ({"zones": (zone(linked(), linked(HUB)),)}, ALL.with_dns(record=None, record_addresses=())),
        ({"zones": (zone(linked(HUB), record=record(ADDRESS)),)}, ALL.with_dns(links=ALL.dns.links[1:])),
        ({"policies": (IP_POLICY,)}, ALL.with_elastic(policy=PolicyMemory(), associations=())),
        ({"policies": (policy(),)}, ALL),
        ({"policies": (policy(),), "unseen": D1_GONE}, ALL.with_elastic(associations=ALL.elastic.associations[1:])),
        ({"policies": (policy(hidden_associations=1),), "unseen": D1_GONE}, ALL),
        ({"claims": ()}, ALL),
        ({"zones": (), "policies": (), "claims": ()}, NOTHING),
    ],
)
def test_what_was_gone_before_is_not_on_record_once_the_removal_is_done(
    changes: dict[str, Any], left: ConnectionRecord
) -> None:
    assert still_there(ALL, replace(STANDS, **changes)) == left


# -- what a refusal holds up ---------------------------------------------------------------------------------------

HOME = zone().id
STEPS: dict[str, RemovalStep] = {
    "take": TAKE,
    "take from another policy": Disassociate("p-2", "d1", "orders"),
    "policy": DELETE,
    "claim": UnclaimEndpoint(REGION, "pe-search", GUID),
    "record": DeleteRecord(HOME, (ADDRESS,), "e"),
    "link": DeleteLink(HOME, "l", VNET, "e"),
    "zone": DeleteZone(HOME, "e"),
}
NEEDS = {"policy": {"take"}, "link": {"record"}, "zone": {"record", "link"}}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("refused", STEPS)
def test_a_refused_step_holds_up_only_what_cannot_be_done_without_it(step: str, refused: str) -> None:
    assert held_up_by(STEPS[step], [STEPS[refused]]) == (refused in NEEDS.get(step, set()))
    assert not held_up_by(STEPS[step], [])


# -- what must be said first -----------------------------------------------------------------------------------------


def test_a_policy_applied_by_default_is_told_of_unless_it_surely_goes() -> None:
    ticked = replace(policy("p-1", associations=("d1",)), include_by_default=True)
    found = planned(ticked, record=having(OURS))
    assert found.elastic == (TAKE, DELETE)
    assert warning_of(having(OURS), found, (), plan_options()) == ""
    left = warning_of(having(OURS), found, (f"not done: {DELETE} (no right)",), plan_options())
    assert left.startswith("Policy p-1 (pe-search), which is left, is applied by default")
