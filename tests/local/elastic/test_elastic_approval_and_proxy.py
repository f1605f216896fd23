"""Elastic approves the endpoint that a policy names, and its proxy lets through what the policies admit."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from local.elastic import ElasticCloud, ElasticSettings
    from tests.local.elastic.elastic_parts import Azure, RulesetBody

GUID = "78c64959-fd88-41cc-81ac-1cfcdb1ac32e"
OTHER = "11111111-2222-3333-4444-555555555555"
UKSOUTH = "uksouth-prod-007-privatelink-service.98758729-06f7-438d-baaa-0cb63e737cdf.uksouth.azure.privatelinkservice"
SERVERLESS = "eastus2-prod-privatelink-serverless.46552e7f-8404-48e2-8c79-66801ef74a76.eastus2.azure.privatelinkservice"
R = "/traffic-filter/rulesets"


@pytest.mark.parametrize("first", ["endpoint", "policy"])
async def test_the_endpoint_is_approved_after_the_approval_time_whichever_came_first(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, first: Any
) -> None:
    if first == "endpoint":
        azure.add()
    await api.post(R, json=ruleset())
    endpoint = azure.endpoints[0] if azure.endpoints else azure.add()
    await asyncio.sleep(4.9)
    assert endpoint.status == "Pending"
    await asyncio.sleep(0.2)
    assert (endpoint.status, endpoint.description) == ("Approved", "Approved by Elastic")


@pytest.mark.parametrize(
    ("guid", "region", "alias"),
    [
        (OTHER, "azure-eastus2", None),
        (GUID, "azure-uksouth", None),
        (GUID, "azure-eastus2", UKSOUTH),
        (GUID, "azure-eastus2", SERVERLESS),
        (GUID.upper(), "azure-eastus2", None),
    ],
)
async def test_another_guid_region_service_or_spelling_leaves_the_endpoint_pending(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, guid: Any, region: Any, alias: Any
) -> None:
    endpoint = azure.add(**({"alias": alias} if alias else {}))
    assert (await api.post(R, json=ruleset(guid=guid, region=region))).status_code == 201
    await asyncio.sleep(3600)
    assert endpoint.status == "Pending"


async def test_spelling_does_not_matter_when_the_switch_says_so(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, settings: ElasticSettings
) -> None:
    settings.match_case_sensitive = False
    endpoint = azure.add()
    await api.post(R, json=ruleset(guid=GUID.upper()))
    await asyncio.sleep(6)
    assert endpoint.status == "Approved"


async def test_a_wrong_guid_is_rejected_when_the_switch_says_so(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, settings: ElasticSettings
) -> None:
    settings.wrong_guid = "rejected"
    endpoint = azure.add()
    await api.post(R, json=ruleset(guid=OTHER))
    await asyncio.sleep(6)
    assert endpoint.status == "Rejected"


async def test_a_policy_withdrawn_before_the_approval_approves_nothing(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure
) -> None:
    endpoint = azure.add()
    ruleset_id = (await api.post(R, json=ruleset())).json()["id"]
    await api.delete(f"{R}/{ruleset_id}")
    await asyncio.sleep(60)
    assert endpoint.status == "Pending"


@pytest.mark.parametrize(
    ("switch", "status"), [("stays", "Approved"), ("disconnected", "Disconnected"), ("rejected", "Rejected")]
)
async def test_an_approved_endpoint_whose_policy_goes_follows_the_switch(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, settings: ElasticSettings, switch: Any, status: Any
) -> None:
    settings.ruleset_deleted_while_approved = switch
    endpoint = azure.add()
    ruleset_id = (await api.post(R, json=ruleset())).json()["id"]
    await asyncio.sleep(6)
    await api.delete(f"{R}/{ruleset_id}")
    await asyncio.sleep(6)
    assert endpoint.status == status


async def test_an_unknown_guid_is_refused_when_the_switch_says_so(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, settings: ElasticSettings
) -> None:
    settings.unknown_guid = "refused"
    assert (await api.post(R, json=ruleset())).status_code == 400
    azure.add()
    assert (await api.post(R, json=ruleset())).status_code == 201


async def associate(api: httpx.AsyncClient, ruleset_id: Any, deployment: Any) -> None:
    body = {"entity_type": "deployment", "id": deployment.id}
    assert (await api.post(f"{R}/{ruleset_id}/associations", json=body)).status_code == 201


async def test_with_its_policy_associated_elasticsearch_answers_401(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, elastic: ElasticCloud
) -> None:
    azure.add()
    deployment = elastic.add_deployment("search", "eastus2", alias="search")
    await associate(api, (await api.post(R, json=ruleset())).json()["id"], deployment)
    for host in (
        "search.es.privatelink.eastus2.azure.elastic-cloud.com",
        f"{deployment.elasticsearch_id}.privatelink.eastus2.azure.elastic-cloud.com",
    ):
        answer = elastic.decide(host, GUID.upper())
        assert (answer.status, answer.header("x-elastic-product")) == (401, "Elasticsearch")
        assert answer.header("WWW-Authenticate").startswith("Basic")
        assert json.loads(answer.body)["error"]["type"] == "security_exception"
    kibana = elastic.decide("search.kb.privatelink.eastus2.azure.elastic-cloud.com", GUID)
    assert (kibana.status, kibana.header("Location")) == (302, "/login?next=%2F")


async def test_each_product_answers_a_stranger_in_its_own_way(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    azure.add()
    deployment = elastic.add_deployment("search", "eastus2", alias="search", enterprise_search=True)
    await associate(api, (await api.post(R, json=ruleset())).json()["id"], deployment)

    def answer(product: str, path: str = "/") -> tuple[int, str]:
        found = elastic.decide(deployment.private_host(product), GUID, path)
        return found.status, found.body

    assert answer("kb")[0] == 302
    assert answer("apm") == (200, "")
    assert answer("fleet")[0] == 404
    assert answer("fleet", "/api/status") == (200, '{"name": "fleet-server", "status": "HEALTHY"}')
    assert answer("ent")[0] == 302
    settings.kibana_answer, settings.fleet_status, settings.enterprise_search_answer = "forbidden", "STARTING", "page"
    assert [answer("kb")[0], answer("fleet", "/api/status")[0], answer("ent")[0]] == [403, 503, 200]
    by_id = f"{deployment.enterprise_search_id}.ent-search.privatelink.eastus2.azure.elastic-cloud.com"
    assert elastic.decide(by_id, GUID).status == 200
    deployment.unwell.add("apm")
    deployment.switched_off.add("kb")
    assert [answer("apm")[0], answer("fleet", "/api/status")[0], answer("kb")[0]] == [503, 503, 404]


async def test_a_deployment_with_other_policies_only_is_403_from_the_proxy(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    deployment = elastic.add_deployment("search", "eastus2", ip_policy=True)
    await api.post(R, json=ruleset())
    answer = elastic.decide(deployment.private_host(), GUID)
    assert answer.status == 403
    assert json.loads(answer.body)["ok"] is False
    assert json.loads(answer.body)["message"].startswith("Forbidden due to traffic filtering.")


@pytest.mark.parametrize(("switch", "status"), [(200, 401), (403, 403)])
async def test_a_deployment_without_policies_is_reached_by_switch_and_never_without_a_policy(
    api: httpx.AsyncClient,
    ruleset: RulesetBody,
    elastic: ElasticCloud,
    settings: ElasticSettings,
    switch: Any,
    status: Any,
) -> None:
    settings.unassociated_unfiltered_answer = switch
    deployment = elastic.add_deployment("search", "eastus2")
    assert elastic.decide(deployment.private_host(), GUID).status == 403
    await api.post(R, json=ruleset())
    assert elastic.decide(deployment.private_host(), GUID).status == status


@pytest.mark.parametrize(
    "host",
    [
        "unknown.es.privatelink.eastus2.azure.elastic-cloud.com",
        "search.xx.privatelink.eastus2.azure.elastic-cloud.com",
        "search.es.privatelink.uksouth.azure.elastic-cloud.com",
        "search.es.eastus2.azure.elastic-cloud.com",
        "search.es.privatelink.eastus2.example.com",
    ],
)
async def test_a_host_the_proxy_does_not_know_is_404_unknown_resource(elastic: ElasticCloud, host: Any) -> None:
    elastic.add_deployment("search", "eastus2", alias="search")
    answer = elastic.decide(host, GUID)
    assert (answer.status, json.loads(answer.body)) == (404, {"ok": False, "message": "Unknown resource."})


async def test_an_endpoint_of_another_region_does_not_reach_the_host(
    api: httpx.AsyncClient, ruleset: RulesetBody, azure: Azure, elastic: ElasticCloud
) -> None:
    azure.add(alias=UKSOUTH)
    deployment = elastic.add_deployment("search", "eastus2")
    await associate(api, (await api.post(R, json=ruleset())).json()["id"], deployment)
    assert elastic.decide(deployment.private_host(), GUID).status == 404


async def test_the_first_association_cuts_the_public_off_and_the_last_disassociation_reopens(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    deployment = elastic.add_deployment("search", "eastus2")
    host = deployment.alias_host("es")
    assert elastic.decide_public(host, "203.0.113.9").status == 401
    ruleset_id = (await api.post(R, json=ruleset())).json()["id"]
    await associate(api, ruleset_id, deployment)
    assert elastic.decide_public(host, "203.0.113.9").status == 403
    await api.delete(f"{R}/{ruleset_id}/associations/deployment/{deployment.id}")
    assert elastic.decide_public(host, "203.0.113.9").status == 401


async def test_an_ip_policy_admits_its_addresses_and_no_others(elastic: ElasticCloud) -> None:
    deployment = elastic.add_deployment("search", "eastus2", ip_policy=True)
    answers = [elastic.decide_public(deployment.uuid_host("es"), ip).status for ip in ("198.51.100.7", "203.0.113.9")]
    assert answers == [401, 403]


async def test_a_renamed_alias_makes_the_old_host_unknown(api: httpx.AsyncClient, elastic: ElasticCloud) -> None:
    deployment = elastic.add_deployment("search", "eastus2", alias="old")
    old = deployment.private_host()
    await api.put(f"/{deployment.id}", json={"alias": "new", "prune_orphans": False})
    assert (elastic.decide(old, GUID).status, deployment.private_host().split(".")[0]) == (404, "new")
