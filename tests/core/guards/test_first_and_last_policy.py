"""S2: a target's last policy is never taken away, and what is not known counts as the last."""

from __future__ import annotations

import pytest

from shared.core.guards.consent import OPT_OUT_TAG
from shared.core.guards.first_and_last_policy import (
    INGRESS_TYPES,
    LAST_POLICY_TAG,
    plan_disassociation,
    protected_without,
)
from shared.core.model.conditions import Explanation
from shared.core.model.resources import Target
from shared.core.model.steps import Disassociate
from shared.core.options.plan_options import PlanOptions
from shared.core.options.values import denied_targets
from tests.core.core_parts import IP_POLICY, plan_options, policy, target

OURS = policy()
TYPES = {
    OURS.id: OURS.type,
    IP_POLICY.id: IP_POLICY.type,
    "p-egress": "egress_firewall",
    "p-remote": "remote_cluster",
}
OPT_INS: dict[str, tuple[PlanOptions, dict[str, str]]] = {
    "setting, all": (plan_options(last_policy_allowed=frozenset({"*"})), {}),
    "setting, id": (plan_options(last_policy_allowed=frozenset({"d1"})), {}),
    "setting, name": (plan_options(last_policy_allowed=frozenset({"orders"})), {}),
    "tag": (plan_options(), {LAST_POLICY_TAG: "allow"}),
    "tag in capitals": (plan_options(), {LAST_POLICY_TAG: " Allow "}),
}


def judged(*found: Target, options: PlanOptions | None = None, types: dict[str, str] | None = None) -> str:
    """The reason why it stays, or empty when it is taken away."""
    step = plan_disassociation("d1", OURS.id, found, TYPES if types is None else types, options or plan_options())
    if isinstance(step, Disassociate):
        assert (step.policy_id, step.target_id) == (OURS.id, "d1")
        return ""
    assert isinstance(step, Explanation)
    assert "d1" in step.message
    assert step.next_step
    return step.reason


@pytest.mark.parametrize(
    ("attached", "stays"),
    [
        ((OURS.id, IP_POLICY.id), False),
        ((IP_POLICY.id,), False),
        ((OURS.id,), True),
        ((), True),
        (None, True),
        ((OURS.id, "p-egress", "p-remote"), True),
        ((OURS.id, "p-unseen"), True),
        ((OURS.id, OURS.id), True),
    ],
    ids=["another", "gone meanwhile", "last", "none listed", "unknown", "closes nothing", "unseen", "listed twice"],
)
def test_only_another_policy_that_closes_the_deployment_lets_ours_go(
    attached: tuple[str, ...] | None, stays: bool
) -> None:
    assert judged(target(attached=attached)) == ("WouldReopenPublicAccess" if stays else "")


@pytest.mark.parametrize("type_", sorted(INGRESS_TYPES))
def test_every_type_of_policy_that_restricts_who_may_connect_protects(type_: str) -> None:
    types = TYPES | {IP_POLICY.id: type_}
    assert judged(target(attached=(OURS.id, IP_POLICY.id)), types=types) == ""
    assert protected_without(OURS.id, (IP_POLICY.id,), types)


def test_a_deployment_that_the_key_does_not_see_keeps_its_policy() -> None:
    assert judged() == "WouldReopenPublicAccess"
    assert judged(target("d2")) == "WouldReopenPublicAccess"


@pytest.mark.parametrize("opt_in", OPT_INS)
@pytest.mark.parametrize("attached", [(OURS.id,), (), None], ids=["last", "none listed", "unknown"])
def test_who_opts_in_may_have_the_last_one_taken_away(opt_in: str, attached: tuple[str, ...] | None) -> None:
    options, tags = OPT_INS[opt_in]
    found = target(attached=attached, tags=tags)
    assert judged(found, options=options) == ""
    step = plan_disassociation("d1", OURS.id, (found,), TYPES, options)
    assert isinstance(step, Disassociate)
    assert step.may_reopen, "the last look before it must not stop it again"


def test_without_an_opt_in_the_step_does_not_carry_one() -> None:
    step = plan_disassociation("d1", OURS.id, (target(attached=(OURS.id, IP_POLICY.id)),), TYPES, plan_options())
    assert step == Disassociate(OURS.id, "d1", "orders", may_reopen=False)


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        (plan_options(last_policy_allowed=frozenset({"d2", "order"})), {}),
        (plan_options(first_policy_allowed=frozenset({"*"})), {}),
        (plan_options(), {LAST_POLICY_TAG: "yes"}),
        (plan_options(), {LAST_POLICY_TAG: ""}),
        (plan_options(), {"elastic-privatelink-first-policy": "allow"}),
    ],
)
def test_nothing_else_is_an_opt_in(options: PlanOptions, tags: dict[str, str]) -> None:
    assert judged(target(attached=(OURS.id,), tags=tags), options=options) == "WouldReopenPublicAccess"


@pytest.mark.parametrize("opt_in", OPT_INS)
def test_hands_off_wins_over_every_opt_in(opt_in: str) -> None:
    options, tags = OPT_INS[opt_in]
    ignoring = target(attached=(OURS.id, IP_POLICY.id), tags=tags | {OPT_OUT_TAG: "ignore"})
    assert judged(ignoring, options=options) == "DeploymentOptedOut"
    denying = plan_options(
        last_policy_allowed=options.targets.last_policy_allowed, deployments_denied=denied_targets("d1")
    )
    assert judged(target(attached=(OURS.id, IP_POLICY.id), tags=tags), options=denying) == "DeploymentOutOfScope"
