"""S6: too many connections that stand for removal at once: none goes, it is said, and a person's word lets them go."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION, FaultResponse
from shared.api.removals import StopNotFound, confirm_removals, show_removals
from shared.core.model.errors import InvalidInput
from shared.installation.pause import lift_pause, pause
from tests.harness.estate import Estate, arm_error
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED

pytestmark = pytest.mark.both_families(at_length=True)

REGIONS = ("eastus2", "westeurope", "japaneast", "westus2")
NETWORK_LISTS = "/providers/microsoft.network/privateendpoints"


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
    """What the workers deleted in Azure, and what was taken away in Elastic Cloud, by any request."""
    calls = [call.name for call in estate.worker.wire.calls if call.service == "arm" and call.what.startswith("DELETE")]
    return calls + [one.what for one in estate.elastic.history if one.what in {"disassociated", "deleted"}]


async def gone(estate: Estate, endpoints: list[str], *, by_event: bool = False) -> None:
    estate.events.settings.drop = not by_event
    for endpoint in endpoints:
        await estate.delete(endpoint)
    await estate.settle(30)


async def sweeps(estate: Estate, times: int) -> None:
    for _ in range(times):
        await estate.sweep()
        await work_for(estate, 900)


async def phases(estate: Estate, endpoints: list[str]) -> list[str]:
    return [str((await estate.connection(endpoint)).status.phase) for endpoint in endpoints]


async def stopped(estate: Estate) -> Any:
    return (await show_removals(estate.worker.context))["stopped"]


def unreadable(estate: Estate, **error: Any) -> None:
    """The list of endpoints cannot be read; each by its id can."""

    def fault(request: Any) -> FaultResponse | None:
        return arm_error(**error) if request.path.lower().endswith(NETWORK_LISTS) else None

    estate.arm.faults.append(fault)


@pytest.mark.both_families
async def test_too_many_at_once_stay_untouched_and_a_word_lets_them_go(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "privatelink.telemetry")
    estate, endpoints = await several(limit=len(REGIONS) - 1)
    await gone(estate, endpoints)
    await sweeps(estate, 6)
    assert destructive(estate) == []
    assert await phases(estate, endpoints) == ["Blocked"] * len(REGIONS)
    assert {await estate.reason(endpoint, "Removed") for endpoint in endpoints} == {"RemovalLimitReached"}
    alerts = [json.loads(record.message) for record in caplog.records if '"RemovalsStopped"' in record.message]
    assert {alert["total"] for alert in alerts} == {len(REGIONS)}
    stop = await stopped(estate)
    assert (stop["count"], {one["endpoint"] for one in stop["connections"]}) == (len(REGIONS), set(endpoints))
    await confirm_removals(estate.worker.context, stop["id"], ASKED)
    await sweeps(estate, 2)
    assert await phases(estate, endpoints) == ["Removed"] * len(REGIONS)
    assert estate.arm.private_dns_zones() == []
    assert await stopped(estate) is None


async def test_within_the_limit_no_person_is_asked() -> None:
    estate, endpoints = await several(limit=len(REGIONS))
    await gone(estate, endpoints)
    await sweeps(estate, 4)
    assert await phases(estate, endpoints) == ["Removed"] * len(REGIONS)


async def test_a_deletion_that_an_event_told_and_a_read_confirmed_counts_against_no_limit() -> None:
    estate, endpoints = await several(limit=0)
    await gone(estate, endpoints, by_event=True)
    await work_for(estate, 1200)
    assert await phases(estate, endpoints) == ["Removed"] * len(REGIONS)


@pytest.mark.parametrize(
    ("status", "code"), [(404, "SubscriptionNotFound"), (403, "AuthorizationFailed"), (404, "NotFound")]
)
async def test_an_event_that_no_read_by_id_confirms_is_not_enough(status: int, code: str) -> None:
    estate, (endpoint, *_) = await several(limit=0)

    def unknown(request: Any) -> FaultResponse | None:
        asked = request.method == "GET" and request.path.lower() == endpoint.lower()
        return arm_error(status, code) if asked else None

    estate.arm.faults.append(unknown)
    await gone(estate, [endpoint], by_event=True)
    await work_for(estate, 3600)
    assert destructive(estate) == []


async def test_without_a_grace_period_and_without_a_sweep_the_limit_holds_too() -> None:
    estate, endpoints = await several(limit=1, REMOVAL_GRACE_SECONDS="0")
    await gone(estate, endpoints[:2])
    await sweeps(estate, 3)
    assert destructive(estate) == [], "counted before the first goes"


async def test_what_goes_one_after_the_other_is_counted_over_a_day() -> None:
    estate, endpoints = await several(limit=2)
    for endpoint in endpoints:
        await gone(estate, [endpoint])
        await sweeps(estate, 4)
    assert await phases(estate, endpoints) == ["Removed", "Removed", "Blocked", "Blocked"]


@pytest.mark.both_families
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
    await confirm_removals(estate.worker.context, (await stopped(estate))["id"], ASKED)
    await sweeps(estate, 2)
    assert len(destructive(estate)) == len(REGIONS)
    for endpoint in endpoints:
        await estate.ready(endpoint)


async def test_a_confirmation_is_for_what_was_shown() -> None:
    estate, endpoints = await several(limit=1)
    await gone(estate, endpoints[:2])
    await sweeps(estate, 2)
    stop = (await stopped(estate))["id"]
    with pytest.raises(StopNotFound):
        await confirm_removals(estate.worker.context, "another", ASKED)
    with pytest.raises(InvalidInput):
        await confirm_removals(estate.worker.context, None, ASKED)
    await confirm_removals(estate.worker.context, stop, ASKED)
    with pytest.raises(StopNotFound):
        await confirm_removals(estate.worker.context, stop, ASKED)
    await gone(estate, endpoints[2:])
    await sweeps(estate, 3)
    assert await phases(estate, endpoints) == ["Removed", "Removed", "Blocked", "Blocked"]


async def test_what_comes_back_lifts_the_stop() -> None:
    """The listing was wrong for a while, or a pipeline put everything back."""
    estate, endpoints = await several(limit=1)
    before: Any = {zone.id for zone in estate.arm.private_dns_zones()}
    await gone(estate, endpoints)
    await sweeps(estate, 3)
    for region in REGIONS:
        await estate.put_endpoint(f"pe-{region}", region=region)
    await sweeps(estate, 2)
    for endpoint in endpoints:
        await estate.ready(endpoint)
    assert destructive(estate) == []
    assert await stopped(estate) is None
    assert {zone.id for zone in estate.arm.private_dns_zones()} == before


async def test_neither_a_pause_nor_a_sweep_that_cannot_read_lifts_a_stop() -> None:
    estate, endpoints = await several(limit=1)
    await gone(estate, endpoints)
    await sweeps(estate, 2)
    first = await stopped(estate)
    await pause(estate.worker.context, {"minutes": 60}, ASKED)
    await sweeps(estate, 1)
    assert (await stopped(estate))["id"] == first["id"]
    await lift_pause(estate.worker.context, ASKED)
    unreadable(estate, status=429, code="TooManyRequests")
    await sweeps(estate, 2)
    assert (await stopped(estate))["count"] == len(REGIONS)
    assert destructive(estate) == []


async def test_a_list_that_misses_half_of_the_endpoints_tears_nothing_down() -> None:
    estate, endpoints = await several(limit=0)
    path = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Network/privateEndpoints"
    half = (await estate.azure("GET", path))["value"][:2]

    def short(request: Any) -> FaultResponse | None:
        return FaultResponse(200, {"value": half}) if request.path.lower() == path.lower() else None

    estate.arm.faults.append(short)
    await sweeps(estate, 4)
    assert destructive(estate) == []
    for endpoint in endpoints:
        await estate.ready(endpoint)


ELSEWHERE = ("centralus", "northeurope", "southeastasia", "uksouth")


async def test_what_endpoints_had_in_other_regions_stays_where_too_many_moved_at_once_until_a_word() -> None:
    """A slip in a module's variable makes them all anew elsewhere: what is former is counted before the first goes."""
    estate, endpoints = await several(limit=len(REGIONS) - 1)
    for endpoint, region in zip(endpoints, ELSEWHERE, strict=True):
        await estate.delete(endpoint)
        await estate.put_endpoint(endpoint.rpartition("/")[2], region=region)
        await work_for(estate, 60)
    await work_for(estate, 900)
    assert destructive(estate) == [], "also where no sweep has come by"
    await sweeps(estate, 2)
    assert destructive(estate) == []
    for endpoint in endpoints:
        await estate.ready(endpoint)
        assert await estate.reason(endpoint, "FormerRemoved") == "RemovalLimitReached"
    stop = await stopped(estate)
    assert stop["count"] == len(REGIONS)
    await confirm_removals(estate.worker.context, stop["id"], ASKED)
    await work_for(estate, 1800)
    assert sorted(zone.name for zone in estate.arm.private_dns_zones()) == sorted(
        estate.service_of(region).zone for region in ELSEWHERE
    )
    for endpoint in endpoints:
        assert await estate.reason(endpoint, "FormerRemoved") == "Removed"


async def test_former_things_that_went_count_for_a_day() -> None:
    """So a slip that is spread over a morning is noticed, too."""
    estate, endpoints = await several(limit=1)
    for endpoint, region in zip(endpoints[:2], ELSEWHERE, strict=False):
        await estate.delete(endpoint)
        await estate.put_endpoint(endpoint.rpartition("/")[2], region=region)
        await sweeps(estate, 3)
    assert [await estate.reason(one, "FormerRemoved") for one in endpoints[:2]] == ["Removed", "RemovalLimitReached"]


async def test_former_things_of_an_endpoint_whose_deletion_is_certain_count_against_no_limit() -> None:
    estate, (endpoint, *_) = await several(limit=0)
    await estate.delete(endpoint)
    await estate.put_endpoint(endpoint.rpartition("/")[2], region=ELSEWHERE[0])
    await work_for(estate, 60)
    await gone(estate, [endpoint], by_event=True)
    await work_for(estate, 1800)
    assert await phases(estate, [endpoint]) == ["Removed"]
    assert len(estate.arm.private_dns_zones()) == len(REGIONS) - 1


async def test_what_is_there_again_counts_no_more_before_any_sweep() -> None:
    estate, (endpoint, *_) = await several(limit=1)
    await gone(estate, [endpoint])
    for _ in range(2):
        await estate.sweep()
        await estate.settle(30)
    assert (await show_removals(estate.worker.context))["standing"] == 1
    await estate.put_endpoint(endpoint.rpartition("/")[2], region=REGIONS[0])
    await estate.send(endpoint)
    await estate.settle(120)
    await estate.ready(endpoint)
    assert (await show_removals(estate.worker.context))["standing"] == 0
