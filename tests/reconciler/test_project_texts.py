"""What a person reads about projects: each reason speaks of projects, with what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.core.model.services import Family
from shared.settings.services import shipped_services
from tests.harness.estate import Estate
from tests.harness.leaving import work_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.elastic.serverless import Project
    from shared.core.model.conditions import Condition

SERVICE = shipped_services().of(Family.SERVERLESS, "eastus2")
assert SERVICE is not None


def project_of(estate: Estate, kind: str = "elasticsearch") -> Project:
    return next(one for one in estate.elastic.serverless.projects() if (one.region, one.type) == ("eastus2", kind))


def closed(estate: Estate, project: Project) -> None:
    found = estate.elastic.serverless.add_filter("office", "eastus2", "192.0.2.0/24").id
    estate.elastic.serverless.write_list(project, [found])


async def associated(estate: Estate, wish: str) -> Condition:
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={"elastic-deployments": wish})
    await estate.settle()
    found = (await estate.connection(endpoint)).condition("Associated")
    assert found is not None
    return found


def stopped(phase: str) -> Callable[[Estate, Project], None]:
    def make(estate: Estate, project: Project) -> None:
        closed(estate, project)
        project.phase = phase  # type: ignore[assignment]

    return make


def below_tier(estate: Estate, project: Project) -> None:
    closed(estate, project)
    project.complete_tier = False


def no_editor(estate: Estate, project: Project) -> None:
    closed(estate, project)
    other = next(one for one in estate.elastic.serverless.projects() if one is not project)
    estate.serverless_settings.editable_projects = {other.id}


def opted_out(estate: Estate, project: Project) -> None:
    closed(estate, project)
    project.tags["elastic-privatelink"] = "ignore"


def nothing(estate: Estate, project: Project) -> None:
    del estate, project


@pytest.mark.parametrize(
    ("kind", "make", "reason", "message", "step"),
    [
        ("elasticsearch", nothing, "WouldCutOffPublicTraffic", "Project ", "tag the project elastic-privatelink-first"),
        ("elasticsearch", opted_out, "DeploymentOptedOut", "Project ", "Take that tag off"),
        ("elasticsearch", stopped("suspended"), "DeploymentNotRunning", "is suspended", "Start it"),
        ("elasticsearch", stopped("initializing"), "OperationRunning", "still making the project", ""),
        ("elasticsearch", no_editor, "ElasticRightsMissing", "may not change", "role Admin or Editor on the project."),
        ("observability", below_tier, "ElasticRightsMissing", "product tier", "Observability Complete"),
        ("security", below_tier, "ElasticRightsMissing", "product tier", "Security Analytics Complete"),
    ],
)
async def test_why_a_project_is_not_connected(
    estate: Estate, kind: str, make: Callable[[Estate, Project], None], reason: str, message: str, step: str
) -> None:
    project = project_of(estate, kind)
    make(estate, project)
    found = await associated(estate, project.id)
    assert (found.reason, message in found.message, step in found.next_step) == (reason, True, True), found
    assert "deployment" not in found.message
    assert "sign-in" not in found.message, "the console's sign-in to projects works over private connections"


async def test_a_project_of_another_region_and_one_that_does_not_exist(estate: Estate) -> None:
    other = next(one for one in estate.elastic.serverless.projects() if one.region == "westus2")
    found = await associated(estate, f"{other.id},nowhere")
    assert f"Project {other.name} ({other.id}) is in azure-westus2" in found.message
    assert "No project with the id or exact name nowhere" in found.message


async def test_consent_is_asked_for_in_the_form_that_a_projects_tag_takes() -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    project = project_of(estate)
    closed(estate, project)
    project.tags["elastic-privatelink-endpoints"] = "0123456789abcdef"
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={"elastic-deployments": project.id})
    await estate.settle()
    connection = await estate.connection(endpoint)
    found = connection.condition("Associated")
    assert found is not None
    value = f"0123456789abcdef_{connection.id}"
    assert (found.reason, f"tag the project elastic-privatelink-endpoints={value}: in the" in found.next_step) == (
        "DeploymentNotAllowed",
        True,
    )
    project.tags["elastic-privatelink-endpoints"] = value
    await estate.sweep()
    await work_for(estate, 4000)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_project_with_private_policies_only_gives_no_warning_of_the_consoles_sign_in(estate: Estate) -> None:
    project = project_of(estate)
    project.tags["elastic-privatelink-first-policy"] = "allow"
    assert (await associated(estate, project.id)).true
    (connection,) = [row async for row in estate.storage.connections.list_columns()]
    found = await estate.connection(estate.arm.private_endpoints()[0].id)
    assert connection.columns.phase == "Ready"
    assert [one.reason for one in found.status.advice] == []


async def test_claims_that_are_asked_for_are_not_offered_and_that_is_said(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={"elastic-privatelink-claim": "true"})
    await estate.settle()
    claimed = (await estate.connection(endpoint)).condition("Claimed")
    assert claimed is not None
    assert "offers no claims" in claimed.message
    assert (await estate.connection(endpoint)).status.phase == "Ready"
