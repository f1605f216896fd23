"""The associations: what is asked for is made, what was ours and is not asked for goes, what is others' stays (S4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.guards.consent import CONNECT_TAG, ENDPOINTS_TAG, OPT_OUT_TAG
from shared.core.guards.unseen_targets import NONE_UNSEEN, UnseenTargets
from shared.core.model.conditions import Condition, WaitingFor
from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import AssociationMemory, PolicyMemory
from shared.core.model.resources import Policy, Rule, Target
from shared.core.model.steps import Associate, Disassociate
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import denied_targets
from shared.core.planning.associations import AssociationPlan, plan_associations
from shared.core.planning.plan import ObservedElastic, plan_elastic
from tests.core.core_parts import GUID, IP_POLICY, KNOWN, NOW, desired, plan_options, policy, target

OPTIONS = plan_options(deployments_allowed=frozenset({"*"}), lag=60, association_restores=3)
USING = KNOWN.with_elastic(policy=PolicyMemory("p-1", Owner.OURS, guid=GUID))
OURS = AssociationMemory("d1", Owner.OURS, asked="d1", made_at=NOW - timedelta(hours=1), seen=True)
CLOSED = target(attached=("p-1", IP_POLICY.id))
FREE = target()


def having(*memories: AssociationMemory) -> ConnectionRecord:
    return USING.with_elastic(associations=memories)


def planned(
    asks_for: str,
    *targets: Target,
    record: ConnectionRecord = USING,
    using: Policy | None = None,
    options: PlanOptions = OPTIONS,
    seconds: float = 0,
    unseen: UnseenTargets = NONE_UNSEEN,
) -> AssociationPlan:
    at = NOW + timedelta(seconds=seconds)
    standing = tuple(one.id for one in targets if one.attached is None or "p-1" in one.attached)
    ours = using or policy(associations=standing)
    return plan_associations(desired(asks_for), targets, (ours, IP_POLICY), ours, record, options, at, unseen=unseen)


def reason(found: AssociationPlan) -> str:
    return found.condition.reason


# -- what was ours and no tag asks for any more ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "taken"),
    [
        (OURS, True),
        (AssociationMemory("d1", asked="d1"), True),
        (replace(OURS, owner=Owner.ADOPTED), False),
        (None, False),
    ],
    ids=["ours", "begun", "adopted", "not ours"],
)
def test_only_an_association_that_we_made_is_removed_when_no_tag_asks_for_it(
    memory: AssociationMemory | None, *, taken: bool
) -> None:
    found = planned("", CLOSED, record=having(*([memory] if memory else [])))
    assert found.steps == ((Disassociate("p-1", "d1", "orders"),) if taken else ())
    assert reason(found) == ("NoLongerAskedFor" if taken else "NothingRequested")
    assert [served.id for served in found.targets] == ["d1"], "while it stands it is tested and shown"


def test_it_is_forgotten_once_it_is_gone() -> None:
    found = planned("", FREE, record=having(OURS))
    assert (found.steps, found.associations, reason(found)) == ((), (), "NothingRequested")


def test_what_the_deployment_asks_for_stays_when_the_endpoints_tag_does_not() -> None:
    asking = replace(CLOSED, tags={CONNECT_TAG: "net-prod/pe-search"})
    found = planned("", asking, record=having(OURS))
    assert (found.steps, reason(found)) == ((), "Associated")


@pytest.mark.parametrize(
    ("changed", "asks_for"),
    [
        ({"name": "renamed"}, "orders"),
        ({"name": "renamed"}, "d1"),
        ({"running": False}, "d1"),
        ({"running": False}, "orders"),
        ({"running": False, "tags": {CONNECT_TAG: "*"}}, ""),
        ({"running": False, "tags": {CONNECT_TAG: "net-prod/pe-search"}}, ""),
        ({"region": ""}, "d1"),
    ],
)
def test_a_deployment_that_is_renamed_stopped_or_hidden_keeps_its_association(
    changed: dict[str, Any], asks_for: str
) -> None:
    found = planned(asks_for, replace(CLOSED, **changed), record=having(replace(OURS, asked=asks_for or "d1")))
    assert found.steps == ()
    assert found.associations[0].owner is Owner.OURS


def test_another_deployment_that_is_given_the_same_name_does_not_disconnect_the_one_that_has_it() -> None:
    twin = target("d2")
    record = having(replace(OURS, asked="orders"))
    found = planned("orders", CLOSED, twin, record=record)
    assert (found.steps, reason(found)) == ((), "Associated")
    assert planned("orders", FREE, twin).condition.reason == "DeploymentAmbiguous", "without a memory it is ambiguous"


def test_a_name_that_was_given_to_another_deployment_alone_means_that_one() -> None:
    record = having(replace(OURS, asked="orders"))
    found = planned("orders", replace(CLOSED, name="old-orders"), target("d2"), record=record)
    assert found.steps == (
        Associate("p-1", "d2", "orders", asked="orders"),
        Disassociate("p-1", "d1", "old-orders"),
    )


def test_a_deployment_that_is_gone_is_told_and_one_that_is_only_not_answered_for_is_left() -> None:
    not_found = UnseenTargets(frozenset({"d1"}))
    gone = planned("d1", record=having(OURS), using=policy(), unseen=not_found)
    assert (gone.steps, reason(gone), gone.associations) == ((), "DeploymentNotFound", ())
    for found in (planned("d1", record=having(OURS), using=policy()), planned("", record=having(OURS), using=policy())):
        assert (found.steps, [memory.target_id for memory in found.associations]) == ((), ["d1"])
    listed = planned("", record=having(OURS), using=policy(associations=("d1",)), unseen=not_found)
    assert (listed.steps, reason(listed), listed.associations) == ((), "DeploymentGone", (OURS,))
    unanswered = planned("", record=having(OURS), using=policy(associations=("d1",)))
    assert (unanswered.steps, reason(unanswered)) == ((), "WouldReopenPublicAccess")
    assert unanswered.associations == (OURS,)


@pytest.mark.parametrize(
    ("changed", "options", "told"),
    [
        ({"attached": ("p-1",)}, OPTIONS, "WouldReopenPublicAccess"),
        ({"attached": None}, OPTIONS, "WouldReopenPublicAccess"),
        ({"tags": {OPT_OUT_TAG: "ignore"}}, OPTIONS, "DeploymentOptedOut"),
        ({}, plan_options(OPTIONS, deployments_denied=denied_targets("orders")), "DeploymentOutOfScope"),
    ],
)
def test_what_may_not_be_taken_away_stays_ours_and_a_person_is_told(
    changed: dict[str, Any], options: PlanOptions, told: str
) -> None:
    found = planned("", replace(CLOSED, **changed), record=having(OURS), options=options)
    assert (found.steps, reason(found), found.condition.needs) == ((), told, WaitingFor.PERSON)
    assert found.associations == (OURS,)


# -- consent -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [plan_options(), plan_options(OPTIONS, deployments_denied=denied_targets("*"))],
    ids=["not allowed", "denied"],
)
def test_a_consent_that_is_withdrawn_is_told_and_cuts_no_traffic_off(options: PlanOptions) -> None:
    found = planned("d1", CLOSED, record=having(OURS), options=options)
    assert (found.steps, found.condition.true, found.condition.needs) == ((), False, WaitingFor.PERSON)
    adopted = planned("d1", CLOSED, record=having(replace(OURS, owner=Owner.ADOPTED)), options=options)
    assert (adopted.steps, reason(adopted)) == ((), "Associated"), "what others did needs no consent"


def test_a_deployment_that_asks_for_the_endpoint_consents_by_it_but_not_to_its_first_policy() -> None:
    asking = {CONNECT_TAG: "net-prod/pe-search"}
    found = planned("", target(tags=asking), options=plan_options())
    assert found.steps == (Associate("p-1", "d1", "orders", asked="d1"),)
    open_ = planned("", target(tags=asking, attached=()), options=plan_options())
    assert (open_.steps, reason(open_)) == ((), "WouldCutOffPublicTraffic")
    assert planned("", target(tags={ENDPOINTS_TAG: "*"}), options=OPTIONS).steps == (), "consent alone is no wish"


# -- a policy that lets others in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "others",
    [{"rules": (Rule("pe-search", GUID), Rule("pe-of-team-b", "b" * 8))}, {"other_rules": 1}],
    ids=["an endpoint", "another kind of rule"],
)
@pytest.mark.parametrize(("asks_for", "target"), [("d1", FREE), ("", CLOSED)], ids=["given", "taken away"])
def test_a_policy_that_lets_others_in_is_neither_given_nor_taken_away(
    others: dict[str, Any], asks_for: str, target: Target
) -> None:
    standing = ("d1",) if target is CLOSED else ()
    record = having(OURS) if standing else USING
    found = planned(asks_for, target, record=record, using=policy(associations=standing, **others))
    assert (found.steps, reason(found), found.condition.needs) == ((), "PolicyAdmitsOthers", WaitingFor.PERSON)
    assert "orders (d1)" in found.condition.message


# -- what others take away -----------------------------------------------------------------------------------------


def condition_after(found: AssociationPlan, *memories: AssociationMemory, seconds: float) -> Condition:
    return planned("d1", FREE, record=having(*(memories or found.associations)), seconds=seconds).condition


def test_an_association_just_made_may_be_unlisted_for_the_lag_and_counts_as_made() -> None:
    made = AssociationMemory("d1", Owner.OURS, asked="d1", made_at=NOW)
    for seconds in (0, 59):
        found = planned("d1", FREE, record=having(made), seconds=seconds)
        assert (found.steps, reason(found), found.associations) == ((), "Associated", (made,))
    assert planned("d1", FREE, record=having(made), seconds=60).steps == (Associate("p-1", "d1", "orders", asked="d1"),)


def test_an_association_that_stands_only_by_our_own_doing_is_not_seen_to_stand_before_the_lag_is_over() -> None:
    made = AssociationMemory("d1", Owner.OURS, asked="d1", made_at=NOW)
    for seconds, seen in ((0, False), (59, False), (60, True)):
        (memory,) = planned("d1", CLOSED, record=having(made), seconds=seconds).associations
        assert memory.seen == seen, seconds
    (unlisted,) = planned("d1", CLOSED, record=having(made)).associations
    assert planned("d1", FREE, record=having(unlisted), seconds=30).steps == (), "a lag is no removal by others"


def test_one_that_was_seen_to_stand_is_put_back_at_once() -> None:
    recent = replace(OURS, made_at=NOW - timedelta(seconds=1))
    assert planned("d1", FREE, record=having(recent)).steps == (Associate("p-1", "d1", "orders", asked="d1"),)


def test_one_that_keeps_being_taken_away_is_left_alone_and_the_others_go_on() -> None:
    fought = replace(OURS, taken=tuple(NOW - timedelta(days=day) for day in (1, 2, 3)))
    found = planned("d1,d2", FREE, target("d2", name="logs"), record=having(fought))
    assert found.steps == (Associate("p-1", "d2", "logs", asked="d2"),)
    assert (reason(found), found.condition.needs) == ("AssociationContested", WaitingFor.PERSON)
    assert fought in found.associations, "the fight is remembered"


def test_a_create_whose_answer_never_came_is_tried_again_at_once() -> None:
    begun = AssociationMemory("d1", None, asked="d1", made_at=NOW)
    assert planned("d1", FREE, record=having(begun), seconds=1).steps == (Associate("p-1", "d1", "orders", asked="d1"),)


# -- another policy in use -----------------------------------------------------------------------------------------


def test_what_we_associated_with_the_policy_before_is_not_ours_with_the_one_that_took_its_place() -> None:
    """A person made a policy of their own for the endpoint and put it in place of ours."""
    theirs = policy("p-theirs", description="", associations=("d1",))
    closed = target(attached=("p-theirs", IP_POLICY.id))
    for asks_for in ("d1", ""):
        observed = ObservedElastic((theirs, policy(), IP_POLICY), (closed,))
        found = plan_elastic(desired(asks_for), observed, having(OURS), OPTIONS, NOW)
        assert (found.policy.id, found.steps) == ("p-theirs", ()), "nothing of theirs is taken away"
        assert [memory.owner for memory in found.associations or ()] == [Owner.ADOPTED]


def test_when_only_the_policy_was_looked_at_the_associations_of_the_one_before_are_no_longer_ours_either() -> None:
    record = having(OURS).with_policy(PolicyMemory("p-theirs", Owner.ADOPTED))
    assert [(memory.target_id, memory.owner, memory.asked) for memory in record.elastic.associations] == [
        ("d1", Owner.ADOPTED, "d1")
    ]
    assert having(OURS).with_policy(replace(USING.elastic.policy, guid="x")).elastic.associations == (OURS,)
    assert having(OURS).with_elastic(policy=PolicyMemory()).with_policy(USING.elastic.policy).elastic.associations == (
        OURS,
    )
