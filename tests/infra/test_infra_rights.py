"""The shipped roles hold exactly what the product needs: derived from its calls, and tried with them enforced."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from local.world import HUB_VNET, NETWORK_API, vnet_body, vnet_id
from shared.api.queries import get_connection
from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import Phase
from tests.harness.estate import Estate
from tests.harness.platform_parts import WORKERS
from tests.infra.arm_actions import ACTIONS, LINKED_ACTIONS, NETWORK, actions_of
from tests.infra.life import (
    FOREIGN_GROUP,
    HUB_GROUP,
    SUBSCRIPTION,
    ZONE_NAME,
    ZONES,
    connected,
    deleted,
    full_estate,
    hub_estate,
    remembered_life,
    whole_life,
)
from tests.infra.shipped import BUILT_IN, BUILT_IN_TITLES, INFRA, REMOVER, ROLES, actions, assignments, bicep, load

REMOVE = actions(REMOVER)
ALL = tuple(action for role in ROLES for action in actions(role))


def grant(
    estate: Estate,
    *without: str,
    write: str = HUB_GROUP,
    link: str = HUB_VNET,
    app: str = HUB_VNET,
    allow_delete: bool = True,
) -> None:
    """Give the workers the roles where main.bicep gives them to the app, and nothing else."""
    estate.arm_settings.role_assignments[WORKERS] = assignments(
        read=[SUBSCRIPTION],
        write=[write],
        link=[link] if link else [],
        app=app,
        allow_delete=allow_delete,
        without=without,
    )


async def test_the_roles_have_every_action_that_the_product_needs_and_no_other() -> None:
    estate = full_estate()
    await whole_life(estate)
    needed = {action for call in estate.worker.wire.calls if call.service == "arm" for action in actions_of(call.what)}
    assert sorted(ALL) == sorted(needed)


def test_the_table_of_actions_has_nothing_that_no_role_grants() -> None:
    assert {*ACTIONS.values(), *LINKED_ACTIONS.values()} == set(ALL)


async def test_the_whole_life_of_a_connection_goes_well_under_exactly_the_shipped_roles() -> None:
    estate = full_estate()
    grant(estate)
    await whole_life(estate)
    assert {request.status for request in estate.arm.requests} & {401, 403} == set()
    assert [zone.id for zone in estate.arm.private_dns_zones()] == [f"{FOREIGN_GROUP}/{ZONES}/{ZONE_NAME}"]


async def test_roles_on_the_watched_subscription_serve_endpoints_that_keep_their_zones_themselves() -> None:
    estate = Estate()
    grant(estate, write=SUBSCRIPTION)
    await estate.open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert connection.dns.zone is not None
    assert "/resourceGroups/rg-apps/" in connection.dns.zone.id


async def test_a_linked_network_in_another_subscription_needs_the_role_on_that_network_only() -> None:
    other = "00000000-0000-0000-0000-000000000002"
    hub = vnet_id("eastus2", "resolver", subscription=other)
    estate = hub_estate(DNS_LINK_VNETS=hub)
    estate.arm_settings.subscriptions.append(other)
    grant(estate, link=hub)
    await estate.azure("PUT", hub, vnet_body("eastus2", "10.200"), api=NETWORK_API)
    endpoint, errors = await connected(estate)
    assert errors == []
    assert {link.vnet.id for link in estate.links_of(hub_zone(estate))} == {hub, vnet_id("eastus2")}
    assert (await estate.connection(endpoint)).identity.address


async def test_an_app_that_links_no_further_network_reads_its_own_and_cannot_link_it() -> None:
    other = "00000000-0000-0000-0000-000000000002"
    own = vnet_id("eastus2", "autopilot", subscription=other)
    estate = hub_estate(DNS_LINK_VNETS="", APP_VNET=own)
    estate.arm_settings.subscriptions.append(other)
    grant(estate, link="", app=own)
    on_own = [given for given in estate.arm_settings.role_assignments[WORKERS] if given.scope == own]
    assert [given.actions for given in on_own] == [(f"{NETWORK}/virtualNetworks/read",)]
    await estate.open()
    await estate.azure("PUT", own, vnet_body("eastus2", "10.200"), api=NETWORK_API)
    estate.worker.context = replace(estate.worker.context, network=estate.network.inside(own))
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert list((await estate.sweep()).errors) == []
    await estate.ready(endpoint)
    assert {link.vnet.id for link in estate.links_of(hub_zone(estate))} == {vnet_id("eastus2")}
    read = [call.what for call in estate.worker.wire.calls if call.what.partition("?")[0].endswith(own)]
    assert {what.split()[0] for what in read} == {"GET"}
    assert {request.status for request in estate.arm.requests} & {401, 403} == set()


@pytest.mark.parametrize("named", [True, False])
async def test_an_endpoint_whose_network_is_in_a_subscription_that_is_not_watched_needs_that_one_named(
    named: bool,
) -> None:
    other = "00000000-0000-0000-0000-000000000002"
    spoke = vnet_id("eastus2", "spoke", subscription=other)
    estate = hub_estate(**({"DNS_SUBSCRIPTIONS": other} if named else {}))
    estate.arm_settings.subscriptions.append(other)
    grant(estate)
    if named:  # as main.bicep gives the reader to what dnsSubscriptions names
        estate.arm_settings.role_assignments[WORKERS] += assignments(
            read=[f"/subscriptions/{other}"], write=[], link=[], app=HUB_VNET
        )
    await estate.open()
    await estate.azure("PUT", spoke, vnet_body("eastus2", "10.210"), api=NETWORK_API)
    await estate.peer(HUB_VNET, spoke, connected=True)
    endpoint = await estate.put_endpoint(vnet=spoke)
    await estate.settle()
    if named:
        await estate.ready(endpoint)
    else:
        linked = (await estate.connection(endpoint)).condition("Linked")
        assert linked is not None
        assert f"{NETWORK}/virtualNetworks/join/action on {spoke}" in linked.message


async def test_an_app_in_a_subscription_that_is_not_watched_reads_its_own_network_by_the_role_on_it() -> None:
    """It may not list the networks of that subscription; that of its own it reads all the same."""
    other = "00000000-0000-0000-0000-000000000002"
    hub = vnet_id("eastus2", "platform", subscription=other)
    estate = hub_estate(DNS_LINK_VNETS=hub, APP_VNET=hub)
    estate.arm_settings.subscriptions.append(other)
    grant(estate, link=hub, app=hub)
    await estate.open()
    await estate.azure("PUT", hub, vnet_body("eastus2", "10.200"), api=NETWORK_API)
    await estate.peer(hub, vnet_id("eastus2"), connected=True)
    estate.worker.context = replace(estate.worker.context, network=estate.network.inside(hub))
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    network = estate.arm.virtual_network(hub)
    assert network is not None
    network.dns_servers = ["10.99.0.53"]
    await estate.clock.sleep(2 * 86400)
    await estate.sweep()
    known = (await estate.ready(endpoint)).health.network
    assert known is not None
    assert known.app_dns_servers == ("10.99.0.53",)


async def test_without_delete_rights_the_whole_life_goes_well_and_leaves_nothing_unsaid() -> None:
    estate = full_estate(ALLOW_DELETE="false")
    grant(estate, allow_delete=False)
    endpoint = await remembered_life(estate)
    shown = await get_connection(estate.worker.context, connection_id(endpoint))
    (removed,) = [condition for condition in shown["conditions"] if condition["type"] == "Removed"]
    assert (shown["phase"], removed["status"], removed["reason"]) == ("Removed", "True", "LeftBehind")
    # What is left is named, with the right that would help, and it is what is there.
    zone = hub_zone(estate)
    for thing in ("delete * A record", "delete the link", "delete private DNS zone"):
        assert any(thing in text for text in shown["left"]), shown["left"]
    assert any(REMOVE[0] in text for text in shown["left"])
    assert zone.a_record("*") is not None
    assert len(estate.links_of(zone)) == 2
    # What Elastic Cloud has is removed all the same.
    assert [policy.name for policy in estate.elastic.rulesets() if policy.guids] == []
    assert estate.elastic.claims() == []
    assert estate.queue.poison == []


EXPLAINS = {"Microsoft.Network/virtualNetworks/read", *(one for one in ALL if "Microsoft.Authorization/" in one)}
"""Without these no work stays undone; only the explanation of a failed check, and the doctor, are poorer."""


@pytest.mark.parametrize("action", [action for action in ALL if action not in {*EXPLAINS, *REMOVE}])
async def test_without_any_single_action_the_product_says_which_right_is_missing(action: str) -> None:
    estate = full_estate()
    grant(estate, action)
    endpoint, errors = await connected(estate)
    connection = await estate.connection(endpoint)
    said = [condition.message for condition in connection.status.conditions if not condition.true]
    assert any(action in text for text in [*said, *errors]), (said, errors)


@pytest.mark.parametrize("action", REMOVE)
async def test_without_a_right_to_delete_the_rest_is_removed_and_what_is_left_names_the_right(action: str) -> None:
    estate = hub_estate()
    grant(estate, action)
    endpoint, _ = await connected(estate)
    await estate.ready(endpoint)
    assert await deleted(estate, endpoint) == []
    connection = await estate.connection(endpoint)
    assert (connection.status.phase, await estate.reason(endpoint, "Removed")) == (Phase.REMOVED, "LeftBehind")
    assert any(action in text for text in connection.removal.leftovers), connection.removal.leftovers
    assert (hub_zone(estate).a_record("*") is None) is (action != f"{NETWORK}/privateDnsZones/A/delete")


def test_no_action_is_in_two_roles_so_that_none_hides_a_gap_of_another() -> None:
    assert len(ALL) == len(set(ALL))


def test_the_built_in_roles_are_those_that_their_names_say() -> None:
    listed = load("built-in-roles.json")
    assert {name: one["id"] for name, one in listed.items()} == BUILT_IN
    assert {name: one["title"] for name, one in listed.items()} == BUILT_IN_TITLES
    text = "\n".join(bicep(path.relative_to(INFRA).as_posix()) for path in INFRA.rglob("*.bicep"))
    assert re.findall(r"'[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}'", text) == [], "they stand there only"


@pytest.mark.parametrize("role", ROLES)
def test_only_the_remover_deletes_and_no_role_uses_wildcards_or_grants_rights(role: str) -> None:
    assert [a for a in actions(role) if "*" in a or ("Microsoft.Authorization" in a and not a.endswith("/read"))] == []
    assert [a for a in actions(role) if a.endswith("/delete")] == list(REMOVE if role == REMOVER else ())
    assert all(why.strip() for why in load("roles.json")[role]["actions"].values())


def hub_zone(estate: Estate) -> Any:
    """The zone in the hub's group."""
    (zone,) = [zone for zone in estate.arm.private_dns_zones() if zone.id == f"{HUB_GROUP}/{ZONES}/{ZONE_NAME}"]
    return zone
