"""What runs of a burst read of Elastic Cloud for each other, and what each of them reads for itself all the same."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness.estate import Estate
from tests.reconciler.safety_parts import asks_for, attached, the

pytestmark = pytest.mark.both_families

LISTS = {"list rulesets": 1, "list serverless filters": 2}
"""How many requests read all policies."""
REGIONS = ("eastus2", "westeurope", "japaneast")


async def told(estate: Estate, number: int) -> None:
    """Wait until events have told of so many endpoints, and Azure has all of them."""
    while len(estate.queue.messages) < number:
        await estate.clock.sleep(0.1)
    await estate.clock.sleep(10)


async def next_run(estate: Estate) -> None:
    message = estate.queue.receive()
    assert message is not None
    await estate.handle(message)


def lists(estate: Estate) -> int:
    """How often all policies were read."""
    asked = [one.operation for one in estate.elastic.requests if one.operation in LISTS]
    return 0 if not asked else len(asked) // LISTS[asked[0]]


async def test_endpoints_that_come_together_are_read_for_together() -> None:
    estate = await Estate().open()
    endpoints = [await estate.put_endpoint(f"pe-{region}", region=region) for region in REGIONS]
    await told(estate, len(endpoints))
    estate.elastic.requests.clear()
    await asyncio.gather(*(next_run(estate) for _ in endpoints))
    assert lists(estate) == 1
    await estate.settle()
    for endpoint in endpoints:
        await estate.ready(endpoint)


async def test_the_other_connections_are_read_once_for_a_burst_on_a_new_installation() -> None:
    """Whether they have policies of another key: read for each of a thousand, that would be a million records."""
    estate = await Estate().open()
    for region in REGIONS:
        await estate.put_endpoint(f"pe-{region}", region=region)
    await told(estate, len(REGIONS))
    await asyncio.gather(*(next_run(estate) for _ in REGIONS))
    listed = [call for call in estate.worker.wire.calls if (call.service, call.what) == ("connections", "list")]
    assert len(listed) == 1


@pytest.mark.of_deployments
async def test_a_policy_that_was_attached_since_the_shared_list_is_known_before_anything_is_said() -> None:
    """By the list alone the target would have no policy that counts, and ours would be its first (S1)."""
    estate = await Estate().open()
    await estate.put_endpoint("pe-other", region="westeurope")
    endpoint = await estate.put_endpoint(tags=asks_for("search-eastus2"))
    await told(estate, 2)
    estate.elastic.requests.clear()
    other = asyncio.create_task(next_run(estate))
    await estate.clock.sleep(0.5)
    assert lists(estate) == 1, "by the run that is under way"
    target = the(estate, "search-eastus2")
    estate.elastic.add_policy("office", "eastus2", deployments=[target.id])
    await asyncio.gather(other, next_run(estate))
    assert await estate.reason(endpoint, "Associated") == "AwaitingApproval"
    await estate.settle()
    await estate.ready(endpoint)
    assert attached(estate, target) == ["office", "pe-1"]


async def test_a_connection_that_has_associations_rests_on_no_other_runs_list() -> None:
    """What was made or taken away since that list was begun would look as if others had done it."""
    estate = await Estate().open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    estate.elastic.requests.clear()
    for number in (1, 2):
        await estate.send(endpoint, "timer")
        await next_run(estate)
        assert lists(estate) == number
