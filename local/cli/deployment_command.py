"""The commands `deployment` and `approval`: what Elastic's side does by itself, or a person in its console.

Called by `local.__main__`; both go through `local.cli.backstage`, as Elastic's API has no operation for them.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from local.cli.breaking import find

if TYPE_CHECKING:
    from local.cli.client import LocalClient


def add_deployment_commands(commands: Any) -> None:
    """Add them to the command line."""
    deployment = commands.add_parser("deployment")
    deployment.add_argument("name", help="or id, as logs-westeurope")
    deployment.add_argument(
        "--status", help="initializing, reconfiguring, restarting, rebooting, stopping, started ..."
    )
    deployment.add_argument(
        "--product-alias",
        action="append",
        default=[],
        metavar="PRODUCT=ALIAS",
        type=_alias,
        help="another alias for es, kb, fleet, apm, ingest or ent; with nothing after = it has none; repeated",
    )
    deployment.add_argument("--delete", action="store_true", help="it is gone, and its associations with it")
    deployment.add_argument("--keep-associations", action="store_true", help="with --delete: policies go on listing it")
    approval = commands.add_parser("approval")
    approval.add_argument("name", help="of the endpoint")
    approval.add_argument("state", help="Approved, Rejected, Disconnected, Removed, Timeout, or nothing: ''")


def _alias(text: str) -> tuple[str, str]:
    product, separator, alias = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not PRODUCT=ALIAS")
    return product, alias


async def change_deployment(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Change a deployment's state or the aliases of its products, or delete it."""
    asked: dict[str, Any] = {"deployment": arguments.name}
    if arguments.delete:
        asked |= {"deleted": True, "staysAssociated": arguments.keep_associations}
    if arguments.status:
        asked["status"] = arguments.status
    if arguments.product_alias:
        asked["productAliases"] = dict(arguments.product_alias)
    await client.backstage("deployment", **asked)
    print("done")


async def change_approval(client: LocalClient, arguments: argparse.Namespace) -> None:
    """Put an endpoint's connection into a state, as the service's owner does."""
    connection = await find(client, arguments.name)
    await client.backstage("approval", endpoint=connection["endpointId"], state=arguments.state)
    print("done")
