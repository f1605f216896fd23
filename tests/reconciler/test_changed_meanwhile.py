"""What a person changes in the middle of a removal or a disassociation: read again just before, it is left to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.arm.model import RecordSet
from tests.harness.changing import THEIRS, attached, connected, policy_of, swept, the, wish
from tests.harness.estate import Estate
from tests.harness.leaving import OFFICE, everything
from tests.harness.wire import Call, Edited, Outcome

GRACE = 600.0


def just_before(estate: Estate, what: str, act: Callable[[], None], *, nth: int = 1) -> None:
    """Let a person act just before the worker's `nth` call that begins so and has that in it is sent."""
    begins, holds = what.split(" ... ")
    seen = 0

    def wire(call: Call) -> Outcome:
        nonlocal seen
        path = call.what.split("?")[0]
        if path.startswith(begins) and holds in path:
            seen += 1
            if seen == nth:
                act()
        return None

    estate.worker = estate.new_worker(wire)


async def removed(estate: Estate, endpoint: str) -> str:
    await estate.delete(endpoint)
    await estate.settle(3 * GRACE)
    condition = (await estate.connection(endpoint)).condition("Removed")
    assert condition is not None
    return condition.reason


# -- policies ------------------------------------------------------------------------------------------------------


async def test_a_policy_that_a_person_takes_over_in_the_middle_of_a_removal_stays(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)

    def take_over() -> None:
        policy.description = "ours by now"

    just_before(estate, "DELETE ... ", take_over)
    assert await removed(estate, endpoint) == "LeftBehind"
    assert everything(estate) == ["policy pe-1"]
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office"], "that association was the app's"


async def test_a_policy_that_admits_others_just_before_it_is_deleted_stays(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    just_before(estate, "DELETE ... ", lambda: policy.rules.append(dict(THEIRS)))
    assert await removed(estate, endpoint) == "LeftBehind"
    assert everything(estate) == ["policy pe-1"]


@pytest.mark.parametrize("removal", [True, False])
async def test_a_rule_that_is_added_just_before_a_disassociation_is_not_cut_off(
    estate: Estate, *, removal: bool
) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    # The last look is at what else keeps the target closed: an open deployment is worse than a rule cut off.
    just_before(estate, f"GET ... /rulesets/{policy.id}", lambda: policy.rules.append(dict(THEIRS)))
    if removal:
        assert await removed(estate, endpoint) == "LeftBehind"
    else:
        wish(estate, endpoint)
        await swept(estate)
        assert await estate.reason(endpoint, "Associated") == "PolicyAdmitsOthers"
    assert len(policy.rules) == 2, "it was added in time"
    assert attached(estate, "logs-eastus2") == ["logs-eastus2-office", "pe-1"]


async def test_a_policy_left_behind_that_is_applied_by_default_is_told_first(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    policy.include_by_default = True
    policy.rules.append(dict(THEIRS))
    assert await removed(estate, endpoint) == "LeftBehind"
    condition = (await estate.connection(endpoint)).condition("Removed")
    assert condition is not None
    assert condition.message.startswith(f"Policy {policy.id} (pe-1), which is left, is applied by default: every new")


async def test_a_policy_applied_by_default_that_goes_is_not_told_of(estate: Estate) -> None:
    endpoint = await connected(estate)
    policy_of(estate, endpoint).include_by_default = True
    zone = estate.zone()
    theirs = RecordSet(type="A", name="theirs", etag="e-1", ttl=60, records={"aRecords": [{"ipv4Address": "10.9.9.9"}]})
    zone.record_sets["A", "theirs"] = theirs
    assert await removed(estate, endpoint) == "LeftBehind"
    condition = (await estate.connection(endpoint)).condition("Removed")
    assert condition is not None
    assert condition.message.startswith("What could be removed is. Left: "), "that the zone stays is all"


# -- zones ---------------------------------------------------------------------------------------------------------


LINK = "DELETE ... /virtualNetworkLinks/"


@pytest.mark.parametrize(
    ("call", "nth", "links"),
    [("DELETE ... /A/*", 1, 2), (LINK, 1, 1), (LINK, 2, 0)],
    ids=["record", "link", "last link"],
)
async def test_a_record_set_that_is_added_while_the_zone_is_taken_down_stays_with_it(
    estate: Estate, call: str, nth: int, links: int
) -> None:
    """The zone's ETag does not change by it: the zone is read once more before each of its things goes."""
    endpoint = await connected(estate)
    zone = estate.zone()
    theirs = RecordSet(type="A", name="theirs", etag="e-1", ttl=60, records={"aRecords": [{"ipv4Address": "10.9.9.9"}]})
    just_before(estate, call, lambda: zone.record_sets.__setitem__(("A", "theirs"), theirs), nth=nth)
    assert await removed(estate, endpoint) == "LeftBehind"
    assert estate.zone().a_record("theirs") == ["10.9.9.9"]
    assert len(estate.links_of(estate.zone())) == links


@pytest.mark.parametrize("removal", [True, False])
async def test_the_last_look_before_a_disassociation_is_at_the_targets_other_policies(
    estate: Estate, *, removal: bool
) -> None:
    """A person takes the other policy away between the looks: ours is the last one then, and stays (S2)."""
    endpoint = await connected(estate)
    policy = policy_of(estate, endpoint)
    office = next(one for one in estate.elastic.rulesets() if one.name == OFFICE)
    target = the(estate, "logs-eastus2").id
    just_before(estate, f"GET ... /rulesets/{policy.id}", lambda: estate.elastic.disassociate(office.id, target))
    if removal:
        assert await removed(estate, endpoint) == "WouldReopenPublicAccess"
    else:
        wish(estate, endpoint)
        await swept(estate)
    assert attached(estate, "logs-eastus2") == ["pe-1"]


async def test_a_list_that_lacks_our_policy_does_not_make_the_app_forget_its_association(estate: Estate) -> None:
    endpoint = await connected(estate)
    short = [Edited("short", lambda _: b'{"rulesets": []}')]

    def wire(call: Call) -> Outcome:
        return short.pop() if short and "/associations/deployment/" in call.what else None

    wish(estate, endpoint)
    estate.worker = estate.new_worker(wire)
    await swept(estate)
    assert not short
    assert attached(estate, "logs-eastus2") == [OFFICE]
