"""The shipped roles hold exactly what the product needs: derived from its calls, and tried with them enforced."""

from __future__ import annotations

from typing import Any

import pytest

from local.world import HUB_VNET, NETWORK_API, vnet_body, vnet_id
from shared.core.arm_ids import connection_id
from shared.core.conditions import Phase
from shared.queries import get_connection
from tests.harness.estate import Estate
from tests.infra.arm_actions import ACTIONS, LINKED_ACTIONS, actions_of
from tests.infra.life import HUB_GROUP, PRINCIPAL, SUBSCRIPTION, connected, deleted, hub_estate, whole_life
from tests.infra.shipped import READER, WRITER, actions, assignments, bicep, load

BOTH = (*actions(READER), *actions(WRITER))


def grant(estate: Estate, *without: str, write: str = HUB_GROUP, join: str = HUB_VNET) -> None:
    """Give the workers the roles where main.bicep gives them to the app, and nothing else."""
    estate.arm_settings.role_assignments[PRINCIPAL] = assignments(
        read=[SUBSCRIPTION], write=[write], join=[join], without=without
    )


async def test_the_roles_have_every_action_that_the_product_needs_and_no_other() -> None:
    estate = hub_estate()
    await whole_life(estate)
    needed = {action for call in estate.worker.wire.calls if call.service == "arm" for action in actions_of(call.what)}
    assert sorted(BOTH) == sorted(needed)


def test_the_table_of_actions_has_nothing_that_no_role_grants() -> None:
    assert {*ACTIONS.values(), *LINKED_ACTIONS.values()} == set(BOTH)


async def test_the_whole_life_of_a_connection_goes_well_under_exactly_the_shipped_roles() -> None:
    estate = hub_estate()
    grant(estate)
    endpoint = await whole_life(estate)
    assert {request.status for request in estate.arm.requests} & {401, 403} == set()
    assert (await estate.connection(endpoint)).phase is Phase.REMOVED


async def test_roles_on_the_watched_subscription_serve_endpoints_that_keep_their_zones_themselves() -> None:
    estate = Estate()
    grant(estate, write=SUBSCRIPTION)
    await estate.open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert connection.zone is not None
    assert "/resourceGroups/rg-apps/" in connection.zone.id


async def test_a_linked_network_in_another_subscription_needs_the_role_on_that_network_only() -> None:
    other = "00000000-0000-0000-0000-000000000002"
    hub = vnet_id("eastus2", "resolver", subscription=other)
    estate = hub_estate(DNS_LINK_VNETS=hub)
    estate.arm_settings.subscriptions.append(other)
    grant(estate, join=hub)
    await estate.azure("PUT", hub, vnet_body("eastus2", "10.200"), api=NETWORK_API)
    endpoint, errors = await connected(estate)
    assert errors == []
    assert {link.vnet.id for link in estate.links_of(hub_zone(estate))} == {hub, vnet_id("eastus2")}
    assert (await estate.connection(endpoint)).address


async def test_without_delete_rights_the_end_of_an_endpoint_leaves_nothing_unsaid() -> None:
    estate = hub_estate()
    grant(estate, "*/delete")
    endpoint, _ = await connected(estate)
    before = await estate.ready(endpoint)
    assert await deleted(estate, endpoint) == []
    shown = await get_connection(estate.worker.context, connection_id(endpoint))
    (recognised,) = [condition for condition in shown["conditions"] if condition["type"] == "Recognised"]
    assert (shown["phase"], recognised["reason"]) == ("Removed", "EndpointNotFound")
    assert "left as it is" in recognised["message"]
    # What is left is named, and it is what is there.
    assert before.zone is not None
    assert shown["zone"]["id"] == before.zone.id == hub_zone(estate).id
    assert hub_zone(estate).a_record("*") == [before.address]
    assert shown["policy"]["id"] == before.policy.id
    assert before.policy.id in {ruleset.id for ruleset in estate.elastic.rulesets()}
    assert estate.queue.poison == []


EXPLAINS = "Microsoft.Network/virtualNetworks/read"
"""Without it no work stays undone; only the explanation of a failed check is poorer."""


@pytest.mark.parametrize("action", [action for action in BOTH if action != EXPLAINS])
async def test_without_any_single_action_the_product_says_which_right_is_missing(action: str) -> None:
    estate = hub_estate()
    grant(estate, action)
    endpoint, errors = await connected(estate)
    connection = await estate.connection(endpoint)
    said = [condition.message for condition in connection.conditions if not condition.true]
    assert any(action in text for text in [*said, *errors]), (said, errors)


def test_no_action_is_in_both_roles_so_that_neither_hides_a_gap_of_the_other() -> None:
    assert len(BOTH) == len(set(BOTH))


def test_the_templates_make_the_roles_from_the_data_that_is_tested_here() -> None:
    definitions = bicep("app/role-definitions.bicep")
    assert "loadJsonContent('../roles.json')" in definitions
    for role in (READER, WRITER):
        assert f"objectKeys(roles.{role}.actions)" in definitions
    assert "'Microsoft.Network/" not in definitions
    assert "dataActions" not in definitions


@pytest.mark.parametrize("role", [READER, WRITER])
def test_no_role_deletes_or_uses_wildcards_or_grants_rights(role: str) -> None:
    assert [a for a in actions(role) if "*" in a or a.endswith("/delete") or "Microsoft.Authorization" in a] == []
    assert all(why.strip() for why in load("roles.json")[role]["actions"].values())


def hub_zone(estate: Estate) -> Any:
    """The zone in the hub's group."""
    (zone,) = [zone for zone in estate.arm.private_dns_zones() if zone.id.startswith(f"{HUB_GROUP}/")]
    return zone
