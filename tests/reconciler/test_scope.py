"""Scope: each list, by event and by sweep; what is outside gets no record, and what was made for it is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.core.guards.consent import ENDPOINTS_TAG
from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate
from tests.harness.outcome import snapshot
from tests.harness.wire import Call, Outcome, Refusal

TAGS = {"elastic-deployments": "logs-eastus2", "Env": "Prod"}
OUTSIDE = [
    ({"AZURE_SUBSCRIPTIONS": "00000000-0000-0000-0000-000000000002"}, "AZURE_SUBSCRIPTIONS"),
    ({"AZURE_SUBSCRIPTIONS_DENIED": DEFAULT_SUBSCRIPTION}, "AZURE_SUBSCRIPTIONS_DENIED"),
    ({"AZURE_RESOURCE_GROUPS": "rg-other, rg-third"}, "AZURE_RESOURCE_GROUPS"),
    ({"AZURE_RESOURCE_GROUPS_DENIED": f"{DEFAULT_SUBSCRIPTION}/rg-apps"}, "AZURE_RESOURCE_GROUPS_DENIED"),
    ({"AZURE_LOCATIONS": "westeurope"}, "AZURE_LOCATIONS"),
    ({"AZURE_LOCATIONS": "eastus2", "AZURE_LOCATIONS_DENIED": "East US 2"}, "AZURE_LOCATIONS_DENIED"),
    ({"AZURE_TAGS": "env=test, autopilot"}, "AZURE_TAGS"),
    ({"AZURE_TAGS": "env", "AZURE_TAGS_DENIED": "env=prod"}, "AZURE_TAGS_DENIED"),
]
INSIDE: list[dict[str, str]] = [
    {"AZURE_SUBSCRIPTIONS_DENIED": "00000000-0000-0000-0000-000000000002"},
    {"AZURE_RESOURCE_GROUPS": f"{DEFAULT_SUBSCRIPTION}/RG-Apps", "AZURE_RESOURCE_GROUPS_DENIED": "rg-other"},
    {"AZURE_LOCATIONS": "East US 2", "AZURE_LOCATIONS_DENIED": "westeurope"},
    {"AZURE_TAGS": "env=prod", "AZURE_TAGS_DENIED": "env=test"},
]
BY_ID = ("AZURE_SUBSCRIPTIONS", "AZURE_RESOURCE_GROUPS")
event_or_sweep = pytest.mark.parametrize("event", [True, False], ids=["by event", "by sweep"])


async def told(estate: Estate, *, event: bool, **endpoint: Any) -> str:
    """An endpoint that the app hears of, by its event or else by the sweep only."""
    estate.events.settings.drop = not event
    found = await estate.put_endpoint(tags=TAGS, **endpoint)
    await estate.settle()
    await estate.sweep()
    await estate.settle()
    return found


@event_or_sweep
@pytest.mark.parametrize(("settings", "_setting"), OUTSIDE)
async def test_an_endpoint_outside_gets_nothing_not_even_a_record(
    settings: dict[str, str], _setting: str, event: bool
) -> None:
    estate = await Estate(settings=settings).open()
    empty = snapshot(estate)
    endpoint = await told(estate, event=event)
    assert snapshot(estate) == empty
    assert await estate.storage.connections.get(connection_id(endpoint)) is None
    assert (await estate.sweep()).enqueued == 0, "it would come back at every sweep"


@event_or_sweep
@pytest.mark.parametrize("settings", INSIDE)
async def test_an_endpoint_inside_is_connected(settings: dict[str, str], event: bool) -> None:
    estate = await Estate(settings=settings).open()
    await estate.ready(await told(estate, event=event))


@pytest.mark.parametrize(("settings", "setting"), OUTSIDE)
async def test_a_connection_that_falls_out_of_scope_says_so_and_keeps_all_that_it_has(
    settings: dict[str, str], setting: str
) -> None:
    estate = await Estate().open()
    endpoint = await told(estate, event=True)
    before, made = await estate.ready(endpoint), snapshot(estate)
    estate.worker = estate.new_worker(**settings)
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    record = await estate.connection(endpoint)
    assert (record.status.phase, record.identity.mode) == ("Ignored", "ignore")
    assert [condition.type for condition in record.status.conditions] == ["Recognised", "Ready"]
    assert record.status.conditions[0].reason == "OutOfScope"
    assert f"the setting {setting} if" in record.status.conditions[0].next_step
    assert (record.dns.zone, record.dns.record, record.elastic.policy) == (
        before.dns.zone,
        before.dns.record,
        before.elastic.policy,
    )
    assert snapshot(estate) == made
    if setting.startswith(BY_ID):
        assert not [call for call in estate.worker.wire.calls if call.service == "arm" and "pe-1" in call.what]
    for _ in range(3):
        await estate.clock.sleep(300)
        assert (await estate.sweep()).enqueued == 0
    # Back in scope, the next sweep takes it up again.
    estate.worker = estate.new_worker()
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    await estate.ready(endpoint)
    assert snapshot(estate) == made


@pytest.mark.parametrize("settings", [{"AZURE_LOCATIONS": "westeurope"}, {"AZURE_RESOURCE_GROUPS_DENIED": "rg-apps"}])
async def test_nothing_is_removed_for_an_endpoint_that_is_deleted_out_of_scope(settings: dict[str, str]) -> None:
    estate = await Estate().open()
    endpoint = await told(estate, event=True)
    made = snapshot(estate)
    estate.worker = estate.new_worker(**settings)
    await estate.sweep()
    await estate.settle()
    await estate.delete(endpoint)
    for _ in range(4):
        await estate.settle()
        await estate.clock.sleep(1200)
        await estate.sweep()
    assert snapshot(estate) == made


async def test_the_tag_that_brings_an_endpoint_into_scope_is_enough() -> None:
    estate = await Estate(settings={"AZURE_TAGS": "autopilot"}).open()
    endpoint = await told(estate, event=True)
    assert await estate.storage.connections.get(connection_id(endpoint)) is None
    assert await estate.put_endpoint(tags=TAGS | {"Autopilot": "yes"}) == endpoint
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_person_who_names_an_endpoint_outside_is_told_why() -> None:
    estate = await Estate(settings={"AZURE_LOCATIONS": "westeurope"}).open()
    empty = snapshot(estate)
    endpoint = await told(estate, event=True)
    await estate.send(endpoint, "manual")
    await estate.settle()
    assert await estate.reason(endpoint, "Recognised") == "OutOfScope"
    assert snapshot(estate) == empty
    assert (await estate.sweep()).enqueued == 0


async def test_where_the_look_before_the_first_run_fails_the_run_judges() -> None:
    estate = await Estate(settings={"AZURE_LOCATIONS_DENIED": "eastus2"}).open()
    empty, refused = snapshot(estate), []

    def the_first_look(call: Call) -> Outcome:
        if refused or not (call.service == "arm" and "privateEndpoints/pe-1" in call.what):
            return None
        refused.append(call)
        return Refusal(403)

    estate.worker = estate.new_worker(the_first_look)
    endpoint = await told(estate, event=True)
    assert refused
    assert await estate.reason(endpoint, "Recognised") == "OutOfScope"
    assert snapshot(estate) == empty


# -- deployments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", ["LOGS-eastus2", "*", "id"])
@pytest.mark.parametrize("consent", ["setting", "tag"])
async def test_a_denied_deployment_is_connected_to_nothing_despite_consent(denied: str, consent: str) -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_ALLOWED": "*" if consent == "setting" else ""}).open()
    (deployment,) = [one for one in estate.elastic.deployments() if one.name == "logs-eastus2"]
    if consent == "tag":
        deployment.tags[ENDPOINTS_TAG] = "*"
    attached = estate.elastic.attached(deployment.id)
    estate.worker = estate.new_worker(ELASTIC_DEPLOYMENTS_DENIED=deployment.id if denied == "id" else denied)
    endpoint = await told(estate, event=True)
    record = await estate.connection(endpoint)
    condition = record.condition("Associated")
    assert condition is not None
    assert (record.status.phase, condition.reason) == ("Blocked", "DeploymentOutOfScope")
    assert "ELASTIC_DEPLOYMENTS_DENIED" in condition.message
    assert estate.elastic.attached(deployment.id) == attached
    estate.worker = estate.new_worker()
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_an_association_that_is_there_before_the_denial_stays_and_is_reported() -> None:
    estate = await Estate().open()
    endpoint = await told(estate, event=True)
    made = snapshot(estate)
    estate.worker = estate.new_worker(ELASTIC_DEPLOYMENTS_DENIED="*")
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    assert await estate.reason(endpoint, "Associated") == "DeploymentOutOfScope"
    await estate.put_endpoint(tags=TAGS | {"elastic-deployments": ""})
    await estate.sweep()
    await estate.settle()
    assert snapshot(estate) == made, "neither made nor taken away"


async def test_a_deployment_with_a_comma_in_its_name_is_denied_by_its_whole_name() -> None:
    estate = await Estate(settings={"ELASTIC_DEPLOYMENTS_DENIED": "prod, eu"}).open()
    deployment = estate.elastic.add_deployment("prod, eu", "eastus2", ip_policy=True)
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": deployment.id})
    await estate.settle()
    assert await estate.reason(endpoint, "Associated") == "DeploymentOutOfScope"
