"""S8: neither an event nor an endpoint's tag says what the app looks at, or which deployments it may connect."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.elastic.deployments import Deployment
from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate
from tests.harness.outcome import At
from tests.harness.wire import Refusal
from tests.reconciler.safety_parts import PE_1, asks_for, attached, blocked_because, connect, the


@pytest.mark.parametrize(
    "settings",
    [
        {"AZURE_SUBSCRIPTIONS": "00000000-0000-0000-0000-000000000002"},
        {"AZURE_RESOURCE_GROUPS": "rg-other, rg-third"},
    ],
)
async def test_an_endpoint_outside_the_scope_is_not_touched_for_any_request(settings: dict[str, str]) -> None:
    estate = await Estate(settings=settings).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.send(endpoint)
    await estate.settle()
    assert {call.name for call in estate.worker.wire.calls} == {"connections get"}
    await estate.sweep()
    await estate.settle()
    assert not estate.policies_of(endpoint)
    assert not estate.arm.private_dns_zones()
    assert await estate.storage.connections.get(connection_id(endpoint)) is None


async def test_scope_is_compared_without_case() -> None:
    estate = await Estate(settings={"AZURE_RESOURCE_GROUPS": "RG-Apps"}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)


@pytest.mark.parametrize("allowed", ["", "search-eastus2", "logs-westeurope"])
async def test_an_endpoints_tag_alone_opens_no_deployment(allowed: str) -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": allowed}).open()
    endpoint = await connect(estate, "logs-eastus2")
    reason, message = await blocked_because(estate, endpoint)
    assert reason == "DeploymentNotAllowed"
    assert the(estate, "logs-eastus2").id in message
    assert attached(estate, the(estate, "logs-eastus2")) == ["logs-eastus2-office"]


@pytest.mark.parametrize("spelled", [lambda d: d.name, lambda d: d.id, lambda d: d.name.upper()])
async def test_the_settings_may_allow_a_deployment_by_name_or_id(spelled: Callable[[Deployment], str]) -> None:
    """The simulators' ids are the same in every new estate."""
    allowed = spelled(the(await Estate().open(), "logs-eastus2"))
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": allowed}).open()
    await estate.ready(await connect(estate, "logs-eastus2"))


@pytest.mark.parametrize(
    "consent", ["rg-apps/pe-1", "RG-Apps/PE-1", "*", "rg-x/other, rg-apps/pe-1", connection_id(PE_1)]
)
async def test_a_deployments_own_tag_may_allow_the_endpoint(consent: str) -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    estate.elastic.add_deployment("own", "eastus2", ip_policy=True, tags={ENDPOINTS_TAG: consent})
    await estate.ready(await connect(estate, "own"))


@pytest.mark.parametrize("consent", ["pe-1", "rg-other/pe-1", "rg-apps/pe-2", "", "rg-apps/", "rg-apps/pe-1x"])
async def test_a_deployments_tag_for_other_endpoints_allows_nothing(consent: str) -> None:
    """A bare name is no consent: anybody can give an endpoint of their own that name."""
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": ""}).open()
    deployment = estate.elastic.add_deployment("own", "eastus2", ip_policy=True, tags={ENDPOINTS_TAG: consent})
    endpoint = await connect(estate, "own")
    assert (await blocked_because(estate, endpoint))[0] == "DeploymentNotAllowed"
    assert attached(estate, deployment) == ["own-office"]


async def test_what_cannot_be_connected_is_named_and_the_rest_goes_ahead() -> None:
    allowed = "logs-eastus2, logs-westeurope, twin, asleep, search-eastus2, unheard-of"
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": allowed}).open()
    twins = [estate.elastic.add_deployment("twin", "eastus2", ip_policy=True, alias=f"twin-{n}") for n in range(2)]
    estate.elastic.add_deployment("asleep", "eastus2", ip_policy=True).status = "stopped"
    private = estate.elastic.add_deployment("private", "eastus2", ip_policy=True)
    wishes = ("unheard-of", "twin", "logs-westeurope", "asleep", "private", "search-eastus2", "logs-eastus2")
    endpoint = await connect(estate, *wishes)
    connection = await estate.connection(endpoint)
    condition = connection.condition("Associated")
    assert condition is not None
    assert condition.reason == "DeploymentNotFound", "the first of them"
    for named in (*wishes[:-1], *(twin.id for twin in twins), private.id):
        assert named in condition.message
    for step in ("Correct the endpoint's tag", "Use the target's id", "Start it", "ELASTIC_DEPLOYMENTS_ALLOWED"):
        assert step in condition.next_step
    assert "logs-eastus2" not in condition.message
    assert attached(estate, the(estate, "logs-eastus2")) == ["logs-eastus2-office", "pe-1"]
    associated = [event.deployment_id for event in estate.elastic.history if event.what == "associated" and event.guids]
    assert associated == [the(estate, "logs-eastus2").id]
    assert connection.status.phase == "Blocked"
    reachable = connection.condition("Reachable")
    assert reachable is not None
    assert reachable.true, "what is connected is tested"


async def test_one_association_that_fails_does_not_hold_up_the_next(estate: Estate) -> None:
    first, second = the(estate, "logs-eastus2"), estate.elastic.add_deployment("more", "eastus2", ip_policy=True)
    association = "elastic POST /api/v1/deployments/traffic-filter/rulesets/*/associations"
    estate.worker = estate.new_worker(At(association, 1, Refusal(503)))
    endpoint = await estate.put_endpoint(tags=asks_for("logs-eastus2", "more"))
    await estate.settle(12)
    assert "pe-1" in attached(estate, second)
    assert "pe-1" not in attached(estate, first)
    assert await estate.reason(endpoint, "Associated") == "AnswerLost"
    await estate.settle()
    await estate.ready(endpoint)
    assert "pe-1" in attached(estate, first)
