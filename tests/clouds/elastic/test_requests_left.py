"""The rate limit that Elastic Cloud's answers tell: what would be refused is not sent."""

from __future__ import annotations

import asyncio

import pytest

from shared.clouds.elastic.transport import LONGEST_INTERVAL, RequestsLeft
from shared.core.model.errors import Throttled
from tests.harness.estate import Estate


def told(remaining: str, interval: str = "20") -> dict[str, str]:
    return {"x-ratelimit-remaining": remaining, "x-ratelimit-interval": interval}


async def test_while_nothing_is_left_nothing_is_sent_until_the_interval_ends() -> None:
    left = RequestsLeft()
    left.heard(told("1"))
    await asyncio.sleep(5)
    left.heard(told("0"))
    with pytest.raises(Throttled) as refused:
        left.ensure("list policies", "all regions")
    assert refused.value.after == pytest.approx(15)
    await asyncio.sleep(15)
    left.ensure("list policies", "all regions")


@pytest.mark.parametrize("headers", [{}, told("-1"), told("0", ""), told("none"), {"x-ratelimit-remaining": "0"}])
async def test_headers_that_say_nothing_hold_nothing_up(headers: dict[str, str]) -> None:
    left = RequestsLeft()
    left.heard(headers)
    left.ensure("list policies", "all regions")


async def test_an_interval_in_another_unit_holds_nothing_up_for_hours() -> None:
    left = RequestsLeft()
    left.heard(told("0", "3600000"))
    with pytest.raises(Throttled) as refused:
        left.ensure("list policies", "all regions")
    assert refused.value.after <= LONGEST_INTERVAL


async def test_a_burst_meets_no_refusal_of_elastics_and_becomes_ready() -> None:
    estate = await Estate().open()
    estate.elastic_settings.rate_limit, estate.elastic_settings.rate_limit_interval_seconds = 6, 20.0
    endpoints = [await estate.put_endpoint(f"pe-{one}", region=one) for one in ("eastus2", "westeurope", "japaneast")]
    await estate.settle()
    for endpoint in endpoints:
        await estate.ready(endpoint)
    assert not [one for one in estate.elastic.requests if one.status == 429]
