"""An API key is exchanged for another organization's: nothing that stands is touched; the right key makes all well."""

from __future__ import annotations

from local.world import SECOND_API_KEY
from tests.harness.estate import Estate
from tests.harness.leaving import connected, work_for
from tests.harness.outcome import end_state


async def both() -> tuple[Estate, str]:
    """A connection of the one organization the app knows; another one's key is at hand."""
    estate = await Estate(second_scope="group:rg-nothing").open()
    estate.worker = estate.new_worker(**ONE)
    endpoint = await connected(estate)
    return estate, endpoint


ONE = {"ELASTIC_ORGANIZATIONS": "", "EC_API_KEY_SECOND": "", "ELASTIC_SCOPE_SECOND": ""}


async def sweeps(estate: Estate, times: int) -> None:
    for _ in range(times):
        await estate.sweep()
        await work_for(estate, 900)


async def test_what_stands_stays_and_the_right_key_makes_all_well() -> None:
    estate, endpoint = await both()
    before = end_state(estate, endpoint)
    changes = len(estate.elastic.history)
    estate.worker = estate.new_worker(EC_API_KEY=SECOND_API_KEY, **ONE)
    await sweeps(estate, 8)
    assert end_state(estate, endpoint) == before
    assert len(estate.elastic.history) == changes
    assert estate.policies_of(endpoint, estate.second) == [], "nothing is made in the other organization"
    record = await estate.connection(endpoint)
    policy = record.condition("PolicyReady")
    assert policy is not None
    assert (record.status.phase, policy.reason) == ("Blocked", "OtherOrganizationsKey")
    assert record.elastic.policy.id in policy.message
    assert "forget-target" in policy.next_step
    assert (await estate.sweep(estate.worker)).enqueued == 0, "it waits for a person, or for a change"
    estate.worker = estate.new_worker(**ONE)
    await sweeps(estate, 3)
    await estate.ready(endpoint)
    assert end_state(estate, endpoint) == before
    assert (await estate.connection(endpoint)).elastic.policy.id == record.elastic.policy.id
    assert len(estate.elastic.history) == changes, "it is as it was"


NO_TARGET = {"tags": {}}


async def test_without_any_association_nothing_is_made_in_the_other_organization_either() -> None:
    """Of one policy that is not there a person may have deleted it; of all of them it is the key."""
    estate = await Estate(second_scope="group:rg-nothing").open()
    estate.worker = estate.new_worker(**ONE)
    endpoints = [
        await connected(estate, f"pe-{region}", region=region, **NO_TARGET) for region in ("eastus2", "uksouth")
    ]
    before, theirs = [estate.policies_of(one) for one in endpoints], estate.second.rulesets()
    changes = len(estate.elastic.history)
    estate.worker = estate.new_worker(EC_API_KEY=SECOND_API_KEY, **ONE)
    await sweeps(estate, 4)
    new = await estate.put_endpoint("pe-new", region="japaneast", **NO_TARGET)
    await work_for(estate, 900)
    assert estate.second.rulesets() == theirs, "nothing is made in the other organization"
    assert len(estate.elastic.history) == changes
    for endpoint in (*endpoints, new):
        refused = (await estate.connection(endpoint)).condition("PolicyReady")
        assert refused is not None
        assert refused.reason == "OtherOrganizationsKey"
        assert "re-run the connection" in refused.next_step
    await sweeps(estate, 1)  # each is looked at once an hour
    assert (await estate.sweep(estate.worker)).enqueued == 0, "it waits for a person, or for a change"
    estate.worker = estate.new_worker(**ONE)
    await estate.clock.sleep(3600)
    await sweeps(estate, 3)
    for endpoint in (*endpoints, new):
        await estate.ready(endpoint)
    assert [estate.policies_of(one) for one in endpoints] == before


async def with_policies_deleted(**settings: str) -> tuple[Estate, list[str]]:
    """Two connections without associations; a person deletes both policies, and the key may be a new one by then."""
    estate = await Estate().open()
    endpoints = [
        await connected(estate, f"pe-{region}", region=region, **NO_TARGET) for region in ("eastus2", "uksouth")
    ]
    for endpoint in endpoints:
        (policy,) = estate.policies_of(endpoint)
        estate.elastic.delete_policy(policy.id)
    estate.worker = estate.new_worker(**settings)
    return estate, endpoints


async def test_with_the_same_key_policies_that_are_not_there_were_deleted_and_are_made_again() -> None:
    estate, endpoints = await with_policies_deleted()
    await sweeps(estate, 3)
    for endpoint in endpoints:
        await estate.ready(endpoint)


async def test_where_the_key_was_renewed_too_a_person_says_so_by_a_re_run() -> None:
    estate, endpoints = await with_policies_deleted(EC_API_KEY="renewed")
    estate.elastic.renew_key("renewed")
    await sweeps(estate, 3)
    assert [await estate.reason(one, "PolicyReady") for one in endpoints] == ["OtherOrganizationsKey"] * 2
    await estate.send(endpoints[0])
    await sweeps(estate, 2)
    for endpoint in endpoints:
        await estate.ready(endpoint)


async def test_a_renewed_key_that_shows_a_target_is_of_its_organization_and_policies_were_deleted() -> None:
    """One connection's target ends the doubt for all of the organization: its policy is there again."""
    estate, endpoints = await with_policies_deleted()
    other = await connected(estate, "pe-japaneast", region="japaneast")
    (policy,) = estate.policies_of(other)
    estate.elastic.delete_policy(policy.id)
    estate.elastic.renew_key("renewed")
    estate.worker = estate.new_worker(EC_API_KEY="renewed")
    await sweeps(estate, 3)
    for endpoint in (*endpoints, other):
        await estate.ready(endpoint)


async def test_a_single_policy_is_looked_for_with_the_key_that_made_it() -> None:
    estate = await Estate(second_scope="group:rg-nothing").open()
    estate.worker = estate.new_worker(**ONE)
    endpoint = await connected(estate, **NO_TARGET)
    theirs, policies = estate.second.rulesets(), estate.policies_of(endpoint)
    estate.worker = estate.new_worker(EC_API_KEY=SECOND_API_KEY, **ONE)
    await sweeps(estate, 3)
    assert await estate.reason(endpoint, "PolicyReady") == "OtherOrganizationsKey"
    await estate.delete(endpoint)
    await sweeps(estate, 3)
    assert await estate.reason(endpoint, "Removed") == "OtherOrganizationsKey", "its policy would stay for ever"
    assert estate.second.rulesets() == theirs
    assert policies[0] in estate.elastic.rulesets()
    estate.worker = estate.new_worker(**ONE)
    await estate.clock.sleep(3600)
    await sweeps(estate, 3)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert policies[0] not in estate.elastic.rulesets()


async def test_a_key_that_is_renewed_in_its_organization_changes_nothing(estate: Estate) -> None:
    endpoint = await connected(estate)
    estate.elastic.renew_key("renewed")
    estate.worker = estate.new_worker(EC_API_KEY="renewed")
    await estate.send(endpoint)
    await sweeps(estate, 2)
    (policy,) = estate.policies_of(endpoint)
    assert (await estate.ready(endpoint)).elastic.policy.id == policy.id
