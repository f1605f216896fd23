"""Answers that may not be believed, and work that must not wait for others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from local.world import vnet_id
from tests.harness.changing import attached
from tests.harness.estate import Estate, arm_error
from tests.harness.wire import Refusal


def logs(estate: Estate, region: str = "eastus2") -> Any:
    return next(deployment for deployment in estate.elastic.deployments() if deployment.name == f"logs-{region}")


async def test_a_policy_that_lets_others_in_too_is_not_associated(estate: Estate) -> None:
    """Consent is for one endpoint: another endpoint in its policy must not get in with it."""
    endpoint = await estate.put_endpoint()
    guid = estate.arm.private_endpoint(endpoint).resource_guid  # type: ignore[union-attr]  # it was just made
    rules = [
        {"azure_endpoint_name": "pe-1", "azure_endpoint_guid": guid},
        {"azure_endpoint_name": "evil", "azure_endpoint_guid": "00000000-0000-0000-0000-0000000000ee"},
    ]
    elsewhere = estate.elastic.add_deployment("elsewhere", "eastus2", ip_policy=True)
    estate.elastic.add_endpoint_policy("shared", "eastus2", rules, elsewhere.id)
    await estate.settle()
    associated = (await estate.connection(endpoint)).condition("Associated")
    assert associated is not None
    assert associated.reason == "PolicyAdmitsOthers"
    assert "evil" in associated.message
    assert [policy.type for policy in estate.elastic.attached(logs(estate).id)] == ["ip"]


@pytest.mark.parametrize("body", [{"rulesets": None}, {}, {"rulesets": []}])
async def test_one_short_listing_never_makes_a_second_policy(estate: Estate, body: Any) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.clock.sleep(3600)
    estate.elastic_settings.faults.append(
        lambda method, path: (200, body) if method == "GET" and path.endswith("/rulesets") else None
    )
    await estate.send(endpoint)
    await estate.settle(120)
    assert len(estate.policies_of(endpoint)) == 1


async def test_a_zone_of_others_that_may_not_be_read_stops_no_connection(estate: Estate) -> None:
    theirs = (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-theirs/providers"
        "/Microsoft.Network/privateDnsZones/privatelink.eastus2.azure.elastic-cloud.com"
    )
    await estate.azure("PUT", theirs, {"location": "global"}, api="2024-06-01")
    await estate.clock.sleep(10)
    estate.arm.faults.append(
        lambda request: (
            arm_error(403, "AuthorizationFailed") if "/rg-theirs/" in request.path and request.method == "GET" else None
        )
    )
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert (await estate.sweep()).errors == []


async def test_a_deployment_whose_policies_cannot_be_read_blocks_only_itself(estate: Estate) -> None:
    estate.elastic_settings.settings_absent = True
    closed = next(d for d in estate.elastic.deployments() if d.name == "search-eastus2")
    estate.elastic_settings.faults.append(
        lambda method, path: (
            (403, {"errors": [{"code": "root.permission_denied", "message": "no"}]})
            if method == "GET" and closed.id in path
            else None
        )
    )
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": "search-eastus2, logs-eastus2"})
    await estate.settle()
    assert await estate.reason(endpoint, "Associated") == "WouldCutOffPublicTraffic"
    assert "azure_private_endpoint" in {policy.type for policy in estate.elastic.attached(logs(estate).id)}


async def test_a_search_that_fails_does_not_keep_the_policy_from_being_made(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    estate.elastic_settings.faults.append(
        lambda method, path: (500, {"errors": [{"code": "x", "message": "y"}]}) if path.endswith("/_search") else None
    )
    await estate.settle(60)
    connection = await estate.connection(endpoint)
    reasons = {c.type: c.reason for c in connection.status.conditions}
    assert (reasons["PolicyReady"], reasons["Associated"]) == ("Exists", "AnswerLost")


async def test_a_search_that_answers_few_at_a_time_is_read_to_its_end(estate: Estate) -> None:
    """A page that holds less than was asked for is not the last one."""
    estate.elastic_settings.hits_per_page = 1
    names = ("logs-eastus2", "extra")
    estate.elastic.add_deployment("extra", "eastus2", ip_policy=True)
    endpoint = await estate.put_endpoint(tags={"elastic-deployments": ", ".join(names)})
    await estate.settle()
    await estate.ready(endpoint)
    assert [attached(estate, name) for name in names] == [[f"{name}-office", "pe-1"] for name in names]


async def test_a_long_wait_that_elastic_asks_for_does_not_hold_up_dns(estate: Estate) -> None:
    estate.arm_settings.zone_seconds = 60
    estate.elastic_settings.faults.append(lambda *_: (429, {"errors": []}))
    estate.elastic_settings.retry_after_seconds = 3600
    endpoint = await estate.put_endpoint()
    await estate.settle(300)
    found = {c.type: c.true for c in (await estate.connection(endpoint)).status.conditions}
    assert (found["ZoneReady"], found["Linked"], found["RecordReady"], found["PolicyReady"]) == (
        True,
        True,
        True,
        False,
    )


async def test_elastic_cloud_is_left_alone_until_the_time_that_it_named_for_every_caller(estate: Estate) -> None:
    busy = Refusal(429, {"Retry-After": "3600"})
    estate.worker = estate.new_worker(lambda call: busy if call.service == "elastic" else None)
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    estate.worker = estate.new_worker()
    for cause in ("event-write", "manual", "timer"):
        await estate.send(endpoint, cause)
        await estate.settle(60)
    assert not [call for call in estate.worker.wire.calls if call.service == "elastic"]
    await estate.settle(7200)
    await estate.ready(endpoint)


@pytest.mark.parametrize("cause", ["manual", "event-write"])
async def test_work_that_comes_during_a_look_at_the_approval_looks_at_everything(estate: Estate, cause: str) -> None:
    """Work that arrives under a lease is more than the wait that holds it."""
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    record = f"{(await estate.connection(endpoint)).dns.zone.id}/A/*"  # type: ignore[union-attr]  # made above
    await estate.azure("DELETE", record, api="2024-06-01")
    original = estate.worker.context.endpoints.get

    async def get_and_be_asked_again(endpoint_id: Any) -> Any:
        found = await original(endpoint_id)
        object.__setattr__(estate.worker.context.endpoints, "get", original)
        await estate.send(endpoint, cause)
        message = estate.queue.receive()
        assert message is not None
        await estate.handle(message)
        return found

    object.__setattr__(estate.worker.context.endpoints, "get", get_and_be_asked_again)
    await estate.settle(120)
    assert estate.zone().a_record("*") is not None


async def test_raw_events_on_the_queue_that_are_not_for_us_are_dropped(estate: Estate) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    event = {
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "subject": endpoint,
        "data": {"claims": {"upn": "x"}},
    }
    other = event | {"subject": vnet_id("eastus2")}
    failed = event | {"eventType": "Microsoft.Resources.ResourceWriteFailure"}
    for batch in (other, failed, [other, failed], [failed, event]):
        await estate.queue.send(json.dumps(batch))
    await estate.settle()
    await estate.ready(endpoint)
    assert not estate.queue.poison


@pytest.mark.parametrize(
    ("kind", "guid", "reason"),
    [
        ("privatelink-serverless", "00000000-0000-4000-8000-000000000999", "UnknownElasticAlias"),
        ("999-privatelink-service", "00000000-0000-4000-8000-000000000999", "UnknownElasticAlias"),
    ],
)
async def test_what_only_looks_like_an_endpoint_for_us_is_explained_by_the_sweep_where_its_event_was_lost(
    estate: Estate, kind: str, guid: str, reason: str
) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint(alias=f"eastus2-prod-{kind}.{guid}.eastus2.azure.privatelinkservice")
    assert (await estate.sweep()).enqueued == 1
    await estate.settle()
    assert await estate.reason(endpoint, "Recognised") == reason
    assert (await estate.sweep()).enqueued == 0


async def test_what_stays_invisible_is_reported_once_and_stays_reported(estate: Estate) -> None:
    estate.arm_settings.not_found_after_create_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(3600)
    journal = await estate.storage.journal.newest((await estate.connection(endpoint)).id, 500)
    turns = [e for e in journal.entries if "StillNotVisible" in str(e.after)]
    for _ in range(20):
        await estate.sweep()
        await estate.settle(300)
        await estate.clock.sleep(300)
    journal = await estate.storage.journal.newest((await estate.connection(endpoint)).id, 500)
    later = [e for e in journal.entries if "StillNotVisible" in str(e.after)]
    assert turns
    assert len(later) == len(turns), "the condition does not flap"


async def test_the_id_of_a_new_policy_is_on_record_before_anything_else_is_written(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    (policy,) = estate.policies_of(endpoint)
    estate.elastic.delete_policy(policy.id)
    estate.worker = estate.new_worker()
    await estate.clock.sleep(3600)
    await estate.send(endpoint)
    await estate.settle()
    names = [call.name for call in estate.worker.wire.calls]
    after = names[names.index("elastic POST /api/v1/deployments/traffic-filter/rulesets") + 1 :]
    assert next(name for name in after if name.split()[0] in {"connections", "journal"}) == "connections replace"


async def test_a_diary_that_cannot_be_written_stops_no_work(estate: Estate) -> None:
    estate.worker = estate.new_worker(lambda call: Refusal(503) if call.service == "journal" else None)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert not estate.queue.poison


async def test_a_create_is_in_the_journal_before_and_after(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    journal = await estate.storage.journal.newest((await estate.connection(endpoint)).id, 500)
    outcomes = [e.outcome for e in reversed(journal.entries) if e.step.startswith("create private connection policy")]
    assert outcomes == ["begun", "created", "done"]


async def test_repairs_are_sent_before_the_tests_begin(estate: Estate) -> None:
    ready = await estate.put_endpoint("pe-ready")
    await estate.settle()
    estate.events.settings.drop = True
    lost = await estate.put_endpoint("pe-lost", region="uksouth")
    sent_before_the_test: list[int] = []
    inside = estate.worker.context.network

    class Watching:
        async def resolve(self, host: str) -> tuple[str, ...]:
            sent_before_the_test.append(len(estate.queue.messages))
            return await inside.resolve(host)

        async def connect(self, address: str, port: int) -> Any:
            return await inside.connect(address, port)

    estate.worker = replace(estate.worker, context=replace(estate.worker.context, network=Watching()))
    found = await estate.sweep()
    assert (found.enqueued, found.probed) == (1, 1)
    assert sent_before_the_test == [1] * 4, "four services of one deployment"
    await estate.settle()
    await estate.ready(lost)
    await estate.ready(ready)
