"""A person lays out networks with commands: several endpoints, routes, firewalls, and whose name servers answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import httpx
import pytest

from local.__main__ import CLIENT_COMMANDS, parse
from local.arm import DEFAULT_SUBSCRIPTION
from local.asgi import AsgiTransport
from local.cli.backstage import Backstage
from local.cli.client import LocalClient
from local.cli.function_app import FunctionApp
from local.cli.network_commands import network_id
from local.cli.story import create_endpoint
from local.cli.switches import Switches
from local.clock import LoopClock
from local.identity import ManagedIdentity
from local.simulators import World
from local.vault import KeyVault
from local.world import HUB_VNET, OWN_VNET, vnet_id
from tests.harness.estate import Estate, authority


class App:
    """The function app, as far as this goes."""

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


Run = Callable[..., Awaitable[str]]
ZONE = "privatelink.eastus2.azure.elastic-cloud.com"
HOST = f"a.es.{ZONE}"


@pytest.fixture
async def world() -> World:
    made = World(LoopClock(), ca=authority())
    await made.seed()
    return made


@pytest.fixture
def changed() -> dict[str, str]:
    """The app's settings as a person has changed them."""
    return {}


@pytest.fixture
async def client(world: World, tmp_path: Path, changed: dict[str, str]) -> AsyncIterator[LocalClient]:
    """A person at the world's own ARM and backstage, in-process."""
    identity = ManagedIdentity(world.clock)
    switches = Switches({"network": world.network.settings})
    vault = KeyVault(world.clock)
    backstage = Backstage(world, cast("FunctionApp", App()), switches, lambda: None, changed.update, vault).app
    endpoints = {
        "arm": "https://arm.local",
        "backstage": "http://backstage.local",
        "identity": "http://identity.local/msi/token",
        "identity_header": identity.header,
        "subscription_id": DEFAULT_SUBSCRIPTION,
        "app_network": world.app_vnet,
        "folder": str(tmp_path),
    }
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    mounts = {
        "https://arm.local": AsgiTransport(world.arm.app),
        "http://backstage.local": httpx.ASGITransport(backstage),
        "http://identity.local": httpx.ASGITransport(identity.app),
    }
    async with LocalClient(endpoints, httpx.AsyncClient(mounts=mounts)) as made:
        yield made


@pytest.fixture
def run(client: LocalClient, capsys: pytest.CaptureFixture[str]) -> Run:
    async def run(*arguments: str) -> str:
        """One command; returns what it prints."""
        parsed = parse(list(arguments))
        await CLIENT_COMMANDS[parsed.command](client, parsed)
        return capsys.readouterr().out

    return run


def made(name: str) -> str:
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-{name}"
    return f"{group}/providers/Microsoft.Network/virtualNetworks/{name}"


async def endpoint_in(client: LocalClient, world: World, network: str | None, name: str) -> str:
    """An approved endpoint; returns its address."""
    endpoint = await create_endpoint(client, "eastus2", name=name, target="logs-eastus2", network=network)
    await world.clock.sleep(10)
    world.arm.set_connection(endpoint, "Approved")
    found = world.arm.private_endpoint(endpoint)
    assert found is not None
    assert found.address is not None
    return found.address


async def test_all_networks_are_listed_and_the_apps_own_is_marked(run: Run) -> None:
    shown = (await run("network")).splitlines()
    assert len(shown) == 6
    own = [line for line in shown if "the app's own" in line]
    assert [line.split()[0] for line in own] == ["vnet-eastus2-hub"]
    assert "name servers: azure" in own[0]


async def test_a_new_network_has_addresses_that_no_other_has_and_is_connected_with_none(run: Run, world: World) -> None:
    lines = [await run("network", name, "--region", "uksouth") for name in ("one", "two")]
    assert [line.split()[:3] for line in lines] == [
        ["one", "10.77.0.0/16", "uksouth"],
        ["two", "10.78.0.0/16", "uksouth"],
    ]
    assert "peered" not in lines[0]
    found = world.arm.virtual_network(made("one"))
    assert found is not None
    assert found.location == "uksouth"


async def test_endpoints_in_a_peered_a_routed_and_an_unreached_network(
    run: Run, client: LocalClient, world: World
) -> None:
    await run("network", "peered", "--peer", "vnet-eastus2-hub")
    shown = await run("network", "routed", "--routed", "vnet-eastus2-hub")
    assert "routed: vnet-eastus2-hub" in shown
    await run("network", "far")
    addresses = [await endpoint_in(client, world, name, f"pe-{name}") for name in ("peered", "routed", "far")]

    def reached() -> list[bool]:
        return [world.network.dial(one, 9243, from_vnet=HUB_VNET) is not None for one in addresses]

    assert reached() == [True, True, False]
    await run("network", "peered", "--unpeer", "vnet-eastus2-hub")
    await run("network", "routed", "--unrouted", "vnet-eastus2-hub")
    assert reached() == [False, False, False]


async def test_two_endpoints_may_be_in_one_network_and_one_is_where_its_network_is(
    run: Run, client: LocalClient, world: World
) -> None:
    await run("network", "shared", "--region", "uksouth")
    addresses = [await endpoint_in(client, world, "shared", name) for name in ("pe-one", "pe-two")]
    assert len(set(addresses)) == 2
    assert {(one.vnet_id, one.location) for one in world.arm.private_endpoints()} == {(made("shared"), "uksouth")}


async def test_without_a_network_an_endpoint_gets_one_that_is_peered_with_the_apps(
    client: LocalClient, world: World
) -> None:
    addresses = [await endpoint_in(client, world, None, name) for name in ("pe-one", "pe-two")]
    assert all(world.network.dial(one, 9243, from_vnet=HUB_VNET) for one in addresses)
    spaces = [prefix for one in world.arm.virtual_networks() for prefix in one.address_prefixes]
    assert len(spaces) == len(set(spaces))


async def test_a_route_taken_away_leaves_the_rest_of_its_group_together(run: Run, world: World) -> None:
    for name in ("one", "two", "three"):
        await run("network", name)
    world.network.settings.routed = [[made("one"), made("two"), made("three")]]
    await run("network", "one", "--unrouted", "two")
    shown = {
        line.split()[0]: line.split("routed: ")[1] for line in (await run("network")).splitlines() if "routed:" in line
    }
    assert shown == {"one": "three", "two": "three", "three": "one, two"}


async def test_name_servers_of_a_hub_answer_for_a_network_and_azures_own_again(run: Run, world: World) -> None:
    await run("network", "hub", "--prefix", "10.60", "--peer", "vnet-eastus2-hub")
    shown = await run("network", "spoke", "--dns-servers", "10.60.0.4, 10.60.0.5", "--peer", "hub")
    assert "name servers: 10.60.0.4, 10.60.0.5" in shown
    async with world.azure() as azure:
        zone = f"{made('hub').rsplit('/', 2)[0]}/privateDnsZones/{ZONE}"
        linked = {"virtualNetwork": {"id": made("hub")}}
        for path, body in (
            (zone, {"location": "global"}),
            (f"{zone}/virtualNetworkLinks/l", {"location": "global", "properties": linked}),
            (f"{zone}/A/*", {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "127.77.0.4"}]}}),
        ):  # fmt: skip
            answer = await azure.put(f"{path}?api-version=2024-06-01", json=body)
            assert answer.is_success, answer.text
            await world.clock.sleep(10)

    def seen() -> str:
        return world.network.resolve(made("spoke"), HOST).rcode

    assert seen() == "NOERROR"
    for how, rcode in (("timeout", "TIMEOUT"), ("servfail", "SERVFAIL"), ("answers", "NOERROR")):
        shown = await run("resolver", how, "hub")
        assert (seen(), f"resolver: {how}" in shown) == (rcode, how != "answers")
    shown = await run("network", "spoke", "--dns-servers", "azure")
    assert (seen(), "peered: hub" in shown) == ("NXDOMAIN", True)


async def test_a_firewall_is_put_in_front_of_a_network_and_taken_away(
    run: Run, client: LocalClient, world: World
) -> None:
    address = await endpoint_in(client, world, "vnet-eastus2-apps", "pe-one")

    def met() -> str:
        found = world.network.attempt(address, 9243, from_vnet=HUB_VNET)
        return found if isinstance(found, str) else "open"

    shown = await run("firewall", "refuse", "vnet-eastus2-apps")
    assert (met(), "firewall: refuse from *" in shown) == ("refused", True)
    await run("firewall", "reset", "vnet-eastus2-apps", "--from", "vnet-eastus2-hub")
    await run("firewall", "drop", "vnet-eastus2-apps", "--from", "vnet-westeurope-hub")
    assert met() == "reset"
    await run("firewall", "open", "vnet-eastus2-apps", "--from", "vnet-eastus2-hub")
    assert met() == "refused", "the rule for all others is what is left"
    await run("firewall", "open", "vnet-eastus2-apps")
    assert (met(), world.network.settings.firewalls) == ("open", {})


async def test_one_command_changes_several_networks(run: Run) -> None:
    shown = await run("network", "one", "two", "--dns-servers", "10.11.0.4", "--peer", "vnet-eastus2-hub")
    for name, line in zip(("one", "two"), shown.splitlines(), strict=True):
        assert line.startswith(f"{name} ")
        assert "name servers: 10.11.0.4  peered: vnet-eastus2-hub" in line
    with pytest.raises(RuntimeError, match="--prefix is for a single network"):
        await run("network", "three", "four", "--prefix", "10.60")
    assert "three" not in await run("network")


async def test_settings_of_the_app_are_changed_and_networks_may_be_named(run: Run, changed: dict[str, str]) -> None:
    shown = await run("setting", "DNS_LINK_VNETS=vnet-eastus2-hub, vnet-westeurope-hub", "DNS_RECORD_MODE=union")
    assert changed == {"DNS_LINK_VNETS": f"{HUB_VNET},{vnet_id('westeurope', 'hub')}", "DNS_RECORD_MODE": "union"}
    assert "DNS_RECORD_MODE=union" in shown
    await run("setting", "DNS_LINK_VNETS=")
    assert changed["DNS_LINK_VNETS"] == ""
    with pytest.raises(RuntimeError, match="no network is called nowhere"):
        await run("setting", "DNS_LINK_VNETS=nowhere")


async def test_an_unknown_network_is_refused_with_those_that_there_are(run: Run, client: LocalClient) -> None:
    for command in (
        ["firewall", "drop", "nowhere"],
        ["resolver", "timeout", "nowhere"],
        ["network", "new", "--peer", "nowhere"],
    ):
        with pytest.raises(RuntimeError, match=r"no network is called nowhere; .*there are: .*vnet-eastus2-hub"):
            await run(*command)
    with pytest.raises(RuntimeError, match="no network is called nowhere"):
        await create_endpoint(client, "eastus2", name="pe", target="logs-eastus2", network="nowhere")


async def test_more_networks_than_a_page_of_azures_list_are_all_found(run: Run, world: World) -> None:
    world.arm.settings.page_size = 4
    assert len((await run("network")).splitlines()) == 6


def test_the_network_of_the_app_is_named_as_at_the_start_or_is_one_of_its_own() -> None:
    assert [network_id(one) for one in ("vnet-eastus2-hub", "VNET-westeurope-apps", "vnet-eastus2-app", "/x/y")] == [
        HUB_VNET, vnet_id("westeurope"), OWN_VNET, "/x/y",
    ]  # fmt: skip


async def test_an_app_in_a_network_of_its_own_is_peered_routed_and_linked_to_none() -> None:
    world = World(LoopClock(), ca=authority(), app_vnet=OWN_VNET)
    await world.seed()
    own = world.arm.virtual_network(OWN_VNET)
    assert own is not None
    assert (own.peerings, own.dns_servers) == ({}, [])
    assert world.network.app_vnet_id == OWN_VNET
    assert not any(other.names_as_peer(OWN_VNET) for other in world.arm.virtual_networks())
    spaces = [prefix for one in world.arm.virtual_networks() for prefix in one.address_prefixes]
    assert len(spaces) == len(set(spaces)) == 7


async def test_no_zone_is_linked_to_the_apps_own_network_and_a_route_gives_it_a_way_to_an_endpoint() -> None:
    estate = await Estate(app_vnet=OWN_VNET).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    address = (await estate.ready(endpoint)).identity.address
    assert [link.vnet.id for link in estate.arm.virtual_network_links()] == [vnet_id("eastus2")]
    assert estate.network.dial(address, 9243, from_vnet=OWN_VNET) is None
    estate.network.settings.routed = [[OWN_VNET, vnet_id("eastus2")]]
    assert estate.network.dial(address, 9243, from_vnet=OWN_VNET) is not None
