"""The first hour: events that come before the key, while the app starts from zero, and while its settings are wrong.

Event Grid, the host, the queue, the vault and both clouds run under virtual time, and the timer does not: what an
event did not bring would never come. None is lost, none is poisoned.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from local.eventgrid import AccountSettings
from local.world import API_KEY
from shared.core.model.conditions import POLICY_READY, RECORD_READY
from shared.core.model.reasons import Reason
from tests.first_hour.flex import Flex, Way

WRONG = {"DNS_RECORD_TTL": "soon"}
KEY = "elastic-api-key"


both_ways = pytest.mark.parametrize("way", ["queue", "function"])


@asynccontextmanager
async def deployed(way: Way, **account: Any) -> AsyncIterator[Flex]:
    """Not a fixture: the loop's time starts over between a fixture and its test."""
    running = await Flex(way, AccountSettings(**account)).open()
    try:
        yield running
    finally:
        await running.close()


async def is_ready_by_its_event(flex: Flex, endpoint: str) -> None:
    record = await flex.estate.ready(endpoint)
    page = await flex.estate.storage.journal.newest(record.id, 500)
    assert {entry.cause for entry in page.entries} <= {"event-write", "wait", "pending", "lease"}
    assert await flex.estate.queue.poisoned() == 0
    assert flex.letters == []


@both_ways
async def test_an_event_finds_the_app_scaled_to_zero(way: Way) -> None:
    async with deployed(way) as flex:
        flex.estate.vault.store(KEY, API_KEY)
        endpoint = await flex.estate.put_endpoint()
        assert flex.starts == 0
        await asyncio.sleep(1800)
        await is_ready_by_its_event(flex, endpoint)
        expected = {"queue": [201], "function": [401, 202]}
        first, later = flex.delivered[: len(expected[way])], flex.delivered[len(expected[way]) :]
        assert first == expected[way], "a function refuses it while it starts, and gets it again"
        assert {*later} <= {201, 202}, "those about what the app itself made in private DNS find it awake"


@both_ways
async def test_an_event_before_the_key_waits_for_it(way: Way) -> None:
    async with deployed(way) as flex:
        endpoint = await flex.estate.put_endpoint()
        await asyncio.sleep(3600)
        record = await flex.estate.connection(endpoint)
        policy, names = record.condition(POLICY_READY), record.condition(RECORD_READY)
        assert policy is not None
        assert names is not None
        assert (policy.reason, names.true) == (Reason.ELASTIC_KEY_MISSING, True)
        flex.estate.vault.store(KEY, API_KEY)
        await asyncio.sleep(60)
        assert flex.estate.policies_of(endpoint), "a minute after the key is there"
        await asyncio.sleep(600)
        await is_ready_by_its_event(flex, endpoint)


@both_ways
async def test_events_while_the_settings_are_wrong_are_kept_until_a_person_corrects_them(way: Way) -> None:
    async with deployed(way) as flex:
        flex.estate.vault.store(KEY, API_KEY)
        await flex.set(**WRONG)
        first = await flex.estate.put_endpoint("pe-1")
        await asyncio.sleep(3600)
        second = await flex.estate.put_endpoint("pe-2", region="westeurope")
        await asyncio.sleep(3600)
        await flex.set()
        await asyncio.sleep(1800)
        for endpoint in (first, second):
            await is_ready_by_its_event(flex, endpoint)


@both_ways
async def test_all_of_it_in_one_first_hour(way: Way) -> None:
    """Deployed with a typing error, endpoints first, the key last, and an instance that the platform takes away."""
    async with deployed(way) as flex:
        estate = flex.estate
        await flex.set(**WRONG)
        endpoints = [await estate.put_endpoint(f"pe-{region}", region=region) for region in ("eastus2", "uksouth")]
        await asyncio.sleep(900)
        await flex.stop()
        await flex.set()
        estate.vault.store(KEY, "d3Jvbmc=")
        await asyncio.sleep(900)
        endpoints.append(await estate.put_endpoint("pe-late", region="japaneast"))
        await flex.stop()
        await asyncio.sleep(600)
        estate.vault.store(KEY, API_KEY)
        await asyncio.sleep(1800)
        for endpoint in endpoints:
            await is_ready_by_its_event(flex, endpoint)


REFUSED = {
    "a firewall, and an identity that is not the topic's own": {"firewall": True},
    "roles that still spread": {"role_spread_seconds": 1800.0},
}


@pytest.mark.parametrize("account", REFUSED.values(), ids=REFUSED)
async def test_an_event_that_storage_refuses_is_lost_for_good_and_made_good_by_the_timer(account: Any) -> None:
    """Why a deployment proves delivery once, and sweeps."""
    async with deployed("queue", **account) as flex:
        flex.estate.vault.store(KEY, API_KEY)
        endpoint = await flex.estate.put_endpoint()
        await asyncio.sleep(1200)
        assert (flex.delivered, len(flex.account.lost), flex.starts) == ([403], 1, 0)
        worker = flex.estate.new_worker()
        await flex.estate.sweep(worker)
        await asyncio.sleep(600)
        await flex.estate.ready(endpoint)


async def test_behind_a_firewall_the_topics_own_identity_delivers() -> None:
    async with deployed("queue", firewall=True, topic_identity="system-assigned") as flex:
        flex.estate.vault.store(KEY, API_KEY)
        endpoint = await flex.estate.put_endpoint()
        await asyncio.sleep(1800)
        await is_ready_by_its_event(flex, endpoint)
