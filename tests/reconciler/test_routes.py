"""The app looks from one network only: what it cannot see from there is not broken, and what it could see once is."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from local.world import HUB_VNET, vnet_body, vnet_id
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


@pytest.mark.parametrize("no_route", ["timeout", "unreachable"])
@pytest.mark.parametrize("app_network", [HUB_VNET, ""])
@pytest.mark.parametrize("peered", [False, True])
async def test_an_endpoint_that_the_app_has_no_route_to_is_not_known_to_be_broken(
    no_route: Literal["timeout", "unreachable"], app_network: str, peered: bool
) -> None:
    estate = await Estate(settings={"APP_VNET": app_network}).open()
    estate.network.no_route = no_route
    if peered:
        estate.network.settings.firewalls = {APPS: {HUB_VNET: "drop"}}
    else:
        await estate.peer(HUB_VNET, APPS, connected=False)
    endpoint = await made(estate)
    connection = await estate.ready(endpoint)
    condition, ready = await reachable(estate, endpoint), connection.condition("Ready")
    assert (str(condition.status), condition.reason) == ("Unknown", "NoRouteFromApp")
    assert connection.identity.address in condition.message
    assert APPS in condition.message
    if app_network:
        assert ("are peered" if peered else "are not peered") in condition.message
    assert "Peer" in condition.next_step
    assert ready is not None
    assert (str(ready.status), ready.reason) == ("True", "SetUpNotTested")
    assert not estate.queue.messages
    found = await estate.sweep()
    assert (found.enqueued, found.probed) == (0, 1)


@pytest.mark.parametrize("answer", ["refuse", "reset"])
async def test_a_firewall_that_turns_the_app_away_has_a_reason_of_its_own_and_the_connection_is_ready(
    estate: Estate, answer: Literal["refuse", "reset"]
) -> None:
    estate.network.settings.firewalls = {APPS: {HUB_VNET: answer}}
    endpoint = await made(estate)
    connection, condition = await estate.ready(endpoint), await reachable(estate, endpoint)
    assert (str(condition.status), condition.reason) == ("Unknown", "RefusedOnTheWay")
    named = ["9243", HUB_VNET, connection.identity.address, APPS, "firewalls"]
    assert [name for name in named if name not in condition.next_step] == []
    await swept(estate, 2)
    await estate.ready(endpoint)
    estate.network.settings.firewalls = {}
    await swept(estate)
    assert (await reachable(estate, endpoint)).reason == "Reachable", "the app goes on trying"


async def test_a_firewall_that_begins_to_turn_the_app_away_is_an_alarm(estate: Estate) -> None:
    endpoint = await made(estate)
    await estate.ready(endpoint)
    estate.network.settings.firewalls = {APPS: {"*": "refuse"}}
    await swept(estate, 2)
    condition = await reachable(estate, endpoint)
    assert (str(condition.status), condition.reason) == ("False", "RefusedOnTheWay")
    assert "reached it before" in condition.message
    assert (await estate.connection(endpoint)).status.phase == "Degraded"


async def test_of_three_networks_peered_routed_and_neither_those_with_a_way_are_tested_and_all_are_ready(
    estate: Estate,
) -> None:
    networks = {"peered": APPS, "routed": vnet_id("eastus2", "routed"), "neither": vnet_id("eastus2", "neither")}
    await estate.azure("PUT", networks["routed"], vnet_body("eastus2", "10.81"))
    await estate.azure("PUT", networks["neither"], vnet_body("eastus2", "10.82"))
    estate.network.settings.routed = [[HUB_VNET, networks["routed"]]]
    estate.worker = estate.new_worker(DNS_LINK_VNETS="")
    found = {}
    for name, network in networks.items():
        endpoint = await estate.put_endpoint(f"pe-{name}", vnet=network, group=f"rg-{name}")
        await estate.settle()
        await estate.ready(endpoint)
        found[name] = (await reachable(estate, endpoint)).reason
    assert found == {"peered": "Reachable", "routed": "Reachable", "neither": "NoRouteFromApp"}


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


async def test_a_new_endpoint_that_is_silent_in_the_apps_own_network_is_broken() -> None:
    """Nothing lies between; of a peered network that cannot be said."""
    estate = await Estate(app_vnet=APPS).open()
    endpoint = await estate.put_endpoint()
    await estate.clock.sleep(2)
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert found.address is not None
    estate.network.broken.add(found.address)
    await estate.settle(120)
    condition = await reachable(estate, endpoint)
    assert condition.reason == "NoRouteAlthoughApproved"
    assert "own network" in condition.message
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
