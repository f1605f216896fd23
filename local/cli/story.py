"""`make run`: the whole job once, as a user sees it, and then a place to play. Called by `local.__main__`.

The user's part is three steps: a virtual network, a private endpoint against Elastic's alias, and a tag on it that
names the deployment. Everything after that is the app's doing, followed through its own HTTP API.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.cli import networks, next_steps
from local.cli.client import LocalClient
from local.cli.folder import folder_option
from local.world import endpoint_body
from shared.core.model.arm_ids import connection_id
from shared.core.model.services import Family
from shared.settings.services import shipped_services

READY_SECONDS = 180.0
GIVEN_UP = {"Blocked", "Ignored", "Removed"}
PERSON = "person"
POLL_SECONDS = 0.3
MARKS = {"True": "✓", "False": "…", "Unknown": "·"}
REFUSED = "✗"
"""In place of the mark for what comes by itself: only a person can change it."""


class StoryFailed(Exception):
    """The connection did not become Ready."""


def alias_of(region: str) -> str:
    """Elastic's alias for deployments of a region, from the product's own table."""
    known = {one.region: one.alias for one in shipped_services().of_family(Family.HOSTED)}
    if region not in known:
        raise StoryFailed(f"no deployments are in {region}; there are in {', '.join(sorted(known))}")
    return known[region]


async def alias_of_projects(client: LocalClient, region: str) -> str:
    """Elastic's alias for projects of a region, as its metadata tells it: a table would lack the newest."""
    path = "/serverless/traffic-filters/metadata?csp=azure"
    listed = (await client.elastic("GET", path))["regions"]
    known = {one["region"].removeprefix("azure-"): str(one["private_service_name"]) for one in listed}
    if region not in known:
        raise StoryFailed(f"no projects are in {region}; there are in {', '.join(sorted(known))}")
    return known[region]


def group(client: LocalClient, name: str) -> str:
    """The id of a resource group, up to its providers."""
    return f"/subscriptions/{client.endpoints['subscription_id']}/resourceGroups/{name}/providers/Microsoft.Network"


async def create_endpoint(
    client: LocalClient,
    region: str,
    *,
    name: str,
    target: str,
    network: str | None = None,
    serverless: bool = False,
) -> str:
    """A private endpoint, tagged with a deployment or project, in that network, or in a new one peered with the app's.

    `region` is Elastic's; an endpoint is always where its network is. Returns the endpoint's id.
    """
    alias = await alias_of_projects(client, region) if serverless else alias_of(region)
    prefix = group(client, f"rg-{name}")
    vnet, location = f"{prefix}/virtualNetworks/vnet-{name}", region
    if network is None:
        await networks.make(client, vnet, region)
        await networks.peer(client, vnet, client.endpoints["app_network"], connected=True)
    else:
        found = await networks.find(client, network)
        vnet, location = found["id"], found["location"]
    endpoint = f"{prefix}/privateEndpoints/{name}"
    body = endpoint_body(location, vnet, alias, {"elastic-deployments": target})
    await client.azure("PUT", endpoint, body)
    return endpoint


async def follow(client: LocalClient, endpoint: str, started: float) -> dict[str, Any]:
    """Print each condition as it turns, until the connection is Ready; raises StoryFailed otherwise."""
    shown: dict[str, tuple[str, str]] = {}

    def show(conditions: list[dict[str, Any]]) -> None:
        for condition in conditions:
            state = (condition["status"], condition["reason"])
            if shown.get(condition["type"]) != state:
                shown[condition["type"]] = state
                _line(started, mark(condition), condition["type"], condition["reason"], condition["message"])

    connection = await settled(client, endpoint, show)
    if connection.get("phase") != "Ready":
        raise StoryFailed(explained(connection))
    return connection


def _nothing(_conditions: list[dict[str, Any]]) -> None:
    pass


async def settled(
    client: LocalClient,
    endpoint: str,
    show: Callable[[list[dict[str, Any]]], None] = _nothing,
    *,
    poll_seconds: float = POLL_SECONDS,
) -> dict[str, Any]:
    """The connection once it is Ready, or only a person can change it, or it has taken too long."""
    path, end = f"/connections/{connection_id(endpoint)}", time.monotonic() + READY_SECONDS
    while True:
        answer = await client.app("GET", path)
        connection = dict(answer.json()) if answer.is_success else {}
        show(connection.get("conditions") or [])
        phase = connection.get("phase")
        if phase == "Ready" or phase in GIVEN_UP or time.monotonic() > end:
            return connection
        if phase == "Degraded" and waits_for_a_person_alone(connection):
            return connection
        await asyncio.sleep(poll_seconds)


def waits_for_a_person_alone(connection: Mapping[str, Any]) -> bool:
    """Whether the app has nothing more to do, and nothing to wait for."""
    return {one["needs"] for one in connection["conditions"] if one["status"] == "False"} == {PERSON}


def mark(condition: Mapping[str, Any]) -> str:
    """What stands before a condition: done, refused, waiting or not known."""
    refused = condition["status"] == "False" and condition.get("needs") == PERSON
    return REFUSED if refused else MARKS[condition["status"]]


def _line(started: float, mark: str, what: str, reason: str, message: str) -> None:
    seconds = time.monotonic() - started
    print(f"  {seconds:6.1f} s  {mark} {what:<13} {reason:<20} {message}", flush=True)


def explained(connection: Mapping[str, Any]) -> str:
    """What keeps a connection from being Ready, and what to do."""
    lines = [f"the connection is {connection.get('phase') or f'not known to the app after {READY_SECONDS:.0f} s'}:"]
    for condition in connection.get("conditions") or []:
        if condition["status"] != "True" and condition["type"] != "Ready":
            lines.append(f"  {condition['type']} {condition['reason']}: {condition['message']}")
            if condition["nextStep"]:
                lines.append(f"    next: {condition['nextStep']}")
    return "\n".join(lines)


async def tell(client: LocalClient) -> None:
    """The story, from the endpoint to the tested connection."""
    region, target = "eastus2", "logs-eastus2"
    secrets = (await client.vault("GET", "/secrets"))["value"]
    print(f"\nIn the key vault, for the app to read with its own identity: {_names(secrets) or 'no API key yet'}.")
    print(f"\nA user creates a virtual network and a private endpoint for {target} in {region}:", flush=True)
    started = time.monotonic()
    creation = asyncio.create_task(create_endpoint(client, region, name="pe-story", target=target))
    endpoint = f"{group(client, 'rg-pe-story')}/privateEndpoints/pe-story"
    _line(started, "→", "ARM PUT", "privateEndpoints", endpoint)
    connection = await follow(client, endpoint, started)
    await creation
    _after(client, connection)


def _names(secrets: list[dict[str, Any]]) -> str:
    return ", ".join(str(one["id"]).rsplit("/", 1)[-1] for one in secrets)


def _after(client: LocalClient, connection: dict[str, Any]) -> None:
    endpoints = client.endpoints
    url = next(u for one in connection["targets"] for u in one["urls"] if u["service"] == "elasticsearch")["url"]
    host_port = url.removeprefix("https://")
    status = f"{endpoints['functions']}/api/connections/{connection['id']}?code={endpoints['function_key']}"
    print("\nThe connection is Ready. Private URLs of the deployment:")
    for target in connection["targets"]:
        for entry in target["urls"]:
            print(f"  {entry['service']:<20} {entry['url']}")
    print(
        "\nTest it as Elastic's guide does (401 from Elasticsearch is the good answer; the address is the endpoint's):"
    )
    print(f"  curl -i --cacert {endpoints['ca_file']} --resolve {host_port}:{connection['address']} {url}")
    print("\nThe dashboard, in a browser:")
    keys = f"code={endpoints['function_key']}&deciding={endpoints['deciding_key']}"
    print(f"  {endpoints['functions']}/api/dashboard#{keys}")
    print("\nIts status, and that of all connections:")
    print(f"  curl '{status}'")
    print(f"  curl '{endpoints['functions']}/api/connections?code={endpoints['function_key']}'")
    print("\nKeys: the function key lets a caller read, the deciding key, in the header x-autopilot-key, also decide;")
    print(f"both are in {Path(endpoints['folder']) / 'endpoints.json'}.")
    local = f".venv/bin/python -m local{folder_option(Path(endpoints['folder']))}"
    print("\nWhat to try next, in another terminal:")
    print("\n".join(f"  {line}" for line in next_steps.first_tries(local, connection)))
    print("\nThree networks, of which the app reaches two, then a hub (docs/local.md, Networks); `status` tells:")
    print("\n".join(f"  {line}" for line in next_steps.several_networks(local)), flush=True)
