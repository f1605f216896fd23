"""Deployments are listed, searched, shown, renamed and shut down as in Elastic Cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from local.elastic import ElasticCloud, ElasticSettings


def tag_query(key: Any, value: Any) -> Any:
    terms = [{"term": {"metadata.tags.key": {"value": key}}}, {"term": {"metadata.tags.value": {"value": value}}}]
    return {"nested": {"path": "metadata.tags", "query": {"bool": {"filter": terms}}}}


async def names(api: httpx.AsyncClient, query: Any, **other: Any) -> Any:
    response = await api.post("/_search", json={"query": query, "size": 100, "sort": ["id"], **other})
    assert response.status_code == 200, response.text
    return {d["name"] for d in response.json()["deployments"]}


@pytest.fixture
async def fleet(elastic: ElasticCloud) -> None:
    elastic.add_deployment("logs prod", "eastus2", tags={"privatelink": "true", "team": "a"})
    elastic.add_deployment("logs test", "eastus2", tags={"privatelink": "false"})
    elastic.add_deployment("metrics", "uksouth", tags={"team": "true"})
    elastic.add_deployment("bare", "uksouth", alias="")


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"match_all": {}}, {"logs prod", "logs test", "metrics", "bare"}),
        ({"term": {"name.keyword": {"value": "logs prod"}}}, {"logs prod"}),
        ({"term": {"name": {"value": "logs prod"}}}, set()),
        ({"match": {"name": {"query": "logs"}}}, {"logs prod", "logs test"}),
        ({"prefix": {"name.keyword": {"value": "logs"}}}, {"logs prod", "logs test"}),
        ({"term": {"healthy": {"value": "true"}}}, {"logs prod", "logs test", "metrics", "bare"}),
        (tag_query("privatelink", "true"), {"logs prod"}),
        ({"term": {"metadata.tags.key": {"value": "privatelink"}}}, set()),
        ({"bool": {"filter": [{"bool": {"must": [tag_query("privatelink", "true")]}}]}}, {"logs prod"}),
        (
            {"bool": {"should": [tag_query("team", "a"), tag_query("team", "true")], "minimum_should_match": 1}},
            {"logs prod", "metrics"},
        ),
        ({"bool": {"must_not": [{"exists": {"field": "alias"}}]}}, {"bare"}),
        (
            {
                "nested": {
                    "path": "resources.elasticsearch",
                    "query": {"term": {"resources.elasticsearch.region": {"value": "azure-uksouth"}}},
                }
            },
            {"metrics", "bare"},
        ),
    ],
)
async def test_a_query_finds_what_elasticsearch_would_find(api: httpx.AsyncClient, query: Any, expected: Any) -> None:
    assert await names(api, query) == expected


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    "body",
    [
        {"query": {"fuzzy": {"name": "x"}}},
        {"query": {"term": {"name.keyword": "logs"}}},
        {"query": {"match_all": {}, "term": {}}},
        {"query": {"nested": {"path": "metadata", "query": {"match_all": {}}}}},
        {"query": {"bool": {"must": {"match_all": {}}}}},
        {"query": {"bool": {"should": [{"match_all": {}}, {"nonsense": {}}]}}},
        {"size": "100"},
        {"size": 10001},
        {"sort": "id"},
        {"cursor": "made-up"},
        {"limit": 5},
    ],
)
async def test_a_search_that_is_not_understood_is_400(api: httpx.AsyncClient, body: Any) -> None:
    response = await api.post("/_search", json=body)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "deployments.search.invalid_query")


async def test_pages_follow_by_cursor_and_show_each_deployment_once(
    api: httpx.AsyncClient, elastic: ElasticCloud
) -> None:
    made = [elastic.add_deployment(f"d{n}", "eastus2").id for n in range(7)]
    seen, body = [], {"query": {"match_all": {}}, "size": 3, "sort": ["id"]}
    pages = 0
    while True:
        page = (await api.post("/_search", json=body)).json()
        seen += [d["id"] for d in page["deployments"]]
        assert (page["return_count"], page["match_count"]) == (len(page["deployments"]), 7)
        pages += 1
        if "cursor" not in page:
            break
        body = {"cursor": page["cursor"]}
    assert (seen, pages) == (sorted(made), 3)


async def test_a_deployment_carries_what_private_urls_are_made_from(
    api: httpx.AsyncClient, elastic: ElasticCloud
) -> None:
    made = elastic.add_deployment("logs", "eastus2", alias="logs", tags={"a": "b"}, ip_policy=True)
    shown = (await api.get(f"/{made.id}", params={"show_settings": "true", "show_plans": "false"})).json()
    (es,), (kb,) = shown["resources"]["elasticsearch"], shown["resources"]["kibana"]
    assert (shown["alias"], es["region"], es["info"]["status"]) == ("logs", "azure-eastus2", "started")
    assert es["info"]["metadata"]["endpoint"] == f"{es['id']}.eastus2.azure.elastic-cloud.com"
    assert es["info"]["metadata"]["aliased_endpoint"] == "logs.es.eastus2.azure.elastic-cloud.com"
    assert kb["info"]["metadata"]["aliased_url"] == "https://logs.kb.eastus2.azure.elastic-cloud.com:443"
    assert shown["metadata"]["tags"] == [{"key": "a", "value": "b"}]
    assert shown["settings"]["traffic_filter_settings"] == {"rulesets": [r.id for r in elastic.attached(made.id)]}
    services = shown["resources"]["integrations_server"][0]["info"]["metadata"]["services_urls"]
    assert {"service": "fleet", "url": "https://logs.fleet.eastus2.azure.elastic-cloud.com"} in services


async def test_settings_are_shown_only_when_asked_for_and_not_at_all_by_switch(
    api: httpx.AsyncClient, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    made = elastic.add_deployment("logs", "eastus2")
    assert "settings" not in (await api.get(f"/{made.id}")).json()
    settings.settings_absent = True
    assert "settings" not in (await api.get(f"/{made.id}", params={"show_settings": "true"})).json()


async def test_nulls_stand_for_empty_lists_unless_switched_off(
    api: httpx.AsyncClient, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    made = elastic.add_deployment("logs", "eastus2")
    metadata = (await api.get(f"/{made.id}")).json()["metadata"]
    settings.nulls = False
    assert (metadata["tags"], (await api.get(f"/{made.id}")).json()["metadata"]["tags"]) == (None, [])


async def test_an_unknown_deployment_is_404(api: httpx.AsyncClient) -> None:
    response = await api.get(f"/{'0' * 32}")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (404, "deployments.deployment_not_found")


async def test_a_deployment_that_the_key_may_not_see_is_not_there(
    api: httpx.AsyncClient, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    seen, unseen = elastic.add_deployment("seen", "eastus2"), elastic.add_deployment("unseen", "eastus2")
    settings.invisible_deployments.add(unseen.id)
    listed = (await api.get(str(api.base_url).rstrip("/"))).json()["deployments"]
    found = (await api.post("/_search", json={"query": {"match_all": {}}})).json()["deployments"]
    assert [[one["id"] for one in some] for some in (listed, found)] == [[seen.id], [seen.id]]
    assert [(await api.get(f"/{one.id}")).status_code for one in (seen, unseen)] == [200, 404]
    assert (await api.post(f"/{unseen.id}/_shutdown")).status_code == 404


async def test_the_list_has_ids_and_regions_and_no_more(api: httpx.AsyncClient, elastic: ElasticCloud) -> None:
    made = elastic.add_deployment("logs", "eastus2", tags={"a": "b"})
    (shown,) = (await api.get(str(api.base_url).rstrip("/"))).json()["deployments"]
    assert set(shown) == {"id", "name", "resources"}
    assert {r["kind"]: r["id"] for r in shown["resources"]}["elasticsearch"] == made.elasticsearch_id


async def test_name_alias_and_tags_change_from_outside_and_what_is_left_out_stays(
    api: httpx.AsyncClient, elastic: ElasticCloud
) -> None:
    made = elastic.add_deployment("logs", "eastus2", alias="logs", tags={"a": "b"})
    await api.put(f"/{made.id}", json={"metadata": {"tags": [{"key": "c", "value": "d"}]}, "prune_orphans": False})
    assert (made.name, made.alias, made.tags) == ("logs", "logs", {"c": "d"})
    await api.put(f"/{made.id}", json={"name": "logs2", "alias": "", "prune_orphans": False})
    assert (made.name, made.alias, made.tags) == ("logs2", None, {"c": "d"})
    assert (await api.put(f"/{made.id}", json={"name": "x"})).status_code == 400


async def test_an_alias_is_unique_in_its_region_and_held_after_removal(
    api: httpx.AsyncClient, elastic: ElasticCloud
) -> None:
    first = elastic.add_deployment("a", "eastus2", alias="logs")
    second = elastic.add_deployment("b", "eastus2", alias="other")
    elsewhere = elastic.add_deployment("c", "uksouth", alias="logs")
    change = {"alias": "logs", "prune_orphans": False}
    assert (await api.put(f"/{second.id}", json=change)).status_code == 400
    await api.put(f"/{first.id}", json={"alias": "", "prune_orphans": False})
    assert (await api.put(f"/{second.id}", json=change)).status_code == 400
    assert (await api.put(f"/{first.id}", json=change)).status_code == 200
    assert elsewhere.alias == "logs"


async def test_a_deployment_that_was_shut_down_stays_listed_stopped_and_hidden_when_asked(
    api: httpx.AsyncClient, elastic: ElasticCloud
) -> None:
    made = elastic.add_deployment("logs", "eastus2")
    assert (await api.post(f"/{made.id}/_shutdown", params={"hide": "true"})).status_code == 200
    shown = (await api.get(f"/{made.id}")).json()
    status = shown["resources"]["elasticsearch"][0]["info"]["status"]
    assert (status, shown["healthy"], shown["metadata"]["hidden"]) == ("stopped", False, True)
    assert elastic.decide(made.private_host(), "x").status == 404


async def test_what_was_shut_down_is_restored_and_only_that(api: httpx.AsyncClient, elastic: ElasticCloud) -> None:
    made = elastic.add_deployment("logs", "eastus2", ip_policy=True)
    assert (await api.post(f"/{made.id}/_restore")).status_code == 400, "it runs"
    await api.post(f"/{made.id}/_shutdown")
    answer = await api.post(f"/{made.id}/_restore", params={"restore_snapshot": "true"})
    assert (answer.status_code, answer.json()) == (200, {"id": made.id})
    shown = (await api.get(f"/{made.id}")).json()
    assert (shown["resources"]["elasticsearch"][0]["info"]["status"], shown["healthy"]) == ("started", True)
    assert len(elastic.attached(made.id)) == 1, "its policies are as they were"


FLEET = "404 page not found\n"
"""Fleet Server's own answer to a path that it does not have: the proxy led to it."""


def tags_body(count: int, key: int = 8, value: int = 1) -> dict[str, Any]:
    """So many tags, with keys and values of these lengths."""
    return {"tags": [{"key": f"{number:0{key}d}", "value": "v" * value} for number in range(count)]}


async def test_tags_are_read_and_replaced_on_their_own(elastic: ElasticCloud, api: httpx.AsyncClient) -> None:
    made = elastic.add_deployment("logs", "eastus2", tags={"team": "a", "stage": "prod"})
    assert (await api.get(f"/{made.id}/tags")).json() == {
        "tags": [{"key": "team", "value": "a"}, {"key": "stage", "value": "prod"}]
    }
    answer = await api.put(f"/{made.id}/tags", json={"tags": [{"key": "team", "value": "b"}]})
    assert (answer.status_code, answer.json()) == (200, {"tags": [{"key": "team", "value": "b"}]})
    assert made.tags == {"team": "b"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (tags_body(64, 32, 128), None),
        (tags_body(65), "deployments.too_many_tags"),
        (tags_body(1, key=33), "deployments.lengthy_key_or_value"),
        (tags_body(1, value=129), "deployments.lengthy_key_or_value"),
    ],
)
async def test_tags_keep_within_the_documented_limits(
    elastic: ElasticCloud, api: httpx.AsyncClient, body: dict[str, Any], code: str | None
) -> None:
    made = elastic.add_deployment("logs", "eastus2")
    whole = {"prune_orphans": False, "metadata": body}
    for answer in (await api.put(f"/{made.id}/tags", json=body), await api.put(f"/{made.id}", json=whole)):
        assert answer.status_code == (400 if code else 200), answer.text
        assert code in (None, answer.json().get("errors", [{}])[0].get("code"))


@pytest.mark.parametrize("aliases", [{"fleet": ""}, {"fleet": "other"}])
async def test_a_product_may_have_another_alias_than_its_deployment_or_none(
    elastic: ElasticCloud, api: httpx.AsyncClient, aliases: dict[str, str]
) -> None:
    made = elastic.add_deployment("logs", "eastus2", alias="logs")
    made.product_aliases |= aliases
    shown = (await api.get(f"/{made.id}")).json()["resources"]
    urls = {one["service"]: one["url"] for one in shown["integrations_server"][0]["info"]["metadata"]["services_urls"]}
    name = aliases["fleet"] or made.integrations_id
    assert urls["fleet"] == f"https://{name}.fleet.eastus2.azure.elastic-cloud.com"
    assert urls["apm"] == "https://logs.apm.eastus2.azure.elastic-cloud.com"
    assert elastic.decide_public("logs.fleet.eastus2.azure.elastic-cloud.com", "192.0.2.1").status == 404
    assert elastic.decide_public(f"{name}.fleet.eastus2.azure.elastic-cloud.com", "192.0.2.1").body == FLEET


async def test_the_proxy_may_not_know_an_alias_that_the_api_shows(elastic: ElasticCloud) -> None:
    made = elastic.add_deployment("logs", "eastus2", alias="logs")
    elastic.settings.proxy_unknown_aliases.add("fleet")
    elastic.settings.unknown_resource = "Unknown deployment."
    by_alias = elastic.decide_public("logs.fleet.eastus2.azure.elastic-cloud.com", "192.0.2.1")
    assert (by_alias.status, "Unknown deployment." in by_alias.body) == (404, True)
    assert elastic.decide_public(made.uuid_host("fleet"), "192.0.2.1").body == FLEET
    assert elastic.decide_public("logs.es.eastus2.azure.elastic-cloud.com", "192.0.2.1").status == 401


@pytest.mark.parametrize("status", ["initializing", "reconfiguring"])
async def test_a_deployment_that_changes_is_listed_and_reached_only_in_states_that_a_switch_names(
    elastic: ElasticCloud, api: httpx.AsyncClient, status: str
) -> None:
    made = elastic.add_deployment("logs", "eastus2", alias="logs")
    made.status = status
    shown = (await api.get(f"/{made.id}")).json()["resources"]
    assert shown["elasticsearch"][0]["info"]["status"] == status
    host = "logs.es.eastus2.azure.elastic-cloud.com"
    assert elastic.decide_public(host, "192.0.2.1").status == 404
    elastic.settings.served_states.add(status)
    assert elastic.decide_public(host, "192.0.2.1").status == 401


@pytest.mark.parametrize(("switch", "listed"), [("gone", []), ("listed", [1])])
async def test_associations_may_outlive_their_deployment(
    elastic: ElasticCloud, settings: ElasticSettings, switch: Any, listed: list[int]
) -> None:
    settings.associations_of_deleted = switch
    made = elastic.add_deployment("logs", "eastus2", ip_policy=True)
    elastic.remove_deployment(made.id)
    assert len(elastic.associations()) == len(listed)
