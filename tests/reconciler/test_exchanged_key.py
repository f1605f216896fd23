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
