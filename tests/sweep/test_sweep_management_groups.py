"""Subscriptions that the app finds by itself: those below the management groups of the settings, at each sweep."""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, FaultResponse, RoleAssignment
from local.world import HUB_VNET, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.conditions import Phase
from shared.core.model.messages import Cause, decode
from shared.core.model.reasons import Reason
from shared.dispatch import PUT_BACK
from shared.installation.watched import DOCUMENT, WatchedUnknown, with_found
from shared.state.rows import ControlRow
from tests.harness.estate import Estate, arm_error
from tests.harness.platform_parts import WORKERS
from tests.infra.shipped import load

LANDING = "/providers/Microsoft.Management/managementGroups/landing-zones"
JOINS = "00000000-0000-0000-0000-0000000000b2"
SETTINGS = {"AZURE_SUBSCRIPTIONS": "", "AZURE_MANAGEMENT_GROUPS": "landing-zones"}


async def landing_zones(*subscriptions: str, **settings: str) -> Estate:
    """An app that watches a management group with one below it, whose roles are those that the platform team gives."""
    estate = Estate(settings=SETTINGS | settings)
    estate.arm_settings.management_groups = {"landing-zones": ["online"], "online": list(subscriptions)}
    estate.arm_settings.subscriptions = list(dict.fromkeys((DEFAULT_SUBSCRIPTION, JOINS, *subscriptions)))
    roles = (role for name in ("roles.json", "management-group-roles.json") for role in load(name).values())
    actions = tuple(action for role in roles for action in role["actions"])
    estate.arm_settings.role_assignments[WORKERS] = [RoleAssignment(LANDING, actions)]
    return await estate.open()


async def phase(estate: Estate, endpoint: str) -> Phase:
    return (await estate.connection(endpoint)).status.phase


async def test_endpoints_of_subscriptions_below_a_management_group_become_ready() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    endpoint = await estate.put_endpoint()
    assert (await estate.sweep()).errors == []
    await estate.settle()
    assert await phase(estate, endpoint) is Phase.READY
    assert {one.status for one in estate.arm.requests} & {401, 403} == set()


async def test_a_subscription_that_joins_is_seen_at_the_next_sweep_and_one_that_leaves_too() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    await estate.sweep()
    endpoint = await estate.put_endpoint_in(JOINS, "eastus2", vnet_id("eastus2", "joined", JOINS), "10.77")
    await estate.settle()  # its event comes before the sweep: it is out of scope
    assert await estate.storage.connections.get(connection_id(endpoint)) is None
    members = estate.arm_settings.management_groups["online"]
    members.append(JOINS)
    assert (await estate.sweep()).endpoints == 1
    await estate.settle()
    assert await phase(estate, endpoint) is Phase.READY

    members.remove(JOINS)
    made = [zone.id for zone in estate.arm.private_dns_zones()]
    assert (await estate.sweep()).endpoints == 0
    await estate.settle()
    left = await estate.connection(endpoint)
    assert (left.status.phase, left.status.conditions[0].reason) == (Phase.IGNORED, Reason.OUT_OF_SCOPE)
    assert [zone.id for zone in estate.arm.private_dns_zones()] == made != []


async def test_a_denied_subscription_below_the_group_stays_out() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION, AZURE_SUBSCRIPTIONS_DENIED=DEFAULT_SUBSCRIPTION)
    await estate.put_endpoint()
    assert (await estate.sweep()).endpoints == 0


async def test_a_group_that_cannot_be_read_keeps_what_it_had_and_the_sweep_says_so() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    endpoint = await estate.put_endpoint()
    await estate.sweep()
    await estate.settle()
    assert await phase(estate, endpoint) is Phase.READY
    unreadable = arm_error(503, "ServiceUnavailable")
    estate.arm.faults.append(lambda call: unreadable if "managementGroups" in call.path else None)
    found = await estate.sweep()
    assert found.endpoints == 1
    assert [one.partition(":")[0] for one in found.errors] == ["management group landing-zones"]
    await estate.settle()
    assert await phase(estate, endpoint) is Phase.READY


async def test_a_group_that_shows_nothing_any_more_keeps_what_it_had() -> None:
    """Azure has answered short lists without an error before; an emptied group is taken out of the setting."""
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    await estate.put_endpoint()
    await estate.sweep()
    empty = FaultResponse(200, {"value": []})
    estate.arm.faults.append(lambda call: empty if "managementGroups" in call.path else None)
    for _ in range(2):
        found = await estate.sweep()
        assert found.endpoints == 1
        assert "AZURE_MANAGEMENT_GROUPS" in found.errors[0]


async def test_without_the_right_to_list_a_group_the_sweep_names_it() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    estate.arm_settings.denied_actions.add("Microsoft.Management/managementGroups/descendants/read")
    (error,) = (await estate.sweep()).errors
    assert "Microsoft.Management/managementGroups/descendants/read" in error
    assert LANDING in error


async def test_while_it_is_not_known_what_is_watched_messages_wait_until_the_next_sweep() -> None:
    estate = await landing_zones(DEFAULT_SUBSCRIPTION)
    endpoint = await estate.put_endpoint()
    await estate.sweep()
    row = await estate.storage.control.get(DOCUMENT)
    assert row is not None
    await estate.storage.control.put(ControlRow(DOCUMENT, {"groups": 7}, row.etag))
    with pytest.raises(WatchedUnknown):
        await with_found(estate.worker.context)
    estate.queue.messages.clear()
    await estate.send(endpoint)
    message = estate.queue.receive()
    assert message is not None
    await estate.handle(message)
    (waiting,) = estate.queue.messages
    assert decode(waiting.text, new_correlation_id="test").work[0].cause is Cause.MANUAL
    assert (waiting.visible_at - estate.clock.now()).total_seconds() == pytest.approx(PUT_BACK, abs=1)
    await estate.sweep()
    await estate.settle()
    assert await phase(estate, endpoint) is Phase.READY


async def test_a_sweep_serves_five_hundred_subscriptions_found_through_a_management_group() -> None:
    many = (DEFAULT_SUBSCRIPTION, *(f"00000000-0000-0000-0001-{number:012}" for number in range(1, 500)))
    estate = await landing_zones(*many)
    estate.arm_settings.page_size = 100
    estate.events.settings.drop = True
    far = vnet_id("westeurope", "last", many[-1])
    endpoints = [await estate.put_endpoint(), await estate.put_endpoint_in(many[-1], "westeurope", far, "10.77")]
    await estate.peer(far, HUB_VNET, connected=True)
    found = await estate.sweep()
    assert (found.endpoints, found.errors) == (2, [])
    await estate.settle()
    assert [await phase(estate, one) for one in endpoints] == [Phase.READY, Phase.READY]
    asked = [one for one in estate.arm.requests if "managementGroups" in one.path]
    assert len(asked) == 6  # pages of a hundred: 500 subscriptions and one group
