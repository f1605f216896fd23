"""The claim: made only where asked for, given up only where ours, one at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from shared.core.model.ownership import Owner
from shared.core.model.record import ConnectionRecord
from shared.core.model.record_elastic import ClaimMemory
from shared.core.model.resources import Claim
from shared.core.model.steps import ClaimEndpoint, UnclaimEndpoint
from shared.core.planning.desired import CLAIM_TAG
from shared.core.planning.policy import ClaimPlan, plan_claim
from tests.core.core_parts import GUID, KNOWN, desired, plan_options

REGION = "azure-eastus2"
OLD_GUID = "00000000-0000-4000-8000-0000000000aa"
STANDING = Claim(REGION, "pe-search", GUID)
OLD = Claim(REGION, "pe-search", OLD_GUID)
MAKE, GIVE_UP = ClaimEndpoint(REGION, "pe-search", GUID), UnclaimEndpoint(REGION, "pe-search", GUID)
GIVE_UP_OLD = UnclaimEndpoint(REGION, "pe-search", OLD_GUID)


def remembered(owner: Owner | None, guid: str = GUID) -> ConnectionRecord:
    return KNOWN.with_elastic(claim=ClaimMemory(REGION, "pe-search", guid, owner) if owner else None)


def planned(*, wanted: bool, claims: tuple[Claim, ...] | None, record: ConnectionRecord = KNOWN) -> ClaimPlan:
    return plan_claim(desired(options=plan_options(claim=wanted)), claims, record)


def after(
    found: ClaimPlan, claims: tuple[Claim, ...], record: ConnectionRecord
) -> tuple[tuple[Claim, ...], ConnectionRecord]:
    """What is claimed, and remembered, once the step is done."""
    record = record.with_elastic(claim=found.memory)
    assert len(found.steps) <= 1
    for step in found.steps:
        mine = Claim(step.region, step.endpoint_name, step.endpoint_guid)
        if isinstance(step, ClaimEndpoint):
            assert mine not in claims
            memory = ClaimMemory(mine.region, mine.endpoint_name, mine.endpoint_guid, Owner.OURS)
            claims, record = (*claims, mine), record.with_elastic(claim=memory)
        else:
            assert record.elastic.claim is not None
            assert (record.elastic.claim.owner, record.elastic.claim.guid) == (Owner.OURS, step.endpoint_guid), (
                "only ours is given up"
            )
            claims, record = tuple(one for one in claims if one != mine), record.with_elastic(claim=None)
    return claims, record


@pytest.mark.parametrize(
    ("wanted", "claims", "owner", "step", "reason", "kept"),
    [
        (False, (), None, None, "", None),
        (False, (STANDING,), None, None, "", None),
        (False, (STANDING,), Owner.ADOPTED, None, "", None),
        (False, (STANDING,), Owner.OURS, GIVE_UP, "", Owner.OURS),
        (False, (), Owner.OURS, GIVE_UP, "", Owner.OURS),
        (True, (), None, MAKE, "Missing", None),
        (True, (), Owner.OURS, MAKE, "Missing", Owner.OURS),
        (True, (STANDING,), None, None, "Claimed", Owner.ADOPTED),
        (True, (STANDING,), Owner.OURS, None, "Claimed", Owner.OURS),
        (True, (STANDING,), Owner.ADOPTED, None, "Claimed", Owner.ADOPTED),
        (True, (replace(STANDING, endpoint_guid=GUID.upper()),), None, None, "Claimed", Owner.ADOPTED),
    ],
)
def test_a_claim_is_made_where_asked_for_and_given_up_where_ours(
    wanted: bool, claims: tuple[Claim, ...], owner: Owner | None, step: object, reason: str, kept: Owner | None
) -> None:
    found = planned(wanted=wanted, claims=claims, record=remembered(owner))
    assert found.steps == ((step,) if step else ())
    assert [condition.reason for condition in found.conditions] == ([reason] if reason else [])
    assert (found.memory.owner if found.memory else None) == kept


@pytest.mark.parametrize("wanted", [True, False])
def test_claims_that_were_not_read_change_nothing(wanted: bool) -> None:
    record = remembered(Owner.OURS)
    found = planned(wanted=wanted, claims=None, record=record)
    assert (found.steps, found.memory) == ((), record.elastic.claim)
    assert [condition.reason for condition in found.conditions] == (["NotObserved"] if wanted else [])


def test_of_an_endpoint_made_anew_the_old_claim_is_given_up_before_the_new_one_is_made() -> None:
    record, claims = remembered(Owner.OURS, OLD_GUID), (OLD,)
    done = []
    for _ in range(3):
        found = planned(wanted=True, claims=claims, record=record)
        done += found.steps
        claims, record = after(found, claims, record)
    assert done == [GIVE_UP_OLD, MAKE]
    assert claims == (STANDING,)


def test_a_claim_that_others_made_for_the_former_endpoint_stays() -> None:
    found = planned(wanted=True, claims=(OLD,), record=remembered(Owner.ADOPTED, OLD_GUID))
    assert (found.steps, found.memory) == ((MAKE,), None)


@pytest.mark.parametrize(
    ("tag", "setting", "wanted"),
    [
        ("", False, False),
        ("", True, True),
        ("true", False, True),
        (" TRUE ", False, True),
        ("false", True, False),
        ("perhaps", False, False),
        ("perhaps", True, True),
    ],
)
def test_the_endpoints_tag_goes_before_the_setting_if_it_is_one_of_its_two_words(
    tag: str, setting: bool, wanted: bool
) -> None:
    assert desired(tags={CLAIM_TAG: tag}, options=plan_options(claim=setting)).claim == wanted


def test_in_every_case_the_steps_lead_to_what_is_wanted_and_never_to_a_claim_of_others() -> None:
    owners = (None, Owner.OURS, Owner.ADOPTED)
    for wanted, standing, guid, owner in product((True, False), ((), (STANDING,), (OLD,)), (GUID, OLD_GUID), owners):
        claims: tuple[Claim, ...] = (*standing, Claim(REGION, "pe-other", "c" * 8))
        record, theirs = remembered(owner, guid), [] if owner is Owner.OURS else list(standing)
        for _ in range(3):
            claims, record = after(planned(wanted=wanted, claims=claims, record=record), claims, record)
        assert planned(wanted=wanted, claims=claims, record=record).steps == ()
        assert all(claim in claims for claim in (*theirs, Claim(REGION, "pe-other", "c" * 8)))
        assert not wanted or STANDING in claims
        if owner is Owner.OURS:
            mine = STANDING if guid == GUID else OLD
            assert (mine in claims) == (wanted and mine == STANDING), (wanted, standing, guid)
