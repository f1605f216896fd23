"""Situations in which people waited for ever, or were told nothing or something else. Rows are in `test_told_*`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import API_KEY, HUB_VNET, endpoint_body, vnet_id
from shared.core.model import conditions as c
from tests.harness.dns import DNS_API, OTHER_SUBSCRIPTION
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE
from tests.reconciler.remedy_parts import LOCKS_API
from tests.reconciler.situations import made, ready, swept, the
from tests.reconciler.test_restores import delete_record

Make = Callable[[Estate], Awaitable[str]]
SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
WISH = {"elastic-deployments": "logs-eastus2"}
PAUSE = 3600
TAGS_API = "2021-04-01"
ADDRESSES_API = "2025-01-01"


def wishing(wish: str = "logs-eastus2", **tags: str) -> Make:
    """An endpoint with these tags."""

    async def make(estate: Estate) -> str:
        return await made(estate, tags={"elastic-deployments": wish} | tags)

    return make


def after(change: Callable[[Estate, str], Awaitable[None]], times: int = 1, sweeps: int = 1) -> Make:
    """A connection that works, of which others change something so many times."""

    async def make(estate: Estate) -> str:
        endpoint = await ready(estate)
        await estate.clock.sleep(PAUSE)
        for _ in range(times):
            await change(estate, endpoint)
            await swept(estate, sweeps)
        return endpoint

    return make


# -- dead ends and silence -----------------------------------------------------------------------------------------


async def deleted_just_now(estate: Estate) -> str:
    """The endpoint's record is deleted as soon as the app has put it right."""
    endpoint = await ready(estate)
    await estate.clock.sleep(PAUSE)
    for _ in range(3):
        await delete_record(estate, endpoint)
        await estate.send(endpoint, "event-write")
        await estate.settle(5)
    return endpoint


async def key_ended_later(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    await estate.sweep()
    await estate.settle(60)
    return endpoint


async def kept_by_others(estate: Estate) -> str:
    """A zone with a record of another owner outlives the endpoint."""
    endpoint = await ready(estate)
    records = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.99.0.4"}]}}
    await estate.azure("PUT", f"{estate.zone().id}/A/printer", records, api=DNS_API)
    await estate.delete(endpoint)
    await estate.settle(PAUSE)
    return endpoint


async def locked_when_it_goes(estate: Estate) -> str:
    endpoint = await ready(estate)
    lock = f"{SUBSCRIPTION}/resourceGroups/rg-apps/providers/Microsoft.Authorization/locks/keep"
    await estate.delete(endpoint)
    await estate.azure("PUT", lock, {"properties": {"level": "CanNotDelete"}}, api=LOCKS_API)
    await estate.settle(PAUSE)
    return endpoint


async def policy_is_renamed(estate: Estate, endpoint: str) -> None:
    (policy,) = estate.policies_of(endpoint)
    policy.name = "theirs"


async def own_name_servers(estate: Estate) -> str:
    endpoint = await ready(estate)
    network = estate.arm.virtual_network(vnet_id("eastus2"))
    assert network is not None
    network.dns_servers = ["10.99.0.53"]
    await swept(estate, 1)
    return endpoint


# -- saying what is meant ------------------------------------------------------------------------------------------


async def one_name_in_two_regions(estate: Estate) -> str:
    the(estate, "logs-westeurope").name = "audit"
    estate.elastic.add_deployment("audit", "eastus2", ip_policy=True)
    return await made(estate, tags={"elastic-deployments": "audit"})


async def by_alias(estate: Estate) -> str:
    return await made(estate, tags={"elastic-deployments": str(the(estate).alias)})


async def by_cluster_id(estate: Estate) -> str:
    return await made(estate, tags={"elastic-deployments": the(estate).elasticsearch_id})


async def no_room_in_the_tag(estate: Estate) -> str:
    ids = [estate.elastic.add_deployment(f"audit-{n}", "eastus2", ip_policy=True).id for n in range(7)]
    return await made(estate, tags={"elastic-deployments": ",".join((*ids, str(the(estate).alias)))})


async def only_others_kinds(estate: Estate) -> str:
    """Policies that close nothing for people: a person makes them in the console, the app's API calls never do."""
    target = the(estate, "search-eastus2").id
    egress: dict[str, Any] = {"target": "10.0.0.0/8", "protocol": "tcp", "ports": [443]}
    estate.elastic.add_ruleset("egress", "eastus2", "egress_firewall", [{"egress_rule": egress}], [target])
    remote = {"remote_cluster_id": "a" * 32, "remote_cluster_org_id": "1"}
    estate.elastic.add_ruleset("remote", "eastus2", "remote_cluster", [remote], [target])
    return await made(estate, tags={"elastic-deployments": "search-eastus2"})


async def without_consent(estate: Estate) -> str:
    the(estate).tags = {"team": "search"}
    return await made(estate)


async def consented(estate: Estate) -> str:
    """As the next step says it: all tags of the deployment are written at once, over Elastic Cloud's API."""
    endpoint = await without_consent(estate)
    told = (await estate.connection(endpoint)).condition(c.ASSOCIATED)
    assert told is not None
    path, _, body = told.next_step.partition("PUT /api/v1")[2].partition(" ")
    transport = httpx.ASGITransport(app=estate.elastic.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://elastic.local") as person:
        key = {"Authorization": f"ApiKey {API_KEY}"}
        answer = await person.put(f"/api/v1{path}", json=json.loads(body.rstrip(".")), headers=key)
    assert answer.is_success, answer.text
    await swept(estate)
    return endpoint


async def full_of_tags(estate: Estate) -> str:
    the(estate).tags = {f"team-{n}": "ours" for n in range(64)}
    return await made(estate)


async def move(estate: Estate, group: str, resource: str) -> None:
    """To the group rg-new, as an administrator does."""
    body = {"resources": [resource], "targetResourceGroup": f"{SUBSCRIPTION}/resourceGroups/rg-new"}
    await estate.azure("POST", f"{SUBSCRIPTION}/resourceGroups/{group}/moveResources", body, api=TAGS_API)
    await estate.clock.sleep(estate.arm_settings.move_seconds + 1)


async def moved_zone(estate: Estate) -> str:
    endpoint = await ready(estate)
    await move(estate, "rg-apps", estate.zone().id)
    await swept(estate)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    return endpoint


async def moved_hub(estate: Estate) -> str:
    """The network of the setting is elsewhere now; its old link still serves it."""
    estate.arm_settings.moved_network = "followed"
    network = estate.arm.virtual_network(HUB_VNET)
    assert network is not None
    network.peerings.clear()
    endpoint = await ready(estate)
    await move(estate, "rg-network-eastus2", HUB_VNET)
    await swept(estate)
    return endpoint


async def group_goes(estate: Estate) -> str:
    """The zone's group, for hours, when its endpoint goes, too."""
    endpoint = await ready(estate)
    estate.arm_settings.group_delete_seconds = 10**6
    await estate.azure("DELETE", f"{SUBSCRIPTION}/resourceGroups/rg-dns", api=TAGS_API)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    return endpoint


async def not_all_looked_at(estate: Estate) -> str:
    """One subscription may not be listed: what is there, nothing tells."""
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    scope = f"/subscriptions/{OTHER_SUBSCRIPTION}"
    estate.arm_settings.denied_actions.add(f"Microsoft.Network/privateDnsZones/read@{scope}")
    endpoint = await ready(estate)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    return endpoint


# -- states of the local clouds ------------------------------------------------------------------------------------


def with_addresses(**properties: Any) -> Make:
    """An endpoint of a subnet that has both kinds of addresses."""

    async def make(estate: Estate) -> str:
        subnet = f"{vnet_id('eastus2')}/subnets/both"
        prefixes = {"addressPrefixes": ["10.1.9.0/24", "fd00:1::/64"]}
        await estate.azure("PUT", subnet, {"properties": prefixes})
        endpoint = f"{SUBSCRIPTION}/resourceGroups/rg-apps/providers/Microsoft.Network/privateEndpoints/pe-1"
        body = endpoint_body("eastus2", vnet_id("eastus2"), estate.service_of("eastus2").alias, WISH)
        body["properties"] |= {"subnet": {"id": subnet}} | properties
        await estate.azure("PUT", endpoint, body, api=ADDRESSES_API)
        await estate.settle(2 * PAUSE)
        return endpoint

    return make


def of_a_deployment(change: Callable[[Estate], None], sweeps: int = 2) -> Make:
    async def make(estate: Estate) -> str:
        endpoint = await ready(estate)
        change(estate)
        await swept(estate, sweeps)
        return endpoint

    return make
