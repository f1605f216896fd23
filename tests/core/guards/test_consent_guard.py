"""Consent by a deployment's tags (S8), in full and by name alone; which names a deny list keeps away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.core.guards.consent import (
    CONNECT_TAG,
    ENDPOINTS_TAG,
    Consent,
    consent_problem,
    consent_to,
    entries_without_target,
    is_denied,
    rests_on_name,
)
from shared.core.model.arm_ids import connection_id, in_subscription, parse_arm_id, same_id
from shared.core.model.ownership import Owner
from shared.core.model.record_elastic import AssociationMemory
from shared.core.model.services import Family
from shared.core.options.values import denied_targets, targets
from shared.core.planning.wishes import choose_targets
from tests.core.core_parts import ENDPOINT_ID, KNOWN, desired, plan_options, target

ENDPOINT = parse_arm_id(ENDPOINT_ID)
NAMESAKE = in_subscription(ENDPOINT, "00000000-0000-4000-8000-0000000000aa").text
OPTIONS = plan_options()
KELVIN = "\u212a"
BY_NAME = {ENDPOINTS_TAG: "net-prod/pe-search"}


def consent(**tags: str) -> Consent:
    return consent_to(
        ENDPOINT, target(tags={ENDPOINTS_TAG + name.replace("_", "-"): tags[name] for name in tags}), OPTIONS
    )


# -- the ways to name an endpoint ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 3, 57, 99])
def test_the_tag_goes_on_in_numbered_ones(number: int) -> None:
    assert consent(**{"": "other", f"_{number}": f"x, {ENDPOINT.key}"}) is Consent.GIVEN
    assert consent(**{f"_{number}": connection_id(ENDPOINT_ID)}) is Consent.GIVEN


@pytest.mark.parametrize("suffix", ["_0", "_1", "_100", "_02", "_x", "_", "2"])
def test_no_other_tag_is_read(suffix: str) -> None:
    assert consent(**{suffix: "*"}) is Consent.NONE


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("allow", Consent.GIVEN),
        (f"0123456789abcdef_{connection_id(ENDPOINT_ID)}", Consent.GIVEN),
        ("0123456789abcdef", Consent.NONE),
        ("allowed", Consent.NONE),
    ],
)
@pytest.mark.parametrize("tag", [ENDPOINTS_TAG, CONNECT_TAG, f"{ENDPOINTS_TAG}-7"])
def test_a_project_consents_by_ids_that_are_joined_by_underscores(tag: str, value: str, found: Consent) -> None:
    """The values that a tag of a project takes; those of a deployment are read as before."""
    project = replace(target(tags={tag: value}), family=Family.SERVERLESS)
    assert consent_to(ENDPOINT, project, OPTIONS) is found
    assert consent_to(ENDPOINT, replace(project, family=Family.HOSTED), OPTIONS) is Consent.NONE


def test_as_many_endpoints_as_the_tags_hold_are_consented_to() -> None:
    """98 tags more, each with the seven connection ids that 128 characters hold."""
    ids = [connection_id(in_subscription(ENDPOINT, f"00000000-0000-4000-8000-{n:012}").text) for n in range(99 * 7)]
    values = [",".join(ids[at : at + 7]) for at in range(0, len(ids), 7)]
    assert max(map(len, values)) <= 128
    tags = {ENDPOINTS_TAG if n == 1 else f"{ENDPOINTS_TAG}-{n}": value for n, value in enumerate(values, 1)}
    assert max(map(len, tags)) <= 32
    deployment = target(tags=tags)
    for n in range(len(ids)):
        one = in_subscription(ENDPOINT, f"00000000-0000-4000-8000-{n:012}")
        assert consent_to(one, deployment, OPTIONS) is Consent.GIVEN


# -- by resource group and name alone ------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", [ENDPOINTS_TAG, CONNECT_TAG])
def test_a_name_counts_where_one_endpoint_has_it_and_else_both_are_named(tag: str) -> None:
    deployment = target(tags={tag: "Net-Prod/pe-search"})
    assert rests_on_name(ENDPOINT, [deployment], OPTIONS) == {deployment.id}
    assert consent_problem(ENDPOINT, deployment, OPTIONS, ()) is None
    problem = consent_problem(ENDPOINT, deployment, OPTIONS, (NAMESAKE,))
    assert problem is not None
    assert problem.reason == "ConsentAmbiguous"
    assert ENDPOINT_ID in problem.message
    assert NAMESAKE in problem.message
    assert f"{ENDPOINTS_TAG}={connection_id(ENDPOINT_ID)}" in problem.next_step


@pytest.mark.parametrize("strong", ["*", connection_id(ENDPOINT_ID), ENDPOINT_ID.upper()])
def test_who_is_named_without_doubt_needs_no_look_at_others(strong: str) -> None:
    deployment = target(tags={ENDPOINTS_TAG: f"net-prod/pe-search,{strong}"})
    assert rests_on_name(ENDPOINT, [deployment], OPTIONS) == set()
    assert consent_problem(ENDPOINT, deployment, OPTIONS, (NAMESAKE,)) is None


def test_what_stands_stays_when_its_consent_becomes_ambiguous() -> None:
    deployment = target(tags=BY_NAME, attached=("p-1",))
    record = KNOWN.with_elastic(associations=(AssociationMemory("d1", Owner.OURS),))
    (choice,) = choose_targets(desired("d1"), (deployment,), {}, {"d1"}, record, OPTIONS, (NAMESAKE,))
    assert choice.associated
    assert choice.target is not None, "it is still wanted: nothing is taken away"
    assert choice.problem is not None
    assert choice.problem.reason == "ConsentAmbiguous"
    assert "stays" in choice.problem.message


def test_the_advice_keeps_what_the_tags_name_and_goes_on_where_a_value_is_full() -> None:
    own, full = connection_id(ENDPOINT_ID), ",".join(["0123456789abcdef"] * 7)
    advised = {
        "": f"{ENDPOINTS_TAG}={own}",
        "other/pe": f"{ENDPOINTS_TAG}=other/pe,{own}",
        full: f"{ENDPOINTS_TAG}-2={own}",
    }
    for value, advice in advised.items():
        problem = consent_problem(ENDPOINT, target(tags={ENDPOINTS_TAG: value}), OPTIONS, ())
        assert problem is not None
        assert f"tag the deployment {advice}: in the Elastic Cloud console" in problem.next_step


# -- letters that only look like ASCII -----------------------------------------------------------------------------


def test_the_sign_for_kelvin_makes_no_id_equal_to_another() -> None:
    plain = parse_arm_id(ENDPOINT_ID.replace("pe-search", "pe-k"))
    odd = parse_arm_id(ENDPOINT_ID.replace("pe-search", f"pe-{KELVIN}"))
    assert not same_id(plain.text, odd.text)
    assert plain.key != odd.key
    assert connection_id(plain.text) != connection_id(odd.text)
    for tag in (plain.text, connection_id(plain.text), "net-prod/pe-k"):
        assert consent_to(odd, target(tags={ENDPOINTS_TAG: tag}), OPTIONS) is Consent.NONE
    assert consent_to(plain, target(tags={ENDPOINTS_TAG: odd.text}), OPTIONS) is Consent.NONE


@pytest.mark.parametrize("field", ["deployments_allowed", "first_policy_allowed", "last_policy_allowed"])
def test_a_setting_with_the_sign_for_kelvin_names_no_target_without_it(field: str) -> None:
    allowed = getattr(plan_options(**{field: targets(f"{KELVIN}1")}).targets, field)
    assert "k1" not in allowed
    assert "k1" in targets("K1")


def test_a_target_named_with_the_sign_for_kelvin_is_not_allowed_in_place_of_another() -> None:
    options = plan_options(deployments_allowed=targets("kiosk"))
    assert consent_to(ENDPOINT, target(name="Kiosk"), options) is Consent.GIVEN
    assert consent_to(ENDPOINT, target(name=f"{KELVIN}iosk"), options) is Consent.NONE


# -- what is denied ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("prod, eu", "prod, eu"),
        ("prod,eu", "prod, eu"),
        ("logs,Prod, EU ,d9", "prod, eu"),
        ("a,b,c", "a,b,c"),
        ("a,b,c", "b,c"),
        ("prod", "PROD"),
        ("kiosk", f"{KELVIN}iosk"),
        ("prod eu", "prod\u00a0eu"),
        ("stra\u00dfe", "STRASSE"),
        ("*", "anything"),
        ("d1", "renamed"),
    ],
)
def test_a_target_is_denied_by_its_id_its_name_and_a_name_with_commas(setting: str, name: str) -> None:
    assert is_denied(target(name=name), plan_options(deployments_denied=denied_targets(setting)))


@pytest.mark.parametrize(
    ("setting", "name"),
    [("prod, eu", "prod, e"), ("xprod, eu", "prod, eu"), ("prod, us, eu", "prod, eu"), ("", ","), ("d2", "orders")],
)
def test_a_target_that_is_not_named_whole_is_not_denied(setting: str, name: str) -> None:
    assert not is_denied(target(name=name), plan_options(deployments_denied=denied_targets(setting)))


def test_the_id_of_another_target_is_not_denied_by_the_sign_for_kelvin() -> None:
    options = plan_options(deployments_denied=denied_targets(f"{KELVIN}1"))
    assert not is_denied(replace(target(name="orders"), id="k1"), options)


def test_entries_that_deny_nothing_are_told() -> None:
    options = plan_options(deployments_denied=denied_targets("prod, eu, gone, d1, *, Orders"))
    seen = [target(), target("d2", name="prod, eu")]
    assert entries_without_target(seen, options) == ("gone",)
    assert entries_without_target((), options) == ("d1", "eu", "gone", "orders", "prod")
