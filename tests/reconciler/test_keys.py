"""The Elastic Cloud API key, read from the vault by the app itself: late, wrong, replaced, withheld."""

from __future__ import annotations

import asyncio
import logging

import pytest

from local.world import API_KEY, SECOND_API_KEY
from shared.api.doctor import examine
from shared.core.model.conditions import POLICY_READY, RECORD_READY
from shared.core.model.reasons import Reason
from shared.core.reports.doctor.findings import Level
from tests.harness.estate import SECOND, VAULT, Estate

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
