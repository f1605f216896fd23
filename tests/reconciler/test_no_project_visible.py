"""A key that sees no project: no project and no role look the same, so both are named. Hosted ones never hear of it."""

from __future__ import annotations

from shared.api.doctor import examine
from shared.core.model.services import Family
from shared.core.reports.doctor.findings import Finding
from shared.settings.services import shipped_services
from tests.harness.estate import Estate

SERVICE = shipped_services().of(Family.SERVERLESS, "eastus2")
assert SERVICE is not None


async def asking(estate: Estate) -> str:
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={"elastic-deployments": "orders, carts"})
    await estate.settle()
    return endpoint


def without_projects(estate: Estate) -> None:
    for project in estate.elastic.serverless.projects():
        estate.elastic.serverless.remove_project(project)


async def told(estate: Estate, endpoint: str) -> None:
    found = (await estate.connection(endpoint)).condition("Associated")
    assert found is not None
    assert found.reason == "NoProjectVisible"
    assert "orders, carts" in found.message
    assert "the organization has none, or the key has no role on any" in found.message
    assert "Create the project, or give the API key the role Admin or Editor" in found.next_step


async def about_projects(estate: Estate) -> list[Finding]:
    report = await examine(estate.worker.context)
    return [one for one in report.findings if "project" in f"{one.what} {one.next_step}".lower()]


async def test_an_organization_without_projects(estate: Estate) -> None:
    without_projects(estate)
    endpoint = await asking(estate)
    await told(estate, endpoint)
    runs = (await estate.connection(endpoint)).status.generation
    await estate.sweep()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.generation == runs, "a sweep finds it as it is"


async def test_a_key_without_a_role_on_any_project(estate: Estate) -> None:
    """It may not make the policy either, and a person reads both at once."""
    estate.serverless_settings.project_roles = False
    endpoint = await asking(estate)
    await told(estate, endpoint)
    assert await estate.reason(endpoint, "PolicyReady") == "ElasticRightsMissing"


async def test_a_role_that_is_given_connects_the_project(estate: Estate) -> None:
    project = next(one for one in estate.elastic.serverless.projects() if one.region == "eastus2")
    office = estate.elastic.serverless.add_filter("office", "eastus2").id
    estate.elastic.serverless.write_list(project, [office])
    estate.serverless_settings.project_roles = False
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={"elastic-deployments": project.id})
    await estate.settle()
    estate.serverless_settings.project_roles = True
    await estate.clock.sleep(4000)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_the_doctor_names_both_causes_where_endpoints_lead_to_projects(estate: Estate) -> None:
    estate.serverless_settings.project_roles = False
    await asking(estate)
    await estate.sweep()
    (found,) = [one for one in await about_projects(estate) if one.level == "warning"]
    assert "sees no Serverless project" in found.what
    assert "role Admin or Editor" in found.next_step


async def test_a_hosted_installation_never_needs_a_role_on_projects_and_hears_nothing_of_them(estate: Estate) -> None:
    estate.serverless_settings.project_roles = False
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert (await estate.sweep()).errors == []
    assert await about_projects(estate) == []
    assert [one.path for one in estate.elastic.requests if "serverless" in one.path] == []
