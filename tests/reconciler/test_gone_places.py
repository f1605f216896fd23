"""A subscription of the DNS settings that is gone, a network to link that is not there: they cost themselves.

They are named with their setting, and everything else goes on: connections, the other links, removals.
"""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import HUB_VNET, vnet_id
from shared.core.model import conditions as c
from tests.api.doctor_parts import bad
from tests.harness.dns import APPS, OTHER_SUBSCRIPTION, linked
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE

GONE = "00000000-0000-0000-0000-00000000dead"
HOME = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-dns"
FAR_HOME = f"/subscriptions/{GONE}/resourceGroups/rg-far"
MISSING = APPS.replace("vnet-eastus2-apps", "vnet-of-a-typing-error")
FAR = APPS.replace(DEFAULT_SUBSCRIPTION, GONE)
THEIRS = APPS.replace(DEFAULT_SUBSCRIPTION, OTHER_SUBSCRIPTION)
JAPAN = vnet_id("japaneast", "hub")


async def a_life(estate: Estate) -> None:
    """A connection becomes Ready, and a removal takes all of it away."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert not estate.arm.private_dns_zones()


@pytest.mark.parametrize("tenant", [None, "another-tenant"], ids=["gone", "another tenant's"])
async def test_a_subscription_to_look_in_that_is_gone_stops_neither_new_endpoints_nor_removals(
    tenant: str | None,
) -> None:
    estate = await Estate(settings={"DNS_SUBSCRIPTIONS": GONE}).open()
    if tenant:
        estate.arm_settings.other_tenants[GONE] = tenant
    await a_life(estate)
    stats = await estate.sweep()
    (told,) = [one for one in stats.errors if GONE in one]
    assert ("of tenant another-tenant" if tenant else "does not exist") in told
    assert not estate.queue.poison


async def test_zones_are_made_in_the_next_group_where_the_first_ones_subscription_is_gone() -> None:
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": f"{FAR_HOME},{HOME}"}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert estate.zone().id.startswith(HOME)
    before = len(estate.arm.requests)
    await estate.clock.sleep(300)
    await estate.sweep()
    assert (await estate.connection(endpoint)).schedule.wake_at is None
    assert not [one for one in estate.arm.requests[before:] if one.method != "GET"]


@pytest.mark.parametrize(
    ("tenant", "reason", "named"),
    [
        (None, "SubscriptionNotFound", f"Subscription {GONE} does not exist"),
        ("theirs", "SubscriptionOfAnotherTenant", f"Subscription {GONE} is of tenant theirs"),
    ],
    ids=["gone", "another tenant's"],
)
async def test_without_any_group_that_can_be_used_the_setting_is_named_and_elastics_part_goes_on(
    tenant: str | None, reason: str, named: str
) -> None:
    estate = await Estate(settings={"DNS_ZONE_RESOURCE_GROUPS": FAR_HOME}).open()
    if tenant:
        estate.arm_settings.other_tenants[GONE] = tenant
    endpoint = await estate.put_endpoint()
    await estate.settle()
    told = (await estate.connection(endpoint)).condition(c.ZONE_READY)
    assert told is not None
    assert (told.reason, told.needs) == (reason, c.WaitingFor.PERSON)
    assert f"resource group rg-far: {named}" in told.message
    assert told.next_step.startswith(f"Correct DNS_ZONE_RESOURCE_GROUPS, if it names subscription {GONE}")
    assert await estate.reason(endpoint, c.POLICY_READY) == "Exists"
    estate.worker = estate.new_worker(DNS_ZONE_RESOURCE_GROUPS=HOME)
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


@pytest.mark.parametrize(
    ("network", "reason", "named"),
    [
        (MISSING, "NetworkNotFound", f"Virtual network {MISSING} does not exist"),
        (FAR, "SubscriptionNotFound", f"Subscription {GONE} does not exist"),
        (THEIRS, "NetworkOfAnotherTenant", f"Subscription {OTHER_SUBSCRIPTION} is of another tenant"),
    ],
    ids=["missing", "in a subscription that is gone", "of another tenant"],
)
async def test_a_network_to_link_that_cannot_be_linked_costs_itself_and_is_told_as_advice(
    network: str, reason: str, named: str
) -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": f"{HUB_VNET},{network},{JAPAN}"}).open()
    estate.arm_settings.other_tenants[OTHER_SUBSCRIPTION] = "another-tenant"
    endpoint = await estate.put_endpoint()
    await estate.settle()
    record = await estate.ready(endpoint)
    assert linked(estate, estate.zone()) == sorted([APPS, HUB_VNET, JAPAN])
    (told,) = [one for one in record.advice if one.reason == reason]
    assert named in told.message
    assert "It is named in DNS_LINK_VNETS" in told.message
    assert "DNS_LINK_VNETS" in told.next_step or "setting" in told.next_step
    tried = attempts(estate)
    for _ in range(2):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    assert attempts(estate) == tried, "not every sweep asks for it again"
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).status.phase == "Removed"


def attempts(estate: Estate) -> int:
    return sum(one.operation == "PUT link" for one in estate.arm.requests)


async def test_a_network_that_is_made_meanwhile_is_linked_at_the_next_re_run() -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": f"{MISSING},{HUB_VNET}"}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    hub: dict[str, Any] = await estate.azure("GET", HUB_VNET)
    space = {"addressPrefixes": ["10.200.0.0/16"]}
    body = {"location": hub["location"], "properties": {"addressSpace": space, "subnets": []}}
    await estate.azure("PUT", MISSING, body)
    await estate.send(endpoint)
    await estate.settle()
    record = await estate.ready(endpoint)
    assert linked(estate, estate.zone()) == sorted([APPS, HUB_VNET, MISSING])
    assert not [one for one in record.advice if one.reason == "NetworkNotFound"]


async def test_a_link_that_a_missing_right_refuses_holds_up_no_other_and_still_needs_a_person() -> None:
    estate = await Estate(settings={"DNS_LINK_VNETS": f"{HUB_VNET},{JAPAN}"}).open()
    estate.arm_settings.denied_actions.add(f"Microsoft.Network/virtualNetworks/join/action@{HUB_VNET}")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    told = (await estate.connection(endpoint)).condition(c.LINKED)
    assert told is not None
    assert (told.reason, told.needs) == ("AzureRightsMissing", c.WaitingFor.PERSON)
    assert linked(estate, estate.zone()) == sorted([APPS, JAPAN])


@pytest.mark.parametrize(
    ("settings", "what", "step"),
    [
        ({"DNS_SUBSCRIPTIONS": GONE}, f"Subscription {GONE} does not exist", "Correct DNS_SUBSCRIPTIONS."),
        (
            {"DNS_ZONE_RESOURCE_GROUPS": f"{HOME},{FAR_HOME}"},
            f"Subscription {GONE} does not exist",
            "Correct DNS_ZONE_RESOURCE_GROUPS.",
        ),
        (
            {"DNS_LINK_VNETS": f"{HUB_VNET},{MISSING}"},
            f"DNS_LINK_VNETS names virtual network {MISSING}, which does not exist.",
            "Correct DNS_LINK_VNETS.",
        ),
    ],
)
async def test_the_doctor_names_the_setting(settings: dict[str, str], what: str, step: str) -> None:
    estate = await Estate(settings=settings).open()
    found = [one for one in await bad(estate) if one.next_step == step]
    assert found
    assert what in found[0].what
