"""The command `vault`: the secrets of the key vault, as a person changes them with `az keyvault secret`.

Called by `local.__main__`; it speaks the vault's own API, with a person's rights.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from local.cli.client import LocalClient

_ACTIONS = ("set", "enable", "disable", "delete", "recover", "purge")


def add_vault_command(commands: Any) -> None:
    """Add it to the command line."""
    vault = commands.add_parser("vault")
    vault.add_argument("action", nargs="?", choices=_ACTIONS, help="without one the secrets are listed")
    vault.add_argument("name", nargs="?", default="elastic-api-key", help="of the secret; default: elastic-api-key")
    vault.add_argument("value", nargs="?", help="for set; default: what comes in on standard input")


async def change_vault(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Change a secret as asked, and list all of them; their values are not shown."""
    path = f"/secrets/{quote(arguments.name)}"
    deleted = f"/deletedsecrets/{quote(arguments.name)}"
    match arguments.action:
        case "set":
            value = sys.stdin.read().strip() if arguments.value is None else arguments.value
            await client.vault("PUT", path, {"value": value})
        case "enable" | "disable":
            listed = (await client.vault("GET", f"{path}/versions"))["value"]
            *_, last = sorted(listed, key=lambda one: one["attributes"]["created"])  # of one second: in their order
            newest = last["id"].rsplit("/", 1)[-1]
            enabled = {"attributes": {"enabled": arguments.action == "enable"}}
            await client.vault("PATCH", f"{path}/{newest}", enabled)
        case "delete":
            await client.vault("DELETE", path)
        case "recover":
            await client.vault("POST", f"{deleted}/recover")
        case "purge":
            await client.vault("DELETE", deleted)
    await _list(client)


async def _list(client: LocalClient) -> None:
    for one in (await client.vault("GET", "/secrets"))["value"]:
        print(f"{_name(one):<40} {'enabled' if one['attributes']['enabled'] else 'disabled'}")
    for one in (await client.vault("GET", "/deletedsecrets"))["value"]:
        print(f"{_name(one):<40} deleted, to be recovered or purged")


def _name(one: dict[str, Any]) -> str:
    return str(one["id"]).rsplit("/", 1)[-1]
