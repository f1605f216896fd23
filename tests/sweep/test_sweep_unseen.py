"""The sweep, when something is gone or cannot be seen: what is believed, and that nothing else counts as gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.arm import Incoming
from local.world import vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.record_document import from_document
from shared.state.codec import holding
from shared.state.rows import ConnectionRow
from tests.harness.estate import Estate, arm_error
from tests.sweep.sweep_parts import (
    OTHER_SUBSCRIPTION,
    a_ready_connection,
    delete_the_record,
    deployment_id,
    remove_the_association,
    writes,
)


async def test_an_endpoint_that_is_gone_is_believed_so_at_the_second_sweep_and_then_has_its_grace(
    estate: Estate,
) -> None:
    endpoint = await a_ready_connection(estate)
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    estate.worker = estate.new_worker()
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    assert await estate.reason(endpoint, "Recognised") == "EndpointMissing"
    await estate.settle(3600)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle(590)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    assert writes(estate) == []
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.arm.private_dns_zones() == []
    assert (await estate.sweep()).enqueued == 0


async def both_subscriptions() -> tuple[Estate, str, str]:
    """A Ready connection in each of two subscriptions, the second's settings first."""
    settings = {"AZURE_SUBSCRIPTIONS": f"{OTHER_SUBSCRIPTION},{vnet_id('eastus2').split('/')[2]}"}
    estate = Estate(settings=settings)
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    await estate.open()
    here = await a_ready_connection(estate)
    there = here.replace(vnet_id("eastus2").split("/")[2], OTHER_SUBSCRIPTION)
    found = estate.arm.private_endpoint(here)
    row = await estate.storage.connections.get(connection_id(here))
    assert found is not None
    assert row is not None
    copy = replace(from_document(row.document), endpoint_id=there)
    await estate.storage.connections.insert(holding(ConnectionRow(copy.id), copy))
    return estate, here, there


@pytest.mark.parametrize(
    "answer", [arm_error(403, "AuthorizationFailed"), arm_error(503, "ServerBusy"), arm_error(429, "TooManyRequests")]
)
async def test_a_subscription_that_cannot_be_listed_stops_no_other_and_nothing_of_it_counts_as_gone(
    answer: Any,
) -> None:
    estate, here, there = await both_subscriptions()
    listing = f"/subscriptions/{OTHER_SUBSCRIPTION}/providers/Microsoft.Network/privateEndpoints"
    estate.arm.faults.append(lambda request: answer if request.path == listing else None)
    await delete_the_record(estate, here)
    found = await estate.sweep()
    assert [OTHER_SUBSCRIPTION in error for error in found.errors] == [True]
    assert (found.endpoints, found.enqueued) == (1, 1)
    await estate.settle()
    await estate.ready(here)
    assert (await estate.connection(there)).status.phase == "Ready", "not believed to be gone"


async def test_a_listing_that_breaks_off_half_way_lets_nothing_count_as_gone(estate: Estate) -> None:
    endpoints = [await a_ready_connection(estate), await estate.put_endpoint("pe-2", region="westeurope")]
    await estate.settle()
    estate.arm_settings.page_size = 1
    seen: list[Incoming] = []

    def fault(request: Incoming) -> Any:
        seen.extend([request] if request.operation == "LIST privateEndpoint" else [])
        return arm_error(500, "InternalServerError") if len(seen) == 2 and request is seen[-1] else None

    estate.arm.faults.append(fault)
    found = await estate.sweep()
    assert len(seen) == 2
    assert len(found.errors) == 1
    assert (found.endpoints, found.enqueued) == (0, 0)
    for endpoint in endpoints:
        await estate.ready(endpoint)


async def test_without_elastic_cloud_drift_in_dns_is_still_found_and_put_back(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    estate.elastic_settings.faults.append(lambda *_: (503, "<html>down</html>"))
    await delete_the_record(estate, endpoint)
    found = await estate.sweep()
    assert len(found.errors) == 2, "policies and deployments"
    assert found.enqueued == 1
    await estate.settle(60)
    assert estate.zone().a_record("*") == [(await estate.connection(endpoint)).identity.address]
    assert len(estate.policies_of(endpoint)) == 1
    estate.elastic_settings.faults.clear()
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_without_private_dns_drift_in_elastic_cloud_is_still_found_and_put_back(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    down = arm_error(503, "ServiceUnavailable")
    estate.arm.faults.append(lambda request: down if "privateDns" in request.path else None)
    await remove_the_association(estate, endpoint)
    found = await estate.sweep()
    assert len(found.errors) == 1
    assert found.enqueued == 1
    await estate.settle(60)
    assert "pe-1" in [ruleset.name for ruleset in estate.elastic.attached(deployment_id(estate))]


async def test_with_everything_down_the_sweep_concludes_nothing(estate: Estate) -> None:
    endpoint = await a_ready_connection(estate)
    estate.elastic_settings.faults.append(lambda *_: (503, "down"))
    estate.arm.faults.append(lambda _: arm_error(503, "ServiceUnavailable"))
    found = await estate.sweep()
    assert found.errors
    assert found.enqueued == 0
    await estate.ready(endpoint)
