"""The Elastic Cloud API key, read from the vault by the app itself: late, wrong, replaced, withheld."""

from __future__ import annotations

import asyncio
import logging

import pytest

from local.world import API_KEY, SECOND_API_KEY
from shared.api.doctor import examine
from shared.context import Context
from shared.core.model.conditions import POLICY_READY, RECORD_READY
from shared.core.model.errors import InvalidSettings
from shared.core.model.messages import decode
from shared.core.model.reasons import Reason
from shared.core.planning.requeue import waits_for_key
from shared.core.reports.doctor.findings import Level
from shared.dispatch import take
from tests.harness.estate import VAULT, Estate
from tests.harness.wire import Refusal

COMMAND = "az keyvault secret set --vault-name kv-1 --name elastic-api-key --file FILE"
SECRET = "elastic-api-key"


async def opened(key: str = "", **settings: str) -> Estate:
    estate = await Estate(settings=VAULT | settings).open()
    if key:
        estate.vault.store(SECRET, key)
    return estate


async def waits(estate: Estate, endpoint: str, reason: Reason) -> str:
    """What PolicyReady says, which must have this reason; DNS is set up, and nothing is poisoned."""
    record = await estate.connection(endpoint)
    condition, names = record.condition(POLICY_READY), record.condition(RECORD_READY)
    assert condition is not None
    assert condition.reason is reason, condition
    assert names is not None
    assert names.true, "the DNS half goes on"
    assert [one.type for one in record.status.conditions if waits_for_key(one)] in ([], [POLICY_READY]), "one condition"
    assert await estate.queue.poisoned() == 0
    return f"{condition.message} Next: {condition.next_step}"


async def ready_within(estate: Estate, endpoint: str, seconds: float) -> None:
    await estate.settle(seconds)
    await estate.ready(endpoint)


async def policy_within_a_minute(estate: Estate, endpoint: str) -> None:
    for _ in range(12):
        await asyncio.sleep(5)
        await estate.settle(1)
        if estate.policies_of(endpoint):
            return
    raise AssertionError("no policy a minute after the key was there")


async def test_with_a_key_in_the_vault_everything_is_as_with_one_in_a_setting() -> None:
    estate = await opened(API_KEY)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_newline_at_the_end_of_the_secret_is_no_part_of_the_key() -> None:
    estate = await opened(f"{API_KEY}\n")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)


async def test_while_the_vault_has_no_key_one_condition_says_how_to_store_it_and_the_rest_goes_on() -> None:
    estate = await opened()
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    said = await waits(estate, endpoint, Reason.ELASTIC_KEY_MISSING)
    assert COMMAND in said
    assert not estate.policies_of(endpoint)
    assert [call for call in estate.worker.wire.calls if call.service == "elastic"] == []


async def test_a_key_that_is_stored_late_gives_the_connection_its_policy_within_a_minute() -> None:
    estate = await opened()
    endpoint = await estate.put_endpoint()
    await estate.settle(3600)
    estate.vault.store(SECRET, API_KEY)
    await policy_within_a_minute(estate, endpoint)
    await ready_within(estate, endpoint, 60)


async def test_waiting_for_a_key_reads_the_vault_twice_a_minute_and_neither_cloud() -> None:
    estate = await opened()
    for number in range(10):
        await estate.put_endpoint(f"pe-{number}")
    await estate.settle(120)
    before, calls = len(estate.vault.reads), len(estate.arm_requests())
    await estate.settle(300)
    assert 9 <= len(estate.vault.reads) - before <= 11
    assert len(estate.arm_requests()) == calls


async def test_a_wrong_key_is_refused_once_and_the_right_one_is_taken_within_a_minute() -> None:
    estate = await opened("d3Jvbmc=")
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    said = await waits(estate, endpoint, Reason.ELASTIC_KEY_REFUSED)
    assert f"Create a new Elastic Cloud API key and store it: {COMMAND}" in said
    assert "d3Jvbmc=" not in said
    asked = [call for call in estate.worker.wire.calls if call.service == "elastic"]
    await estate.settle(120)
    now = [call for call in estate.worker.wire.calls if call.service == "elastic"]
    assert now == asked, "a refused key is not tried again"
    estate.vault.store(SECRET, API_KEY)
    await policy_within_a_minute(estate, endpoint)


async def test_a_key_that_is_replaced_is_used_at_the_first_refusal_of_the_old_one_without_a_failed_run() -> None:
    estate = await opened(API_KEY)
    first = await estate.put_endpoint("pe-1")
    await estate.settle()
    estate.elastic.renew_key("bmV3")  # as a person makes a new key and revokes the old one
    estate.vault.store(SECRET, "bmV3")
    second = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    await estate.ready(first)
    await estate.ready(second)


async def test_the_first_refusal_has_the_vault_read_though_it_was_just_read_and_the_next_ones_have_not() -> None:
    estate = await opened(API_KEY)
    await estate.put_endpoint("pe-1")
    await estate.settle()
    await asyncio.sleep(300)
    await estate.sweep()
    estate.elastic.renew_key("bmV3")  # just after the key was read
    estate.vault.store(SECRET, "bmV3")
    second = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle(15)
    assert len(estate.policies_of(second)) == 1
    estate.elastic.renew_key("bm9uZQ")  # which the vault does not have
    before = len(estate.vault.reads)
    for _ in range(10):
        await asyncio.sleep(1)
        await estate.sweep()
    assert len(estate.vault.reads) - before == 1


async def test_a_key_that_is_in_use_is_read_every_five_minutes() -> None:
    estate = await opened(API_KEY)
    await estate.put_endpoint()
    await estate.settle()
    before = len(estate.vault.reads)
    for _ in range(12):
        await asyncio.sleep(300)
        await estate.sweep()
        await estate.settle(60)
    assert 11 <= len(estate.vault.reads) - before <= 13


async def test_a_key_that_was_refused_by_mistake_is_read_as_seldom_as_before_once_it_works() -> None:
    estate, refused = await opened(API_KEY), [True]
    estate.worker = estate.new_worker(
        lambda call: Refusal(401) if call.service == "elastic" and refused and refused.pop() else None
    )
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    assert refused == []
    await estate.sweep()
    await ready_within(estate, endpoint, 300)
    before = len(estate.vault.reads)
    for _ in range(10):
        await asyncio.sleep(60)
        await estate.sweep()
        await estate.settle(1)
    assert len(estate.vault.reads) - before <= 3


async def test_an_identity_that_the_vault_refuses_holds_up_only_the_elastic_half_and_until_it_is_taken() -> None:
    estate, refused = await opened(API_KEY), True
    estate.worker = estate.new_worker(
        lambda call: Refusal(401) if call.service == "vault" and refused else None  # also the token of a new identity
    )
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    assert "AZURE_CLIENT_ID" in await waits(estate, endpoint, Reason.ELASTIC_KEY_MISSING)
    (found,) = [one for one in (await examine(estate.worker.context)).findings if one.check == "elastic key"]
    assert (found.level, "AZURE_CLIENT_ID" in found.next_step) == (Level.PROBLEM, True)
    refused = False
    await policy_within_a_minute(estate, endpoint)


async def test_a_right_lost_on_the_vault_is_told_by_doctor_and_holds_up_only_new_processes() -> None:
    estate = await opened(API_KEY)
    first = await estate.put_endpoint("pe-1")
    await estate.settle()
    estate.vault.settings.app_may_read = False
    await asyncio.sleep(301)
    second = await estate.put_endpoint("pe-2", region="westeurope")
    await estate.settle()
    await estate.ready(second)
    report = await examine(estate.worker.context)
    (found,) = [one for one in report.findings if one.check == "elastic key" and one.level is Level.WARNING]
    assert "ForbiddenByRbac" in found.what
    assert found.next_step == "Give the app's identity the role Key Vault Secrets User on key vault kv-1."
    estate.worker = estate.new_worker()
    third = await estate.put_endpoint("pe-3", region="japaneast")
    await estate.settle(120)
    assert "Give the app's identity the role" in await waits(estate, third, Reason.ELASTIC_KEY_MISSING)
    estate.vault.settings.app_may_read = True
    await ready_within(estate, third, 120)
    await estate.ready(first)


@pytest.mark.parametrize(
    ("switch", "value", "reason"),
    [
        ("behind_firewall", True, Reason.ELASTIC_KEY_MISSING),
        ("unavailable", 503, Reason.TEMPORARY_FAILURE),
        ("throttled", True, Reason.THROTTLED),
    ],
)
async def test_a_vault_that_cannot_be_reached_holds_up_only_the_elastic_half(
    switch: str, value: object, reason: Reason
) -> None:
    estate = await opened(API_KEY)
    calm = getattr(estate.vault.settings, switch)
    setattr(estate.vault.settings, switch, value)
    endpoint = await estate.put_endpoint()
    await estate.settle(600)
    await waits(estate, endpoint, reason)
    setattr(estate.vault.settings, switch, calm)
    await ready_within(estate, endpoint, 180)


@pytest.mark.parametrize("how", ["disabled", "no key"])
async def test_a_secret_that_cannot_be_the_key_is_told_and_never_sent(how: str) -> None:
    estate = await opened(API_KEY)
    if how == "disabled":
        estate.vault.disable(SECRET)
    else:
        estate.vault.store(SECRET, "a key with spaces")
    endpoint = await estate.put_endpoint()
    await estate.settle(120)
    assert COMMAND in await waits(estate, endpoint, Reason.ELASTIC_KEY_MISSING)


async def test_each_organization_has_its_own_secret_and_one_without_a_key_holds_up_only_its_own_endpoints() -> None:
    estate = await Estate(settings=VAULT | {"EC_API_KEY_SECOND": ""}, second_scope="group:rg-second").open()
    estate.vault.store(SECRET, API_KEY)
    mine = await estate.put_endpoint("pe-1")
    theirs = await estate.put_endpoint("pe-2", region="westeurope", group="rg-second")
    await estate.settle(300)
    await estate.ready(mine)
    assert "--name elastic-api-key-second" in await waits(estate, theirs, Reason.ELASTIC_KEY_MISSING)
    estate.vault.store("elastic-api-key-second", API_KEY)
    await estate.settle(60)
    assert "the same key as organization default" in await waits(estate, theirs, Reason.ELASTIC_KEY_MISSING)
    estate.vault.store("elastic-api-key-second", SECOND_API_KEY)
    await ready_within(estate, theirs, 180)


async def test_doctor_says_how_to_store_a_key_that_is_missing() -> None:
    estate = await opened()
    report = await examine(estate.worker.context)
    (found,) = [one for one in report.findings if one.check == "elastic key"]
    assert found.level is Level.PROBLEM
    assert COMMAND in found.next_step


async def test_the_key_stands_in_no_line_of_the_log_and_no_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    estate = await opened(API_KEY)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    row = await estate.storage.connections.get((await estate.connection(endpoint)).id)
    assert API_KEY not in caplog.text
    assert API_KEY not in str(row)


async def test_messages_wait_while_the_settings_are_wrong_however_long_and_none_is_poisoned() -> None:
    estate = await opened(API_KEY)

    def wrong() -> Context:
        raise InvalidSettings("The app's settings are wrong.")

    endpoint = await estate.put_endpoint()
    for _ in range(20):
        await asyncio.sleep(61)
        while (message := estate.queue.receive()) is not None:
            await take(decode(message.text, new_correlation_id="test"), wrong, lambda: estate.queue)
            estate.queue.delete(message)
    assert await estate.queue.poisoned() == 0
    await ready_within(estate, endpoint, 300)


async def test_a_refused_key_is_told_on_every_connection_by_the_next_sweep_and_so_is_its_end(estate: Estate) -> None:
    """What worked works on: no connection asks for the key every half minute, the sweep sees that it is there."""
    endpoints = [await estate.put_endpoint(), await estate.put_endpoint("pe-2", region="westeurope")]
    await estate.settle()
    for endpoint in endpoints:
        await estate.ready(endpoint)
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    await estate.sweep()
    await estate.settle(60)
    assert [await estate.reason(one, "PolicyReady") for one in endpoints] == ["ElasticKeyRefused"] * 2
    assert (await estate.sweep()).enqueued == 0
    assert not estate.queue.messages
    estate.elastic_settings.api_key_expires_at = None
    await estate.sweep()
    await estate.settle()
    for endpoint in endpoints:
        await estate.ready(endpoint)


@pytest.mark.parametrize(("mode", "phase"), [("enforce", "Removed"), ("observe", "Blocked")])
async def test_a_removal_that_waits_for_a_key_goes_on_with_the_sweep_that_finds_it_works(
    estate: Estate, mode: str, phase: str
) -> None:
    wish = {"elastic-deployments": "logs-eastus2"}
    endpoint = await estate.put_endpoint(tags=wish)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.put_endpoint(tags=wish | {"elastic-privatelink": mode})
    await estate.settle()
    estate.elastic_settings.api_key_expires_at = estate.clock.now()
    await estate.delete(endpoint)
    for _ in range(2):  # what is only observed, the sweep alone looks at
        await estate.settle(1800)
        await estate.clock.sleep(900)
        await estate.sweep()
        await estate.settle(60)
    assert await estate.reason(endpoint, "Removed") == "ElasticKeyRefused"
    for _ in range(3):
        assert (await estate.sweep()).enqueued == 0
        await estate.clock.sleep(300)
    estate.elastic_settings.api_key_expires_at = None
    await estate.sweep()
    await estate.settle(1800)
    record = await estate.connection(endpoint)
    assert (record.status.phase, await estate.reason(endpoint, "Removed") == "ElasticKeyRefused") == (phase, False)
