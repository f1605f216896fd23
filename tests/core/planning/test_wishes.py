"""Which targets an endpoint may be connected to: found, running, in the region, consented to, not wide open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.core.guards.consent import CONNECT_TAG, ENDPOINTS_TAG, OPT_OUT_TAG, consent_problem
from shared.core.guards.first_and_last_policy import FIRST_POLICY_TAG, INGRESS_TYPES
from shared.core.model.arm_ids import connection_id
from shared.core.model.record import ConnectionRecord
from shared.core.model.resources import Policy, Target
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import denied_targets
from shared.core.planning.associations import associated_with
from shared.core.planning.wishes import TargetRequest, choose_targets
from tests.core.core_parts import ENDPOINT_ID, IP_POLICY, KNOWN, desired, plan_options, policy, target

ALLOWED = plan_options(deployments_allowed=frozenset({"*"}))
OURS = policy()
POLICIES = (OURS, IP_POLICY)


def choose(
    asks_for: str,
    *targets: Target,
    options: PlanOptions = ALLOWED,
    policies: tuple[Policy, ...] = POLICIES,
    ours: Policy | None = OURS,
    record: ConnectionRecord = KNOWN,
) -> tuple[TargetRequest, ...]:
    types = {one.id: one.type for one in policies}
    associated = associated_with(OURS.id, ours, targets)
    return choose_targets(desired(asks_for), targets, types, associated, record, options)


def reason(*args: Any, **options: Any) -> str:
    (choice,) = choose(*args, **options)
    if choice.problem is None:
        return ""
    assert choice.problem.message
    assert choice.problem.next_step
    return choice.problem.reason


# -- finding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asks_for", ["d1", "D1", "orders", " orders ", "orders,,orders", "orders,d1"])
def test_a_deployment_is_found_by_its_id_or_exact_name_and_once(asks_for: str) -> None:
    (choice,) = choose(asks_for, target())
    assert choice.target == target()
    assert (choice.problem, choice.associated) == (None, False)


@pytest.mark.parametrize("asks_for", ["Orders", "order", "orders2", "d"])
def test_a_name_that_is_not_exact_finds_nothing(asks_for: str) -> None:
    (choice,) = choose(asks_for, target())
    assert choice.target is None
    assert choice.problem is not None
    assert choice.problem.reason == "DeploymentNotFound"
    assert asks_for in choice.problem.message


def test_an_id_goes_before_a_name_that_looks_like_it() -> None:
    (choice,) = choose("d1", target("d2", name="d1"), target())
    assert choice.target is not None
    assert choice.target.id == "d1"


def test_a_name_that_several_running_deployments_have_is_ambiguous_and_all_are_named() -> None:
    twins = (target(), target("d2"), target("d3", region="azure-westus2"))
    (choice,) = choose("orders", *twins)
    assert (choice.target, reason("orders", *twins)) == (None, "DeploymentAmbiguous")
    assert choice.problem is not None
    assert "d1 in azure-eastus2" in choice.problem.message
    assert "d2 in azure-eastus2" in choice.problem.message


def test_of_one_name_in_two_regions_only_the_one_in_the_policys_region_is_meant() -> None:
    (choice,) = choose("orders", target("d2", region="azure-westus2"), target())
    assert choice.target is not None
    assert (choice.target.id, choice.problem) == ("d1", None)


def test_a_hidden_twin_does_not_make_a_name_ambiguous() -> None:
    (choice,) = choose("orders", target("d0", running=False), target())
    assert choice.target is not None
    assert choice.target.id == "d1"


@pytest.mark.parametrize("asks_for", ["d1", "orders"])
def test_a_hidden_or_stopped_deployment_is_not_connected(asks_for: str) -> None:
    assert reason(asks_for, target(running=False)) == "DeploymentNotRunning"


@pytest.mark.parametrize("region", ["azure-westus2", "gcp-us-central1", "eastus2", ""])
def test_a_deployment_elsewhere_is_not_connected(region: str) -> None:
    assert reason("d1", target(region=region)) == "DeploymentInAnotherRegion"


def test_every_entry_is_judged_for_itself() -> None:
    choices = choose("d1, unknown, d2, d3", target(), target("d2", region="azure-westus2"), target("d3", name="logs"))
    told = {choice.asked: choice.problem.reason if choice.problem else "" for choice in choices}
    assert told == {"d1": "", "unknown": "DeploymentNotFound", "d2": "DeploymentInAnotherRegion", "d3": ""}


# -- consent (S8) --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", ["*", "d1", "orders"])
def test_the_settings_consent_by_id_by_name_or_for_all(listed: str) -> None:
    assert reason("d1", target(), options=plan_options(deployments_allowed=frozenset({listed}))) == ""


@pytest.mark.parametrize(
    "tag",
    ["*", "net-prod/pe-search", "Net-Prod/PE-Search", " other , net-prod/pe-search", ENDPOINT_ID, ENDPOINT_ID.upper()],
)
def test_the_deployments_own_tag_consents_to_an_endpoint_by_group_and_name_by_id_or_to_all(tag: str) -> None:
    assert reason("d1", target(tags={ENDPOINTS_TAG: tag}), options=plan_options()) == ""


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {ENDPOINTS_TAG: ""},
        {ENDPOINTS_TAG: ","},
        {ENDPOINTS_TAG: "pe-logs"},
        {ENDPOINTS_TAG: "pe-search"},
        {ENDPOINTS_TAG: "pe-*"},
        {"other": "*"},
    ],
)
def test_without_consent_nothing_is_connected_that_the_endpoints_tag_asks_for(tags: dict[str, str]) -> None:
    options = plan_options(deployments_allowed=frozenset({"logs", "d9"}))
    assert reason("d1", target(tags=tags), options=options) == "DeploymentNotAllowed"
    assert consent_problem(desired("d1").endpoint.id, target(tags=tags), options, ()) is not None


def test_the_refusal_names_both_ways_to_consent() -> None:
    (choice,) = choose("d1", target(), options=plan_options())
    assert choice.problem is not None
    assert "ELASTIC_DEPLOYMENTS_ALLOWED" in choice.problem.next_step
    assert f"{ENDPOINTS_TAG}={connection_id(ENDPOINT_ID)}" in choice.problem.next_step


def test_consent_to_the_first_policy_is_no_consent_to_the_endpoint() -> None:
    open_ = target(attached=(), tags={FIRST_POLICY_TAG: "allow"})
    options = plan_options(first_policy_allowed=frozenset({"*"}))
    assert reason("d1", open_, options=options) == "DeploymentNotAllowed"


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        (plan_options(ALLOWED, deployments_denied=denied_targets("d1")), {}),
        (plan_options(ALLOWED, deployments_denied=denied_targets("orders")), {ENDPOINTS_TAG: "*", CONNECT_TAG: "*"}),
        (plan_options(deployments_denied=denied_targets("*")), {CONNECT_TAG: "*"}),
    ],
)
def test_the_settings_refusal_wins_over_every_consent(options: PlanOptions, tags: dict[str, str]) -> None:
    assert reason("d1", target(tags=tags), options=options) == "DeploymentOutOfScope"


@pytest.mark.parametrize(("value", "out"), [("ignore", True), (" Ignore ", True), ("observe", False), ("", False)])
def test_a_deployment_can_opt_out_by_its_own_tag(value: str, *, out: bool) -> None:
    found = reason("d1", target(tags={OPT_OUT_TAG: value, ENDPOINTS_TAG: "*"}))
    assert found == ("DeploymentOptedOut" if out else "")


# -- targets that ask ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag", ["*", "net-prod/pe-search", "Net-Prod/PE-Search", "other/x , net-prod/pe-search", ENDPOINT_ID.upper()]
)
def test_a_deployment_can_ask_for_the_endpoint_by_itself(tag: str) -> None:
    assert reason("", target(tags={CONNECT_TAG: tag}), options=plan_options()) == ""


@pytest.mark.parametrize("tag", ["", ",", "pe-search", "net-prod/pe-*", "other/pe-search"])
def test_a_deployment_that_asks_for_another_endpoint_is_not_connected(tag: str) -> None:
    assert choose("", target(tags={CONNECT_TAG: tag})) == ()


def test_a_deployment_that_asks_for_all_means_those_of_its_region_and_one_that_it_names_is_told() -> None:
    far = target(region="azure-westus2", tags={CONNECT_TAG: "*"})
    assert choose("", far) == ()
    named = replace(far, tags={CONNECT_TAG: "net-prod/pe-search"})
    assert reason("", named) == "DeploymentInAnotherRegion"


def test_a_stopped_deployment_that_asks_is_not_connected_and_disturbs_no_other() -> None:
    stopped = target(running=False, tags={CONNECT_TAG: "*"})
    assert choose("", stopped) == ()
    (kept,) = choose("", replace(stopped, attached=(OURS.id,)))
    assert (kept.associated, kept.problem) == (True, None)


def test_an_endpoint_and_a_deployment_that_ask_for_each_other_are_one_wish() -> None:
    (choice,) = choose("orders", target(tags={CONNECT_TAG: "*"}))
    assert (choice.asked, choice.problem) == ("orders", None)


# -- the first policy (S1) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("attached", [(), None, ("p-unseen",)], ids=["none", "unknown", "unseen"])
def test_the_first_policy_is_never_associated_without_an_opt_in(attached: tuple[str, ...] | None) -> None:
    assert reason("d1", target(attached=attached)) == "WouldCutOffPublicTraffic"


@pytest.mark.parametrize("type_", sorted(INGRESS_TYPES))
def test_a_deployment_that_a_policy_already_closes_is_connected(type_: str) -> None:
    closing = replace(IP_POLICY, type=type_)
    assert reason("d1", target(), policies=(OURS, closing)) == ""


@pytest.mark.parametrize("type_", ["egress_firewall", "remote_cluster", ""])
def test_a_policy_that_closes_nothing_does_not_count_as_the_first(type_: str) -> None:
    other = replace(IP_POLICY, type=type_)
    assert reason("d1", target(), policies=(OURS, other)) == "WouldCutOffPublicTraffic"


@pytest.mark.parametrize("listed", ["*", "d1", "orders"])
@pytest.mark.parametrize("attached", [(), None, ("p-unseen",)], ids=["none", "unknown", "unseen"])
def test_the_settings_opt_in_by_id_by_name_or_for_all(listed: str, attached: tuple[str, ...] | None) -> None:
    options = plan_options(ALLOWED, first_policy_allowed=frozenset({listed}))
    assert reason("d1", target(attached=attached), options=options) == ""


@pytest.mark.parametrize(("value", "opted_in"), [("allow", True), (" Allow ", True), ("yes", False), ("", False)])
def test_the_deployments_own_tag_opts_in_with_exactly_one_value(value: str, opted_in: bool) -> None:
    found = reason("d1", target(attached=(), tags={FIRST_POLICY_TAG: value}))
    assert found == ("" if opted_in else "WouldCutOffPublicTraffic")


def test_the_refusal_says_what_is_known_and_both_ways_to_opt_in() -> None:
    (open_,), (unknown,) = (choose("d1", target(attached=attached)) for attached in ((), None))
    assert open_.problem is not None
    assert unknown.problem is not None
    assert "It has no policy" in open_.problem.message
    assert "not known" in unknown.problem.message
    assert "ELASTIC_FIRST_POLICY_ALLOWED" in open_.problem.next_step
    assert f"{FIRST_POLICY_TAG}=allow" in open_.problem.next_step


# -- what is associated already ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attached", "associations"),
    [((OURS.id,), ()), ((IP_POLICY.id, OURS.id), ()), ((), ("d1",)), (None, ("d1",))],
)
def test_what_is_associated_is_seen_from_either_side_and_needs_no_consent_any_more(
    attached: tuple[str, ...] | None, associations: tuple[str, ...]
) -> None:
    ours = replace(OURS, associations=associations)
    (choice,) = choose("d1", target(attached=attached), options=plan_options(), ours=ours)
    assert (choice.associated, choice.problem) == (True, None)


def test_a_policy_that_cannot_be_read_yet_is_seen_at_the_deployment() -> None:
    (choice,) = choose("d1", target(attached=(OURS.id,)), policies=(), ours=None)
    assert choice.associated
