"""Events are hints: doubled, late, out of order, lost or foreign ones do no harm."""

from __future__ import annotations

import json

import pytest

from local.elastic.history import most_policies_at_once
from shared.core.model.arm_ids import connection_id
from tests.harness.estate import Estate
from tests.harness.wire import Refusal


def creates(estate: Estate) -> list[str]:
    """Every successful create that the workers caused."""
    made = [f"{r.operation}" for r in estate.arm.requests if r.operation in {"PUT zone", "PUT link", "PUT record"}]
    return made + [r.operation for r in estate.elastic.requests if r.operation.startswith("create")]


ONCE = ["PUT zone", "PUT record", "PUT link", "PUT link", "create ruleset", "create association"]


async def test_doubled_events_make_nothing_twice(estate: Estate) -> None:
    estate.events.settings.duplicate = True
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert creates(estate) == ONCE


async def test_events_out_of_order_end_in_the_same_state(estate: Estate) -> None:
    """A write event that arrives long after the work is done changes nothing."""
    late = iter([0.0, 900.0])
    estate.events.settings.duplicate = True
    estate.events.settings.delivery_delay = lambda _: next(late)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    assert creates(estate) == ONCE


async def test_a_delete_event_that_overtakes_the_write_event_is_harmless(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.send(endpoint, "event-delete")
    await estate.settle()
    await estate.ready(endpoint)
    assert creates(estate) == ONCE


async def test_a_delete_event_is_not_believed_while_azure_shows_the_endpoint(estate: Estate) -> None:
    """It came late, of the endpoint that had the name before: not for a moment does the connection count as going."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.send(endpoint, "event-delete")
    await estate.settle(60)
    connection = await estate.ready(endpoint)
    assert connection.removal.removing_since is None
    assert creates(estate) == ONCE


async def test_a_delete_event_is_remembered_where_azure_does_not_answer_at_that_moment(estate: Estate) -> None:
    """Else only two sweeps would find out, and the removal begin so much later."""
    endpoint = await estate.put_endpoint()
    await estate.settle()
    busy = iter([Refusal(503)])
    estate.worker = estate.new_worker(lambda call: next(busy, None) if call.service == "arm" else None)
    await estate.delete(endpoint)
    await estate.settle(120)
    assert await estate.reason(endpoint, "Removed") == "GracePeriod"


async def test_a_delete_event_of_an_unknown_endpoint_leaves_no_trace(estate: Estate) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint("pe-gone")
    estate.events.settings.drop = False
    await estate.delete(endpoint)
    await estate.settle()
    assert await estate.storage.connections.get(connection_id(endpoint)) is None


async def test_what_was_made_for_a_deleted_endpoint_stays_for_the_grace_period_and_then_goes(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    await estate.settle()
    (policy,) = estate.policies_of(endpoint)
    before = estate.zone().a_record("*")
    await estate.delete(endpoint)
    await estate.settle(580)
    assert (await estate.connection(endpoint)).status.phase == "Removing"
    assert await estate.reason(endpoint, "Removed") == "GracePeriod"
    assert estate.zone().a_record("*") == before
    assert policy in estate.elastic.rulesets()
    await estate.settle()
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert await estate.reason(endpoint, "Removed") == "Removed"
    assert estate.arm.private_dns_zones() == []
    assert policy not in estate.elastic.rulesets()


async def test_a_lost_event_is_made_good_by_the_next_sweep(estate: Estate) -> None:
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert await estate.storage.connections.get(connection_id(endpoint)) is None
    found = await estate.sweep()
    assert (found.endpoints, found.enqueued) == (1, 1)
    await estate.settle()
    await estate.ready(endpoint)


async def test_tags_changed_in_the_portal_are_seen_without_a_sweep(estate: Estate) -> None:
    """The portal, `az tag` and policies write tags as a resource of their own; the endpoint reports no write."""
    endpoint = await estate.put_endpoint(tags={})
    await estate.settle()
    assert await estate.reason(endpoint, "Associated") == "NothingRequested"
    tags = f"{endpoint}/providers/Microsoft.Resources/tags/default"
    change = {"operation": "Merge", "properties": {"tags": {"elastic-deployments": "logs-eastus2"}}}
    await estate.azure("PATCH", tags, change, api="2021-04-01")
    await estate.settle(30)
    assert await estate.reason(endpoint, "Associated") == "Associated"


async def test_a_raw_event_on_the_queue_is_understood(estate: Estate) -> None:
    """An event subscription can deliver straight to the queue."""
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    event = {
        "specversion": "1.0",
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "source": "/subscriptions/x",
        "subject": endpoint.replace("resourceGroups", "resourcegroups"),
        "id": "1",
        "data": {"operationName": "Microsoft.Network/privateEndpoints/write", "claims": {"upn": "a@b.example"}},
    }
    await estate.queue.send(json.dumps(event))
    await estate.settle()
    await estate.ready(endpoint)


async def test_nothing_of_a_raw_event_but_its_endpoint_is_kept_when_its_work_fails(estate: Estate) -> None:
    """Not even where a message ends that has failed eight times."""
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    event = {
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "subject": endpoint,
        "id": "1",
        "data": {"claims": {"name": "Ada Lovelace"}, "correlationId": "c-1"},
    }
    estate.worker = estate.new_worker(lambda call: Refusal(500) if call.service == "connections" else None)
    await estate.queue.send(json.dumps([event, event]))
    await estate.settle(7200)
    assert [json.loads(message.text) for message in estate.queue.poison] == [
        {"v": 1, "endpoint": endpoint, "cause": "event-write", "correlationId": "c-1"}
    ] * 2
    assert "Ada" not in str(estate.queue.poison)


async def test_an_endpoint_that_is_not_elastics_is_ignored_with_its_reason(estate: Estate) -> None:
    alias = "storage.0a0a0a0a-0000-0000-0000-000000000000.eastus2.azure.privatelinkservice"
    endpoint = await estate.put_endpoint(alias=alias)
    await estate.settle()
    connection = await estate.connection(endpoint)
    assert connection.status.phase == "Ignored"
    assert await estate.reason(endpoint, "Recognised") == "NotElastic"
    assert not estate.elastic.requests
    assert not estate.arm.private_dns_zones()


async def test_a_serverless_alias_is_recognised_and_explained(estate: Estate) -> None:
    alias = "eastus2-prod-privatelink-serverless.46552e7f-8404-48e2-8c79-66801ef74a76.eastus2.azure.privatelinkservice"
    endpoint = await estate.put_endpoint(alias=alias)
    await estate.settle()
    recognised = (await estate.connection(endpoint)).condition("Recognised")
    assert recognised is not None
    assert (recognised.status, recognised.reason) == ("True", "ElasticService")
    assert "for Serverless projects of eastus2" in recognised.message


async def test_an_endpoint_outside_the_settings_scope_is_not_even_read_only_looked_up_in_the_table() -> None:
    estate = await Estate(settings={"AZURE_RESOURCE_GROUPS": "rg-other"}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert {call.name for call in estate.worker.wire.calls} == {"connections get"}
    assert await estate.storage.connections.get(connection_id(endpoint)) is None


async def test_an_alias_in_capitals_is_the_same_alias(estate: Estate) -> None:
    alias = "EASTUS2-PROD-002-PRIVATELINK-SERVICE.64359FDD-7893-4215-9929-ECE3287E1371.EASTUS2.AZURE.PRIVATELINKSERVICE"
    endpoint = await estate.put_endpoint(alias=alias)
    await estate.settle(60)
    assert (await estate.connection(endpoint)).identity.region == "eastus2"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"v":1,"endpoint":"/nothing"}', "[1,2]"])
async def test_a_message_that_cannot_be_understood_goes_to_poison_and_nowhere_else(estate: Estate, text: str) -> None:
    await estate.queue.send(text)
    for _ in range(8):
        message = estate.queue.receive()
        assert message is not None
        with pytest.raises(Exception, match=r"queue message|resource|event"):
            await estate.handle(message)
        await estate.clock.sleep(31)
    assert estate.queue.receive() is None
    assert [message.text for message in estate.queue.poison] == [text]
    assert not estate.worker.wire.calls


async def test_never_two_policies_for_one_guid(estate: Estate) -> None:
    estate.events.settings.duplicate = True
    endpoint = await estate.put_endpoint()
    for _ in range(5):
        await estate.send(endpoint)
    await estate.settle()
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    assert most_policies_at_once(estate.elastic.history, found.resource_guid) == 1
