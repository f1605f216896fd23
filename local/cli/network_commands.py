"""The commands `network`, `firewall` and `resolver`: their arguments, and what each does with `local.cli.networks`.

Called by `local.__main__`.
"""

from __future__ import annotations

import argparse
from typing import Any

from local.cli import networks
from local.cli.client import LocalClient
from local.cli.story import group
from local.world import SEEDED, vnet_id

_OPEN = "open"
_ANSWERS = "answers"


def network_id(name: str) -> str:
    """The id of a network of the start by its name, or of one that is made for the app alone."""
    if name.startswith("/"):
        return name
    seeded = next((vnet for vnet in SEEDED if vnet.rsplit("/", 1)[-1].lower() == name.lower()), None)
    return seeded or f"{vnet_id('eastus2').rsplit('/', 1)[0]}/{name}"


def add_network_commands(commands: Any) -> None:
    """Add them to the command line."""
    network = commands.add_parser("network")
    network.add_argument("name", nargs="*", help="of networks, which are made if there are none; default: list all")
    network.add_argument("--region", default="eastus2", help="of a new one; default: eastus2")
    network.add_argument("--prefix", help="address space of a new one, as 10.50 for 10.50.0.0/16; default: a free one")
    network.add_argument("--dns-servers", help=f"addresses separated by commas, or `{networks.AZURE}` for Azure's own")
    for option, does in (
        ("peer", "peer it with this one, both sides"),
        ("unpeer", "take that peering away"),
        ("routed", "let it reach this one, and the other way, with no peering"),
        ("unrouted", "take that route away"),
    ):
        network.add_argument(f"--{option}", action="append", default=[], metavar="NAME", help=f"{does}; repeated")
    firewall = commands.add_parser("firewall")
    firewall.add_argument("answer", choices=["drop", "refuse", "reset", _OPEN])
    firewall.add_argument("name", help="of the network that the connections go into")
    firewall.add_argument("--from", dest="source", metavar="NAME", help="the network they come from; default: all")
    resolver = commands.add_parser("resolver")
    resolver.add_argument("answer", choices=["timeout", "servfail", _ANSWERS])
    resolver.add_argument("name", help="of the network whose name server it is")


async def change_networks(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Make networks, change what is asked for, and print them; without a name print all."""
    if not arguments.name:
        print("\n".join(await networks.lines(client)))
    if len(arguments.name) > 1 and arguments.prefix is not None:
        raise RuntimeError("--prefix is for a single network: no two have the same addresses")
    for name in arguments.name:
        await _change_network(client, name, arguments)


async def _change_network(client: LocalClient, name: str, arguments: argparse.Namespace) -> None:
    if name not in {one["name"] for one in await networks.listed(client)}:
        made = f"{group(client, f'rg-{name}')}/virtualNetworks/{name}"
        await networks.make(client, made, arguments.region, arguments.prefix)
    network = await networks.find(client, name)
    if arguments.dns_servers is not None:
        asked = [] if arguments.dns_servers == networks.AZURE else arguments.dns_servers.split(",")
        await networks.set_name_servers(client, network, [one.strip() for one in asked])
    for change, connected, others in (
        (networks.peer, True, arguments.peer),
        (networks.peer, False, arguments.unpeer),
        (networks.route, True, arguments.routed),
        (networks.route, False, arguments.unrouted),
    ):
        for other in others:
            await change(client, network["id"], (await networks.find(client, other))["id"], connected=connected)
    print("\n".join(await networks.lines(client, network["id"])))


async def turn_firewall(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Let a firewall say something to connections into a network."""
    network = (await networks.find(client, arguments.name))["id"]
    source = None if arguments.source is None else (await networks.find(client, arguments.source))["id"]
    await networks.set_firewall(client, network, source, None if arguments.answer == _OPEN else arguments.answer)
    print("\n".join(await networks.lines(client, network)))


async def turn_resolver(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Let a network's name server fail, or answer again."""
    network = (await networks.find(client, arguments.name))["id"]
    await networks.set_resolver(client, network, None if arguments.answer == _ANSWERS else arguments.answer)
    print("\n".join(await networks.lines(client, network)))
