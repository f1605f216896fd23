"""What carries no marker, claims and associations: whose it is survives crashes, lags and other people's policies."""

from __future__ import annotations

import pytest

from shared.core.connection import Owner
from tests.harness.estate import Estate
from tests.harness.outcome import At
from tests.harness.wire import Fault

CLAIM = "elastic POST /api/v1/deployments/traffic-filter/link-ids/_claim"


async def test_an_association_that_is_listed_late_is_nobodys_doing(estate: Estate) -> None:
    """Looked at again and again while Elastic Cloud does not list it yet, it is not taken for a fight."""
    estate.elastic_settings.association_lag_seconds = 50
    await estate.clock.sleep(3600)  # what was there before is listed
    endpoint = await estate.put_endpoint()
    for _ in range(40):
        await estate.settle(5)
        await estate.send(endpoint, "event-write")
    await estate.settle()
    (association,) = (await estate.ready(endpoint)).associations
    assert (association.owner, association.taken) == (Owner.OURS, ())


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOSE_ANSWER])
async def test_a_claim_is_ours_whenever_the_worker_dies_and_goes_with_the_endpoint(fault: Fault) -> None:
    estate = await Estate(settings={"ELASTIC_CLAIM": "true"}).open()
    at = At(CLAIM, 1, fault)
    endpoint = await estate.put_endpoint()
    estate.worker = estate.new_worker(at)
    await estate.settle()
    assert at.met
    connection = await estate.ready(endpoint)
    assert connection.claim is not None
    assert connection.claim.owner is Owner.OURS
    assert len(estate.elastic.claims()) == 1
    await estate.delete(endpoint)
    await estate.settle()
    assert estate.elastic.claims() == []


async def test_who_puts_a_policy_of_their_own_in_place_of_ours_keeps_it(estate: Estate) -> None:
    """Even when the endpoint no longer asks for the deployment, and when it is gone."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    (ours,) = estate.policies_of(endpoint)
    deployment = next(one for one in estate.elastic.deployments() if one.name == "logs-eastus2")
    rules = [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": next(iter(ours.guids))}]
    theirs = estate.elastic.attach_policy("by hand", "eastus2", rules, deployment.id)
    estate.elastic._filters.disassociate(ours.id, "deployment", deployment.id)
    for _ in range(2):
        await estate.sweep()
        await estate.settle()
    assert theirs in estate.elastic.attached(deployment.id)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags.clear()
    await estate.sweep()
    await estate.settle()
    assert theirs in estate.elastic.attached(deployment.id)
    await estate.delete(endpoint)
    await estate.settle()
    assert theirs in estate.elastic.attached(deployment.id)
    assert ours not in estate.elastic.rulesets()


async def test_what_we_associated_with_somebodys_policy_is_taken_away_with_the_endpoint(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(tags={})
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    named = {one.name: one for one in estate.elastic.deployments()}
    first, second = named["logs-eastus2"], named["search-eastus2"]
    rules = [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": found.resource_guid}]
    theirs = estate.elastic.attach_policy("by hand", "eastus2", rules, second.id)
    await estate.settle()
    found.tags["elastic-deployments"] = first.id
    await estate.send(endpoint)
    await estate.settle()
    assert theirs in estate.elastic.attached(first.id)
    await estate.delete(endpoint)
    await estate.settle()
    assert theirs not in estate.elastic.attached(first.id)
    assert theirs in estate.elastic.attached(second.id)
