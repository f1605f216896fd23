"""What a person wrote and may have meant: names, regions, values of tags, kinds of policies, how to consent."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from local.world import API_KEY
from shared.api.queries import get_connection, list_connections
from shared.reconciler.observe import SHARED_SECONDS
from tests.harness.estate import Estate
from tests.reconciler.situations import the


async def told(estate: Estate, endpoint: str, condition: str) -> tuple[str, str, str]:
    found = (await estate.connection(endpoint)).condition(condition)
    assert found is not None
    return str(found.reason), found.message, found.next_step


async def test_one_name_in_two_regions_means_the_one_in_the_policys_region(estate: Estate) -> None:
    meant = the(estate)
    the(estate, "logs-westeurope").name = "logs-eastus2"
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    (policy,) = estate.policies_of(endpoint)
    assert {target for one, target in estate.elastic.associations() if one == policy.id} == {meant.id}


async def test_a_value_of_a_tag_that_is_none_is_said_and_not_ignored(estate: Estate) -> None:
    tags = {"elastic-privatelink-claim": "yes", "elastic-privatelink-on-delete": "keep it"}
    endpoint = await estate.put_endpoint(tags=tags)
    await estate.settle()
    _, message, _ = await told(estate, endpoint, "Recognised")
    assert "elastic-privatelink-claim has the value 'yes', which is neither true nor false" in message
    assert (
        "elastic-privatelink-on-delete has the value 'keep it', none of cleanup, retain; that counts as retain"
        in message
    )


async def test_policies_that_restrict_no_one_are_counted_for_what_they_are_and_the_first_one_warns(
    estate: Estate,
) -> None:
    target = the(estate, "search-eastus2")
    rules: dict[str, Any] = {
        "egress_firewall": {"egress_rule": {"target": "10.0.0.0/8", "protocol": "tcp", "ports": [443]}},
        "remote_cluster": {"remote_cluster_id": "a" * 32, "remote_cluster_org_id": "1"},
    }
    for kind in ("egress_firewall", "remote_cluster", "remote_cluster"):
        # As a person makes one in the console; the app's own API calls never do.
        policy = estate.elastic.add_ruleset(f"a {kind}", "eastus2", kind, [rules[kind]], [target.id])
        assert policy.type == kind
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "search-eastus2"})
    await estate.settle()
    reason, message, _ = await told(estate, endpoint, "Associated")
    assert reason == "WouldCutOffPublicTraffic"
    assert "only 1 of type egress_firewall and 2 of type remote_cluster" in message
    assert "cross-cluster search and replication, and monitoring" in message


async def test_how_to_consent_is_said_where_it_is_asked_for_and_keeps_the_tags_that_are_there() -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    target = the(estate)
    target.tags = {"team": "search"}
    endpoint = await estate.put_endpoint()
    await estate.settle()
    _, _, next_step = await told(estate, endpoint, "Associated")
    assert "in the Elastic Cloud console on the deployment's page" in next_step
    path, _, body = next_step.partition("PUT /api/v1")[2].partition(" ")
    transport = httpx.ASGITransport(app=estate.elastic.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://elastic.local") as person:
        key = {"Authorization": f"ApiKey {API_KEY}"}
        answer = await person.put(f"/api/v1{path}", json=json.loads(body.rstrip(".")), headers=key)
    assert answer.status_code == 200
    assert target.tags == {"team": "search", "elastic-privatelink-endpoints": (await estate.connection(endpoint)).id}
    await estate.clock.sleep(SHARED_SECONDS + 1)  # so long a run may go by what another has just read
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_what_a_removal_left_is_in_the_list_and_names_the_endpoint_as_the_detail_does(estate: Estate) -> None:
    endpoint = await estate.put_endpoint(
        tags={"elastic-deployments": "logs-eastus2", "elastic-privatelink-on-delete": "retain"}
    )
    await estate.settle()
    await estate.ready(endpoint)
    await estate.delete(endpoint)
    await estate.settle(3600)
    (row,) = (await list_connections(estate.worker.context))["items"]
    assert (row["phase"], row["reason"]) == ("Removed", "Retained")
    assert "left" in row["message"]
    detail = await get_connection(estate.worker.context, row["id"])
    assert (row["endpointId"], detail["endpointId"]) == (endpoint, endpoint)


# -- what a tag holds ----------------------------------------------------------------------------------------------


async def remedy(estate: Estate, endpoint: str, condition: str) -> str:
    """The lines that the detail has for a condition."""
    detail = await get_connection(estate.worker.context, (await estate.connection(endpoint)).id)
    (found,) = [one for one in detail["conditions"] if one["type"] == condition]
    return "\n".join(found["remedy"]["commands"])


@pytest.mark.parametrize("others", [6, 7])
async def test_an_endpoints_tag_is_advised_only_with_what_its_256_characters_hold(estate: Estate, others: int) -> None:
    """Seven ids fit, with their commas; an eighth does not."""
    ids = [estate.elastic.add_deployment(f"audit-{n}", "eastus2", ip_policy=True).id for n in range(others)]
    meant = the(estate)
    wished = ",".join((*ids, str(meant.alias)))
    assert len(wished) <= 256
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": wished})
    await estate.settle()
    _, message, next_step = await told(estate, endpoint, "Associated")
    assert f"Did you mean deployment logs-eastus2 ({meant.id})?" in message
    corrected = ",".join((*ids, meant.id))
    line = await remedy(estate, endpoint, "Associated")
    if others == 6:
        assert (len(corrected) <= 256, f"elastic-deployments={corrected}" in line) == (True, True)
        assert next_step.startswith("Name deployment logs-eastus2")
    else:
        assert (len(corrected) > 256, "elastic-deployments=<deployment ids>" in line) == (True, True)
        assert "holds 256 characters and has no room for its id" in next_step
        assert "elastic-privatelink-connect" in next_step
    with pytest.raises(AssertionError, match="256"):
        await estate.put_endpoint(tags={"elastic-deployments": "x" * 257})


@pytest.mark.parametrize("tags", [63, 64])
async def test_a_deployments_tag_is_advised_only_where_it_may_have_one_more(tags: int) -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    the(estate).tags = {f"team-{n}": "ours" for n in range(tags)}
    endpoint = await estate.put_endpoint()
    await estate.settle()
    _, _, next_step = await told(estate, endpoint, "Associated")
    line = await remedy(estate, endpoint, "Associated")
    assert ("it has 64 tags, the most that Elastic Cloud takes" in next_step) == (tags == 64)
    assert ("<its other tags>" in line) == (tags == 64)
    assert ('"team-62"' in line) == (tags == 63)


async def test_a_deployments_tag_that_is_full_goes_on_in_the_next_one() -> None:
    """A value holds 128 characters: seven connection ids."""
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    the(estate).tags = {"elastic-privatelink-endpoints": ",".join(f"{n:016x}" for n in range(7))}
    endpoint = await estate.put_endpoint()
    await estate.settle()
    own = (await estate.connection(endpoint)).id
    _, _, next_step = await told(estate, endpoint, "Associated")
    assert f"elastic-privatelink-endpoints-2={own}" in next_step
    line = await remedy(estate, endpoint, "Associated")
    assert f'{{"key": "elastic-privatelink-endpoints-2", "value": "{own}"}}' in line
    assert f'"value": "{the(estate).tags["elastic-privatelink-endpoints"]}"' in line, "those that it has stay"
