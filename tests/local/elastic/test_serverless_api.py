"""The local Serverless API: filters, projects and their lists, metadata, approval and the proxy, switch by switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.elastic import ElasticCloud
from local.elastic.serverless import ServerlessRegion, ServerlessSettings
from tests.local.elastic.elastic_parts import GUID, KEY, Azure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.elastic.serverless import Project

ALIAS = "eastus2-prod-privatelink-serverless.46552e7f-8404-48e2-8c79-66801ef74a76.eastus2.azure.privatelinkservice"
REGION = ServerlessRegion("eastus2", ALIAS, "private.eastus2.azure.elastic.cloud")
FILTERS, ELASTICSEARCH = "/traffic-filters", "/projects/elasticsearch"
ON_EACH = [{}, {"include_by_default": "true"}]


@pytest.fixture
def settings() -> ServerlessSettings:
    return ServerlessSettings()


@pytest.fixture
def elastic(azure: Azure, settings: ServerlessSettings) -> ElasticCloud:
    return ElasticCloud(
        LoopClock(),
        endpoints=azure,
        regions={"eastus2"},
        api_key=KEY,
        serverless=settings,
        serverless_regions=[REGION],
    )


@pytest.fixture
async def api(elastic: ElasticCloud) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=AsgiTransport(elastic.app),
        base_url="https://api.elastic.local/api/v1/serverless",
        headers={"Authorization": f"ApiKey {KEY}"},
    ) as client:
        yield client


@pytest.fixture
async def project(elastic: ElasticCloud) -> Project:
    return elastic.serverless.add_project("search", "elasticsearch", "eastus2")


def body(name: str = "pe-1", guid: str = GUID, **other: Any) -> dict[str, Any]:
    rules = [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": guid}]
    return {"name": name, "region": "azure-eastus2", "type": "private_endpoint", "rules": rules, **other}


async def created(api: httpx.AsyncClient, **other: Any) -> str:
    answer = await api.post(FILTERS, json=body(**other))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def listed(api: httpx.AsyncClient, **query: str) -> list[str]:
    answer = await api.get(FILTERS, params=query)
    return [one["name"] for one in answer.json()["items"]]


async def test_a_new_filter_comes_back_as_a_whole_with_an_etag(api: httpx.AsyncClient) -> None:
    answer = await api.post(FILTERS, json=body(description="made by a test"))
    assert answer.status_code == 201
    assert answer.json() == body(description="made by a test") | {
        "id": answer.json()["id"],
        "include_by_default": False,
    }
    again = await api.get(f"{FILTERS}/{answer.json()['id']}")
    assert (again.json(), again.headers["ETag"]) == (answer.json(), answer.headers["ETag"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x"},
        {"name": "x" * 81},
        {"description": "x" * 513},
        {"guid": GUID.upper()},
        {"guid": "/subscriptions/s/pe-1"},
        {"region": "eastus2"},
        {"region": "azure-northeurope"},
        {"type": "azure_private_endpoint"},
        {"rules": [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID, "source": "10.0.0.4"}]},
        {"made_up": True},
    ],
    ids=str,
)
async def test_what_a_filter_may_not_be_is_refused(api: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await api.post(FILTERS, json=body(**wrong))).status_code == 400


@pytest.mark.parametrize(("on", "status"), [("nothing", 201), ("name", 409), ("guid", 409)])
async def test_a_second_filter_of_the_kind(
    api: httpx.AsyncClient, settings: ServerlessSettings, on: Any, status: int
) -> None:
    settings.conflict_on = on
    await created(api)
    assert (await api.post(FILTERS, json=body())).status_code == status


@pytest.mark.parametrize(
    ("hides", "shown"),
    [
        ("defaults", [["plain"], ["default", "plain"]]),
        ("others", [["plain"], ["default"]]),
        ("nothing", [["default", "plain"], ["default", "plain"]]),
    ],
)
async def test_what_lists_hide(
    api: httpx.AsyncClient, settings: ServerlessSettings, hides: Any, shown: list[list[str]]
) -> None:
    settings.list_hides = hides
    await created(api, name="default", include_by_default=True)
    await created(api, name="plain")
    assert [await listed(api, **query) for query in ON_EACH] == shown


@pytest.mark.parametrize("where", ["body", "header", "both"])
@pytest.mark.parametrize("empty", [False, True])
async def test_pages_follow_a_token(
    api: httpx.AsyncClient, settings: ServerlessSettings, where: Any, empty: bool
) -> None:
    settings.page_size, settings.next_page_in, settings.empty_pages = 2, where, empty
    for number in range(5):
        await created(api, name=f"filter-{number}")
    found, token, pages = list[str](), "", 0
    while pages == 0 or token:
        answer = await api.get(FILTERS, headers={"X-Elastic-Next-Page": token} if token else {})
        found += [one["name"] for one in answer.json()["items"]]
        token = answer.json().get("next_page") or answer.headers.get("X-Elastic-Next-Page", "")
        assert bool(token) == bool(answer.json().get("next_page")) or where == "header"
        pages += 1
    assert (found, pages) == ([f"filter-{number}" for number in range(5)], 3 + empty)


async def test_a_project_has_the_whole_list_that_it_was_given(api: httpx.AsyncClient, project: Project) -> None:
    one, other = await created(api), await created(api, name="other")
    path = f"{ELASTICSEARCH}/{project.id}"
    etag = (await api.get(path)).headers["ETag"]
    for ids in ([one, other], [other], []):
        answer = await api.patch(path, json={"traffic_filters": [{"id": i} for i in ids]}, headers={"If-Match": etag})
        etag = answer.headers["ETag"]
        assert answer.json()["traffic_filters"] == [{"id": i} for i in ids]
    assert project.filters == ()


@pytest.mark.parametrize("honoured", [True, False])
async def test_an_old_etag(
    api: httpx.AsyncClient, settings: ServerlessSettings, project: Project, elastic: ElasticCloud, honoured: bool
) -> None:
    settings.honours_if_match = honoured
    one, theirs = await created(api), await created(api, name="theirs")
    path = f"{ELASTICSEARCH}/{project.id}"
    etag = (await api.get(path)).headers["ETag"]
    elastic.serverless.write_list(project, [theirs])
    answer = await api.patch(path, json={"traffic_filters": [{"id": one}]}, headers={"If-Match": etag})
    assert (answer.status_code, project.filters) == ((412, (theirs,)) if honoured else (200, (one,)))
    assert (await api.patch(path, json={"traffic_filters": [{"id": theirs}]})).status_code == 200, "without If-Match"


async def test_a_project_is_shown_as_before_with_its_etag_of_before(
    api: httpx.AsyncClient, settings: ServerlessSettings, project: Project
) -> None:
    settings.project_lag_seconds = 60
    one, path = await created(api), f"{ELASTICSEARCH}/{project.id}"
    before = await api.get(path)
    await api.patch(path, json={"traffic_filters": [{"id": one}]})
    late = await api.get(path)
    assert (late.json()["traffic_filters"], late.headers["ETag"]) == ([], before.headers["ETag"])


@pytest.mark.parametrize("status", [400, 409])
async def test_a_filter_in_use_is_not_deleted(
    api: httpx.AsyncClient, settings: ServerlessSettings, project: Project, elastic: ElasticCloud, status: Any
) -> None:
    settings.delete_with_associations = status
    one = await created(api)
    elastic.serverless.write_list(project, [one])
    refused = await api.delete(f"{FILTERS}/{one}")
    assert (refused.status_code, project.id in refused.text) == (status, True)
    elastic.serverless.write_list(project, [])
    assert (await api.delete(f"{FILTERS}/{one}")).status_code == 204
    assert (await api.get(f"{FILTERS}/{one}")).status_code == 404


async def test_who_uses_a_filter_is_asked_of_each_type(
    api: httpx.AsyncClient, project: Project, elastic: ElasticCloud
) -> None:
    security = elastic.serverless.add_project("siem", "security", "eastus2")
    one = await created(api)
    elastic.serverless.write_list(security, [one])
    found = {}
    for kind in ("elasticsearch", "observability", "security"):
        answer = await api.get(f"/projects/{kind}", params={"traffic_filter": one})
        found[kind] = [entry["id"] for entry in answer.json()["items"]]
    assert found == {"elasticsearch": [], "observability": [], "security": [security.id]}
    assert project.filters == ()


async def test_a_key_without_a_role_on_projects_sees_none(
    api: httpx.AsyncClient, settings: ServerlessSettings, project: Project
) -> None:
    settings.project_roles = False
    answer = await api.get(ELASTICSEARCH)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (await api.get(f"{ELASTICSEARCH}/{project.id}")).status_code == 404
    assert (await api.post(FILTERS, json=body())).status_code == 403


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("always", [True] * 3),
        ("filter", [False, True, True]),
        ("associated", [False, False, True]),
        ("never", [False] * 3),
    ],
)
async def test_when_private_urls_appear(
    api: httpx.AsyncClient, settings: ServerlessSettings, project: Project, elastic: ElasticCloud, when: Any, shown: Any
) -> None:
    settings.private_endpoints = when
    path, seen = f"{ELASTICSEARCH}/{project.id}", list[bool]()
    seen.append("private_endpoints" in (await api.get(path)).json())
    one = await created(api)
    seen.append("private_endpoints" in (await api.get(path)).json())
    elastic.serverless.write_list(project, [one])
    seen.append("private_endpoints" in (await api.get(path)).json())
    assert seen == shown


async def test_a_project_below_the_tier_takes_no_filter(api: httpx.AsyncClient, elastic: ElasticCloud) -> None:
    project = elastic.serverless.add_project("logs", "observability", "eastus2")
    project.complete_tier = False
    one = await created(api)
    answer = await api.patch(f"/projects/observability/{project.id}", json={"traffic_filters": [{"id": one}]})
    assert (answer.status_code, project.filters) == (403, ())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"csp": "azure"}, 1),
        ({"region": "azure-eastus2"}, 1),
        ({"csp": "aws"}, 0),
        ({"region": "azure-uksouth"}, 0),
        ({}, 1),
    ],
    ids=str,
)
async def test_metadata_names_services_and_zones(api: httpx.AsyncClient, query: dict[str, str], found: int) -> None:
    regions = (await api.get(f"{FILTERS}/metadata", params=query)).json()["regions"]
    assert [(r["region"], r["private_service_name"], r["private_hosted_zone_domain_name"]) for r in regions] == [
        ("azure-eastus2", ALIAS, REGION.zone)
    ] * found


async def test_a_region_may_be_added_while_it_runs(api: httpx.AsyncClient, elastic: ElasticCloud) -> None:
    elastic.serverless.regions.append(
        ServerlessRegion("swedencentral", "alias", "private.swedencentral.azure.elastic.cloud")
    )
    assert len((await api.get(f"{FILTERS}/metadata")).json()["regions"]) == 2
    assert (await api.post(FILTERS, json=body(region="azure-swedencentral"))).status_code == 201


async def test_a_filter_approves_the_endpoint_of_its_family_only(
    api: httpx.AsyncClient, azure: Azure, elastic: ElasticCloud
) -> None:
    endpoint = azure.add(alias=ALIAS)
    rule = {"azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID}
    elastic.add_endpoint_policy("pe-1", "eastus2", [rule])
    await LoopClock().sleep(60)
    assert endpoint.status == "Pending", "a policy for deployments"
    await created(api)
    await LoopClock().sleep(60)
    assert endpoint.status == "Approved"


async def test_the_proxy_lets_in_what_the_projects_filters_admit(
    api: httpx.AsyncClient, azure: Azure, elastic: ElasticCloud, project: Project
) -> None:
    azure.add(alias=ALIAS)
    host = project.host("es", private=True)
    assert elastic.decide(host, GUID).status == 403, "no policy names the endpoint"
    one = await created(api)
    assert elastic.decide(host, GUID).status == 401, "let in: Elasticsearch asks who is there"
    office = elastic.serverless.add_filter("office", "eastus2")
    elastic.serverless.write_list(project, [office.id])
    assert elastic.decide(host, GUID).status == 403, "the first filter closes a project for all others"
    assert elastic.decide_public(project.host("es"), "203.0.113.9").status == 403
    elastic.serverless.write_list(project, [office.id, one])
    assert elastic.decide(host, GUID).status == 401
    project.phase = "suspended"
    assert elastic.decide(host, GUID).status == 404


async def test_a_change_is_in_force_later_when_asked_for(
    api: httpx.AsyncClient, azure: Azure, elastic: ElasticCloud, project: Project, settings: ServerlessSettings
) -> None:
    settings.association_effect_seconds = settings.disassociation_effect_seconds = 30
    azure.add(alias=ALIAS)
    elastic.serverless.write_list(project, [elastic.serverless.add_filter("office", "eastus2").id])
    assert elastic.decide_public(project.host("es"), "203.0.113.9").status == 401
    await LoopClock().sleep(31)
    assert elastic.decide_public(project.host("es"), "203.0.113.9").status == 403
    elastic.serverless.write_list(project, [])
    assert elastic.decide_public(project.host("es"), "203.0.113.9").status == 403
    await LoopClock().sleep(31)
    assert elastic.decide_public(project.host("es"), "203.0.113.9").status == 401


@pytest.mark.parametrize(
    "tags", [{"Elastic": "x"}, {"a": "RG/name"}, {"a": ""}, {"a" * 33: "x"}, {"a": "x" * 129}, {"a": "*"}], ids=str
)
async def test_tags_of_projects_are_narrow(api: httpx.AsyncClient, project: Project, tags: dict[str, str]) -> None:
    path = f"{ELASTICSEARCH}/{project.id}"
    assert (await api.patch(path, json={"metadata": {"tags": tags}})).status_code == 400
    good = {"elastic-privatelink-endpoints": "0123456789abcdef_fedcba9876543210"}
    answer = await api.patch(path, json={"metadata": {"tags": good}})
    assert answer.json()["metadata"]["tags"] == good
