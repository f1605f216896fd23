"""What a sweep of many Serverless endpoints costs: whole lists, each once, and nothing for each endpoint or project."""

from __future__ import annotations

from collections import Counter

from local.world import VNET_REGIONS, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.markers import Marker
from shared.core.model.services import Family
from shared.settings.services import shipped_services
from tests.harness.estate import Estate

SERVICES = shipped_services().of_family(Family.SERVERLESS)
EASTUS2 = next(one for one in SERVICES if one.region == "eastus2")
NETWORKS = [vnet_id(region, role) for region in VNET_REGIONS for role in ("apps", "hub")]
LISTS = {f"/projects/{kind}": 1 for kind in ("elasticsearch", "observability", "security")}
METADATA = "/traffic-filters/metadata"


def asked(estate: Estate, since: int) -> Counter[str]:
    """By path; one of deployments would keep its whole path."""
    return Counter(one.path.removeprefix("/api/v1/serverless") for one in estate.elastic.requests[since:])


async def estate_of(endpoints: int, projects: int) -> Estate:
    """So many endpoints, each with a policy, and projects of which each has the office's policy and some of these."""
    estate = await Estate(settings={"DNS_RECORD_MODE": "union"}).open()
    estate.events.settings.drop = True
    estate.arm.changes.clear()
    estate.elastic_settings.approves = False  # looked for after each of thousands of changes
    cloud = estate.elastic.serverless
    estate.serverless_settings.max_filters = 10_000
    office = cloud.add_filter("office", "eastus2").id
    made = [one for one in cloud.projects() if one.region == "eastus2"]
    made += [cloud.add_project(f"p{number}", "elasticsearch", "eastus2") for number in range(projects - len(made))]
    lists: dict[str, list[str]] = {one.id: [office] for one in made}
    for number in range(endpoints):
        if number % 900 == 899:  # Azure takes 1,000 writes in five minutes
            await estate.clock.sleep(300)
        project = made[number % len(made)]
        vnet = NETWORKS[number % len(NETWORKS)]
        location = vnet.rpartition("/vnet-")[2].partition("-")[0]
        tags = {"elastic-deployments": project.id}
        endpoint = await estate.put_endpoint(
            f"pe-{number}", alias=EASTUS2.alias, location=location, vnet=vnet, tags=tags
        )
        lists[project.id].append(policy_by_hand(estate, endpoint))
    for project in made:
        cloud.write_list(project, lists[project.id])
    await estate.clock.sleep(600)
    return estate


def policy_by_hand(estate: Estate, endpoint: str) -> str:
    found = estate.arm.private_endpoint(endpoint)
    one = estate.elastic.serverless.add_filter(found.name, "eastus2")
    marker = Marker("autopilot", connection_id(endpoint), endpoint)
    rules = [{"azure_endpoint_name": found.name, "azure_endpoint_guid": found.resource_guid.lower()}]
    one.type, one.rules, one.description = "private_endpoint", rules, marker.description()
    return one.id


async def test_a_sweep_reads_whole_lists_and_nothing_for_each_endpoint_or_project() -> None:
    estate = await estate_of(1000, 500)
    await estate.send(estate.arm.private_endpoints()[0].id)  # without any record the tables could be lost
    await estate.settle(0)
    await estate.clock.sleep(6)
    before = len(estate.elastic.requests)
    found = await estate.sweep()
    assert (found.endpoints, found.errors) == (1000, [])
    pages = {"/traffic-filters": 4, METADATA: 1}  # two lists of 1,001, of which a page holds 1,000
    assert asked(estate, before) == LISTS | pages
    before = len(estate.elastic.requests)
    await estate.clock.sleep(300)
    await estate.sweep()
    assert asked(estate, before) == LISTS | {"/traffic-filters": 4}, "the metadata only once an hour"


async def test_the_state_is_asked_only_of_a_project_that_is_changed_or_whose_test_failed() -> None:
    estate = await Estate(settings={"VERDICT_CHANGES_AFTER": "1"}).open()
    changed, failing, well = [one for one in estate.elastic.serverless.projects() if one.region == "eastus2"]
    office = estate.elastic.serverless.add_filter("office", "eastus2").id
    for project in (changed, failing, well):
        estate.elastic.serverless.write_list(project, [office])
    endpoint = await estate.put_endpoint(alias=EASTUS2.alias, tags={"elastic-deployments": f"{failing.id},{well.id}"})
    await estate.settle()
    await estate.ready(endpoint)
    before = len(estate.elastic.requests)
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle()
    assert states(estate, before) == {}
    failing.phase = "suspended"
    await estate.clock.sleep(300)
    await estate.sweep()
    await estate.settle()
    reachable = (await estate.connection(endpoint)).condition("Reachable")
    assert reachable is not None
    assert (reachable.reason, "suspended" in reachable.message) == ("DeploymentNotRunning", True)
    assert set(states(estate, before)) == {failing.id}
    failing.phase = "initialized"
    estate.arm.private_endpoint(endpoint).tags["elastic-deployments"] += f",{changed.id}"
    before = len(estate.elastic.requests)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert set(states(estate, before)) <= {changed.id, failing.id}


def states(estate: Estate, since: int) -> Counter[str]:
    paths = (one.path.split("/") for one in estate.elastic.requests[since:] if one.path.endswith("/status"))
    return Counter(path[-2] for path in paths)
