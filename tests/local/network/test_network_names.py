"""Names are answered as the virtual network that asks would see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from shared.core.diagnosis import Failure
from shared.core.diagnosis.evidence import authoritative
from shared.core.model.resources import NamedRecords
from shared.probe.model import Target
from shared.probe.run import probe
from tests.local.network.network_parts import ZONE

if TYPE_CHECKING:
    from tests.local.network.network_parts import Clouds

HOST = f"search.es.{ZONE}"


async def test_a_wildcard_answers_for_every_name_of_a_linked_zone(clouds: Clouds) -> None:
    vnet = await clouds.vnet("a")
    await clouds.zone(vnet, {"*": ["127.77.0.4"]})
    for name in (HOST, HOST.upper() + ".", f"0123.{ZONE}", f"a.b.c.{ZONE}"):
        assert clouds.network.resolve(vnet, name) == ("NOERROR", ("127.77.0.4",))


async def test_the_zone_is_seen_in_linked_networks_only(clouds: Clouds) -> None:
    linked, other = await clouds.vnet("a"), await clouds.vnet("b")
    await clouds.zone(linked, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(other, HOST) == ("NXDOMAIN", ())
    assert clouds.network.resolve(None, HOST) == ("NXDOMAIN", ())
    assert clouds.network.resolve(linked.upper(), HOST).addresses == ("127.77.0.4",)


async def test_a_linked_zone_without_the_name_wins_over_the_public_answer(clouds: Clouds) -> None:
    vnet = await clouds.vnet("a")
    public = "search.es.eastus2.azure.elastic-cloud.com"
    assert clouds.network.resolve(vnet, public).addresses[0].startswith("203.0.113.")
    await clouds.zone(vnet, {}, name="eastus2.azure.elastic-cloud.com")
    assert clouds.network.resolve(vnet, public) == ("NXDOMAIN", ())


async def test_the_longest_linked_zone_answers(clouds: Clouds) -> None:
    vnet = await clouds.vnet("a")
    await clouds.zone(vnet, {"*": ["127.77.0.4"]})
    await clouds.zone(vnet, {"*": ["127.77.0.9"]}, name="azure.elastic-cloud.com")
    assert clouds.network.resolve(vnet, HOST).addresses == ("127.77.0.4",)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({"*": ["127.77.0.4"], "search.es": ["127.77.0.9"]}, ("NOERROR", ("127.77.0.9",))),
        ({"*": ["127.77.0.4"], "es": ["127.77.0.9"]}, ("NXDOMAIN", ())),
        ({"*": ["127.77.0.4"], "other.es": ["127.77.0.9"]}, ("NXDOMAIN", ())),
        ({"*": ["127.77.0.4"], "*.es": ["127.77.0.9"]}, ("NOERROR", ("127.77.0.9",))),
        ({"*": ["127.77.0.4"], "deep.search.es": ["127.77.0.9"]}, ("NOERROR", ())),
        ({"*": ["127.77.0.4"], "search.es": []}, ("NOERROR", ())),
        ({"*": ["127.77.0.4", "127.77.0.5"]}, ("NOERROR", ("127.77.0.4", "127.77.0.5"))),
        ({"kb": ["127.77.0.9"]}, ("NXDOMAIN", ())),
    ],
)
async def test_an_explicit_node_hides_the_wildcard(
    clouds: Clouds, records: dict[str, list[str]], expected: tuple[str, tuple[str, ...]]
) -> None:
    vnet = await clouds.vnet("a")
    await clouds.zone(vnet, records)
    assert clouds.network.resolve(vnet, HOST) == expected
    names = [NamedRecords(name, tuple(addresses)) for name, addresses in records.items() if name != "*"]
    product = authoritative(HOST, ZONE, tuple(records.get("*", ())), names)
    assert product.addresses == expected[1], "the product reads a zone as a resolver does"


async def test_custom_name_servers_pass_private_zones_by_unless_they_are_azures_own(clouds: Clouds) -> None:
    for number, (servers, seen) in enumerate([(["10.9.9.9"], False), (["168.63.129.16"], True), ([], True)]):
        vnet = await clouds.vnet(f"v{number}", servers)
        if not number:
            await clouds.zone(vnet, {"*": ["127.77.0.4"]})
        else:
            await clouds.link(f"l{number}", vnet)
        assert bool(clouds.network.resolve(vnet, HOST).addresses) is seen


async def test_a_spoke_that_asks_the_hubs_name_server_sees_what_the_hub_sees(clouds: Clouds) -> None:
    hub = await clouds.vnet("hub")
    spoke = await clouds.vnet("spoke", [clouds.network.addresses.name_server(hub)])
    await clouds.zone(hub, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(spoke, HOST).addresses == ("127.77.0.4",)


async def test_a_hub_answers_with_its_own_zones_and_not_as_the_name_servers_that_it_has_itself(clouds: Clouds) -> None:
    addresses = clouds.network.addresses
    one = await clouds.vnet("one")
    two = await clouds.vnet("two", [addresses.name_server(one)])
    await clouds.vnet("one", [addresses.name_server(two)])
    await clouds.zone(two, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(one, HOST) == ("NOERROR", ("127.77.0.4",))
    assert clouds.network.resolve(two, HOST) == ("NXDOMAIN", ())


async def test_the_network_whose_address_space_contains_the_name_servers_answers_in_place_of_the_own_one(
    clouds: Clouds,
) -> None:
    hub = await clouds.vnet("hub", prefix="10.0")
    spoke = await clouds.vnet("spoke", ["10.0.0.4", "10.0.0.5"], prefix="10.5")
    await clouds.zone(spoke, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(spoke, HOST) == ("NXDOMAIN", ())
    await clouds.link("hub", hub)
    assert clouds.network.resolve(spoke, HOST) == ("NOERROR", ("127.77.0.4",))


@pytest.mark.parametrize("servers", [["10.0.0.4", "168.63.129.16"], ["10.5.0.9"]])
async def test_azures_name_server_among_others_and_one_inside_stand_for_the_own_network(
    clouds: Clouds, servers: list[str]
) -> None:
    await clouds.vnet("hub", prefix="10.0")
    spoke = await clouds.vnet("spoke", servers, prefix="10.5")
    await clouds.zone(spoke, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(spoke, HOST) == ("NOERROR", ("127.77.0.4",))


@pytest.mark.parametrize("server", ["192.0.2.53", "no-address"])
async def test_a_name_server_outside_of_all_networks_knows_public_names_only(clouds: Clouds, server: str) -> None:
    spoke = await clouds.vnet("spoke", [server])
    await clouds.zone(spoke, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(spoke, HOST) == ("NXDOMAIN", ())
    public = clouds.network.resolve(spoke, "search.es.eastus2.azure.elastic-cloud.com")
    assert public.addresses[0].startswith("203.0.113.")


async def test_of_networks_with_the_same_address_space_the_one_that_is_reached_answers(clouds: Clouds) -> None:
    await clouds.vnet("another", prefix="10.0")
    hub = await clouds.vnet("hub", prefix="10.0")
    spoke = await clouds.vnet("spoke", ["10.0.0.4"], prefix="10.5")
    await clouds.zone(hub, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(spoke, HOST).addresses == ()
    clouds.network.settings.routed = [[spoke, hub]]
    assert clouds.network.resolve(spoke, HOST).addresses == ("127.77.0.4",)
    clouds.network.settings.routed = []
    await clouds.peer(spoke, hub)
    await clouds.peer(hub, spoke)
    assert clouds.network.resolve(spoke, HOST).addresses == ("127.77.0.4",)


async def test_a_name_server_that_fails_fails_for_all_who_ask_it_and_the_next_one_is_asked(clouds: Clouds) -> None:
    hub, second = await clouds.vnet("hub", prefix="10.0"), await clouds.vnet("second", prefix="10.2")
    spoke = await clouds.vnet("spoke", ["10.0.0.4"], prefix="10.5")
    careful = await clouds.vnet("careful", ["10.0.0.4", "10.2.0.4"], prefix="10.6")
    await clouds.zone(hub, {"*": ["127.77.0.4"]})
    await clouds.link("second", second)

    def rcodes() -> list[str]:
        return [clouds.network.resolve(vnet, HOST).rcode for vnet in (hub, spoke, careful, second)]

    assert rcodes() == ["NOERROR"] * 4
    clouds.network.settings.resolvers = {hub.upper(): "timeout"}
    assert rcodes() == ["TIMEOUT", "TIMEOUT", "NOERROR", "NOERROR"]
    clouds.network.settings.resolvers = {hub: "servfail"}
    assert rcodes() == ["SERVFAIL", "SERVFAIL", "NOERROR", "NOERROR"]


@pytest.mark.parametrize("failure", ["timeout", "servfail"])
async def test_the_products_probe_meets_a_name_server_that_fails(
    clouds: Clouds, failure: Literal["timeout", "servfail"]
) -> None:
    vnet = await clouds.vnet("a")
    await clouds.zone(vnet, {"*": ["127.77.0.4"]})
    clouds.network.settings.resolvers = {vnet: failure}
    evidence = await probe(Target(HOST, "127.77.0.4"), clouds.network.inside(vnet))
    assert evidence.failure is Failure.RESOLVER_FAILED
