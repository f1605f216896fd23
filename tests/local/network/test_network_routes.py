"""Ways between networks that no peering shows, and firewalls on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.core.diagnosis import Failure
from shared.probe.model import Target
from shared.probe.run import probe
from tests.local.network.network_parts import ZONE

if TYPE_CHECKING:
    from local.network.settings import FirewallAnswer
    from shared.core.diagnosis import Evidence
    from tests.local.network.network_parts import Clouds


async def probed(clouds: Clouds, vnet: str, address: str) -> Evidence:
    """What the product's probe meets out of a network that resolves the name."""
    return await probe(Target(f"search-a.es.{ZONE}", address), clouds.network.inside(vnet))


@pytest.fixture
async def estate(clouds: Clouds) -> tuple[str, str, str]:
    """The app's network, the endpoint's, and the endpoint's address, which both see by name; no way between them."""
    app, far = await clouds.vnet("app"), await clouds.vnet("far", prefix="10.2")
    endpoint, _ = await clouds.connected("a", far)
    address = endpoint.address or ""
    await clouds.zone(app, {"*": [address]})
    return app, far, address


async def test_out_of_an_unpeered_network_a_connection_times_out_and_out_of_a_routed_one_it_opens(
    clouds: Clouds, estate: tuple[str, str, str]
) -> None:
    app, far, address = estate
    other = await clouds.vnet("other", prefix="10.3")
    assert (await probed(clouds, app, address)).failure is Failure.CONNECT_TIMEOUT
    clouds.network.settings.routed = [[app.upper(), far], [other]]
    assert (await probed(clouds, app, address)).http_status == 401
    assert clouds.network.attempt(address, 9243, from_vnet=other) == "timeout"
    answer = await clouds.client.get(app, params={"api-version": "2024-05-01"})
    assert answer.json()["properties"]["virtualNetworkPeerings"] == [], "no peering says so"


async def test_two_groups_that_share_a_network_do_not_add_up(clouds: Clouds, estate: tuple[str, str, str]) -> None:
    app, far, address = estate
    hub = await clouds.vnet("hub", prefix="10.3")
    clouds.network.settings.routed = [[app, hub], [hub, far]]
    assert [clouds.network.dial(address, 9243, from_vnet=one) is not None for one in (hub, app)] == [True, False]


@pytest.mark.parametrize(
    ("answer", "failure", "stage"),
    [
        ("drop", Failure.CONNECT_TIMEOUT, "connect"),
        ("refuse", Failure.REFUSED, "connect"),
        ("reset", Failure.RESET, "tls"),
    ],
)
@pytest.mark.parametrize("peered", [True, False])
@pytest.mark.parametrize("named", [True, False])
async def test_a_firewall_answers_in_its_way_whether_the_networks_are_peered_or_not(
    clouds: Clouds, estate: tuple[str, str, str], answer: FirewallAnswer, failure: Failure, stage: str,
    peered: bool, named: bool,
) -> None:  # fmt: skip
    app, far, address = estate
    if peered:
        await clouds.peer(app, far)
        await clouds.peer(far, app)
    clouds.network.settings.firewalls = {far.upper(): {app.upper() if named else "*": answer}}
    evidence = await probed(clouds, app, address)
    assert (evidence.failure, evidence.stages[-1].name) == (failure, stage)
    assert clouds.network.dial(address, 9243, from_vnet=app) is None


async def test_a_firewall_is_for_those_whom_it_names_and_not_for_its_own_network(
    clouds: Clouds, estate: tuple[str, str, str]
) -> None:
    app, far, address = estate
    other = await clouds.vnet("other", prefix="10.3")
    clouds.network.settings.routed = [[app, far, other]]
    clouds.network.settings.firewalls = {far: {other: "refuse"}, app: {"*": "reset"}}
    met = [clouds.network.attempt(address, 9243, from_vnet=one) for one in (app, far, other)]
    assert [one if isinstance(one, str) else "open" for one in met] == ["open", "open", "refused"]
    clouds.network.settings.firewalls = {far: {other: "refuse", "*": "drop"}}
    met = [clouds.network.attempt(address, 9243, from_vnet=one) for one in (app, far, other)]
    assert [one if isinstance(one, str) else "open" for one in met] == ["timeout", "open", "refused"]
