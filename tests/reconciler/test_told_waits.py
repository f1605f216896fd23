"""Waits that end by themselves or never: what each says, what to do, how often it is looked at, what goes on.

Those for an address are in `test_never_addressed`, for a link, a zone or any operation in `test_waiting`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from shared.core.model import conditions as c
from tests.harness.estate import Estate
from tests.reconciler import situations_azure, situations_elastic
from tests.reconciler.situations import SITUATIONS, made, pending, ready, swept, the

assert situations_azure is not situations_elastic, "both fill the table"
Make = Callable[[Estate], Awaitable[str]]
GOES_ON = (c.ZONE_READY, c.LINKED, c.RECORD_READY, c.POLICY_READY)


def in_state(word: str) -> Make:
    """An endpoint whose connection Azure calls so, for longer than an approval takes."""

    async def make(estate: Estate) -> str:
        endpoint = await pending(estate)
        estate.arm.set_connection(endpoint, word, "gave up")
        await estate.send(endpoint)
        await estate.settle(7200)
        return endpoint

    return make


async def failed_with_an_address(estate: Estate) -> str:
    estate.arm_settings.failing_endpoints["pe-1"] = "InternalServerError"
    estate.elastic_settings.approves = False
    return await made(estate)


def a_deployment_that_is(state: str) -> Make:
    async def make(estate: Estate) -> str:
        endpoint = await ready(estate)
        the(estate).status = state
        await swept(estate)
        await estate.settle(3600)
        return endpoint

    return make


@dataclass(frozen=True)
class Row:
    """A situation: the condition that tells it, with words of message and next step, and which must not be said."""

    make: Make
    condition: str
    reason: str
    says: str
    step: str
    phase: str = "Blocked"
    looks: int = 0
    """Calls of the app in the next two hours, without the sweep, at most."""
    never: str = "Elastic approves by itself"


ROWS = {
    "Azure calls it Removed": Row(
        in_state("Removed"), c.APPROVED, "ApprovalOverdue", 'calls the connection Removed ("gave up")', "Compare"
    ),
    "Azure calls it Timeout": Row(
        in_state("Timeout"), c.APPROVED, "ApprovalOverdue", 'calls the connection Timeout ("gave up")', "Compare"
    ),
    "Azure names no state": Row(in_state(""), c.APPROVED, "ApprovalOverdue", "names no state", "Compare"),
    "failed, with an address": Row(
        failed_with_an_address, c.ADDRESSED, "EndpointFailed", "Failed. Its address is 127.", "create it again"
    ),
    "overdue, and another policy has the GUID in other letters": Row(
        SITUATIONS["pending too long, with another policy of the GUID"].make,
        c.APPROVED,
        "ApprovalOverdue",
        "(by hand, azure-eastus2) has the same GUID in another letter case",
        "Correct the GUID in policy",
    ),
    **{
        f"a deployment that is {state}": Row(
            a_deployment_that_is(state),
            c.REACHABLE,
            "DeploymentChanging",
            state,
            "Wait",
            phase="Degraded",
            looks=40,
            never="alias",
        )
        for state in ("initializing", "reconfiguring")
    },
    "a Fleet alias that the proxy does not know": Row(
        SITUATIONS["an alias that the proxy does not know"].make,
        c.REACHABLE,
        "AliasNotServed",
        "Fleet Server answers at",
        "Use https://",
        phase="Degraded",
        looks=400,
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_each_wait_says_what_it_is_and_is_looked_at_rarely(row: Row) -> None:
    estate = await Estate().open()
    endpoint = await row.make(estate)
    record = await estate.connection(endpoint)
    told = record.condition(row.condition)
    assert told is not None
    assert (told.reason, record.status.phase) == (row.reason, row.phase)
    assert row.says in told.message
    assert row.step in (told.next_step or "Wait")
    assert not any(row.never in one.message for one in record.status.conditions)
    assert all(one.true for one in record.status.conditions if one.type in GOES_ON)
    before = len(estate.worker.wire.calls)
    await estate.settle(7200)
    assert len(estate.worker.wire.calls) - before <= row.looks
    if row.reason == "DeploymentChanging":
        await estate.ready(await made(estate, name="pe-2", region="westeurope"))
