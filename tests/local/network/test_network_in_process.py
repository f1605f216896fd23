"""Without sockets: who answers on an endpoint's address, and what the product's own probe makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.network import AddressPlan, claim_loopback
from shared.core.diagnosis import Failure
from shared.probe.model import Target
from shared.probe.run import probe
from tests.local.network.network_parts import ZONE

if TYPE_CHECKING:
    from tests.local.network.network_parts import Clouds


async def test_endpoints_get_addresses_of_their_networks_own_slice(clouds: Clouds) -> None:
    one, two = await clouds.vnet("one"), await clouds.vnet("two")
    made = [await clouds.endpoint(name, vnet) for name, vnet in (("a", one), ("b", one), ("c", two))]
    assert [e.address for e in made] == ["127.77.0.4", "127.77.0.5", "127.77.1.4"]
    assert clouds.network.addresses.name_server(two) == "127.77.1.2"


@pytest.mark.parametrize("status", ["Pending", "Rejected", "Disconnected"])
async def test_there_is_no_route_to_an_endpoint_that_is_not_approved(clouds: Clouds, status: str) -> None:
    endpoint = await clouds.endpoint("a", await clouds.vnet("v"))
    clouds.arm.set_connection(endpoint.id, "Approved")
    open_way = clouds.network.dial("127.77.0.4", 9243)
    assert open_way is not None
    clouds.arm.set_connection(endpoint.id, status)
    assert clouds.network.dial("127.77.0.4", 9243) is None
    with pytest.raises(ConnectionResetError):
        open_way.request(f"x.es.{ZONE}", "/")


async def test_only_the_known_address_and_ports_answer(clouds: Clouds) -> None:
    endpoint, _ = await clouds.connected("a", await clouds.vnet("v"))
    ways = [("127.77.0.4", 9243), ("127.77.0.4", 443), ("127.77.0.4", 9200), ("127.77.0.5", 9243)]
    assert endpoint.address == "127.77.0.4"
    assert [clouds.network.dial(*way) is not None for way in ways] == [True, True, False, False]


async def test_the_certificate_is_the_regions_for_every_name(clouds: Clouds) -> None:
    await clouds.connected("a", await clouds.vnet("v"))
    way = clouds.network.dial("127.77.0.4", 9243)
    assert way is not None
    names = way.certificate_names("search.es.eastus2.azure.elastic-cloud.com")
    assert {f"*.{ZONE}", f"*.es.{ZONE}", f"*.kb.{ZONE}"} <= set(names)
    assert all(name.endswith(ZONE) for name in names)


async def test_the_products_probe_finds_each_outcome(clouds: Clouds) -> None:
    vnet = await clouds.vnet("v")
    endpoint, deployment = await clouds.connected("a", vnet)
    assert endpoint.address is not None
    inside = clouds.network.inside(vnet)
    target = Target(deployment.private_host(), endpoint.address)

    assert (await probe(target, inside)).failure is Failure.NAME_NOT_FOUND
    await clouds.zone(vnet, {"*": ["127.77.0.9"]})
    assert (await probe(target, inside)).failure is Failure.WRONG_ADDRESS
    await clouds.record("*", [endpoint.address])
    good = await probe(target, inside)
    assert (good.failure, good.http_status, good.elastic_product) == (None, 401, True)

    unknown = await probe(Target(f"unknown.es.{ZONE}", endpoint.address), inside)
    assert unknown.http_status == 404
    filtered = clouds.elastic.add_deployment("office", "eastus2", ip_policy=True)
    assert (await probe(Target(filtered.private_host(), endpoint.address), inside)).http_status == 403
    clouds.arm.set_connection(endpoint.id, "Rejected")
    failures = {"timeout": Failure.CONNECT_TIMEOUT, "unreachable": Failure.UNREACHABLE, "refused": Failure.REFUSED}
    for clouds.network.no_route, failure in failures.items():  # type: ignore[assignment] # names of the switch
        assert (await probe(target, inside)).failure is failure


async def test_a_network_reaches_the_endpoints_of_the_networks_that_it_is_peered_with_on_both_sides(
    clouds: Clouds,
) -> None:
    spoke, hub, far = await clouds.vnet("spoke"), await clouds.vnet("hub"), await clouds.vnet("far")
    endpoint, _ = await clouds.connected("a", spoke)
    address = endpoint.address or ""

    def reached(vnet: str) -> bool:
        return clouds.network.dial(address, 9243, from_vnet=vnet) is not None

    assert [reached(vnet) for vnet in (spoke, hub, far)] == [True, False, False]
    await clouds.peer(hub, spoke)
    assert not reached(hub)
    await clouds.peer(spoke, hub)
    await clouds.peer(hub, far)
    await clouds.peer(far, hub)
    assert [reached(vnet) for vnet in (spoke, hub, far)] == [True, True, False]
    await clouds.delete("virtualNetworks/spoke/virtualNetworkPeerings/to-hub", "2024-05-01")
    assert not reached(hub)
    assert clouds.network.dial(address, 9243, from_vnet=f"{hub}-unknown") is None


async def test_a_name_of_another_region_does_not_fit_the_certificate(clouds: Clouds) -> None:
    vnet = await clouds.vnet("v")
    endpoint, _ = await clouds.connected("a", vnet)
    assert endpoint.address is not None
    other = "privatelink.uksouth.azure.elastic-cloud.com"
    await clouds.zone(vnet, {"*": [endpoint.address]}, name=other)
    evidence = await probe(Target(f"search.es.{other}", endpoint.address), clouds.network.inside(vnet))
    assert evidence.failure is Failure.CERTIFICATE_MISMATCH


def test_an_address_is_never_handed_out_twice_and_a_full_network_says_so() -> None:
    plan = AddressPlan("127.77.0.0/16")
    handed_out = [plan.allocate("/a") for _ in range(251)]
    assert len(set(handed_out)) == 251
    with pytest.raises(RuntimeError, match="used up"):
        plan.allocate("/A")


def test_the_last_slice_is_kept_for_the_anchor() -> None:
    plan = AddressPlan("127.77.0.0/16")
    assert {plan.name_server(f"/{n}").split(".")[2] for n in range(255)} == {str(n) for n in range(255)}
    with pytest.raises(RuntimeError, match="255 virtual networks"):
        plan.name_server("/one-more")


@pytest.mark.parametrize("prefix", ["10.0.0.0/16", "127.77.0.0/24"])
def test_a_prefix_that_is_no_loopback_16_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        AddressPlan(prefix)


@pytest.mark.real_time
def test_two_instances_get_different_prefixes_and_give_them_back() -> None:
    with claim_loopback() as first:
        with claim_loopback() as second:
            assert first.prefix != second.prefix
        with claim_loopback() as third:
            assert third.prefix == second.prefix
