"""The POST of a policy is not idempotent: its answer may be lost, and there is never a second policy, one at the end.

Elastic Cloud's own history is the judge.
"""

from __future__ import annotations

import asyncio

import pytest

from local.elastic.history import most_policies_at_once
from tests.harness.estate import Estate
from tests.harness.outcome import EVERY_FAULT, At
from tests.harness.wire import Fault, Late, Outcome, Stall

CREATES = "elastic POST /api/v1/deployments/traffic-filter/rulesets"
KINDS: tuple[Outcome, ...] = (
    None,
    Fault.LOSE_ANSWER,
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Stall(50),
    Late(5),
    Late(60),
    Late(600),
)
LAGS = (0.5, 30.0, 120.0)


async def quarters(estate: Estate, number: int) -> None:
    """Quarters of an hour, with a sweep in each."""
    for _ in range(number):
        ends = asyncio.get_running_loop().time() + 900
        await estate.sweep()
        await estate.settle(900)
        await estate.clock.sleep(max(0.0, ends - asyncio.get_running_loop().time()))


async def begun(kind: Outcome, lag: float) -> tuple[Estate, str, str]:
    """An endpoint whose policy's POST meets the fault; returns its GUID too."""
    estate = await Estate().open()
    await estate.clock.sleep(3600)  # what was there before has been there for long
    estate.elastic_settings.create_lag_seconds = lag
    estate.events.settings.drop = True
    endpoint = await estate.put_endpoint()
    found = estate.arm.private_endpoint(endpoint)
    assert found is not None
    estate.worker = estate.new_worker(At(CREATES, 1, kind))
    await estate.send(endpoint)
    return estate, endpoint, found.resource_guid


def cases(lags: tuple[float, ...]) -> list[tuple[Outcome, float]]:
    """Each kind with each lag; in the ordinary run with one of them."""
    return [
        (kind, lag)
        for number, kind in enumerate(KINDS)
        for lag in (lags if EVERY_FAULT else (lags[number % len(lags)], lags[-1]))
    ]


@pytest.mark.parametrize(("kind", "lag"), cases(LAGS))
async def test_there_is_never_a_second_policy_and_one_at_the_end(kind: Outcome, lag: float) -> None:
    estate, endpoint, guid = await begun(kind, lag)
    await estate.settle(30)
    await quarters(estate, 4)
    await estate.ready(endpoint)
    assert most_policies_at_once(estate.elastic.history, guid) == 1
    assert len(estate.policies_of(endpoint)) == 1


@pytest.mark.parametrize(("kind", "lag"), cases(LAGS))
async def test_an_endpoint_that_goes_meanwhile_leaves_none(kind: Outcome, lag: float) -> None:
    estate, endpoint, guid = await begun(kind, lag)
    await estate.settle(20)
    await estate.delete(endpoint)
    await quarters(estate, 6)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert [ruleset.id for ruleset in estate.elastic.rulesets() if guid.lower() in ruleset.guids] == []
    assert most_policies_at_once(estate.elastic.history, guid) <= 1


@pytest.mark.parametrize("lag", [120.0, 1800.0])
async def test_a_policy_whose_post_was_answered_is_made_once_though_reads_are_far_behind(lag: float) -> None:
    """As far as VISIBILITY_SECONDS."""
    estate, _, guid = await begun(None, lag)
    await quarters(estate, 6)
    assert most_policies_at_once(estate.elastic.history, guid) == 1


@pytest.mark.parametrize("lag", [120.0, 1800.0])
async def test_a_policy_that_was_made_and_does_not_show_yet_goes_with_its_endpoint(lag: float) -> None:
    """The lists of the removal lack it: they are not believed within VISIBILITY_SECONDS."""
    estate, endpoint, guid = await begun(None, lag)
    await estate.settle(10)
    await estate.delete(endpoint)
    await quarters(estate, 6)
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert [ruleset.id for ruleset in estate.elastic.rulesets() if guid.lower() in ruleset.guids] == []
