"""Projects by the same rules as deployments: edits, adoption, lost tables, organizations, observing, plans, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.api.plan import preview_connection
from shared.core.model.ownership import Owner
from shared.core.model.services import Family
from shared.installation.recovered import confirm_recovered, recovered_list
from shared.settings.services import shipped_services
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.platform_parts import ASKED

if TYPE_CHECKING:
    from local.elastic import ElasticCloud
    from local.elastic.serverless import Project
    from local.elastic.serverless.filters import TrafficFilter

SERVICE = shipped_services().of(Family.SERVERLESS, "eastus2")
assert SERVICE is not None
ANOTHER = "11111111-2222-4333-8444-555555555555"


def project_of(cloud: ElasticCloud) -> Project:
    """One that an office's filter closes."""
    project = next(one for one in cloud.serverless.projects() if one.region == "eastus2")
    if not project.filters:
        cloud.serverless.write_list(project, [cloud.serverless.add_filter("office", "eastus2").id])
    return project


async def put(estate: Estate, cloud: ElasticCloud | None = None, name: str = "pe-1", **tags: str) -> str:
    tags = {"elastic-deployments": project_of(cloud or estate.elastic).id} | tags
    endpoint = await estate.put_endpoint(name, alias=SERVICE.alias, tags=tags)
    await estate.settle()
    return endpoint


def filters(cloud: ElasticCloud, name: str = "pe-1") -> list[TrafficFilter]:
    return [one for one in cloud.serverless.filters() if one.name == name]


def guid_of(estate: Estate, endpoint: str) -> str:
    return estate.arm.private_endpoint(endpoint).resource_guid.lower()


def rule(name: str, guid: str) -> dict[str, str]:
    return {"azure_endpoint_name": name, "azure_endpoint_guid": guid}


async def swept(estate: Estate) -> None:
    await estate.sweep()
    await estate.settle()


async def test_a_guid_that_a_person_edits_is_put_right_in_place(estate: Estate) -> None:
    endpoint = await put(estate)
    await estate.ready(endpoint)
    (policy,) = filters(estate.elastic)
    estate.elastic.serverless.patch_filter(policy.id, rules=[rule("pe-1", ANOTHER)])
    await estate.clock.sleep(900)
    await swept(estate)
    await estate.ready(endpoint)
    assert [one.guids for one in filters(estate.elastic)] == [{guid_of(estate, endpoint)}]


async def test_a_policy_follows_an_endpoint_that_is_made_anew(estate: Estate) -> None:
    endpoint = await put(estate)
    await estate.ready(endpoint)
    (before,) = filters(estate.elastic)
    await estate.clock.sleep(900)
    await estate.delete(endpoint)
    await estate.settle(60)
    assert await put(estate) == endpoint
    await work_for(estate, 900)
    await estate.ready(endpoint)
    (after,) = filters(estate.elastic)
    assert (after.id, after.guids) == (before.id, {guid_of(estate, endpoint)})


async def test_a_persons_policy_is_used_and_left(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={})
    theirs = estate.elastic.serverless.add_filter("theirs", "eastus2")
    theirs.type, theirs.rules = "private_endpoint", [rule("pe-1", guid_of(estate, endpoint))]
    project = project_of(estate.elastic)
    estate.elastic.serverless.write_list(project, [*project.filters, theirs.id])
    estate.arm.private_endpoint(endpoint).tags["elastic-deployments"] = project.id
    await estate.settle()
    connection = await estate.ready(endpoint)
    assert connection.elastic.policy.owner is Owner.ADOPTED
    assert filters(estate.elastic) == []
    await estate.clock.sleep(900)
    await estate.delete(endpoint)
    await work_for(estate, 1800)
    assert theirs.id in project.filters
    assert filters(estate.elastic, "theirs") == [theirs]


async def test_a_policy_of_deployments_never_stands_for_one_of_projects(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(alias=SERVICE.alias, tags={})
    hosted = estate.elastic.add_endpoint_policy("theirs", "eastus2", [rule("pe-1", guid_of(estate, endpoint))])
    await estate.settle()
    await estate.ready(endpoint)
    (policy,) = filters(estate.elastic)
    assert policy.id != hosted.id


async def test_lost_tables_come_back_and_what_is_gone_waits_for_a_persons_word(estate: Estate) -> None:
    endpoint = await put(estate)
    await estate.ready(endpoint)
    office = project_of(estate.elastic).filters[0]
    await estate.clock.sleep(900)
    estate.storage.connections.clear()
    estate.events.settings.drop = True
    await estate.delete(endpoint)
    for _ in range(6):
        await work_for(estate, 300)
        await swept(estate)
    assert await estate.reason(endpoint, "Removed") == "RecoveredUnconfirmed"
    assert (await estate.connection(endpoint)).identity.family is Family.SERVERLESS
    found = await recovered_list(estate.worker.context)
    assert await confirm_recovered(estate.worker.context, found.id, ASKED) is not None
    await work_for(estate, 3600)
    assert project_of(estate.elastic).filters == (office,)
    assert filters(estate.elastic) == []


async def test_lost_tables_of_a_living_endpoint_make_no_second_policy(estate: Estate) -> None:
    endpoint = await put(estate)
    await estate.ready(endpoint)
    await estate.clock.sleep(900)
    estate.storage.connections.clear()
    await swept(estate)
    await estate.ready(endpoint)
    assert len(filters(estate.elastic)) == 1


async def test_an_endpoint_of_another_organization_is_connected_there() -> None:
    estate = await Estate(second_scope="tag:team=second").open()
    assert estate.world.second is not None
    estate.world.second.serverless.add_project("theirs", "security", "eastus2")
    endpoint = await put(estate, estate.world.second, team="second")
    await estate.ready(endpoint)
    assert (filters(estate.elastic), len(filters(estate.world.second))) == ([], 1)


async def test_observing_changes_nothing_and_the_plan_says_what_would_be_done() -> None:
    estate = await Estate(settings={"MODE": "observe"}).open()
    endpoint = await put(estate)
    await swept(estate)
    record = await estate.connection(endpoint)
    plan = await preview_connection(estate.worker.context, record)
    project = project_of(estate.elastic)
    text = "\n".join(str(step) for step in (*plan.steps, *(later.what for later in plan.later)))
    assert "policy pe-1" in text
    assert f"with project {project.name} ({project.id})" in text
    assert [one for one in estate.elastic.requests if one.method != "GET" and "serverless" in one.path] == []


async def test_an_organization_that_is_full_is_told(estate: Estate) -> None:
    project_of(estate.elastic)
    estate.serverless_settings.max_filters = len(estate.elastic.serverless.filters())
    endpoint = await put(estate)
    found = (await estate.connection(endpoint)).condition("PolicyReady")
    assert found is not None
    assert (found.true, found.reason) == (False, "ElasticRefused")
