"""Projects whose lists are late, young, lost or gone: nothing is cut off, and what is ours stays known as ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest

from shared.api.connection_decisions import decide
from shared.core.guards.first_and_last_policy import row_name
from shared.core.model.ownership import Owner
from shared.core.model.services import Family
from shared.installation import decided
from shared.settings.services import shipped_services
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED

if TYPE_CHECKING:
    from local.elastic.serverless import Project

SERVICE = shipped_services().of(Family.SERVERLESS, "eastus2")
assert SERVICE is not None


def project_of(estate: Estate) -> Project:
    return next(one for one in estate.elastic.serverless.projects() if one.region == "eastus2")


def office_of(estate: Estate) -> str:
    """A person's filter, which closes the project: its id."""
    found = estate.elastic.serverless.add_filter("office", "eastus2").id
    estate.elastic.serverless.write_list(project_of(estate), [found])
    return found


async def connected(estate: Estate) -> str:
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={"elastic-deployments": project_of(estate).id})
    await estate.settle()
    return endpoint


async def standing(estate: Estate) -> tuple[str, str]:
    """A connection that has stood for an hour, and the office's filter."""
    office = office_of(estate)
    endpoint = await connected(estate)
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint, office


async def owners(estate: Estate, endpoint: str) -> list[Owner | None]:
    return [one.owner for one in (await estate.connection(endpoint)).elastic.associations]


async def swept(estate: Estate) -> None:
    await estate.sweep()
    await estate.settle()


def names(estate: Estate) -> list[str]:
    return [one.name for one in estate.elastic.serverless.filters()]


def ask_for_none(estate: Estate, endpoint: str) -> None:
    estate.arm.private_endpoint(endpoint).tags["elastic-deployments"] = ""


# -- lists that are late ---------------------------------------------------------------------------------------------


async def test_a_list_that_shows_our_write_late_leaves_it_ours(estate: Estate) -> None:
    office = office_of(estate)
    estate.serverless_settings.project_lag_seconds = 40.0
    await estate.clock.sleep(60)
    endpoint = await connected(estate)
    await work_for(estate, 600)
    await estate.ready(endpoint)
    assert await owners(estate, endpoint) == [Owner.OURS]
    await estate.clock.sleep(1800)
    await estate.delete(endpoint)
    await work_for(estate, 1800)
    assert project_of(estate).filters == (office,)


async def test_a_list_that_is_shown_as_it_was_is_not_sent_the_same_change_again_at_once(estate: Estate) -> None:
    endpoint, office = await standing(estate)
    project = project_of(estate)
    estate.serverless_settings.project_lag_seconds = 100.0
    theirs = estate.elastic.serverless.add_filter("theirs", "eastus2").id
    estate.elastic.serverless.write_list(project, [*project.filters, theirs])
    ask_for_none(estate, endpoint)
    workers = []
    for _ in range(4):
        workers.append(estate.new_worker())
        estate.worker = workers[-1]
        await estate.send(endpoint)
        await work_for(estate, 20)
    patches = [call for one in workers for call in one.wire.calls if call.what.startswith("PATCH") and call.writes]
    assert len(patches) == 1, "it was refused, the list does not show why yet, and no worker asks again"
    await work_for(estate, 600)
    assert project.filters == (office, theirs)


# -- what protects -----------------------------------------------------------------------------------------------------


async def test_a_filter_that_is_too_young_to_be_in_force_keeps_ours_until_it_is(estate: Estate) -> None:
    """The project would be open to the internet in between: the age of protection holds for projects too (S2)."""
    endpoint, _ = await standing(estate)
    project = project_of(estate)
    (ours,) = [one for one in project.filters if one != office_now(estate)]
    young = estate.elastic.serverless.add_filter("young", "eastus2").id
    estate.elastic.serverless.write_list(project, [ours, young])
    ask_for_none(estate, endpoint)
    await estate.sweep()
    await estate.settle(60)
    assert project.filters == (ours, young)
    await work_for(estate, 900)
    assert project.filters == (young,)


def office_now(estate: Estate) -> str:
    return next(one.id for one in estate.elastic.serverless.filters() if one.name == "office")


async def test_a_filter_that_closes_nothing_is_no_protection(estate: Estate) -> None:
    """What closes a project is the type of its filters, which the project's list does not tell (S1, S2)."""
    endpoint, office = await standing(estate)
    project = project_of(estate)
    next(one for one in estate.elastic.serverless.filters() if one.id == office).type = "remote_cluster"
    ask_for_none(estate, endpoint)
    await swept(estate)
    await work_for(estate, 900)
    assert len(project.filters) == 2
    assert await estate.reason(endpoint, "Associated") == "WouldReopenPublicAccess"


# -- not seen is not gone ----------------------------------------------------------------------------------------------


async def test_a_project_that_is_gone_is_told_and_a_persons_word_ends_it(estate: Estate) -> None:
    endpoint, _ = await standing(estate)
    gone = project_of(estate).id
    estate.elastic.serverless.remove_project(project_of(estate))
    ask_for_none(estate, endpoint)
    await swept(estate)
    told = (await estate.connection(endpoint)).condition("Associated")
    assert told is not None
    assert (told.reason, f"no project {gone}" in told.message) == ("DeploymentGone", True)
    assert "forget-target" in told.next_step
    connection = (await estate.connection(endpoint)).id
    await decide(estate.worker.context, connection, {"decision": "forget-target", "target": gone}, ASKED)
    await estate.settle(60)
    await estate.ready(endpoint)
    assert await owners(estate, endpoint) == []
    assert await decided.waiting(estate.worker.context, connection) == ()


async def test_a_removal_takes_the_policy_of_a_project_that_is_gone_without_a_word(estate: Estate) -> None:
    """The API refuses to delete a filter that a project has: that it is deleted proves that none does."""
    endpoint, _ = await standing(estate)
    estate.elastic.serverless.remove_project(project_of(estate))
    await estate.delete(endpoint)
    await work_for(estate, 1800)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert "pe-1" not in names(estate)


async def test_a_removal_leaves_the_policy_of_a_project_that_the_key_does_not_see(estate: Estate) -> None:
    endpoint, _ = await standing(estate)
    project = project_of(estate)
    filters = project.filters
    estate.serverless_settings.invisible_projects.add(project.id)
    await estate.delete(endpoint)
    await work_for(estate, 3600)
    assert project.filters == filters
    assert "pe-1" in names(estate)
    estate.serverless_settings.invisible_projects.clear()
    await estate.clock.sleep(86_400)
    await swept(estate)
    await work_for(estate, 1800)
    assert len(project.filters) == 1


# -- others ------------------------------------------------------------------------------------------------------------


async def test_two_endpoints_and_a_person_who_write_one_list_lose_nothing_of_each_other(estate: Estate) -> None:
    office, project = office_of(estate), project_of(estate)
    estate.elastic_settings.latency_seconds = 0.5
    for number in range(4):
        await estate.put_endpoint(f"pe-{number}", alias=SERVICE.alias, tags={"elastic-deployments": project.id})
    theirs = estate.elastic.serverless.add_filter("theirs", "eastus2").id
    await asyncio.sleep(1.7)
    estate.elastic.serverless.write_list(project, [*project.filters, theirs])
    await work_for(estate, 600)
    assert {office, theirs} <= set(project.filters)
    assert len(project.filters) == 6


@pytest.mark.parametrize("ending", ["taken out of the tag", "endpoint deleted"])
async def test_a_service_that_ignores_if_match_keeps_what_it_has_and_it_is_said(estate: Estate, ending: str) -> None:
    endpoint, _ = await standing(estate)
    project = project_of(estate)
    filters = project.filters
    estate.serverless_settings.honours_if_match = False
    estate.worker = estate.new_worker()
    if ending == "endpoint deleted":
        await estate.delete(endpoint)
        await work_for(estate, 3600)
        connection = await estate.connection(endpoint)
        assert "If-Match" in " ".join(one.message for one in connection.status.conditions)
    else:
        ask_for_none(estate, endpoint)
        await swept(estate)
        assert await estate.reason(endpoint, "Associated") == "ProjectListNotGuarded"
    assert project.filters == filters


@pytest.mark.parametrize("phase", ["suspended", "initializing"])
async def test_what_is_not_sent_to_a_project_leaves_no_note_that_others_wait_for(
    estate: Estate, phase: Literal["suspended", "initializing"]
) -> None:
    office_of(estate)
    project = project_of(estate)
    project.phase = phase
    await connected(estate)
    row = await estate.storage.control.get(row_name("", project.id))
    assert row is not None
    assert [name for note in row.document["policies"].values() for name in note if name == "post_until"] == []
    project.phase = "initialized"
    await estate.clock.sleep(4000)
    await swept(estate)
    assert len(project.filters) == 2
