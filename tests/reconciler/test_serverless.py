"""Projects as targets: what only they have. What holds for both families, suites marked `both_families` tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.elastic.serverless.regions import ONLY_IN_METADATA
from shared.core.model.services import Family, Service, service_of_alias
from shared.settings.services import shipped_services
from tests.harness.estate import Estate
from tests.harness.leaving import everything, work_for

if TYPE_CHECKING:
    from local.elastic.serverless import Project

BOTH = shipped_services()
PROJECTS = BOTH.of_family(Family.SERVERLESS)
EASTUS2 = next(service for service in PROJECTS if service.region == "eastus2")


async def opened(**settings: str) -> Estate:
    return await Estate(settings=settings).open()


def project_in(estate: Estate, region: str = "eastus2", kind: str = "elasticsearch") -> Project:
    return next(one for one in estate.elastic.serverless.projects() if (one.region, one.type) == (region, kind))


def with_office_filter(estate: Estate, project: Project) -> str:
    """A person's filter, so that the app's is not the first: its id."""
    office = estate.elastic.serverless.add_filter("office", project.region).id
    estate.elastic.serverless.write_list(project, [office])
    return office


async def connect(estate: Estate, *projects: Project, service: Service = EASTUS2, name: str = "pe-1") -> str:
    tags = {"elastic-deployments": ",".join(one.id for one in projects)}
    endpoint = await estate.put_endpoint(name, alias=service.alias, tags=tags)
    await estate.settle()
    return endpoint


def filters_of(estate: Estate, endpoint: str) -> list[Any]:
    guid = estate.arm.private_endpoint(endpoint).resource_guid.lower()
    return [one for one in estate.elastic.serverless.filters() if guid in one.guids]


NEWEST = [found for one in ONLY_IN_METADATA if (found := service_of_alias(one.alias)) is not None]
"""In no table: only Elastic's metadata knows them."""


@pytest.mark.parametrize("service", [*PROJECTS, *NEWEST], ids=lambda service: service.region)
async def test_an_endpoint_is_connected_in_every_region_of_projects(service: Service) -> None:
    estate = await opened()
    project = project_in(estate, service.region)
    office = with_office_filter(estate, project)
    endpoint = await connect(estate, project, service=service)
    connection = await estate.ready(endpoint)
    (policy,) = filters_of(estate, endpoint)
    assert (policy.type, policy.region, policy.include_by_default) == (
        "private_endpoint",
        f"azure-{service.region}",
        False,
    )
    assert project.filters == (office, policy.id)
    (zone,) = [one for one in estate.arm.private_dns_zones() if one.name == service.zone]
    assert zone.a_record("*") == [connection.identity.address]
    assert {(check.host, check.reason) for check in await estate.hosts(endpoint)} == {
        (project.host(product, private=True), "Reachable") for product in ("es", "kb")
    }
    assert estate.policies_of(endpoint) == [], "no policy of deployments"


@pytest.mark.parametrize("kind", ["elasticsearch", "observability", "security"])
async def test_a_project_of_each_type_is_found_and_tested(kind: str) -> None:
    estate = await opened()
    project = project_in(estate, kind=kind)
    with_office_filter(estate, project)
    endpoint = await connect(estate, project)
    await estate.ready(endpoint)
    checks = await estate.hosts(endpoint)
    assert [check.reason for check in checks] == ["Reachable"] * len(checks)


async def test_both_families_side_by_side_in_one_network_are_two_zones() -> None:
    estate = await opened()
    project = project_in(estate)
    with_office_filter(estate, project)
    of_projects, of_deployments = await connect(estate, project), await estate.put_endpoint("pe-hosted")
    await estate.settle()
    for endpoint in (of_projects, of_deployments):
        await estate.ready(endpoint)
    assert {zone.name for zone in estate.arm.private_dns_zones()} == {
        EASTUS2.zone,
        BOTH.of(Family.HOSTED, "eastus2").zone,
    }
    await estate.sweep()
    assert (len(filters_of(estate, of_projects)), len(estate.policies_of(of_deployments))) == (1, 1)


@pytest.mark.both_families
async def test_a_policy_of_the_other_family_never_stands_for_ones_own(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(tags={})
    found = estate.arm.private_endpoint(endpoint)
    rule = {"azure_endpoint_name": found.name, "azure_endpoint_guid": found.resource_guid.lower()}
    if estate.family is Family.HOSTED:
        theirs = estate.elastic.serverless.add_endpoint_filter("theirs", "eastus2", [rule])
    else:
        theirs = estate.world.elastic.add_endpoint_policy("theirs", "eastus2", [rule])
    await estate.settle()
    await estate.ready(endpoint)
    (policy,) = estate.policies_of(endpoint)
    assert (policy.id != theirs.id, theirs.rules[0]["azure_endpoint_name"]) == (True, "pe-1")


async def test_an_organization_with_as_many_policies_as_it_may_have_is_told() -> None:
    estate = await opened()
    project = project_in(estate)
    with_office_filter(estate, project)
    estate.serverless_settings.max_filters = len(estate.elastic.serverless.filters())
    endpoint = await connect(estate, project)
    assert await estate.reason(endpoint, "PolicyReady") == "ElasticRefused"


async def test_what_is_left_after_lost_tables_goes_though_the_key_has_no_role_for_projects() -> None:
    """In a hosted-only installation, of an endpoint whose policy is gone: it could be in either family."""
    estate = await opened()
    estate.elastic_settings.faults.append(no_role_for_projects)
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.delete_policy(policy.id)
    estate.storage.connections.clear()
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    for _ in range(5):
        await work_for(estate, 300)
        await estate.sweep()
        await estate.settle()
    assert everything(estate) == []


def no_role_for_projects(_: str, path: str) -> tuple[int, Any] | None:
    errors = {"errors": [{"code": "root.forbidden", "message": "no role on projects"}]}
    return (403, errors) if "/serverless/" in path else None
