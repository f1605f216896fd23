"""One installation serves one tenant: a subscription of another one in any setting is one problem at start."""

from __future__ import annotations

import azure.functions as func
import pytest

from functions.health import check_health
from functions.installation import doctor
from functions.reconcile import reconcile
from local.arm import DEFAULT_SUBSCRIPTION
from local.world import HUB_VNET, vnet_id
from shared.app import check_tenants, provide, start
from shared.core.model.errors import InvalidSettings
from shared.installation.tenants import DOCUMENT, wrong_tenants
from tests.harness.estate import Estate, arm_error

OURS = "00000000-0000-0000-0000-00000000000a"
THEIRS = "00000000-0000-0000-0000-00000000000b"
OTHER = "00000000-0000-0000-0000-0000000000f1"
GROUP = f"/subscriptions/{OTHER}/resourceGroups/rg-dns"
NAMED = {
    "AZURE_SUBSCRIPTIONS": f"{DEFAULT_SUBSCRIPTION},{OTHER}",
    "AZURE_RESOURCE_GROUPS": f"{OTHER}/rg-apps,rg-web",
    "DNS_SUBSCRIPTIONS": OTHER.upper(),
    "DNS_ZONE_RESOURCE_GROUPS": GROUP,
    "DNS_LINK_VNETS": f"{HUB_VNET},{vnet_id('eastus2', 'hub', OTHER)}",
    "APP_VNET": vnet_id("eastus2", "app", OTHER),
    "ELASTIC_SCOPE_SECOND": f"group:{OTHER}/rg-apps",
}
SECOND = {"ELASTIC_ORGANIZATIONS": "second", "EC_API_KEY_SECOND": "c2Vjb25k"}


class Timer(func.TimerRequest):
    """The timer, in time."""

    past_due = False


async def another_tenant(**settings: str) -> Estate:
    """An app whose settings name a subscription that belongs to another tenant."""
    estate = Estate()
    estate.arm_settings.other_tenants = {OTHER: THEIRS}
    estate.worker = estate.new_worker(**settings)
    return await estate.open()


def asked(estate: Estate) -> list[str]:
    return [one.path for one in estate.arm.requests if one.path.count("/") == 2]


@pytest.mark.parametrize("setting", NAMED)
async def test_each_setting_that_names_it_is_one_problem_with_both_tenants(setting: str) -> None:
    second = SECOND if setting.startswith("ELASTIC_") else {}
    estate = await another_tenant(**{setting: NAMED[setting]}, **second)
    wrong = await wrong_tenants(estate.worker.context)
    assert wrong is not None
    expected = (
        f"{setting}: expected subscriptions of the app's tenant {OURS}, not {OTHER}, which belongs to tenant {THEIRS}"
    )
    assert list(wrong.problems) == [expected]


async def test_a_subscription_that_several_settings_name_is_one_problem() -> None:
    estate = await another_tenant(AZURE_SUBSCRIPTIONS=NAMED["AZURE_SUBSCRIPTIONS"], DNS_SUBSCRIPTIONS=OTHER)
    wrong = await wrong_tenants(estate.worker.context)
    assert wrong is not None
    (problem,) = wrong.problems
    assert problem.startswith("AZURE_SUBSCRIPTIONS, DNS_SUBSCRIPTIONS: ")


async def test_one_that_is_denied_is_left_alone_as_it_is() -> None:
    estate = await another_tenant(AZURE_SUBSCRIPTIONS=NAMED["AZURE_SUBSCRIPTIONS"], AZURE_SUBSCRIPTIONS_DENIED=OTHER)
    assert await wrong_tenants(estate.worker.context) is None


async def test_while_it_is_so_nothing_is_done_messages_wait_and_the_doctor_lists_it() -> None:
    estate = await another_tenant(DNS_SUBSCRIPTIONS=OTHER)
    context = estate.worker.context
    endpoint = await estate.put_endpoint()
    estate.queue.messages.clear()
    await estate.send(endpoint)
    message = estate.queue.receive()
    assert message is not None
    with provide(context, estate.storage, checked=False):
        await reconcile.build().get_user_function()(func.QueueMessage(body=message.text.encode()))
        with pytest.raises(InvalidSettings):
            await check_health.build().get_user_function()(Timer())
        request = func.HttpRequest("GET", "/api/doctor", body=b"", params={"format": "text"})
        told = (await doctor(request)).get_body().decode()
    assert message.text in [one.text for one in estate.queue.messages if one is not message], "it was put back"
    plain = " ".join(told.split())
    assert f"DNS_SUBSCRIPTIONS: expected subscriptions of the app's tenant {OURS}" in plain
    assert THEIRS in plain
    assert estate.arm.private_dns_zones() == []


async def test_it_is_asked_once_and_what_is_ours_is_kept_for_later_instances() -> None:
    estate = await another_tenant()
    for _ in range(2):
        with provide(estate.worker.context, estate.storage, checked=False):
            await check_tenants()
            await check_tenants()
            assert start() is estate.worker.context
    assert asked(estate) == [f"/subscriptions/{DEFAULT_SUBSCRIPTION}"]
    row = await estate.storage.control.get(DOCUMENT)
    assert row is not None
    assert row.document == {"subscriptions": [DEFAULT_SUBSCRIPTION]}


async def test_an_azure_that_does_not_answer_stops_nothing_and_is_asked_again() -> None:
    estate = await another_tenant(DNS_SUBSCRIPTIONS=OTHER)
    silent = arm_error(503, "ServiceUnavailable")
    estate.arm.faults.append(lambda _: silent)
    assert await wrong_tenants(estate.worker.context) is None
    estate.arm.faults.clear()
    assert await wrong_tenants(estate.worker.context) is not None


async def test_a_right_that_is_missing_tells_the_right_tenant() -> None:
    estate = await another_tenant()
    refused = arm_error(403, "AuthorizationFailed")
    estate.arm.faults.append(lambda _: refused)
    assert await wrong_tenants(estate.worker.context) is None
    assert await estate.storage.control.get(DOCUMENT) is not None


async def test_one_that_moves_to_another_tenant_later_stops_itself_only() -> None:
    estate = await another_tenant(AZURE_SUBSCRIPTIONS=NAMED["AZURE_SUBSCRIPTIONS"])
    estate.arm_settings.other_tenants.clear()
    estate.arm_settings.subscriptions.append(OTHER)
    assert await wrong_tenants(estate.worker.context) is None
    estate.arm_settings.other_tenants = {OTHER: THEIRS}
    assert await wrong_tenants(estate.worker.context) is None
    endpoint = await estate.put_endpoint()
    errors = (await estate.sweep()).errors
    assert len(errors) == 2  # its endpoints, its zones
    assert all(
        f"Subscription {OTHER} is of tenant {THEIRS}, the app's identity of tenant {OURS}" in one for one in errors
    )
    await estate.settle()
    await estate.ready(endpoint)
