"""The timer: what events missed, what drifted, what was lost; and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.elastic.history import most_policies_at_once
from local.world import HUB_VNET, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.ownership import Owner
from tests.harness.estate import Estate
from tests.harness.outcome import end_state
from tests.sweep.sweep_parts import (
    DNS_API,
    a_ready_connection,
    delete_the_record,
    deployment_id,
    remove_the_association,
    writes,
)

# -- drift ---------------------------------------------------------------------------------------------------------


async def point_the_record_elsewhere(estate: Estate, _: str) -> None:
    """A person changed the addresses and left our marker."""
    metadata = estate.zone().record_sets["A", "*"].metadata
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.99.0.4"}], "metadata": metadata}}
    await estate.azure("PUT", f"{estate.zone().id}/A/*", body, api=DNS_API)


async def delete_the_networks_link(estate: Estate, _: str) -> None:
    (link,) = [link for link in estate.links_of(estate.zone()) if link.vnet.id == vnet_id("eastus2")]
    await estate.azure("DELETE", link.id, api=DNS_API)


async def delete_the_hubs_link(estate: Estate, _: str) -> None:
    (link,) = [link for link in estate.links_of(estate.zone()) if link.vnet.id == HUB_VNET]
    await estate.azure("DELETE", link.id, api=DNS_API)


async def delete_the_zone(estate: Estate, _: str) -> None:
    zone = estate.zone()
    for link in estate.links_of(zone):
        await estate.azure("DELETE", link.id, api=DNS_API)
    await estate.clock.sleep(10)
    await estate.azure("DELETE", zone.id, api=DNS_API)


async def delete_the_policy(estate: Estate, endpoint: str) -> None:
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.delete_policy(policy.id)


@pytest.mark.parametrize(
    "drift",
    [
        delete_the_record,
        point_the_record_elsewhere,
        delete_the_networks_link,
        delete_the_hubs_link,
        delete_the_zone,
        delete_the_policy,
        remove_the_association,
    ],
)
async def test_what_others_removed_is_restored_within_one_sweep(
    estate: Estate, drift: Callable[[Estate, str], Awaitable[None]]
) -> None:
    endpoint = await a_ready_connection(estate)
    before = end_state(estate, endpoint)
    await drift(estate, endpoint)
    await estate.clock.sleep(10)
    assert end_state(estate, endpoint) != before
    found = await estate.sweep()
    assert found.enqueued == 1
    await estate.settle()
    await estate.ready(endpoint)
    assert end_state(estate, endpoint) == before
    assert (await estate.sweep()).enqueued == 0
    endpoint_found = estate.arm.private_endpoint(endpoint)
    assert endpoint_found is not None
    assert most_policies_at_once(estate.elastic.history, endpoint_found.resource_guid) == 1


async def test_the_sweep_itself_changes_nothing_in_azure_or_elastic(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    for drift in (delete_the_record, delete_the_policy):
        await drift(estate, endpoint)
    estate.worker = estate.new_worker()
    assert (await estate.sweep()).enqueued == 1
    assert writes(estate) == []


async def test_in_a_healthy_estate_the_sweep_writes_nothing_and_asks_for_nothing(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    estate.worker = estate.new_worker()
    for _ in range(3):
        found = await estate.sweep()
        assert (found.endpoints, found.enqueued, found.probed, found.unhealthy, found.errors) == (1, 0, 1, 0, [])
        assert not estate.queue.messages
        await estate.clock.sleep(300)
    assert writes(estate) == []
    connection = await estate.connection(endpoint)
    assert estate.clock.now() - connection.health.summary.tested_at == timedelta(seconds=300), "the test is recorded"


async def test_a_verdict_that_changed_is_looked_into(estate: Estate) -> None:
    """Nothing drifted, but the endpoint's address does not answer any more."""
    endpoint = await a_ready_connection(estate)
    estate.network.broken.add((await estate.connection(endpoint)).identity.address)
    found = await estate.sweep()
    assert (found.probed, found.unhealthy, found.enqueued) == (1, 0, 0), "once is no news"
    found = await estate.sweep()
    assert (found.probed, found.unhealthy, found.enqueued) == (1, 1, 1)
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Degraded"
    estate.network.broken.clear()
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_what_waits_for_a_person_is_tested_all_the_same(estate: Estate) -> None:
    """A typo in the tag does not hide that the way to the deployment beside it breaks, and is mended."""
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2, lgos-eastus2"})
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await estate.reason(endpoint, "Reachable")) == ("Blocked", "Reachable")
    for broken, reason in ((True, "NoRouteAlthoughApproved"), (False, "Reachable")):
        await estate.network.break_way(connection.identity.address, broken=broken)
        found = [await estate.sweep() for _ in range(2)]
        assert [one.probed for one in found] == [1, 1]
        await estate.settle(30)
        assert await estate.reason(endpoint, "Reachable") == reason
        assert (await estate.connection(endpoint)).status.phase == "Blocked"


async def test_a_new_wish_of_the_endpoints_tag_is_found(estate: Estate) -> None:
    """Its event was lost."""
    endpoint = await a_ready_connection(estate)
    estate.elastic.add_deployment("more", "eastus2", ip_policy=True)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.tags["elastic-deployments"] = "logs-eastus2, more"
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    await estate.ready(endpoint)
    assert "pe-1" in [ruleset.name for ruleset in estate.elastic.attached(deployment_id(estate, "more"))]


async def test_an_endpoint_made_again_under_its_name_gets_its_own_policy(estate: Estate) -> None:
    """Both events were lost."""
    endpoint = await a_ready_connection(estate)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.clock.sleep(10)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    connection = await estate.ready(endpoint)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert connection.identity.guid == found.resource_guid
    assert len(estate.policies_of(endpoint)) == 1


# -- waiting, and what the tables lost -----------------------------------------------------------------------------


async def test_a_connection_that_will_look_again_by_itself_is_left_alone(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    assert (await estate.connection(endpoint)).status.phase == "AwaitingApproval"
    before = [message.text for message in estate.queue.messages]
    assert (await estate.sweep()).enqueued == 0
    assert [message.text for message in estate.queue.messages] == before


async def test_a_wake_up_that_never_came_is_taken_over(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 600
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    estate.queue.messages.clear()
    wake_at = (await estate.connection(endpoint)).schedule.wake_at
    assert wake_at is not None
    await estate.clock.sleep((wake_at - estate.clock.now()).total_seconds() + 119)
    assert (await estate.sweep()).enqueued == 0
    await estate.clock.sleep(2)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_message_of_the_sweep_that_meets_a_run_under_way_makes_nothing_twice(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    await delete_the_record(estate, endpoint)
    for _ in range(3):
        await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert [r.status for r in estate.arm.requests if r.operation == "PUT record"] == [201, 201]


@pytest.mark.parametrize("document", [{"schema": 1, "conditions": 7}, {"schema": 99}, {}])
async def test_a_damaged_record_is_reported_and_stops_nothing(estate: Estate, document: dict[str, Any]) -> None:
    damaged = await a_ready_connection(estate)
    healthy = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    row = await estate.storage.connections.get(connection_id(damaged))
    assert row is not None
    await estate.storage.connections.replace(replace(row, document=document))
    await delete_the_record_of(estate, "westeurope")
    found = await estate.sweep()
    assert len(found.errors) == 1
    assert "record" in found.errors[0]
    messages = [json.loads(message.text)["endpoint"] for message in estate.queue.messages]
    assert messages == [healthy], "what cannot be read would only end among the poisoned messages"
    await estate.settle()
    await estate.ready(healthy)
    assert not estate.queue.poison


async def delete_the_record_of(estate: Estate, region: str) -> None:
    await estate.azure("DELETE", f"{estate.zone(region).id}/A/*", api=DNS_API)


async def test_lost_tables_are_rebuilt_by_one_sweep_and_nothing_is_made_or_deleted(estate: Estate) -> None:
    endpoints = [await a_ready_connection(estate), await estate.put_endpoint("pe-2", region="westeurope")]
    await estate.settle()
    before = [end_state(estate, endpoint) for endpoint in endpoints]
    owners = [
        (c.dns.zone, c.dns.links, c.dns.record, c.elastic.policy.owner)
        for c in [await estate.ready(e) for e in endpoints]
    ]
    estate.storage.connections.clear()
    estate.worker = estate.new_worker()
    assert (await estate.sweep()).enqueued == 2
    await estate.settle()
    after = [await estate.ready(endpoint) for endpoint in endpoints]
    assert [(c.dns.zone, c.dns.links, c.dns.record, c.elastic.policy.owner) for c in after] == owners, (
        "told by the markers"
    )
    assert {association.owner for c in after for association in c.elastic.associations} == {Owner.ADOPTED}
    assert [end_state(estate, endpoint) for endpoint in endpoints] == before
    assert writes(estate) == []


# -- what it costs -------------------------------------------------------------------------------------------------


async def requests_of_a_sweep(endpoints: int) -> tuple[int, int]:
    """How many requests to Azure and to Elastic Cloud a sweep over so many endpoints makes."""
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    for number in range(endpoints):
        await estate.put_endpoint(f"pe-{number}")
    await estate.settle()
    azure, elastic = len(estate.arm.requests), len(estate.elastic.requests)
    found = await estate.sweep()
    assert (found.endpoints, found.probed, found.enqueued) == (endpoints, endpoints, 0)
    return len(estate.arm.requests) - azure, len(estate.elastic.requests) - elastic


async def test_a_sweep_makes_no_request_per_endpoint() -> None:
    few, many = await requests_of_a_sweep(2), await requests_of_a_sweep(18)
    assert few == many == (6, 2), "endpoints, interfaces, networks, zones, links, records; policies, deployments"
