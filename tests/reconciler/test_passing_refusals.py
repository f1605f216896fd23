"""One answer that is wrong, short or refused does no harm and decides nothing for good: what follows puts it right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.changing import attached
from tests.harness.estate import Estate
from tests.harness.leaving import GRACE, OFFICE, connected, everything, removals, removed_reason
from tests.harness.wire import Call, Edited, Fault, Outcome, Refusal

CLAIMED = {"elastic-deployments": "logs-eastus2", "elastic-privatelink-claim": "true"}


def _without(name: str) -> Edited:
    """An answer whose list has nothing in it, though all else of it is as it was."""
    return Edited("short", lambda body: json.dumps(json.loads(body) | {name: []}).encode())


def once(outcome: Outcome, picked: Callable[[Call], bool]) -> Callable[[Call], Outcome]:
    """This happens to the first such call."""
    left = [outcome]
    return lambda call: left.pop() if left and picked(call) else None


def searches(call: Call) -> bool:
    return call.what.endswith("/_search")


def lists_policies(call: Call) -> bool:
    return call.service == "elastic" and call.what.endswith("/traffic-filter/rulesets")


def lists_records(call: Call) -> bool:
    return "/aLL" in call.what


def reads_endpoint(call: Call) -> bool:
    return call.what.startswith("GET") and "pe-1" in call.what


async def gone_after(estate: Estate, endpoint: str, outcome: Outcome, picked: Callable[[Call], bool]) -> None:
    """The endpoint is deleted; this happens to the first such call of its removal."""
    await estate.delete(endpoint)
    await estate.settle(GRACE / 2)
    estate.worker = estate.new_worker(once(outcome, picked))
    await estate.settle(2 * GRACE)


@pytest.mark.parametrize(
    ("outcome", "picked"),
    [
        pytest.param(_without("deployments"), searches, id="deployments"),
        pytest.param(_without("rulesets"), lists_policies, id="policies"),
        pytest.param(Refusal(409), searches, id="refused as if it were a write"),
        pytest.param(Refusal(403), lists_records, id="no right to read records"),
    ],
)
async def test_what_one_list_lacks_is_not_gone(
    estate: Estate, outcome: Outcome, picked: Callable[[Call], bool]
) -> None:
    endpoint = await connected(estate)
    await gone_after(estate, endpoint, outcome, picked)
    order = removals(estate)
    for _ in range(2):
        await estate.sweep()
        await estate.settle(900)
        await estate.clock.sleep(900)
    assert everything(estate) == []
    assert await removed_reason(estate, endpoint) == "Removed"
    assert attached(estate, "logs-eastus2") == [OFFICE]
    assert "record" not in order or order.index("policy") < order.index("record"), "the record goes after the policy"


async def test_a_policy_that_cannot_be_read_just_before_it_is_deleted_is_not_gone(estate: Estate) -> None:
    """Elastic Cloud answers 403 for some that are gone, so its list has to lack the policy too."""
    endpoint = await connected(estate)
    looks = 0

    def wire(call: Call) -> Outcome:
        nonlocal looks
        looks += call.what.startswith("GET") and "/traffic-filter/rulesets/" in call.what
        second = looks == 2 and "/traffic-filter/rulesets/" in call.what and call.what.startswith("GET")
        return Refusal(403) if second else None  # the first look is for the association

    await estate.delete(endpoint)
    await estate.settle(GRACE / 2)
    estate.worker = estate.new_worker(wire)
    await estate.settle(2 * GRACE)
    assert everything(estate) == []
    assert await removed_reason(estate, endpoint) == "Removed"


async def test_a_claim_whose_end_is_not_listed_yet_is_no_leftover(estate: Estate) -> None:
    """The answer was lost; the next try is refused, because it is given up, and the list lags."""
    endpoint = await connected(estate, tags=CLAIMED)
    listed = json.dumps({"claimed_link_ids": estate.elastic.claims()}).encode()
    lagging = Edited("lagging", lambda _: listed)
    looks: list[Any] = [lagging] * 3
    lost: list[Any] = [Fault.LOSE_ANSWER]

    sent = 0

    def faults(call: Call) -> Outcome:
        nonlocal sent
        if call.what.endswith("_unclaim"):
            sent += 1
            return lost.pop() if lost else None
        return looks.pop() if not lost and looks and call.what.endswith("/link-ids") else None

    await estate.delete(endpoint)
    estate.worker = estate.new_worker(faults)
    await estate.settle(2 * GRACE)
    assert estate.elastic.claims() == []
    assert await removed_reason(estate, endpoint) == "Removed"
    assert sent == 2, "while the list lags it alone is asked"


async def test_what_an_event_told_of_a_deletion_is_kept_while_another_run_is_busy(estate: Estate) -> None:
    """Else the removal would wait for two sweeps, and count as one that nothing confirms."""
    endpoint = await connected(estate)
    worker = estate.new_worker(once(Fault.CRASH_AFTER, reads_endpoint))
    await estate.send(endpoint)
    await estate.settle(1.0, worker)
    await estate.delete(endpoint)
    await estate.settle(2 * GRACE)
    assert (await estate.connection(endpoint)).removal.event_told
    assert everything(estate) == []


async def test_a_zone_that_another_endpoint_kept_is_no_leftover_once_it_is_gone_with_that_one(estate: Estate) -> None:
    estate.settings |= {"DNS_RECORD_MODE": "union"}
    estate.worker = estate.new_worker()
    first, second = await connected(estate, "pe-1"), await connected(estate, "pe-2")
    await estate.delete(first)
    await estate.settle(2 * GRACE)
    assert await removed_reason(estate, first) == "LeftBehind"
    await estate.delete(second)
    await estate.settle(2 * GRACE)
    await estate.sweep()
    await estate.settle()
    assert everything(estate) == []
    assert await removed_reason(estate, first) == "Removed"
