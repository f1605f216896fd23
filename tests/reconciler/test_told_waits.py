"""Waits that end by themselves or never: what each says, what to do, how often it is looked at, what goes on.

Those for an address are in `test_never_addressed`, for a link, a zone or any operation in `test_waiting`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.core.model import conditions as c
from tests.harness.estate import Estate
from tests.reconciler import situations_azure, situations_elastic
from tests.reconciler.situations import SITUATIONS, made, pending, ready, swept, the
from tests.reconciler.told_parts import DNS, Make, Row, holds

assert situations_azure is not situations_elastic, "both fill the table"
GOES_ON = (*DNS, c.POLICY_READY)


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
    unapproved = row.phase == "Blocked"  # there Elastic approves no other endpoint either
    others = GOES_ON if unapproved else row.others
    await holds(replace(row, goes_on=GOES_ON, enqueued=3, others=others))
