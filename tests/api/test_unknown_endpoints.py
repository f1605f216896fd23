"""Endpoints that are named over HTTP and that no record tells of: Azure is asked first, 100 times a minute at most."""

from __future__ import annotations

import pytest

from local.arm import DEFAULT_SUBSCRIPTION
from shared.api.queries import EndpointNotFound, rerun_endpoint
from shared.core.model.arm_ids import connection_id
from shared.installation.unknown_endpoints import MOST, TooManyUnknownEndpoints
from shared.state.rows import ControlRow
from tests.harness.estate import Estate
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Refusal

MANY = 2_000


def made_up(number: int = 0) -> str:
    """The id of an endpoint that was never made."""
    group = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-x"
    return f"{group}/providers/Microsoft.Network/privateEndpoints/pe-{number}"


async def test_a_made_up_id_is_refused_and_leaves_no_message_and_no_record(estate: Estate) -> None:
    with pytest.raises(EndpointNotFound):
        await rerun_endpoint(estate.worker.context, made_up(), ASKED)
    assert not estate.queue.messages
    assert await estate.storage.connections.get(connection_id(made_up())) is None


async def test_thousands_of_made_up_ids_leave_nothing_and_azure_is_asked_a_hundred_times(estate: Estate) -> None:
    await estate.clock.sleep(60 - estate.clock.now().second)
    context, answers = estate.worker.context, {EndpointNotFound: 0, TooManyUnknownEndpoints: 0}
    before = len(estate.worker.wire.calls)
    for number in range(MANY):
        with pytest.raises((EndpointNotFound, TooManyUnknownEndpoints)) as refused:
            await rerun_endpoint(context, made_up(number), ASKED)
        answers[refused.type] += 1
    assert answers == {EndpointNotFound: MOST, TooManyUnknownEndpoints: MANY - MOST}
    assert sum(call.service == "arm" for call in estate.worker.wire.calls[before:]) == MOST
    assert not estate.queue.messages
    assert estate.storage.connections.rows() == {}


async def test_the_refusal_says_how_long_and_the_next_minute_begins_anew(estate: Estate) -> None:
    context = estate.worker.context
    await estate.clock.sleep(60 - estate.clock.now().second + 20)
    for number in range(MOST):
        with pytest.raises(EndpointNotFound):
            await rerun_endpoint(context, made_up(number), ASKED)
    with pytest.raises(TooManyUnknownEndpoints) as refused:
        await rerun_endpoint(context, made_up(), ASKED)
    assert 1 <= refused.value.after <= 40
    await estate.clock.sleep(refused.value.after)
    with pytest.raises(EndpointNotFound):
        await rerun_endpoint(context, made_up(), ASKED)


async def test_an_endpoint_that_is_there_is_run_and_one_on_record_is_not_asked_for(estate: Estate) -> None:
    context, endpoint = estate.worker.context, await estate.put_endpoint()
    estate.queue.messages.clear()
    await rerun_endpoint(context, endpoint, ASKED)
    await estate.settle()
    await estate.ready(endpoint)
    before = len(estate.worker.wire.calls)
    await rerun_endpoint(context, endpoint, ASKED)
    assert not [call for call in estate.worker.wire.calls[before:] if call.service == "arm"]


async def test_where_azure_does_not_answer_the_run_asks_again(estate: Estate) -> None:
    endpoint = await estate.put_endpoint()
    estate.queue.messages.clear()
    worker = estate.new_worker(lambda call: Refusal(503) if call.service == "arm" else None)
    await rerun_endpoint(worker.context, endpoint, ASKED)
    assert any('"cause":"manual"' in message.text for message in estate.queue.messages)


@pytest.mark.parametrize("document", [{}, {"minute": 7, "count": "many"}, {"minute": "9999", "count": -5}])
async def test_a_damaged_count_begins_anew(estate: Estate, document: dict[str, object]) -> None:
    await estate.storage.control.put(ControlRow("unknown-endpoints", document))
    with pytest.raises(EndpointNotFound):
        await rerun_endpoint(estate.worker.context, made_up(), ASKED)
