"""The twelve traffic filter operations answer as Elastic's reference and users' reports say."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from local.elastic.history import attached_over_time, most_policies_at_once

if TYPE_CHECKING:
    import httpx

    from local.elastic import ElasticCloud, ElasticSettings
    from tests.local.elastic.elastic_parts import RulesetBody

GUID = "78c64959-fd88-41cc-81ac-1cfcdb1ac32e"
R = "/traffic-filter/rulesets"
HEX = re.compile(r"[0-9a-f]{32}")


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    assert response.headers["x-cloud-error-codes"] == error["code"]
    return str(error["code"])


async def create(api: httpx.AsyncClient, body: dict[str, Any]) -> str:
    response = await api.post(R, json=body)
    assert response.status_code == 201
    (key,) = response.json()
    assert key == "id"
    assert HEX.fullmatch(response.json()["id"])
    return str(response.json()["id"])


async def test_a_created_ruleset_is_read_back_with_rule_ids(api: httpx.AsyncClient, ruleset: RulesetBody) -> None:
    ruleset_id = await create(api, ruleset(description="mine"))
    info = (await api.get(f"{R}/{ruleset_id}")).json()
    assert HEX.fullmatch(info["rules"][0].pop("id"))
    assert info == {"id": ruleset_id, **ruleset(description="mine")}


async def test_the_list_is_of_the_region_and_shows_associations_only_when_asked(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    ruleset_id = await create(api, ruleset())
    await create(api, ruleset(region="azure-uksouth"))
    deployment = elastic.add_deployment("d", "eastus2")
    await api.post(f"{R}/{ruleset_id}/associations", json={"entity_type": "deployment", "id": deployment.id})

    (plain,) = (await api.get(R, params={"region": "azure-eastus2"})).json()["rulesets"]
    assert "associations" not in plain
    assert "total_associations" not in plain
    everything = (await api.get(R, params={"include_associations": "true"})).json()["rulesets"]
    assert [(r["region"], r["associations"], r["total_associations"]) for r in everything] == [
        ("azure-eastus2", [{"entity_type": "deployment", "id": deployment.id}], 1),
        ("azure-uksouth", [], 0),
    ]


async def test_a_repeated_post_makes_a_second_ruleset_and_history_knows(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    assert await create(api, ruleset()) != await create(api, ruleset())
    assert most_policies_at_once(elastic.history, GUID.upper()) == 2


async def test_a_policy_replaced_by_another_is_never_two(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    first = await create(api, ruleset())
    assert (await api.delete(f"{R}/{first}")).json() == {}
    await create(api, ruleset())
    assert most_policies_at_once(elastic.history, GUID) == 1


async def test_put_replaces_everything_and_rule_ids_change(api: httpx.AsyncClient, ruleset: RulesetBody) -> None:
    ruleset_id = await create(api, ruleset(description="old"))
    before = (await api.get(f"{R}/{ruleset_id}")).json()
    other = "11111111-2222-3333-4444-555555555555"
    answer = await api.put(f"{R}/{ruleset_id}", json=ruleset(guid=other))
    assert (answer.status_code, answer.json()) == (200, {"id": ruleset_id})
    after = (await api.get(f"{R}/{ruleset_id}")).json()
    assert "description" not in after
    assert after["rules"][0]["azure_endpoint_guid"] == other
    assert after["rules"][0]["id"] != before["rules"][0]["id"]


async def test_associating_twice_is_201_and_then_200_and_disassociating_twice_404(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    ruleset_id = await create(api, ruleset())
    deployment = elastic.add_deployment("d", "eastus2")
    body = {"entity_type": "deployment", "id": deployment.id}
    first = await api.post(f"{R}/{ruleset_id}/associations", json=body)
    again = await api.post(f"{R}/{ruleset_id}/associations", json=body)
    assert [(r.status_code, r.json()) for r in (first, again)] == [(201, {}), (200, {})]
    listed = (await api.get(f"/traffic-filter/associations/deployment/{deployment.id}/rulesets")).json()
    assert listed == {"rulesets": [ruleset_id]}
    assert (await api.get(f"{R}/{ruleset_id}/associations")).json() == {"associations": [body], "total_associations": 1}

    gone = await api.delete(f"{R}/{ruleset_id}/associations/deployment/{deployment.id}")
    twice = await api.delete(f"{R}/{ruleset_id}/associations/deployment/{deployment.id}")
    assert (gone.status_code, gone.json()) == (200, {})
    assert (twice.status_code, code(twice)) == (404, "traffic_filter.not_found")
    assert attached_over_time(elastic.history, deployment.id) == [frozenset({ruleset_id}), frozenset()]


@pytest.mark.parametrize("status", [409, 400, 500])
async def test_a_ruleset_in_use_is_not_deleted_unless_associations_are_ignored(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud, settings: ElasticSettings, status: Any
) -> None:
    settings.delete_with_associations = status
    ruleset_id = await create(api, ruleset())
    deployment = elastic.add_deployment("d", "eastus2")
    await api.post(f"{R}/{ruleset_id}/associations", json={"entity_type": "deployment", "id": deployment.id})
    assert (await api.delete(f"{R}/{ruleset_id}")).status_code == status
    assert elastic.attached(deployment.id) == elastic.rulesets()
    forced = await api.delete(f"{R}/{ruleset_id}", params={"ignore_associations": "true"})
    assert forced.status_code == 200
    assert elastic.attached(deployment.id) == []


@pytest.mark.parametrize(("status", "expected"), [(404, "traffic_filter.not_found"), (403, "root.permission_denied")])
async def test_a_missing_ruleset_is_404_or_the_403_that_was_seen(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings, status: Any, expected: Any
) -> None:
    settings.missing_ruleset_status = status
    missing = f"{R}/{'0' * 32}"
    association = {"entity_type": "deployment", "id": "0" * 32}
    for response in (
        await api.get(missing),
        await api.put(missing, json=ruleset()),
        await api.delete(missing),
        await api.post(f"{missing}/associations", json=association),
    ):
        assert (response.status_code, code(response)) == (status, expected)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"include_by_default": None}, "root.invalid_json_request"),
    ({"include_by_default": "false"}, "root.invalid_json_request"),
    ({"type": "private_endpoint"}, "root.invalid_json_request"),
    ({"rules": []}, "root.invalid_json_request"),
    ({"rules": [{"azure_endpoint_name": "pe-1"}]}, "root.invalid_json_request"),
    ({"rules": [{"azure_endpoint_name": "pe-1", "azure_endpoint_guid": "not-a-guid"}]}, "root.invalid_json_request"),
    ({"rules": [{"source": "10.0.0.1"}]}, "root.invalid_json_request"),
    ({"rules": [{"azure_endpoint_name": "a", "azure_endpoint_guid": GUID, "guid": 1}]}, "root.invalid_json_request"),
    ({"labels": {}}, "root.invalid_json_request"),
    ({"name": " "}, "root.invalid_json_request"),
    ({"region": "eastus2"}, "region_not_found"),
    ({"region": "azure-germanywestcentral"}, "region_not_found"),
    ({"type": "ip", "rules": [{"source": "10.0.0.1/8"}]}, "root.invalid_json_request"),
]


@pytest.mark.parametrize(("change", "expected"), BROKEN)
async def test_a_request_that_is_not_as_the_reference_says_is_refused_and_changes_nothing(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud, change: Any, expected: Any
) -> None:
    response = await api.post(R, json=ruleset() | change)
    assert (response.status_code, code(response)) == (400, expected)
    assert elastic.rulesets() == []


@pytest.mark.parametrize("field", ["name", "type", "region", "include_by_default", "rules"])
async def test_each_required_field_is_required(api: httpx.AsyncClient, ruleset: RulesetBody, field: Any) -> None:
    body = ruleset()
    del body[field]
    response = await api.post(R, json=body)
    assert (response.status_code, code(response)) == (400, "root.invalid_json_request")
    assert response.json()["errors"][0]["fields"] == [field]


async def test_a_new_ruleset_is_unreadable_for_the_lag_and_readable_after_it(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings
) -> None:
    settings.create_lag_seconds = 10
    ruleset_id = await create(api, ruleset())
    assert (await api.get(f"{R}/{ruleset_id}")).status_code == 404
    assert (await api.get(R)).json() == {"rulesets": []}
    await asyncio.sleep(10)
    assert (await api.get(f"{R}/{ruleset_id}")).status_code == 200


async def test_a_new_association_is_in_force_at_once_and_listed_after_the_lag(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings, elastic: ElasticCloud
) -> None:
    settings.association_lag_seconds = 10
    ruleset_id = await create(api, ruleset())
    deployment = elastic.add_deployment("d", "eastus2")
    await api.post(f"{R}/{ruleset_id}/associations", json={"entity_type": "deployment", "id": deployment.id})
    url = f"/traffic-filter/associations/deployment/{deployment.id}/rulesets"
    assert (await api.get(url)).json() == {"rulesets": []}
    assert [r.id for r in elastic.attached(deployment.id)] == [ruleset_id]
    await asyncio.sleep(10)
    assert (await api.get(url)).json() == {"rulesets": [ruleset_id]}


@pytest.mark.parametrize(
    ("switch", "prepare"),
    [
        ("cross_region_association", {"region": "uksouth"}),
        ("hidden_deployment_association", {"hidden": True}),
        ("stopped_deployment_association", {"status": "stopped"}),
    ],
)
@pytest.mark.parametrize(("judgement", "status"), [("accepted", 201), ("refused", 400)])
async def test_an_association_with_an_unfit_deployment_is_decided_by_its_switch(
    api: httpx.AsyncClient,
    ruleset: RulesetBody,
    elastic: ElasticCloud,
    settings: ElasticSettings,
    switch: Any,
    prepare: Any,
    judgement: Any,
    status: Any,
) -> None:
    setattr(settings, switch, judgement)
    deployment = elastic.add_deployment("d", prepare.get("region", "eastus2"))
    deployment.hidden, deployment.status = prepare.get("hidden", False), prepare.get("status", "started")
    ruleset_id = await create(api, ruleset())
    body = {"entity_type": "deployment", "id": deployment.id}
    assert (await api.post(f"{R}/{ruleset_id}/associations", json=body)).status_code == status


async def test_an_association_with_a_missing_deployment_is_404_by_default(
    api: httpx.AsyncClient, ruleset: RulesetBody
) -> None:
    ruleset_id = await create(api, ruleset())
    response = await api.post(f"{R}/{ruleset_id}/associations", json={"entity_type": "deployment", "id": "0" * 32})
    assert (response.status_code, code(response)) == (404, "deployments.deployment_not_found")


async def test_other_association_types_are_refused(api: httpx.AsyncClient, ruleset: RulesetBody) -> None:
    ruleset_id = await create(api, ruleset())
    post = await api.post(f"{R}/{ruleset_id}/associations", json={"entity_type": "cluster", "id": "0" * 32})
    get = await api.get(f"/traffic-filter/associations/cluster/{'0' * 32}/rulesets")
    assert {(r.status_code, code(r)) for r in (post, get)} == {(400, "traffic_filter.invalid_association_type")}


@pytest.mark.parametrize("switch", ["duplicate_name", "duplicate_guid"])
async def test_a_duplicate_is_refused_when_its_switch_says_so(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings, switch: Any
) -> None:
    setattr(settings, switch, "refused")
    await create(api, ruleset())
    assert (await api.post(R, json=ruleset())).status_code == 409


@pytest.mark.parametrize(("judgement", "status"), [("accepted", 200), ("refused", 400)])
async def test_region_and_type_are_immutable_by_switch(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings, judgement: Any, status: Any
) -> None:
    settings.put_immutable = judgement
    ruleset_id = await create(api, ruleset())
    assert (await api.put(f"{R}/{ruleset_id}", json=ruleset(region="azure-uksouth"))).status_code == status


async def test_the_documented_limits_hold(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings
) -> None:
    settings.max_rulesets, settings.max_rules = 1, 2
    rules = ruleset()["rules"] * 3
    assert (await api.post(R, json=ruleset(rules=rules))).status_code == 400
    await create(api, ruleset())
    assert (await api.post(R, json=ruleset())).status_code == 400


async def test_an_editor_of_some_deployments_may_write_policies_and_associate_them_there_only(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    own, other = elastic.add_deployment("own", "eastus2"), elastic.add_deployment("other", "eastus2")
    settings.editable_deployments = {own.id}
    ruleset_id = await create(api, ruleset())

    async def associate(deployment_id: str) -> int:
        body = {"entity_type": "deployment", "id": deployment_id}
        return (await api.post(f"{R}/{ruleset_id}/associations", json=body)).status_code

    assert [await associate(one.id) for one in (own, other)] == [201, 403]
    elastic.add_policy("theirs", "eastus2", deployments=[other.id])
    theirs = elastic.attached(other.id)[0].id
    refused = await api.delete(f"{R}/{theirs}/associations/deployment/{other.id}")
    assert (refused.status_code, refused.headers["x-cloud-error-codes"]) == (403, "root.permission_denied")
    assert (await api.post(R, json=ruleset("by default", include_by_default=True))).status_code == 403
    assert (await api.get(R)).status_code == 200
    settings.editable_deployments = set()
    assert (await api.post(R, json=ruleset("second"))).status_code == 403
    assert (await api.delete(f"{R}/{ruleset_id}")).status_code == 403


async def test_associations_the_key_may_not_see_are_counted_and_not_listed(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud, settings: ElasticSettings
) -> None:
    ruleset_id = await create(api, ruleset())
    deployment = elastic.add_deployment("d", "eastus2")
    await api.post(f"{R}/{ruleset_id}/associations", json={"entity_type": "deployment", "id": deployment.id})
    settings.invisible_deployments.add(deployment.id)
    assert (await api.get(f"{R}/{ruleset_id}/associations")).json() == {"associations": [], "total_associations": 1}


async def test_claims_are_made_listed_by_region_and_given_up(api: httpx.AsyncClient) -> None:
    claim = {"region": "azure-eastus2", "azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID}
    made = await api.post("/traffic-filter/link-ids/_claim", json=claim)
    assert (made.status_code, made.json()) == (201, claim)
    listed = [
        await api.get("/traffic-filter/link-ids", params={"region": r}) for r in ("azure-eastus2", "azure-uksouth")
    ]
    assert [r.json() for r in listed] == [{"claimed_link_ids": [claim]}, {"claimed_link_ids": []}]
    gone = await api.post("/traffic-filter/link-ids/_unclaim", json=claim)
    again = await api.post("/traffic-filter/link-ids/_unclaim", json=claim)
    assert (gone.status_code, gone.json()) == (200, {})
    assert (again.status_code, code(again)) == (400, "traffic_filter_claimed_link_id.invalid_input")


async def test_an_endpoint_that_another_organization_claims_cannot_be_claimed_nor_used(
    api: httpx.AsyncClient, ruleset: RulesetBody, settings: ElasticSettings
) -> None:
    settings.claimed_elsewhere.add(("azure-eastus2", GUID.upper()))
    claim = {"region": "azure-eastus2", "azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID}
    assert (await api.post("/traffic-filter/link-ids/_claim", json=claim)).status_code == 400
    assert (await api.post(R, json=ruleset())).status_code == 400


async def test_a_repeated_claim_is_decided_by_its_switch(api: httpx.AsyncClient, settings: ElasticSettings) -> None:
    claim = {"region": "azure-eastus2", "azure_endpoint_name": "pe-1", "azure_endpoint_guid": GUID}
    url = "/traffic-filter/link-ids/_claim"
    assert [(await api.post(url, json=claim)).status_code for _ in range(2)] == [201, 201]
    settings.repeat_claim = "refused"
    assert (await api.post(url, json=claim)).status_code == 400


async def test_a_ruleset_included_by_default_is_attached_to_new_deployments_of_its_region(
    api: httpx.AsyncClient, ruleset: RulesetBody, elastic: ElasticCloud
) -> None:
    ruleset_id = await create(api, ruleset(include_by_default=True))
    here, elsewhere = elastic.add_deployment("a", "eastus2"), elastic.add_deployment("b", "uksouth")
    assert [r.id for r in elastic.attached(here.id)] == [ruleset_id]
    assert elastic.attached(elsewhere.id) == []
