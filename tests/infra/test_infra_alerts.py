"""The alerts ring when they should and rest when they should: their queries, run over what the app logs meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from shared.api.removals import confirm_removals, show_removals
from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate, arm_error
from tests.harness.platform_parts import ASKED
from tests.infra.log_analytics import Workspace
from tests.infra.queries import ALERTS, duration, rules
from tests.infra.shipped import bicep

MINUTES = [1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440]
"""What Azure Monitor evaluates over, and how often:
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule."""
TOPIC = {"NOTIFY_TOPIC_ENDPOINT": "https://topic.local/api/events"}


class Watched(Estate):
    """An estate whose log goes to a workspace with the shipped alerts."""

    workspace: Workspace

    async def pass_(self, minutes: float) -> None:
        """The timer fires every five minutes, and all that it finds is done."""
        end = self.clock.now() + timedelta(minutes=minutes)
        while self.clock.now() < end:
            began = self.clock.now()
            await self.sweep()
            await self.settle(290)
            await self.clock.sleep(300 - (self.clock.now() - began).total_seconds())

    def ringing(self, *names: str) -> dict[str, set[tuple[str, ...]]]:
        """The alerts that would ring now, of these or of all, each with what it rings for."""
        rung = {name: rules()[name].ringing(self.workspace, self.clock.now()) for name in names or rules()}
        return {name: series for name, series in rung.items() if series}


@asynccontextmanager
async def watched(**settings: str) -> AsyncIterator[Watched]:
    estate = Watched(settings=settings)
    estate.workspace = Workspace(estate.clock.now)
    with estate.workspace.listening():
        await estate.open()
        yield estate


async def connect(estate: Watched, name: str = "pe-1", region: str = "eastus2") -> str:
    endpoint = await estate.put_endpoint(name, region=region)
    await estate.settle(600)
    return endpoint


async def since(estate: Watched, alert: str) -> float:
    """Minutes until the alert rings, looked at with every sweep; 0: not within four hours."""
    for minutes in range(5, 245, 5):
        await estate.pass_(5)
        if estate.ringing(alert):
            return minutes
    return 0


@pytest.mark.parametrize("name", sorted(rules()))
def test_azure_takes_the_rules_window_and_frequency(name: str) -> None:
    rule = rules()[name]
    allowed = {timedelta(minutes=one) for one in MINUTES}
    assert {rule.window, rule.frequency} <= allowed
    assert rule.frequency <= rule.window
    assert all(duration(one) in allowed for one in ("PT15M", "PT30M", "PT1H", "PT2H"))


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_begins_with_a_table_that_is_made_with_the_workspace_and_looks_into_no_other(name: str) -> None:
    """Azure supports no rule with `union` or `search`.

    It refuses a query for a table that is not there yet: no alert could ring for an app that never logged anything.
    Source: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-log-query, log query constraints.
    """
    (made,) = re.findall(r"^var tables = \[(.+)\]$", bicep("app/logs.bicep"), re.MULTILINE)
    table, *steps = re.split(r"\s*\|\s*", ALERTS[name])
    assert table in re.findall(r"'(\w+)'", made)
    assert [step for step in steps if re.match(r"union|search|join|lookup|find", step)] == []


async def test_nothing_rings_while_all_is_well() -> None:
    async with watched(**TOPIC) as estate:
        await connect(estate)
        await connect(estate, "pe-2", "westeurope")
        for _ in range(5):
            await estate.pass_(30)
            assert estate.ringing() == {}


async def test_without_a_sweep_that_reads_everything_an_alert_rings_within_its_window_and_rests_when_one_does() -> None:
    async with watched() as estate:
        endpoint = await connect(estate)
        await estate.pass_(30)
        estate.arm_settings.denied_actions.add("Microsoft.Network/privateEndpoints/read")
        assert 20 < await since(estate, "no-successful-sweep") <= 30, "the last good one was up to five minutes before"
        estate.arm_settings.denied_actions.clear()
        await estate.pass_(5)
        assert "no-successful-sweep" not in estate.ringing()
        await estate.clock.sleep(1801)  # the app does not run at all
        assert "no-successful-sweep" in estate.ringing()
        await estate.ready(endpoint)


async def test_each_blocked_connection_rings_by_itself_and_rests_when_a_person_has_acted() -> None:
    async with watched() as estate:
        first = await connect(estate, "pe-first", "westeurope")
        second = await connect(estate, "pe-second", "japaneast")
        for endpoint in (first, second):
            estate.arm.set_connection(endpoint, "Disconnected")
        await estate.pass_(10)
        blocked = {(connection_id(one), one.rsplit("/", 1)[1], "Disconnected") for one in (first, second)}
        assert estate.ringing() == {"blocked": blocked}
        estate.arm.set_connection(first, "Approved")
        await estate.pass_(10)
        assert {name for _, name, _ in estate.ringing()["blocked"]} == {"pe-second"}


async def test_a_connection_that_waits_rings_after_an_hour_and_a_half_and_not_for_reading_only() -> None:
    async with watched() as estate:
        estate.arm_settings.zone_seconds = 10**6
        endpoint = await connect(estate)
        assert 85 <= await since(estate, "not-ready") <= 100
        assert estate.ringing() == {"not-ready": {(connection_id(endpoint), "pe-1")}}
    async with watched(MODE="observe") as estate:
        await connect(estate)
        await estate.pass_(125)
        assert estate.ringing() == {}


async def test_a_connection_that_was_ready_and_broke_rings_after_as_long_and_rests_when_it_is_well() -> None:
    async with watched() as estate:
        endpoint = await connect(estate)
        await estate.pass_(60)
        address = (await estate.ready(endpoint)).identity.address
        estate.network.broken.add(address)
        waited = await since(estate, "not-ready")
        assert 90 <= waited <= 105, "seen twice before it counts"
        estate.network.broken.clear()
        await estate.pass_(15)
        assert estate.ringing() == {}


async def test_a_poisoned_message_a_key_about_to_end_and_throttling_ring_until_they_are_gone() -> None:
    async with watched() as estate:
        await connect(estate)
        await estate.queue.send("not a message")
        message = estate.queue.receive()
        assert message is not None
        estate.queue.poison.append(message)
        estate.queue.delete(message)
        estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=13)
        await estate.pass_(5)
        assert set(estate.ringing()) == {"poison", "key-expiring"}
        estate.queue.poison.clear()
        estate.elastic_settings.api_key_expires_at = estate.clock.now() + timedelta(days=90)
        await estate.pass_(60)
        assert estate.ringing() == {}


async def test_being_asked_to_slow_down_once_does_not_ring_and_again_and_again_does() -> None:
    async with watched() as estate:
        await connect(estate)
        on = True
        estate.arm.faults.append(
            lambda r: arm_error(429, "TooManyRequests") if on and "privateDnsZones" in r.path else None
        )
        await estate.pass_(5)
        assert "throttled" not in estate.ringing()
        assert await since(estate, "throttled") <= 30
        on = False
        await estate.pass_(35)
        assert estate.ringing() == {}


async def test_a_topic_that_takes_nothing_for_an_hour_rings() -> None:
    async with watched(**TOPIC) as estate:
        estate.topic.settings.fail = 503
        await connect(estate)
        assert 15 <= await since(estate, "notifications") <= 60


async def test_removals_that_are_stopped_ring_with_the_id_to_confirm() -> None:
    async with watched(REMOVAL_LIMIT="0") as estate:
        endpoint = await connect(estate)
        estate.events.settings.drop = True
        await estate.delete(endpoint)
        await estate.settle(30)
        await estate.pass_(30)
        stop = (await show_removals(estate.worker.context))["stopped"]
        assert estate.ringing()["removals-stopped"] == {(stop["id"],)}
        await confirm_removals(estate.worker.context, stop["id"], ASKED)
        await estate.pass_(40)
        assert estate.ringing() == {}
