"""What is told of a connection, and what is not: each change that lasts, once, in order."""

from __future__ import annotations

import json

import pytest

from shared.core.model.arm_ids import connection_id
from shared.core.model.notices import NotificationState, Type
from shared.core.model.record_document import from_document
from shared.core.reports.app_health import Code
from tests.harness.estate import Estate
from tests.notifications.notify_parts import DOCS, LASTING, ON, Trouble, connected, judged, look, sweeps, told

OF_THE_APP = {Type.APP_RECOVERED, *map(Type.of_app, Code)}


async def test_a_connection_that_becomes_ready_is_told_at_once_and_once(estate: Estate) -> None:
    endpoint = await connected(estate)
    (event,) = estate.topic.events
    ready_since = (await estate.connection(endpoint)).status.ready_since
    assert ready_since is not None
    assert (estate.topic.requests[0][0] - ready_since).total_seconds() < 5
    assert (event["type"], event["subject"]) == ("ElasticPrivateLink.ConnectionReady", endpoint)
    assert (event["data"]["phase"], event["data"]["previousPhase"]) == ("Ready", None)
    assert event["data"]["connection"] == connection_id(endpoint)
    assert event["data"]["correlationId"] == next(c.correlation_id for c in estate.changes if c.resource_id == endpoint)
    for _ in range(3):
        await look(estate, endpoint)
    await sweeps(estate, 1200)
    assert told(estate) == ["Ready"]


async def test_a_blocked_connection_is_told_with_what_to_do_and_again_when_the_reason_is_another(
    estate: Estate,
) -> None:
    await estate.put_endpoint(tags={"elastic-deployments": "search-eastus2"})
    await estate.settle()
    assert told(estate) == ["Blocked"]
    assert estate.topic.events[0]["data"]["reason"] == "WouldCutOffPublicTraffic"
    assert "first" in estate.topic.events[0]["data"]["nextStep"]
    await sweeps(estate, 1800)
    assert told(estate) == ["Blocked"], "it is no news that it still is"
    await estate.put_endpoint(tags={"elastic-deployments": "no-such-deployment"})
    await estate.settle()
    await sweeps(estate, 600)
    assert [event["data"]["reason"] for event in estate.topic.events] == [
        "WouldCutOffPublicTraffic",
        "DeploymentNotFound",
    ]


async def test_trouble_that_lasts_is_told_and_so_is_its_end(estate: Estate) -> None:
    endpoint, trouble = await connected(estate), Trouble(estate)
    trouble.on = True
    assert await look(estate, endpoint) == "Degraded"
    began = estate.clock.now()
    await sweeps(estate, 900)
    assert told(estate) == ["Ready", "Degraded"]
    when, _ = estate.topic.requests[-1]
    assert LASTING <= (when - began).total_seconds() < LASTING + 70, "at the first look after it had lasted"
    assert estate.topic.events[-1]["time"].startswith(began.strftime("%Y-%m-%dT%H:%M:%S")), "when it began"
    trouble.on = False
    await sweeps(estate, 900)
    assert told(estate) == ["Ready", "Degraded", "Ready"]
    assert estate.topic.events[-1]["data"]["previousPhase"] == "Degraded"


async def test_flapping_tells_nothing(estate: Estate) -> None:
    """Forty changes in forty minutes, none of which lasts."""
    endpoint, trouble = await connected(estate), Trouble(estate)
    seen = []
    for number in range(40):
        trouble.on = number % 2 == 0
        seen.append(await look(estate, endpoint))
        if number % 5 == 0:
            await estate.sweep()
        await estate.clock.sleep(60)
    assert seen == ["Degraded", "Ready"] * 20
    assert told(estate) == ["Ready"]


async def test_what_has_lasted_is_told_by_the_sweep_though_no_run_looks_again(estate: Estate) -> None:
    """Blocked connections are left alone for an hour: only the sweep notices that time has passed."""
    endpoint = await connected(estate)
    await estate.clock.sleep(3600)
    await estate.put_endpoint(tags={"elastic-deployments": "no-such-deployment"})
    await estate.settle(30)
    assert (await estate.connection(endpoint)).status.phase == "Blocked"
    assert told(estate) == ["Ready"]
    await estate.clock.sleep(LASTING)
    estate.worker = estate.new_worker()
    await estate.sweep()
    assert told(estate) == ["Ready", "Blocked"]
    (sent,) = [call for call in estate.worker.wire.calls if call.service == "topic"]
    assert sent.correlation_id.startswith("sweep")


async def test_a_removal_is_told_at_once_and_a_return_too(estate: Estate) -> None:
    endpoint = await connected(estate)
    await estate.delete(endpoint)
    await sweeps(estate, 3600)
    assert told(estate)[-1] == "Removed"
    assert set(told(estate)[1:]) <= {"Removing", "Removed"}
    await estate.put_endpoint()
    await estate.settle()
    assert told(estate)[-1] == "Ready"
    assert estate.topic.events[-1]["data"]["previousPhase"] == "Removed"


async def test_the_end_of_what_was_never_told_is_not_told(estate: Estate) -> None:
    estate.elastic_settings.approval_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    await estate.delete(endpoint)
    await sweeps(estate, 3600)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert estate.topic.requests == []


async def test_an_endpoint_of_another_service_is_no_news(estate: Estate) -> None:
    await estate.put_endpoint(alias="storage.0a0a0a0a-0000-0000-0000-000000000000.eastus2.azure.privatelinkservice")
    await sweeps(estate, 600)
    assert estate.topic.requests == []


async def test_events_of_a_connection_are_numbered_in_the_order_in_which_they_are_sent(estate: Estate) -> None:
    endpoint, trouble = await connected(estate), Trouble(estate)
    for on in (True, False, True, False):
        trouble.on = on
        await look(estate, endpoint)
        await sweeps(estate, 600)
    await estate.delete(endpoint)
    await sweeps(estate, 3600)
    numbers = [event["data"]["sequence"] for event in estate.topic.events]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 6
    times = [event["time"] for event in estate.topic.events]
    assert times == sorted(times)


@pytest.mark.parametrize("asked", ["true", "false"])
async def test_a_repair_is_told_once_where_a_setting_asks_for_it(estate: Estate, asked: str) -> None:
    estate.worker = estate.new_worker(**ON, NOTIFY_REPAIRS=asked)
    endpoint = await connected(estate)
    (zone,) = estate.arm.private_dns_zones()
    zone.record_sets.pop(("A", "*"))
    await look(estate, endpoint)
    await sweeps(estate, 1200)
    assert ("A", "*") in zone.record_sets
    assert told(estate) == (["Ready", "Repaired"] if asked == "true" else ["Ready"])
    assert (await estate.ready(endpoint)).notifications.outbox == ()
    if asked == "true":
        assert "record" in estate.topic.events[-1]["data"]["message"]


# -- off, on, off --------------------------------------------------------------------------------------------------


async def test_without_the_setting_nothing_is_called_and_nothing_kept() -> None:
    estate = await Estate().open()
    endpoint = await connected(estate)
    await estate.sweep()
    assert estate.topic.requests == []
    assert estate.worker.context.topic is None
    assert (await estate.connection(endpoint)).notifications == NotificationState()


async def test_switched_on_later_each_connection_is_told_as_it_is_and_what_is_gone_is_not() -> None:
    estate = await Estate().open()
    await connected(estate)
    gone = await connected(estate, "pe-gone", "westeurope")
    await estate.delete(gone)
    await sweeps(estate, 3600)
    assert (await estate.connection(gone)).status.phase == "Removed"
    estate.worker = estate.new_worker(**ON)
    await sweeps(estate, 600)
    assert [(event["data"]["name"], event["data"]["phase"]) for event in estate.topic.events] == [("pe-1", "Ready")]


# -- the schema ----------------------------------------------------------------------------------------------------


async def test_everything_that_is_sent_is_as_the_schema_says(estate: Estate) -> None:
    endpoint, trouble = await connected(estate), Trouble(estate)
    trouble.on = True
    await look(estate, endpoint)
    await sweeps(estate, 600)
    trouble.on = False
    await estate.put_endpoint("pe-2", tags={"elastic-deployments": "search-eastus2"})
    await sweeps(estate, 600)
    await estate.delete(endpoint)
    await sweeps(estate, 3600)
    estate.elastic_settings.api_key_expires_at = estate.clock.now().replace(day=estate.clock.now().day + 2)
    await sweeps(estate, 300)
    estate.worker = estate.new_worker(**ON, NOTIFY_REPAIRS="true")
    third = await connected(estate, "pe-3", "westeurope")
    await estate.clock.sleep(3600)
    estate.elastic.delete_policy(estate.policies_of(third)[0].id)
    await sweeps(estate, 600)
    types = {event["type"] for event in estate.topic.events}
    assert types - OF_THE_APP == {*Type} - OF_THE_APP, "test_notify_app.py has the others"
    assert [(event["type"], found) for event in estate.topic.events if (found := judged(event))] == []


@pytest.mark.parametrize("type_", sorted({*Type} - OF_THE_APP | {Type.KEY_REFUSED, Type.APP_RECOVERED}))
def test_the_page_for_receivers_has_an_example_of_each_type_and_each_is_as_the_schema_says(type_: Type) -> None:
    page = (DOCS / "notifications.md").read_text(encoding="utf-8")
    examples = [json.loads(block.split("```")[0]) for block in page.split("```json\n")[1:]]
    of_this = [example for example in examples if example["type"] == type_]
    assert len(of_this) == 1
    assert judged(of_this[0]) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "x"), ("type", "ElasticPrivateLink.Other"), ("subject", "/nothing"), ("upn", "ada@example.com")],
)
async def test_the_schema_refuses_what_is_no_event_of_ours(estate: Estate, field: str, value: str) -> None:
    await connected(estate)
    (event,) = estate.topic.events
    assert judged(event) == []
    assert judged(event | {field: value}) != []
    assert judged(event | {"data": event["data"] | {"upn": "ada@example.com"}}) != []


async def test_a_record_survives_its_way_through_the_table_with_its_notices(estate: Estate) -> None:
    estate.topic.settings.fail = 503
    endpoint = await connected(estate)
    row = await estate.storage.connections.get(connection_id(endpoint))
    assert row is not None
    (notice,) = from_document(json.loads(json.dumps(row.document))).notifications.outbox
    assert (notice.type, notice.data["phase"]) == (Type.READY, "Ready")
