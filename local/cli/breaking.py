"""Breaking each hop of a connection, and mending it: what `python -m local break` and `mend` do.

Used by `local.__main__` and the end-to-end tests. What people and other managers do over the APIs of Azure and Elastic
Cloud is done over these; the rest goes through `local.cli.backstage`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from local.cli.breaking_elastic import (
    AlreadyBroken,
    NotBroken,
    delete_policy,
    disassociate,
    rename_alias,
    restore_target,
    stop_target,
)
from local.cli.client import LocalClient, Refused, checked

STORY = "pe-story"
"""The endpoint that the story makes."""
Action = Callable[[LocalClient, dict[str, Any]], Awaitable[None]]
"""Does it to a connection, which is as `GET /api/connections/{id}` shows it."""


@dataclass(frozen=True)
class Hop:
    """One part of the way from a network to a deployment or project."""

    broken: str
    """What is done to it."""
    repair: str
    """Who mends it."""
    do: Action
    undo: Action | None = None
    """None: the app mends it by itself."""
    of_connection: bool = True
    """Whether it is one connection's, or all of them have it."""


async def find(client: LocalClient, name: str) -> dict[str, Any]:
    """The connection of the endpoint with this name, in full; raises RuntimeError when there is none.

    Without a name: the story's, or the only one that there is.
    """
    listed = checked(await client.app("GET", f"/connections?q={quote(name)}"))["items"]
    same = [one for one in listed if (name or STORY) in (one["name"], one["id"])]
    if not same and not name:
        there = [one for one in listed if one["phase"] != "Removed"]
        same = there if len(there) == 1 else []
    found = next((one for one in same if one["phase"] != "Removed"), same[0] if same else None)
    if found is None:
        some = checked(await client.app("GET", "/connections"))["items"]
        known = ", ".join(one["name"] for one in some) or "none"
        raise RuntimeError(f"no connection is called {name or STORY}; there are: {known}")
    return dict(checked(await client.app("GET", f"/connections/{found['id']}")))


async def mend_hop(client: LocalClient, hop: Hop, name: str) -> bool:
    """Mend what the app cannot; False: nothing was broken."""
    if hop.undo is None:
        raise RuntimeError(f"nothing is to be mended by hand: {hop.repair}")
    try:
        await hop.undo(client, await find(client, name) if hop.of_connection else {})
    except NotBroken:
        return False
    except Refused as refused:
        _tell_ended_key(refused)
        raise
    return True


def _tell_ended_key(refused: Refused) -> None:
    """Raise in words what a broken key is the cause of: a person here has no other one than the app."""
    if refused.status == HTTPStatus.UNAUTHORIZED:
        words = "Elastic Cloud takes no request with a key that has ended: python -m local mend key"
        raise RuntimeError(words) from refused


async def break_hop(client: LocalClient, hop: Hop, name: str) -> bool:
    """Break a hop of the connection of the endpoint with this name; False: it was broken already."""
    connection = await find(client, name) if hop.of_connection else {}
    try:
        await hop.do(client, connection)
    except AlreadyBroken:
        return False
    except Refused as refused:
        _tell_ended_key(refused)
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        return False
    return True


# -- in Azure ------------------------------------------------------------------------------------------------------


async def _delete_record(client: LocalClient, connection: dict[str, Any]) -> None:
    await client.azure("DELETE", f"{_zone(connection)}/A/*")


async def _unlink(client: LocalClient, connection: dict[str, Any]) -> None:
    """The link of the endpoint's own network."""
    links = (await client.azure("GET", f"{_zone(connection)}/virtualNetworkLinks"))["value"]
    own = connection["vnetId"].lower()
    linked = next((one["id"] for one in links if _linked(one).lower() == own), None)
    if linked is None:
        raise AlreadyBroken
    await client.azure("DELETE", linked)


def _zone(connection: dict[str, Any]) -> str:
    if not connection.get("zone"):
        raise RuntimeError(f"{connection['name']} has no zone yet: wait until it is Ready")
    return str(connection["zone"]["id"])


def _linked(link: dict[str, Any]) -> str:
    return str(link["properties"]["virtualNetwork"]["id"])


async def recreate(client: LocalClient, connection: dict[str, Any]) -> None:
    """The endpoint deleted by its owner, and made again as it was: a new GUID under the old name."""
    endpoint = connection["endpointId"]
    body = await asked_for(client, endpoint)
    await client.azure("DELETE", endpoint)
    await client.azure("PUT", endpoint, body)


async def asked_for(client: LocalClient, endpoint: str) -> dict[str, Any]:
    """The PUT body of an endpoint as it is now, for its owner to change or to make it again."""
    found = await client.azure("GET", endpoint)
    asked = found["properties"]["manualPrivateLinkServiceConnections"][0]
    service = {name: asked["properties"][name] for name in ("privateLinkServiceId", "requestMessage")}
    properties = {
        "subnet": {"id": found["properties"]["subnet"]["id"]},
        "manualPrivateLinkServiceConnections": [{"name": asked["name"], "properties": service}],
    }
    return {"location": found["location"], "tags": found.get("tags") or {}, "properties": properties}


async def _disconnect(client: LocalClient, connection: dict[str, Any]) -> None:
    await client.backstage("approval", endpoint=connection["endpointId"], state="Disconnected")


async def _close_route(client: LocalClient, connection: dict[str, Any]) -> None:
    await client.backstage("route", endpoint=connection["endpointId"], open=False)


async def _open_route(client: LocalClient, connection: dict[str, Any]) -> None:
    await client.backstage("route", endpoint=connection["endpointId"], open=True)


# -- in Elastic Cloud ----------------------------------------------------------------------------------------------


async def _end_key(client: LocalClient, _connection: dict[str, Any]) -> None:
    await client.backstage("key", state="ended")


async def _renew_key(client: LocalClient, _connection: dict[str, Any]) -> None:
    await client.backstage("key", state="renewed")


HOPS = {
    "record": Hop("the * record is deleted", "the app puts it back", _delete_record),
    "link": Hop("the zone is unlinked from the endpoint's network", "the app links it again", _unlink),
    "route": Hop("the endpoint's address does not answer any more", "you do", _close_route, _open_route),
    "approval": Hop("Elastic disconnects the endpoint", "you do: by making the endpoint again", _disconnect, recreate),
    "policy": Hop("the policy is deleted in Elastic Cloud", "the app makes another one", delete_policy),
    "association": Hop(
        "the policy is taken off the deployment or project",
        "the app puts it back, a few times, in case another manager takes it away on purpose",
        disassociate,
    ),
    "alias": Hop("the deployment or project gets another alias", "the app tests and shows the new names", rename_alias),
    "target": Hop("the deployment is shut down; a project is suspended", "you do", stop_target, restore_target),
    "key": Hop("the Elastic Cloud API key ends", "you do, with a new key", _end_key, _renew_key, of_connection=False),
}
"""By the name that the commands take, in the order of the way from a network to the target."""
