"""Names are answered as the virtual network that asks would see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


async def test_custom_name_servers_pass_private_zones_by_unless_they_are_azures_own(clouds: Clouds) -> None:
    for number, (servers, seen) in enumerate([(["10.9.9.9"], False), (["168.63.129.16"], True), ([], True)]):
        vnet = await clouds.vnet(f"v{number}", servers)
        if not number:
            await clouds.zone(vnet, {"*": ["127.77.0.4"]})
        else:
            link = {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}
            await clouds.put(f"privateDnsZones/{ZONE}/virtualNetworkLinks/l{number}", "2024-06-01", link)
        assert bool(clouds.network.resolve(vnet, HOST).addresses) is seen


async def test_a_spoke_that_asks_the_hubs_name_server_sees_what_the_hub_sees(clouds: Clouds) -> None:
    hub = await clouds.vnet("hub")
    spoke = await clouds.vnet("spoke", [clouds.network.addresses.name_server(hub)])
    await clouds.zone(hub, {"*": ["127.77.0.4"]})
    assert clouds.network.resolve(spoke, HOST).addresses == ("127.77.0.4",)


async def test_two_networks_that_ask_each_other_do_not_ask_for_ever(clouds: Clouds) -> None:
    addresses = clouds.network.addresses
    one = await clouds.vnet("one")
    two = await clouds.vnet("two", [addresses.name_server(one)])
    await clouds.vnet("one", [addresses.name_server(two)])
    assert clouds.network.resolve(one, HOST) == ("NXDOMAIN", ())
