"""What a person asks for ends with the run that answers it, also when a worker was busy or died."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from shared.api.operations import show
from shared.api.queries import check_connection, rerun_connection
from shared.core.model.arm_ids import connection_id
from tests.harness.by_hand import DNS_API
from tests.harness.changing import connected
from tests.harness.estate import Estate
from tests.harness.platform_parts import ASKED
from tests.harness.wire import Call, Fault, Outcome, Stall


async def stands(estate: Estate, operation: str) -> dict[str, Any]:
    return await show(estate.worker.context, operation)


async def test_a_rerun_says_what_it_changed_and_a_second_one_that_there_was_nothing_to_do(estate: Estate) -> None:
    endpoint = await connected(estate)
    record = (await estate.connection(endpoint)).dns.record
    assert record is not None
    await estate.azure("DELETE", record.id, api=DNS_API)
    one = connection_id(endpoint)
    await rerun_connection(estate.worker.context, one, replace(ASKED, correlation_id="first-one"))
    assert (await stands(estate, "first-one"))["status"] == "Running"
    await estate.settle(60)
    ended = await stands(estate, "first-one")
    assert (ended["status"], ended["connections"][0]["phase"]) == ("Succeeded", "Ready")
    assert len(ended["connections"][0]["changed"]) == 1
    await estate.clock.sleep(5)
    await check_connection(estate.worker.context, one, replace(ASKED, correlation_id="second-one"))
    await estate.settle(60)
    ended = await stands(estate, "second-one")
    assert (ended["status"], ended["connections"][0]["changed"]) == ("Succeeded", [])


async def test_what_is_asked_for_during_a_run_is_answered_by_the_one_that_follows(estate: Estate) -> None:
    endpoint = await connected(estate)
    one, seen = connection_id(endpoint), list[str]()

    slow = [True]

    def faults(call: Call) -> Outcome:
        if slow and call.service == "arm":
            slow.clear()
            return Stall(5.0)
        return None

    async def ask_meanwhile() -> None:
        await estate.clock.sleep(3.0)
        assert await estate.worker.context.leases.running(one)
        for number in range(3):
            asked = replace(ASKED, correlation_id=f"meanwhile-{number}")
            await rerun_connection(estate.worker.context, one, asked)
        seen.append((await stands(estate, "meanwhile-0"))["status"])

    estate.worker = estate.new_worker(faults)
    await estate.send(endpoint)
    async with asyncio.TaskGroup() as group:
        group.create_task(ask_meanwhile())
        group.create_task(estate.settle(60))
    await estate.settle(60)
    assert seen == ["Running"], "the run that was under way is no answer"
    assert [(await stands(estate, f"meanwhile-{number}"))["status"] for number in range(3)] == ["Succeeded"] * 3


async def test_what_is_asked_for_is_answered_though_the_worker_dies(estate: Estate) -> None:
    endpoint = await connected(estate)
    one, dies = connection_id(endpoint), [True]

    def faults(call: Call) -> Outcome:
        if dies and call.service == "arm":
            dies.clear()
            return Fault.CRASH_AFTER
        return None

    estate.worker = estate.new_worker(faults)
    await rerun_connection(estate.worker.context, one, replace(ASKED, correlation_id="dies-at-first"))
    await estate.settle(600)
    assert not dies
    assert (await stands(estate, "dies-at-first"))["status"] == "Succeeded"
