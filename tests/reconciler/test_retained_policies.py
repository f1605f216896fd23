"""Policies that endpoints leave for good: a subscription has only so many, and its new endpoints get none then."""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import vnet_body, vnet_id
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE, work_for

pytestmark = pytest.mark.both_families(at_length=True)

OTHER = "00000000-0000-0000-0000-000000000002"
RETAIN = {"elastic-privatelink-on-delete": "retain"}
IGNORE = {"elastic-privatelink": "ignore"}


async def made_and_deleted(estate: Estate, name: str, tags: dict[str, str], later: dict[str, str] | None = None) -> str:
    endpoint = await estate.put_endpoint(name, tags=tags)
    await estate.settle()
    if later is not None:
        await estate.put_endpoint(name, tags=later)
        await estate.settle()
    await estate.delete(endpoint)
    await work_for(estate, GRACE + 60)
    return endpoint


@pytest.mark.parametrize(
    ("tags", "later"), [(RETAIN, None), ({}, RETAIN), ({}, IGNORE)], ids=["kept", "late", "ignored"]
)
async def test_endpoints_made_and_deleted_again_and_again_leave_no_more_policies_than_allowed(
    tags: dict[str, str], later: dict[str, str] | None
) -> None:
    estate = await Estate(settings={"RETAINED_POLICIES_MAX": "3"}).open()
    before = len(estate.elastic.rulesets())
    for number in range(6):
        await made_and_deleted(estate, f"pe-{number}", tags, later)
    assert len(estate.elastic.rulesets()) - before == 3


async def test_a_new_endpoint_says_why_it_gets_none_and_gets_one_when_a_person_has_cleaned_up() -> None:
    estate = await Estate(settings={"RETAINED_POLICIES_MAX": "2"}).open()
    for number in range(2):
        await made_and_deleted(estate, f"pe-{number}", RETAIN)
    endpoint = await estate.put_endpoint("pe-new")
    await estate.settle()
    condition = (await estate.connection(endpoint)).condition("PolicyReady")
    assert condition is not None
    assert (condition.reason, condition.needs) == ("RetainedPoliciesMaxReached", "person")
    assert "pe-0" in condition.message
    assert "RETAINED_POLICIES_MAX" in condition.next_step
    kept = next(policy for policy in estate.elastic.rulesets() if policy.name == "pe-0")
    estate.elastic.delete_policy(kept.id)
    await estate.send(endpoint)
    await estate.settle()
    await estate.ready(endpoint)


async def test_policies_of_living_endpoints_and_those_of_other_subscriptions_do_not_count() -> None:
    settings = {"RETAINED_POLICIES_MAX": "1", "AZURE_SUBSCRIPTIONS": f"{DEFAULT_SUBSCRIPTION},{OTHER}"}
    estate = await Estate(settings=settings).open()
    estate.arm_settings.subscriptions.append(OTHER)
    for number in range(3):
        await estate.ready(await living(estate, f"pe-{number}"))
    await made_and_deleted(estate, "pe-kept", RETAIN)
    vnet = vnet_id("eastus2").replace(DEFAULT_SUBSCRIPTION, OTHER)
    elsewhere = await estate.put_endpoint_in(OTHER, "eastus2", vnet, "10.99")
    await estate.settle()
    await estate.ready(elsewhere)
    here = await estate.put_endpoint("pe-last")
    await estate.settle()
    assert await estate.reason(here, "PolicyReady") == "RetainedPoliciesMaxReached"


async def test_a_connection_that_worked_gets_its_policy_again() -> None:
    estate = await Estate(settings={"RETAINED_POLICIES_MAX": "1"}).open()
    endpoint = await living(estate, "pe-1")
    await made_and_deleted(estate, "pe-kept", RETAIN)
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.delete_policy(policy.id)
    await estate.clock.sleep(3600)
    await estate.sweep()
    await estate.settle(3600)
    await estate.ready(endpoint)
    assert len(estate.policies_of(endpoint)) == 1


async def living(estate: Estate, name: str) -> str:
    """An endpoint in a network of its own."""
    vnet = f"{vnet_id('eastus2').rpartition('/')[0]}/vnet-{name}"
    await estate.azure("PUT", vnet, vnet_body("eastus2", f"10.{30 + int(name[-1])}"))
    endpoint = await estate.put_endpoint(name, group=f"rg-{name}", vnet=vnet)
    await estate.settle()
    return endpoint
