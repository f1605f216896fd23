"""A fault at any single remote call of what comes after the first day: changes, a removal, what a sweep puts right.

As in `test_crashes`: each chapter is told once as it goes well, then once per remote call with a fault at that call.
The end must be the same, and everything must have been made, changed and deleted as often. EVERY_FAULT=1 tells all of
them, not only those that leave the most behind: a worker that dies with a write done (of the reads a sample, because
there it leaves nothing new behind), an answer of a write that is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from local.elastic.history import most_policies_at_once
from shared.core.model.errors import RetryLater
from tests.harness.changing import attached, policy_of, take_away
from tests.harness.estate import Estate
from tests.harness.leaving import DNS_API, connected, everything
from tests.harness.outcome import DNS, EVERY_FAULT, At, in_ordinary_run, record_state
from tests.harness.wire import Call, Fault, Faults, Killed, Outcome, Refusal, no_faults

OTHER = "other"
Chapter = Callable[[Estate, str], Awaitable[None]]


async def removed(estate: Estate, endpoint: str) -> None:
    await estate.delete(endpoint)
    await estate.settle(7200)


async def made_anew(estate: Estate, endpoint: str) -> None:
    await estate.delete(endpoint)
    await estate.put_endpoint()
    await estate.settle(7200)


async def connected_to_another(estate: Estate, endpoint: str) -> None:
    await estate.put_endpoint(tags={"elastic-deployments": OTHER})
    await estate.settle(7200)


async def brought_up_to_date(estate: Estate, endpoint: str) -> None:
    """A new address, another name of the policy, and a claim, which is then given up."""
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    found.address = "127.77.0.99"
    policy_of(estate, endpoint).name = "orders"
    for claim in ("true", "false"):
        await estate.put_endpoint(tags={"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": claim})
        await estate.settle(3600)


async def put_right_by_sweeps(estate: Estate, endpoint: str) -> None:
    """The record and the association were taken away; the timer's own process may be the one that dies."""
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    take_away(estate, endpoint, "logs-eastus2")
    for _ in range(3):
        with suppress(Killed, BaseExceptionGroup, RetryLater):
            await estate.sweep()
        if estate.worker.wire.dead:
            estate.worker = estate.new_worker()
        await estate.settle(900)
        await estate.clock.sleep(900)


async def tell(chapter: Chapter, faults: Faults = no_faults) -> tuple[Estate, str]:
    """A connection that has stood for an hour, and then the chapter with a worker that has `faults`."""
    estate = await Estate().open()
    estate.elastic.add_deployment(OTHER, "eastus2", ip_policy=True)
    endpoint = await connected(estate)
    estate.worker = estate.new_worker(faults)
    await chapter(estate, endpoint)
    return estate, endpoint


async def end(estate: Estate, endpoint: str) -> dict[str, Any]:
    """What is there, what the record says, and how often what was done."""
    azure = Counter(
        f"{event.operation} {event.resource_id.lower()}"
        for event in estate.changes
        if event.resource_type.startswith(DNS) and event.status == "Succeeded"
    )
    guids = {guid for event in estate.elastic.history for guid in event.guids}
    return {
        "things": everything(estate),
        "associated": {name: attached(estate, name) for name in ("logs-eastus2", OTHER)},
        "claims": [claim["azure_endpoint_name"] for claim in estate.elastic.claims()],
        "record": await record_state(estate, endpoint),
        "done": azure + Counter(event.what for event in estate.elastic.history),
        "policies at once": max(most_policies_at_once(estate.elastic.history, guid) for guid in guids),
        "left": (estate.queue.poison, estate.queue.messages),
    }


def outcomes(call: Call) -> Iterator[Outcome]:
    """What may go wrong with a call."""
    if in_ordinary_run(call, Fault.CRASH_AFTER):
        yield Fault.CRASH_AFTER
    if call.writes and call.service in {"arm", "elastic"}:
        yield Fault.LOSE_ANSWER
    if EVERY_FAULT:
        yield Fault.CRASH_BEFORE
        yield from (Refusal(status) for status in (429, 500, 503))
        yield Refusal(429, {"Retry-After": "97"})
        if call.service in {"arm", "elastic"} and not call.writes:
            yield Fault.LOSE_ANSWER
        if call.what in {"insert", "replace"}:
            yield Fault.REPEAT


@pytest.mark.parametrize(
    ("chapter", "at_least"),
    [
        (removed, 40),
        (made_anew, 30),
        (connected_to_another, 20),
        (brought_up_to_date, 40),
        (put_right_by_sweeps, 40),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_fault_at_any_remote_call_of_a_later_chapter_costs_only_time(chapter: Chapter, at_least: int) -> None:
    reference, endpoint = await tell(chapter)
    good, seen, told, failed = await end(reference, endpoint), Counter[str](), 0, []
    for call in reference.worker.wire.calls:
        seen[call.name] += 1
        for outcome in outcomes(call):
            fault = At(call.name, seen[call.name], outcome)
            estate, endpoint = await tell(chapter, fault)
            told += fault.met
            found = await end(estate, endpoint)
            failed += [
                f"{outcome} at {call.name} ({seen[call.name]}): {name}: {found[name]}\n      instead of {good[name]}"
                for name in good
                if found[name] != good[name]
            ]
    assert not failed, "\n" + "\n".join(failed)
    assert told >= (at_least if EVERY_FAULT else at_least * 2 // 3), f"only {told} faults were where they should be"
