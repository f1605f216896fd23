"""Services for projects that this version does not know: Elastic's API tells them, and is asked once an hour."""

from __future__ import annotations

import asyncio

import pytest

from shared.core.model.services import Family, service_of_alias
from shared.installation.services import NAME
from shared.settings.services import shipped_services
from shared.state.rows import ControlRow
from tests.harness.estate import Estate
from tests.harness.leaving import work_for

ALIAS = "marsnorth-prod-privatelink-serverless.12345678-1234-4234-8234-123456789abc.marsnorth.azure.privatelinkservice"
UNKNOWN = ALIAS.replace("12345678", "99999999")
MARS = service_of_alias(ALIAS)
assert MARS is not None
METADATA = "/api/v1/serverless/traffic-filters/metadata"
HOUR = 3600.0


async def opened() -> Estate:
    """Elastic has a service for projects in a region that the app's version does not know."""
    return await Estate(services=shipped_services().and_further([MARS]), known=shipped_services()).open()


async def put(estate: Estate, name: str = "pe-1", alias: str = ALIAS) -> str:
    project = next(one for one in estate.elastic.serverless.projects() if one.region == "marsnorth")
    if not project.filters:
        estate.elastic.serverless.write_list(project, [estate.elastic.serverless.add_filter("office", "marsnorth").id])
    return await estate.put_endpoint(name, alias=alias, tags={"elastic-deployments": project.id})


def asked(estate: Estate) -> int:
    return sum(one.path == METADATA for one in estate.elastic.requests)


async def test_a_service_that_only_elastics_api_knows_is_connected_to() -> None:
    estate = await opened()
    endpoint = await put(estate)
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert [zone.name for zone in estate.arm.private_dns_zones()] == ["private.marsnorth.azure.elastic.cloud"]
    assert (connection.identity.family, connection.identity.region) == (Family.SERVERLESS, "marsnorth")
    assert asked(estate) == 1


async def test_elastics_api_is_asked_at_most_once_an_hour_by_all_workers_and_sweeps() -> None:
    estate = await opened()
    endpoints = [await put(estate), await put(estate, "pe-2", UNKNOWN)]
    await estate.settle()
    for _ in range(5):
        estate.worker = estate.new_worker()
        await estate.send(endpoints[1])
        await estate.settle()
        await estate.sweep()
        await estate.settle()
    assert asked(estate) == 1
    await estate.clock.sleep(HOUR)
    await asyncio.gather(*(estate.sweep() for _ in range(2)))
    assert asked(estate) == 2


async def test_endpoints_that_come_together_are_connected_though_one_of_them_asked() -> None:
    """As from one template: what is being asked at this moment is waited for, and not left to the next sweep."""
    estate = await opened()
    estate.elastic_settings.latency_seconds = 2.0
    endpoints = [await put(estate), await put(estate, "pe-2")]
    workers = [estate.new_worker(), estate.new_worker()]
    await asyncio.gather(*(estate.settle(worker=one) for one in workers))
    assert [await estate.reason(one, "Recognised") for one in endpoints] == ["ElasticService"] * 2
    assert asked(estate) == 1


async def test_another_worker_knows_what_the_first_was_told() -> None:
    estate = await opened()
    await estate.ready(await _settled(estate, "pe-1"))
    estate.worker = estate.new_worker()
    assert await estate.reason(await _settled(estate, "pe-2"), "Recognised") == "ElasticService"
    estate.worker = estate.new_worker()
    assert (await estate.sweep()).errors == []
    assert asked(estate) == 1


async def test_what_was_made_in_such_a_region_is_removed_by_a_worker_that_was_told_nothing() -> None:
    estate = await opened()
    endpoint = await _settled(estate, "pe-1")
    await estate.ready(endpoint)
    await estate.clock.sleep(1800)
    estate.worker = estate.new_worker()
    await estate.delete(endpoint)
    await work_for(estate, 1800)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert list(estate.arm.private_dns_zones()) == []


async def test_an_endpoint_of_a_service_that_appears_is_connected_by_the_sweep_after_it() -> None:
    estate = await opened()
    regions = estate.elastic.serverless.regions
    hidden = [one for one in regions if one.region == "marsnorth"]
    regions[:] = [one for one in regions if one not in hidden]
    endpoint = await put_hidden(estate)
    assert await estate.reason(endpoint, "Recognised") == "UnknownElasticAlias"
    regions += hidden
    await estate.clock.sleep(HOUR)
    await estate.sweep()
    await estate.settle()
    assert (await estate.connection(endpoint)).condition("Recognised").true


async def put_hidden(estate: Estate) -> str:
    endpoint = await estate.put_endpoint(alias=ALIAS, tags={})
    await estate.settle()
    return endpoint


@pytest.mark.parametrize("answer", [(503, "down"), (401, "no key"), (403, "no role"), (200, {"regions": []})])
async def test_where_elastic_cannot_be_asked_the_shipped_table_and_what_is_stored_stand(
    answer: tuple[int, object],
) -> None:
    estate = await opened()
    await estate.ready(await _settled(estate, "pe-1"))
    estate.elastic_settings.faults.append(lambda _, path: answer if path == METADATA else None)
    await estate.clock.sleep(HOUR)
    await estate.sweep()
    assert asked(estate) == 2
    estate.worker = estate.new_worker()
    assert await estate.reason(await _settled(estate, "pe-2"), "Recognised") == "ElasticService"


@pytest.mark.parametrize("document", [{"services": 5, "askedAt": "never"}, {"askedAt": "9999-01-01T00:00:00+00:00"}])
async def test_a_damaged_row_holds_up_nothing_and_is_written_anew(document: dict[str, object]) -> None:
    estate = await opened()
    await estate.storage.control.put(ControlRow(NAME, document))
    await estate.ready(await _settled(estate, "pe-1"))
    await estate.sweep()
    assert (await estate.sweep()).errors == []


async def test_an_endpoint_that_the_app_leaves_alone_makes_it_ask_nothing() -> None:
    estate = await opened()
    await estate.put_endpoint(alias=ALIAS, tags={"elastic-privatelink": "ignore"})
    await estate.settle()
    await estate.sweep()
    assert asked(estate) == 0


async def _settled(estate: Estate, name: str) -> str:
    endpoint = await put(estate, name)
    await estate.settle()
    return endpoint
