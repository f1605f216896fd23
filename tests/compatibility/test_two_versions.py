"""Two versions of the app side by side on one storage, while the newer takes the older one's place.

The newer one is the app as it is; the older one is the same code that knows an earlier form only, as the app before a
change of the form did: what the newer writes, it leaves to the newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest import mock

import pytest

from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.errors import InvalidInput
from shared.core.model.messages import PUT_BACKS_MAX, Cause, WorkMessage
from tests.harness.estate import Estate
from tests.harness.worker import Worker

RECORD, MESSAGE = "shared.core.model.record_document.SCHEMA", "shared.core.model.messages.VERSION"


@contextmanager
def older(form: str) -> Iterator[None]:
    """The code as it was before this form had the number that it has."""
    with mock.patch(form, 0):
        yield


async def side_by_side(estate: Estate, form: str, endpoint: str, minutes: int, seed: int) -> None:
    """Each message is taken by one of the two, as chance has it; people ask for more."""
    old, random = estate.new_worker(), Random(seed)
    for _ in range(minutes):
        await estate.send(endpoint)
        await a_minute(estate, form, old, random)
    others = {"connections", "things", "arm", "elastic"}
    assert [call.name for call in old.wire.calls if call.service in others and call.writes] == []
    assert [call.name for call in old.wire.calls if call.name == "queue send"], "the older one had work to do"


async def a_minute(estate: Estate, form: str, old: Worker, random: Random) -> None:
    end = estate.clock.now().timestamp() + 60
    while estate.clock.now().timestamp() < end:
        message = estate.queue.receive()
        if message is None:
            await asyncio.sleep(1)
        elif random.random() < 0.6:
            with older(form):
                await estate.handle(message, old)
        else:
            await estate.handle(message)


@pytest.mark.parametrize("form", [RECORD, MESSAGE])
@pytest.mark.parametrize("seed", range(2))
async def test_an_older_instance_puts_back_what_the_newer_wrote_and_loses_and_poisons_nothing(
    form: str, seed: int
) -> None:
    estate = await Estate().open()
    first = await estate.put_endpoint("pe-1")
    await asyncio.sleep(1)
    message = estate.queue.receive()
    assert message is not None
    await estate.handle(message)  # the newer one has begun the record
    await side_by_side(estate, form, first, 20, seed)
    await estate.ready(first)
    await estate.delete(first)
    await side_by_side(estate, form, first, 20, seed)
    await estate.settle()
    assert (await estate.connection(first)).status.phase == "Removed"
    assert await estate.queue.poisoned() == 0


async def test_a_sweep_of_the_older_instance_touches_no_record_of_the_newer() -> None:
    estate = await Estate().open()
    endpoint = await estate.put_endpoint("pe-1")
    await estate.settle()
    await estate.ready(endpoint)
    before = estate.storage.connections.rows()
    with older(RECORD):
        told = await estate.sweep(estate.new_worker())
    assert estate.storage.connections.rows() == before
    assert any("schema 1" in error for error in told.errors)
    await estate.settle()
    await estate.ready(endpoint)


async def test_a_record_that_no_newer_instance_takes_for_a_day_leaves_its_message_to_a_person() -> None:
    estate = await Estate().open()
    endpoint = await estate.put_endpoint("pe-1")
    await estate.settle()
    await estate.queue.send(
        WorkMessage(parse_endpoint_id(endpoint), Cause.MANUAL, "late", put_backs=PUT_BACKS_MAX).encode()
    )
    message = estate.queue.receive()
    with older(RECORD), pytest.raises(InvalidInput, match="schema 1"):
        await estate.handle(message)
