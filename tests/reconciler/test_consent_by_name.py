"""S8 with two watched subscriptions: a consent by resource group and name counts only where one endpoint has both."""

from __future__ import annotations

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import vnet_id
from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate, arm_error
from tests.reconciler.safety_parts import asks_for, attached, blocked_because, the

OTHER = "00000000-0000-0000-0000-000000000002"
NAME = "rg-apps/pe-eastus2"


async def two_subscriptions(consent: str = NAME) -> Estate:
    settings = {"AZURE_SUBSCRIPTIONS": f"{DEFAULT_SUBSCRIPTION},{OTHER}", "ELASTIC_DEPLOYMENTS_ALLOWED": ""}
    estate = await Estate(settings=settings).open()
    estate.arm_settings.subscriptions.append(OTHER)
    the(estate, "logs-eastus2").tags[ENDPOINTS_TAG] = consent
    return estate


async def namesake(estate: Estate) -> str:
    """The same group and name in the other subscription, and the same wish."""
    vnet = vnet_id("eastus2").replace(DEFAULT_SUBSCRIPTION, OTHER)
    return await estate.put_endpoint_in(OTHER, "eastus2", vnet, "10.99")


async def first(estate: Estate) -> str:
    return await estate.put_endpoint("pe-eastus2", tags=asks_for("logs-eastus2"))


async def test_the_second_of_the_name_gets_nothing_and_what_stands_stays() -> None:
    estate = await two_subscriptions()
    one = await first(estate)
    await estate.settle()
    await estate.ready(one)
    other = await namesake(estate)
    await estate.settle()
    reason, message = await blocked_because(estate, other)
    assert reason == "ConsentAmbiguous"
    assert one in message
    assert other in message
    await estate.send(one)
    await estate.settle()
    assert (await blocked_because(estate, one))[0] == "ConsentAmbiguous"
    assert len(attached(estate, the(estate, "logs-eastus2"))) == 2, "its own and the office's"


async def test_of_two_that_come_at_once_none_is_connected_until_the_tag_says_which() -> None:
    estate = await two_subscriptions()
    one, other = await first(estate), await namesake(estate)
    await estate.settle()
    for endpoint in (one, other):
        assert (await blocked_because(estate, endpoint))[0] == "ConsentAmbiguous"
    assert attached(estate, the(estate, "logs-eastus2")) == ["logs-eastus2-office"]
    the(estate, "logs-eastus2").tags = {f"{ENDPOINTS_TAG}-2": connection_id(one)}
    await estate.clock.sleep(3700)
    await estate.sweep()
    await estate.settle()
    await estate.ready(one)
    assert (await blocked_because(estate, other))[0] == "DeploymentNotAllowed"


async def test_a_sweep_that_finds_the_namesakes_sends_neither_to_work_again() -> None:
    estate = await two_subscriptions()
    for endpoint in (await first(estate), await namesake(estate)):
        await estate.settle()
        assert endpoint
    for _ in range(2):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    estate.worker.wire.calls.clear()
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle()
    assert not [call for call in estate.worker.wire.calls if (call.service, call.what) == ("queue", "send")]


async def test_the_name_counts_again_when_the_other_one_is_gone() -> None:
    estate = await two_subscriptions()
    one, other = await first(estate), await namesake(estate)
    await estate.settle()
    await estate.delete(other)
    await estate.settle()
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle()
    await estate.ready(one)


async def test_where_the_other_subscription_cannot_be_read_nothing_new_is_connected_and_what_stands_is_ready() -> None:
    estate = await two_subscriptions()
    there = f"/subscriptions/{OTHER}/providers/Microsoft.Network/privateEndpoints"
    refused = arm_error(403, "AuthorizationFailed")
    estate.arm.faults.append(lambda request: refused if request.path == there else None)
    one = await first(estate)
    await estate.settle()
    assert (await blocked_because(estate, one))[0] != "Associated"
    assert attached(estate, the(estate, "logs-eastus2")) == ["logs-eastus2-office"]
    forbidding = estate.arm.faults.pop()
    await estate.send(one)
    await estate.settle()
    await estate.ready(one)
    estate.arm.faults.append(forbidding)
    await estate.send(one)
    await estate.settle()
    await estate.ready(one)


async def test_a_burst_of_endpoints_lists_the_other_subscription_once_for_all_that_look_beside_each_other() -> None:
    names = [f"pe-{number}" for number in range(4)]
    estate = await two_subscriptions(",".join(f"rg-apps/{name}" for name in names))
    for name in names:
        await estate.put_endpoint(name, tags=asks_for("logs-eastus2"))
    await estate.settle()
    asked = [call.what for call in estate.worker.wire.calls if OTHER in call.what and "privateEndpoints" in call.what]
    assert len(asked) <= len(names), "each of the four looks twice at least, before its policy and after the approval"
