"""The subscriptions below a management group, read from ARM. Used by `installation.watched`."""

from __future__ import annotations

from urllib.parse import quote

from shared.clouds.azure.arm_reads import read_list
from shared.clouds.azure.clients import ArmClients
from shared.core.model.json_values import text

API = "2020-05-01"
PREFIX = "/providers/Microsoft.Management/managementGroups/"


async def subscriptions_below(clients: ArmClients, group: str) -> tuple[str, ...]:
    """Ids of all subscriptions below a management group, at every level, in lower case; raises what reads raise."""
    doing = f"list the subscriptions below the management group {group}"
    listed = await read_list(clients, f"{PREFIX}{quote(group)}/descendants", API, doing)
    # The other descendants are groups, whose subscriptions stand in the same list.
    subscriptions = (one for one in listed if text(one.get("type")).lower().endswith("/subscriptions"))
    return tuple(dict.fromkeys(filter(None, (text(one.get("name")).lower() for one in subscriptions))))
