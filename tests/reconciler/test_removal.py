"""An endpoint that goes: believed with care, after a grace period, in order, and only what was made for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.arm import FaultResponse
from tests.harness.estate import Estate, arm_error
from tests.harness.leaving import GRACE, OFFICE, connected, everything, removals, removed_reason, work_for

pytestmark = pytest.mark.both_families

# -- the way it goes -----------------------------------------------------------------------------------------------


async def test_after_a_delete_event_and_the_grace_period_all_is_taken_away_in_order(estate: Estate) -> None:
    endpoint = await connected(estate)
    assert everything(estate)
    await estate.delete(endpoint)
    await estate.settle(60)
    await estate.clock.sleep(GRACE - 120)
    await estate.settle(1)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    assert await removed_reason(estate, endpoint) == "GracePeriod"
    assert removals(estate) == []
    await estate.settle(120)
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await removed_reason(estate, endpoint)) == ("Removed", "Removed")
    assert removals(estate) == ["association", "policy", "record", "link", "link", "zone"]
    assert everything(estate) == []
    assert (connection.dns.zone, connection.dns.links, connection.dns.record, connection.elastic.policy.id) == (
        None,
        (),
        None,
        "",
    )
    assert not estate.queue.messages
    (deployment,) = [one for one in estate.elastic.deployments() if one.name == "logs-eastus2"]
    assert [policy.name for policy in estate.elastic.attached(deployment.id)] == [OFFICE]


async def test_without_events_two_sweeps_must_miss_it_and_a_message_counts_once(estate: Estate) -> None:
    endpoint = await connected(estate)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await estate.sweep()
    (message,) = estate.queue.messages
    await estate.queue.send(message.text)
    await estate.settle(100)
    connection = await estate.connection(endpoint)
    assert (connection.removal.missed, connection.status.phase, connection.removal.removing_since) == (
        1,
        "Degraded",
        None,
    )
    assert await estate.reason(endpoint, "Recognised") == "EndpointMissing"
    await work_for(estate, 300)
    await estate.sweep()
    await estate.settle(100)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    assert removals(estate) == []
    await estate.settle(GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert everything(estate) == []


async def test_a_connection_that_goes_on_looking_by_itself_is_missed_by_the_sweeps_all_the_same(estate: Estate) -> None:
    """Its own looks, once a minute, come between two sweeps, and count as none."""
    endpoint = await connected(estate)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await estate.sweep()
    await estate.settle(300)
    assert (await estate.connection(endpoint)).removal.missed == 1
    assert (await estate.sweep()).enqueued == 1
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert everything(estate) == []


@pytest.mark.of_deployments  # it is claimed
async def test_what_is_only_observed_and_had_something_to_do_is_missed_too(estate: Estate) -> None:
    """What was planned while the endpoint was there is not what is planned now that it is gone."""
    endpoint = await connected(estate)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags |= {"elastic-privatelink": "observe", "elastic-privatelink-claim": "true"}
    await estate.send(endpoint)
    await estate.settle()
    assert (await estate.connection(endpoint)).status.planned
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    for _ in range(4):
        await estate.sweep()
        await estate.settle(300)
        await estate.clock.sleep(300)
    assert await removed_reason(estate, endpoint) == "RemovalUndecided"
    assert any("delete policy" in step for step in (await estate.connection(endpoint)).status.planned)
    assert removals(estate) == []


async def test_what_is_only_observed_and_had_nothing_made_for_it_is_done_with(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(tags={"elastic-privatelink": "observe"})
    await estate.settle()
    await estate.delete(endpoint)
    await estate.settle(60)
    for _ in range(3):
        await estate.clock.sleep(GRACE)
        await estate.sweep()
        await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert (await estate.sweep()).enqueued == 0


async def test_an_endpoint_made_again_within_the_grace_period_keeps_its_policy_and_record(estate: Estate) -> None:
    endpoint = await connected(estate)
    before = (await estate.connection(endpoint)).elastic.policy.id
    await estate.delete(endpoint)
    await estate.settle(60)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert (connection.elastic.policy.id, connection.removal.removing_since, connection.removal.missed) == (
        before,
        None,
        0,
    )
    (policy,) = estate.policies_of(endpoint)
    assert policy.id == before
    assert [event.what for event in estate.elastic.history if event.ruleset_id == before].count("created") == 1
    assert removals(estate) == []
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert estate.zone().a_record("*") == [connection.identity.address]


# -- what is believed ----------------------------------------------------------------------------------------------


@contextmanager
def listing_answers(estate: Estate, answer: FaultResponse) -> Iterator[None]:
    """Every listing of private endpoints is answered so."""

    def fault(request: Any) -> FaultResponse | None:
        listing = request.method == "GET" and request.path.lower().endswith("/privateendpoints")
        return answer if listing else None

    estate.arm.faults.append(fault)
    yield
    estate.arm.faults.remove(fault)


@pytest.mark.parametrize(
    "answer",
    [
        arm_error(403, "AuthorizationFailed", "The client does not have authorization to perform action."),
        arm_error(429, "TooManyRequests"),
        arm_error(404, "SubscriptionNotFound"),
        arm_error(500, "InternalServerError"),
        FaultResponse(200, {"value": None}, {}),
        FaultResponse(200, {}, {}),
    ],
    ids=["forbidden", "throttled", "subscription gone", "failing", "no list", "empty object"],
)
async def test_a_listing_that_cannot_be_believed_removes_nothing(estate: Estate, answer: FaultResponse) -> None:
    endpoint = await connected(estate)
    with listing_answers(estate, answer):
        for _ in range(3):
            await estate.sweep()
            await estate.settle(300)
    connection = await estate.connection(endpoint)
    assert (connection.removal.missed, connection.removal.removing_since) == (0, None)
    assert removals(estate) == []


async def test_a_listing_that_breaks_off_removes_nothing(estate: Estate) -> None:
    """The second page never comes."""
    endpoint = await connected(estate)
    await connected(estate, "pe-2", region="westeurope")
    estate.arm_settings.page_size = 1

    pages = 0

    def fault(request: Any) -> FaultResponse | None:
        nonlocal pages
        if request.operation != "LIST privateEndpoint":
            return None
        pages += 1
        return None if pages % 2 else arm_error(503, "ServiceUnavailable")

    estate.arm.faults.append(fault)
    for _ in range(3):
        await estate.sweep()
        await estate.settle(300)
    assert pages >= 6
    assert (await estate.connection(endpoint)).removal.missed == 0
    assert removals(estate) == []


async def test_a_listing_that_leaves_an_endpoint_out_is_not_believed_against_the_endpoint_itself(
    estate: Estate,
) -> None:
    endpoint = await connected(estate)
    with listing_answers(estate, FaultResponse(200, {"value": []}, {})):
        for _ in range(3):
            await estate.sweep()
            await estate.settle(300)
    await estate.ready(endpoint)
    assert removals(estate) == []


async def test_a_right_to_read_the_endpoint_that_is_lost_removes_nothing(estate: Estate) -> None:
    endpoint = await connected(estate)

    def fault(request: Any) -> FaultResponse | None:
        return arm_error(403, "AuthorizationFailed") if "privateendpoints" in request.path.lower() else None

    estate.arm.faults.append(fault)
    await estate.send(endpoint, "event-delete")
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).removal.removing_since is None
    assert removals(estate) == []
