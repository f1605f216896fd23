"""Which networks answer an endpoint's clients: the network that contains the name servers, whichever asks."""

from __future__ import annotations

import pytest

from shared.core.model.resources import NameResolution, Peering, VirtualNetwork
from shared.core.planning.name_resolution import resolution_of, unexplained

SPOKE, HUB, OTHER = "/spoke", "/hub", "/other"
HUB_PEERING = Peering(HUB, ("10.0.0.0/16",))


def spoke(*servers: str, peerings: tuple[Peering, ...] = (HUB_PEERING,)) -> VirtualNetwork:
    return VirtualNetwork(SPOKE, servers, peerings, ("10.1.0.0/16",))


@pytest.mark.parametrize(
    ("network", "others", "expected"),
    [
        (spoke(), (), NameResolution((SPOKE,))),
        (spoke("168.63.129.16"), (), NameResolution((SPOKE,))),
        (spoke("10.0.0.4", "168.63.129.16"), (), NameResolution((SPOKE,))),
        (spoke("10.0.0.4"), (), NameResolution((HUB,), ("10.0.0.4",))),
        (spoke("10.0.0.4", "10.0.0.5"), (), NameResolution((HUB,), ("10.0.0.4", "10.0.0.5"))),
        (spoke("10.1.0.4"), (), NameResolution((SPOKE,), ("10.1.0.4",))),
        (spoke("10.1.0.4", "10.0.0.4"), (), NameResolution((SPOKE, HUB), ("10.1.0.4", "10.0.0.4"))),
        (spoke("8.8.8.8"), (), NameResolution((), ("8.8.8.8",), ("8.8.8.8",))),
        (spoke("10.0.0.4", "8.8.8.8"), (), NameResolution((HUB,), ("10.0.0.4", "8.8.8.8"), ("8.8.8.8",))),
        (spoke("no address"), (), NameResolution((), ("no address",), ("no address",))),
    ],
)
def test_the_network_that_contains_the_name_servers_answers(
    network: VirtualNetwork, others: tuple[VirtualNetwork, ...], expected: NameResolution
) -> None:
    assert resolution_of(SPOKE, network, others) == expected


def test_a_hub_that_is_reached_without_a_peering_is_found_among_the_networks_that_can_be_read() -> None:
    network = spoke("10.0.0.4", peerings=())
    hub = VirtualNetwork(HUB, prefixes=("10.0.0.0/24",))
    assert unexplained(network)
    assert resolution_of(SPOKE, network, [hub]) == NameResolution((HUB,), ("10.0.0.4",))


def test_of_two_networks_with_the_same_prefixes_neither_is_taken_unless_it_is_peered() -> None:
    same = [VirtualNetwork(HUB, prefixes=("10.0.0.0/16",)), VirtualNetwork(OTHER, prefixes=("10.0.0.0/8",))]
    apart = resolution_of(SPOKE, spoke("10.0.0.4", peerings=()), same)
    assert (apart.networks, apart.unknown, apart.complete) == ((), ("10.0.0.4",), False)
    peered = resolution_of(SPOKE, spoke("10.0.0.4"), same)
    assert (peered.networks, peered.complete) == ((HUB,), True)
    assert not unexplained(spoke("10.0.0.4"))


def test_of_a_network_that_cannot_be_read_it_is_assumed_that_it_asks_azure_and_not_known() -> None:
    found = resolution_of(SPOKE, None)
    assert (found.networks, found.complete) == ((SPOKE,), False)
    assert found.answered_by(SPOKE.upper())
    assert not found.answered_by(HUB)
