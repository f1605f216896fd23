"""S6: what would take away too much at once stops, says so, and goes on only when a person has confirmed the number."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from shared.api.removals import StopNotFound, confirm_removals, show_removals
from shared.core.model.arm_ids import connection_id
from shared.core.model.errors import InvalidInput
from shared.core.model.record_document import from_document, to_document
from tests.harness.estate import Estate
from tests.harness.leaving import work_for

REGIONS = ("eastus2", "westeurope", "japaneast", "uksouth")
STEPS = 6
"""Destructive steps of one connection here: association, policy, record, two links, zone."""


async def several(limit: int, **settings: str) -> tuple[Estate, list[str]]:
    """Ready connections in different regions, and a limit."""
    estate = await Estate(settings={"REMOVAL_LIMIT": str(limit), **settings}).open()
    endpoints = []
    for region in REGIONS:
        endpoints.append(await estate.put_endpoint(f"pe-{region}", region=region))
        await estate.settle()
        await estate.ready(endpoints[-1])
    await estate.clock.sleep(3600)
    estate.worker = estate.new_worker()
    return estate, endpoints


def destructive(estate: Estate) -> list[str]:
    return [call.name for call in estate.worker.wire.calls if call.what.startswith("DELETE")]


async def gone(estate: Estate, endpoints: list[str], *, by_event: bool) -> None:
    estate.events.settings.drop = not by_event
    for endpoint in endpoints:
        await estate.delete(endpoint)
    await estate.settle(30)


async def sweeps(estate: Estate, times: int) -> None:
    for _ in range(times):
        await estate.sweep()
        await work_for(estate, 500)


@pytest.mark.parametrize("by_event", [True, False], ids=["delete events", "lost events"])
async def test_too_much_at_once_stops_all_of_it_and_a_confirmation_lets_it_go_on(
    by_event: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "privatelink.telemetry")
    estate, endpoints = await several(limit=len(REGIONS) * STEPS - 1)
    await gone(estate, endpoints, by_event=by_event)
    await sweeps(estate, 6)
    assert destructive(estate) == []
    for endpoint in endpoints:
        connection = await estate.connection(endpoint)
        assert (connection.status.phase, await estate.reason(endpoint, "Removed")) == ("Blocked", "RemovalLimitReached")
    alerts = [json.loads(record.message) for record in caplog.records if '"RemovalsStopped"' in record.message]
    assert {alert["steps"] for alert in alerts} == {len(REGIONS) * STEPS}
    shown = await show_removals(estate.worker.context)
    assert shown["stopped"]["steps"] == len(REGIONS) * STEPS
    assert {one["endpoint"] for one in shown["stopped"]["connections"]} == set(endpoints)
    await confirm_removals(estate.worker.context, shown["stopped"]["id"])
    await sweeps(estate, 1)
    for endpoint in endpoints:
        assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.arm.private_dns_zones() == []
    assert (await show_removals(estate.worker.context))["stopped"] is None


async def test_within_the_limit_no_person_is_asked() -> None:
    estate, endpoints = await several(limit=len(REGIONS) * STEPS)
    await gone(estate, endpoints, by_event=True)
    await sweeps(estate, 4)
    assert [(await estate.connection(endpoint)).status.phase for endpoint in endpoints] == ["Removed"] * len(REGIONS)


async def test_without_any_sweep_in_between_the_limit_holds_too() -> None:
    """No grace period, and events only: what the next sweep allows goes on then."""
    estate, endpoints = await several(limit=STEPS, REMOVAL_GRACE_SECONDS="0")
    await gone(estate, endpoints[:2], by_event=True)
    phases = sorted([str((await estate.connection(endpoint)).status.phase) for endpoint in endpoints[:2]])
    assert phases == ["Blocked", "Removed"]
    assert len(destructive(estate)) == STEPS
    await sweeps(estate, 1)
    assert [(await estate.connection(endpoint)).status.phase for endpoint in endpoints[:2]] == ["Removed", "Removed"]


async def test_more_than_the_record_knows_of_is_asked_about_too() -> None:
    """A worker died before it wrote down what it had made; what there is is known only once it is read."""
    estate, (endpoint, *_) = await several(limit=STEPS - 1)
    row = await estate.storage.connections.get(connection_id(endpoint))
    assert row is not None
    record = from_document(row.document).with_dns(links=(), record=None)
    await estate.storage.connections.replace(replace(row, document=to_document(record)))
    await gone(estate, [endpoint], by_event=True)
    await sweeps(estate, 4)
    assert destructive(estate) == []
    stopped = (await show_removals(estate.worker.context))["stopped"]
    assert stopped["steps"] == STEPS
    await confirm_removals(estate.worker.context, stopped["id"])
    await sweeps(estate, 1)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert len(destructive(estate)) == STEPS


async def test_tags_that_are_stripped_everywhere_disconnect_nothing_until_confirmed() -> None:
    """A policy engine takes all tags off: each disassociation by itself would be right."""
    estate, endpoints = await several(limit=len(REGIONS) - 1)
    for endpoint in endpoints:
        found = estate.arm.private_endpoint(endpoint)
        assert found is not None
        found.tags.clear()
    await sweeps(estate, 3)
    assert destructive(estate) == []
    for endpoint in endpoints:
        assert await estate.reason(endpoint, "Associated") == "RemovalLimitReached"
    shown = await show_removals(estate.worker.context)
    await confirm_removals(estate.worker.context, shown["stopped"]["id"])
    await sweeps(estate, 1)
    assert len(destructive(estate)) == len(REGIONS)
    for endpoint in endpoints:
        await estate.ready(endpoint)


async def test_a_confirmation_is_for_what_was_shown_and_ends_by_itself() -> None:
    estate, endpoints = await several(limit=STEPS)
    await gone(estate, endpoints[:2], by_event=True)
    await sweeps(estate, 1)
    stop = (await show_removals(estate.worker.context))["stopped"]["id"]
    with pytest.raises(StopNotFound):
        await confirm_removals(estate.worker.context, "another")
    with pytest.raises(InvalidInput):
        await confirm_removals(estate.worker.context, None)
    await confirm_removals(estate.worker.context, stop)
    with pytest.raises(StopNotFound):
        await confirm_removals(estate.worker.context, stop)
    await gone(estate, endpoints[2:], by_event=True)
    await sweeps(estate, 3)
    assert destructive(estate) == [], "by now it is more than was confirmed"
    assert (await show_removals(estate.worker.context))["stopped"]["steps"] == len(REGIONS) * STEPS


async def test_what_comes_back_lifts_the_stop() -> None:
    """The listing was wrong for a while, or a pipeline put everything back."""
    estate, endpoints = await several(limit=STEPS)
    before: Any = {zone.id for zone in estate.arm.private_dns_zones()}
    await gone(estate, endpoints, by_event=True)
    await sweeps(estate, 3)
    for region in REGIONS:
        await estate.put_endpoint(f"pe-{region}", region=region)
    await sweeps(estate, 2)
    for endpoint in endpoints:
        await estate.ready(endpoint)
    assert destructive(estate) == []
    assert (await show_removals(estate.worker.context))["stopped"] is None
    assert {zone.id for zone in estate.arm.private_dns_zones()} == before
