"""The command `setting`: settings of the app, changed as in the portal, which restarts it.

Called by `local.__main__`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from local.cli import networks

if TYPE_CHECKING:
    from local.cli.client import LocalClient

_OF_NETWORKS = {"DNS_LINK_VNETS"}
"""Settings that take ids of networks: here their names will do."""


def add_setting_command(commands: Any) -> None:
    """Add it to the command line."""
    setting = commands.add_parser("setting")
    setting.add_argument("change", nargs="+", metavar="NAME=VALUE", type=_change, help="no value: as at the start")


def _change(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


async def change_settings(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Set them, all with one restart."""
    changes = dict(arguments.change)
    for name in _OF_NETWORKS & set(changes):
        named = [one.strip() for one in changes[name].split(",") if one.strip()]
        changes[name] = ",".join([(await networks.find(client, one))["id"] for one in named])
    await client.backstage("settings", **changes)
    asked = ", ".join(f"{name}={value}" for name, value in arguments.change)
    print(f"set; the app has started again with {asked}")
