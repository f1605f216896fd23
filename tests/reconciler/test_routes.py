"""The app looks from one network only: what it cannot see from there is not broken, and what it could see once is."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from local.world import HUB_VNET, vnet_id
from shared.core.model.conditions import Condition
from shared.health.check import check
from tests.harness.estate import Estate

APPS = vnet_id("eastus2")


async def made(estate: Estate) -> str:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    return endpoint


async def reachable(estate: Estate, endpoint: str) -> Condition:
    condition = (await estate.connection(endpoint)).condition("Reachable")
    assert condition is not None
    return condition


async def swept(estate: Estate, times: int = 1) -> None:
    for _ in range(times):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(20)


@pytest.mark.parametrize("no_route", ["timeout", "unreachable", "refused"])
@pytest.mark.parametrize("app_network", [HUB_VNET, ""])
async def test_an_endpoint_that_the_app_has_no_route_to_is_not_known_to_be_broken(
    no_route: Literal["timeout", "unreachable", "refused"], app_network: str
) -> None:
    estate = await Estate(settings={"APP_VNET": app_network}).open()
    estate.network.no_route = no_route
    await estate.peer(HUB_VNET, APPS, connected=False)
    endpoint = await made(estate)
    connection = await estate.ready(endpoint)
    condition, ready = await reachable(estate, endpoint), connection.condition("Ready")
    assert (str(condition.status), condition.reason) == ("Unknown", "NoRouteFromApp")
    assert connection.identity.address in condition.message
    assert (APPS in condition.message) is bool(app_network), "where the networks are known, they are named"
    assert "Peer" in condition.next_step
    assert ready is not None
    assert (str(ready.status), ready.reason) == ("True", "SetUpNotTested")
    assert not estate.queue.messages
    found = await estate.sweep()
    assert (found.enqueued, found.probed) == (0, 1)


async def test_once_the_networks_are_peered_the_next_sweep_tests_it(estate: Estate) -> None:
    await estate.peer(HUB_VNET, APPS, connected=False)
    endpoint = await made(estate)
    await estate.peer(HUB_VNET, APPS, connected=True)
    await swept(estate)
    assert (await reachable(estate, endpoint)).reason == "Reachable"
    ready = (await estate.ready(endpoint)).condition("Ready")
    assert ready is not None
    assert ready.reason == "AllConditionsTrue"


@pytest.mark.parametrize("app_network", [HUB_VNET, ""])
async def test_an_endpoint_that_the_app_has_reached_before_is_broken_when_it_does_not_any_more(
    app_network: str,
) -> None:
    estate = await Estate(settings={"APP_VNET": app_network}).open()
    endpoint = await made(estate)
    connection = await estate.ready(endpoint)
    estate.network.broken.add(connection.identity.address)
    await swept(estate, 2)
    condition = await reachable(estate, endpoint)
    assert (str(condition.status), condition.reason) == ("False", "NoRouteAlthoughApproved")
    assert "reached it before" in condition.message
    assert (await estate.connection(endpoint)).status.phase == "Degraded"


async def test_a_new_endpoint_that_is_silent_though_the_networks_are_peered_is_broken(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle(3)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert found.address is not None
    estate.network.broken.add(found.address)
    await estate.settle(120)
    condition = await reachable(estate, endpoint)
    assert condition.reason == "NoRouteAlthoughApproved"
    assert "peered" in condition.message
    estate.network.broken.clear()
    await estate.settle()
    await estate.ready(endpoint)


async def test_what_another_endpoint_of_the_same_name_had_is_no_proof_for_the_new_one(estate: Estate) -> None:
    endpoint = await made(estate)
    address = (await estate.ready(endpoint)).identity.address
    await estate.delete(endpoint)
    await estate.peer(HUB_VNET, APPS, connected=False)
    estate.arm_settings.allocate_address = lambda _vnet: address
    assert await made(estate) == endpoint
    assert (await estate.ready(endpoint)).identity.address == address
    assert (await reachable(estate, endpoint)).reason == "NoRouteFromApp"


async def test_an_app_that_was_moved_to_another_network_does_not_blame_the_endpoints_it_cannot_see_from_there(
    estate: Estate,
) -> None:
    endpoint = await made(estate)
    await estate.ready(endpoint)
    elsewhere = vnet_id("japaneast", "hub")
    await estate.peer(elsewhere, APPS, connected=False)
    moved = estate.new_worker(APP_VNET=elsewhere, DNS_LINK_VNETS=f"{HUB_VNET},{elsewhere}")
    context = replace(moved.context, network=estate.network.inside(elsewhere))
    estate.worker = replace(moved, context=context)
    await swept(estate, 3)
    await estate.ready(endpoint)
    assert (await reachable(estate, endpoint)).reason == "NoRouteFromApp"


async def test_an_endpoint_that_is_not_approved_looks_the_same_and_is_told_apart(estate: Estate) -> None:
    """A check that a person asks for while the approval is still awaited."""
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await made(estate)
    connection = await estate.connection(endpoint)
    found = await check(estate.worker.context, connection, estate.zone().name)
    assert (found.condition.reason, str(found.condition.status)) == ("NoRoute", "False")
    assert "GUID" in found.condition.next_step


async def test_a_run_reads_its_network_once_and_a_sweep_lists_them_once_however_tests_end(estate: Estate) -> None:
    def reads() -> int:
        return sum(
            request.operation in {"GET virtualNetwork", "LIST virtualNetwork"} for request in estate.arm.requests
        )

    endpoint = await made(estate)
    connection = await estate.ready(endpoint)
    assert reads() == 1
    estate.arm.requests.clear()
    for _ in range(2):
        await swept(estate)
    assert reads() == 2
    estate.network.broken.add(connection.identity.address)
    estate.arm.requests.clear()
    for _ in range(6):
        await swept(estate)
    runs = sum(request.operation == "GET privateEndpoint" for request in estate.arm.requests)
    assert reads() <= 6 + 2 * runs, "a run whose test fails reads the app's network too"


async def test_without_the_right_to_read_networks_there_is_a_verdict_all_the_same(estate: Estate) -> None:
    estate.arm_settings.denied_actions.add("Microsoft.Network/virtualNetworks/read")
    await estate.peer(HUB_VNET, APPS, connected=False)
    endpoint = await made(estate)
    await estate.ready(endpoint)
    assert (await reachable(estate, endpoint)).reason == "NoRouteFromApp"
