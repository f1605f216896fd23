"""The policy and its associations: one policy for a GUID, nothing associated before its time. Data in, plan out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.guards.first_and_last_policy import FIRST_POLICY_TAG
from shared.core.model import conditions as c
from shared.core.model.conditions import Condition, Status, WaitingFor
from shared.core.model.ownership import Owner
from shared.core.model.reasons import Reason
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import PolicyMemory
from shared.core.model.resources import ConnectionStatus, Policy, Rule, Target
from shared.core.model.steps import Associate, CreatePolicy
from shared.core.options.plan_options import PlanOptions
from shared.core.planning.plan import ElasticPlan, ObservedElastic, plan_elastic
from shared.core.planning.policy import policies_of
from tests.core.core_parts import (
    ENDPOINT_ID,
    GUID,
    IP_POLICY,
    KNOWN,
    MARKER,
    NOW,
    STRANGER,
    desired,
    plan_options,
    policy,
    target,
)
from tests.core.planning.plan_parts import settle_elastic

OPTIONS = plan_options(deployments_allowed=frozenset({"*"}), policy_search=60)
FOREIGN = policy("p-theirs", name="by hand", description="")
APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING


def planned(
    asks_for: str = "",
    policies: tuple[Policy, ...] = (),
    targets: tuple[Target, ...] | None = None,
    record: ConnectionRecord = KNOWN,
    status: ConnectionStatus = APPROVED,
    options: PlanOptions = OPTIONS,
) -> ElasticPlan:
    return plan_elastic(desired(asks_for, status=status), ObservedElastic(policies, targets), record, options, NOW)


def told(found: ElasticPlan) -> dict[str, Condition]:
    return {condition.type: condition for condition in found.conditions}


def reasons(found: ElasticPlan) -> tuple[str, str]:
    return told(found)[c.POLICY_READY].reason, told(found)[c.ASSOCIATED].reason


def associated(found: ElasticPlan) -> tuple[str, ...]:
    return tuple(memory.target_id for memory in found.associations or () if memory.seen)


def remembered(**memory: object) -> ConnectionRecord:
    return KNOWN.with_elastic(policy=PolicyMemory(**memory))  # type: ignore[arg-type]  # the fields vary by case


def begun(seconds: float) -> ConnectionRecord:
    """A POST of a policy, whose deadline was so many seconds ago, got no answer."""
    return KNOWN.with_elastic(policy_post_until=NOW - timedelta(seconds=seconds))


def ago(seconds: float) -> object:
    return NOW - timedelta(seconds=seconds)


# -- the policy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [PENDING, APPROVED, ConnectionStatus.UNKNOWN])
def test_a_policy_is_created_with_the_endpoints_exact_name_and_guid(status: ConnectionStatus) -> None:
    found = planned(policies=(IP_POLICY,), status=status)
    assert found.steps == (CreatePolicy("pe-search", "azure-eastus2", "pe-search", GUID, MARKER),)
    assert (reasons(found)[0], told(found)[c.POLICY_READY].needs) == ("Missing", WaitingFor.WORK)
    assert "create private connection policy pe-search in azure-eastus2" in str(found.steps[0])


@pytest.mark.parametrize("guid", [GUID, GUID.upper()])
@pytest.mark.parametrize(
    ("existing", "owner", "said"),
    [
        (policy(), Owner.OURS, "Policy p-1 (pe-search)."),
        (FOREIGN, Owner.ADOPTED, "made by others, used as it is"),
        (policy(description=STRANGER.description()), Owner.ADOPTED, "made by installation another-installation for"),
    ],
    ids=["ours", "by hand", "other installation"],
)
def test_a_policy_of_any_maker_with_the_guid_is_used_and_no_second_one_created(
    existing: Policy, owner: Owner, said: str, guid: str
) -> None:
    found = planned(policies=(IP_POLICY, replace(existing, rules=(Rule("pe-search", guid),))))
    assert (found.steps, found.policy.id, found.policy.owner) == ((), existing.id, owner)
    assert reasons(found)[0] == "Exists"
    assert said in told(found)[c.POLICY_READY].message


def test_a_policy_that_admits_several_endpoints_is_used() -> None:
    both = replace(FOREIGN, rules=(Rule("pe-other", "9" * 8), Rule("pe-search", GUID)))
    assert planned(policies=(both,)).policy.id == FOREIGN.id


@pytest.mark.parametrize("name", ["PE-Search", "other", ""])
def test_a_policy_with_the_guid_under_another_name_is_explained_and_left_alone(name: str) -> None:
    found = planned(policies=(replace(FOREIGN, rules=(Rule(name, GUID),)),))
    condition = told(found)[c.POLICY_READY]
    assert (found.steps, condition.reason, condition.needs) == ((), "PolicyNameMismatch", WaitingFor.PERSON)
    assert "pe-search" in condition.next_step


@pytest.mark.parametrize("other", [IP_POLICY, replace(policy(), type="vpce"), replace(policy(), rules=())])
def test_a_policy_of_another_type_or_guid_is_no_policy_of_the_endpoint(other: Policy) -> None:
    assert policies_of((other,), GUID) == ()
    assert len(planned(policies=(other,)).steps) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_policies_the_associated_one_is_used_then_the_lowest_id_and_the_others_named(
    order: tuple[int, ...],
) -> None:
    found = (policy("p-1"), policy("p-2"), replace(FOREIGN, id="p-3", associations=("d9",)))
    several = tuple(found[index] for index in order)
    assert [one.id for one in policies_of(several, GUID)] == ["p-3", "p-1", "p-2"]
    condition = told(planned(policies=several))[c.POLICY_READY]
    assert condition.true
    by_us = f"(made by installation autopilot for connection {MARKER.connection_id})"
    assert f"p-1 {by_us}, p-2 {by_us}" in condition.message


def test_a_policy_that_is_applied_by_default_is_pointed_out() -> None:
    found = planned(policies=(replace(FOREIGN, include_by_default=True),))
    assert "by default" in told(found)[c.POLICY_READY].message


# -- the create whose end is unknown, and the lag after it ---------------------------------------------------------


@pytest.mark.parametrize(("age", "steps"), [(0, 0), (59, 0), (60, 1), (600, 1)])
def test_a_create_whose_answer_never_came_is_not_repeated_before_the_lag_is_over(age: float, steps: int) -> None:
    found = planned(record=begun(age))
    assert len(found.steps) == steps
    assert reasons(found)[0] == ("Missing" if steps else "CreationUncertain")
    assert not told(found)[c.POLICY_READY].true


def test_a_create_whose_answer_never_came_is_resolved_when_the_policy_shows() -> None:
    found = planned(policies=(policy(),), record=begun(1))
    assert (found.steps, found.policy.id, found.policy.learned_at) == ((), "p-1", NOW)


def test_a_policy_that_was_found_and_is_gone_again_does_not_end_the_search() -> None:
    """Another POST may still be on its way: a person deleted what the first one made."""
    found = planned(record=begun(59).with_elastic(policy=PolicyMemory("p-1", Owner.OURS, NOW - timedelta(hours=3))))
    assert (found.steps, reasons(found)[0]) == ((), "CreationUncertain")


def test_a_refusal_is_told_while_its_request_is_in_doubt() -> None:
    refused = c.blocked(c.POLICY_READY, Reason.ELASTIC_REFUSED, "too many policies", "Delete one.")
    assert reasons(planned(record=begun(1).with_status(conditions=(refused,))))[0] == "ElasticRefused"


@pytest.mark.parametrize(("age", "steps"), [(0, 0), (1799, 0), (1800, 1)])
def test_an_id_just_learned_may_be_unreadable_for_visibility_seconds_and_is_used(age: float, steps: int) -> None:
    record = remembered(id="p-1", owner=Owner.OURS, learned_at=ago(age), created_at=ago(age))
    found = planned(record=record)
    assert len(found.steps) == steps
    if not steps:
        assert (found.policy, reasons(found)[0]) == (record.elastic.policy, "Created")


def test_a_policy_that_others_made_and_deleted_is_replaced_by_one_of_ours() -> None:
    assert len(planned(record=remembered(id="p-theirs", owner=Owner.ADOPTED)).steps) == 1


def test_when_a_policy_was_created_is_remembered_once_it_can_be_read() -> None:
    created = ago(30)
    found = planned(policies=(policy(),), record=remembered(id="p-1", created_at=created))
    assert found.policy == PolicyMemory("p-1", Owner.OURS, NOW, NOW - timedelta(seconds=30), guid=GUID, rules=1)


def test_what_is_remembered_of_an_endpoint_made_anew_under_its_name_does_not_count() -> None:
    old = remembered(id="p-old", learned_at=ago(1)).with_identity(guid="another-guid")
    assert len(planned(record=old).steps) == 1


# -- associations --------------------------------------------------------------------------------------------------


def test_an_endpoint_that_asks_for_nothing_is_complete_with_its_policy() -> None:
    for status in (APPROVED, PENDING):
        found = planned(policies=(policy(),), targets=(), status=status)
        assert reasons(found) == ("Exists", "NothingRequested")
        assert all(condition.true for condition in found.conditions)


@pytest.mark.parametrize("status", [status for status in ConnectionStatus if status is not APPROVED])
def test_nothing_is_associated_before_the_approval(status: ConnectionStatus) -> None:
    found = planned("d1", (policy(), IP_POLICY), (target(),), status=status)
    assert (found.steps, reasons(found)[1]) == ((), "AwaitingApproval")


def test_an_approved_endpoint_gets_its_policy_first_and_then_its_associations() -> None:
    found = planned("d1", (IP_POLICY,), (target(),))
    assert [type(step) for step in found.steps] == [CreatePolicy]
    _, final = settle_elastic(desired("d1"), ObservedElastic((IP_POLICY,), (target(),)), OPTIONS)
    assert (associated(final), final.policy.id) == (("d1",), "p-new")


def test_deployments_that_were_not_read_are_unknown_and_not_missing() -> None:
    found = planned("d1", (policy(), IP_POLICY), None)
    assert (found.steps, reasons(found)[1], told(found)[c.ASSOCIATED].status) == ((), "NotObserved", Status.UNKNOWN)


def test_what_may_be_connected_is_and_what_may_not_is_named() -> None:
    several = (target(), target("d2", region="azure-westus2", name="far"), target("d3", attached=()))
    found = planned("d1,d2,d3,unknown", (policy(), IP_POLICY), several)
    assert found.steps == (Associate("p-1", "d1", "orders", asked="d1"),)
    condition = told(found)[c.ASSOCIATED]
    assert (condition.reason, condition.needs) == ("DeploymentInAnotherRegion", WaitingFor.PERSON)
    assert all(name in condition.message for name in ("far", "d3", "unknown"))
    assert "associate policy p-1 with deployment orders (d1)" in str(found.steps[0])


def test_a_step_that_is_left_to_do_is_told() -> None:
    found = planned("d1", (policy(), IP_POLICY), (target(),))
    condition = told(found)[c.ASSOCIATED]
    assert (condition.reason, condition.needs) == ("Missing", WaitingFor.WORK)
    assert "orders" in condition.message


def test_what_is_associated_is_remembered_with_the_urls_to_use() -> None:
    found = planned("orders", (policy(), IP_POLICY), (target(attached=("p-1",)),))
    assert (found.steps, associated(found), reasons(found)[1]) == ((), ("d1",), "Associated")
    assert [(memory.id, memory.name) for memory in found.targets] == [("d1", "orders")]


def test_a_policy_just_created_and_not_readable_yet_is_associated_by_its_id() -> None:
    record = remembered(id="p-1", owner=Owner.OURS, learned_at=ago(1))
    found = planned("d1", (IP_POLICY,), (target(),), record)
    assert found.steps == (Associate("p-1", "d1", "orders", asked="d1"),)


# -- on every case -------------------------------------------------------------------------------------------------

POLICY_CASES: dict[str, tuple[Policy, ...]] = {
    "none": (IP_POLICY,),
    "ours": (IP_POLICY, policy()),
    "by hand": (IP_POLICY, FOREIGN),
    "other name": (IP_POLICY, replace(FOREIGN, rules=(Rule("x", GUID),))),
    "two": (IP_POLICY, policy(), replace(FOREIGN, associations=("d9",))),
}
DEPLOYMENT_CASES: dict[str, tuple[Target, ...] | None] = {
    "unread": None,
    "none": (),
    "filtered": (target(),),
    "open": (target(attached=()),),
    "unknown": (target(attached=None),),
    "opted in": (target(attached=(), tags={FIRST_POLICY_TAG: "allow"}),),
    "far": (target(region="azure-westus2"),),
    "hidden": (target(running=False),),
    "consenting": (target(tags={ENDPOINTS_TAG: "pe-search"}),),
    "connected": (target(attached=("p-1", "p-theirs", IP_POLICY.id)),),
}
MEMORY_CASES = {
    "fresh": ConnectionRecord(ENDPOINT_ID),
    "intent": begun(1),
    "old intent": begun(9999),
    "created": remembered(id="p-1", owner=Owner.OURS, learned_at=ago(1)),
}
EVERY_CASE = list(product(POLICY_CASES, DEPLOYMENT_CASES, MEMORY_CASES))


@pytest.mark.parametrize("status", list(ConnectionStatus))
@pytest.mark.parametrize("options", [OPTIONS, plan_options()], ids=["allowed", "not allowed"])
def test_on_every_case_the_plan_is_safe_and_leaves_nothing_to_do(
    status: ConnectionStatus, options: PlanOptions
) -> None:
    for policies, targets, memory in EVERY_CASE:
        observed = ObservedElastic(POLICY_CASES[policies], DEPLOYMENT_CASES[targets])
        wanted = desired("d1", status=status)
        first = plan_elastic(wanted, observed, MEMORY_CASES[memory], options, NOW)
        if policies != "none":
            assert not [step for step in first.steps if isinstance(step, CreatePolicy)]
        after, final = settle_elastic(wanted, observed, options, MEMORY_CASES[memory])
        for before, now in zip(observed.policies, after.policies, strict=False):
            assert replace(now, associations=before.associations) == before, "nothing else of a policy changes"
            assert set(before.associations) <= set(now.associations), "what others associated stays"
            assert now == before or now.id == final.policy.id
        connected = [one for one in after.targets or () if final.policy.id in (one.attached or ())]
        if not options.targets.deployments_allowed and targets not in {"consenting", "connected"}:
            assert not connected, "S8"
        if targets in {"open", "unknown", "far", "hidden"} or status is not APPROVED:
            assert not connected or targets == "connected", "S1, S3"
        for was, is_ in zip(observed.targets or (), after.targets or (), strict=True):
            assert set(was.attached or ()) <= set(is_.attached or ()), "what was attached stays"
