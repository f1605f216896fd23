"""One endpoint at the speed of the clouds, and sixty at once without a refusal of Azure's. Seconds are virtual.

What is asked stands in each test.
"""

from __future__ import annotations

import os

import pytest

from tests.scale.estates import AS_SEEN, COMBINATIONS, Durations, many_at_once, one_endpoint

ZONES_IN_A_MINUTE = 40
MOST_READS, MOST_CALLS = 6, 5
ALL = bool(os.environ.get("SCALE"))
"""Set by `make burst`."""

EVERY = [
    (one, hub) for number, one in enumerate(COMBINATIONS) for hub in (False, True) if ALL or hub == bool(number % 2)
]
"""Each combination with the hub or without; `make burst` has all with both."""


@pytest.mark.parametrize(("durations", "hub"), EVERY, ids=str)
async def test_one_endpoint_is_ready_soon_after_the_clouds_are(durations: Durations, hub: bool) -> None:
    found = await one_endpoint(durations, hub=hub)
    assert found.seconds <= 1.1 * durations.critical_path(2 if hub else 1) + 2
    assert found.refused == 0


@pytest.mark.parametrize("limits", ["older", "newer"] if ALL else ["older"])
async def test_sixty_endpoints_at_once_are_ready_in_time_and_azure_refuses_nothing(limits: str) -> None:
    path = AS_SEEN.critical_path(1)
    floor = max(path, 60 / ZONES_IN_A_MINUTE * 60) if limits == "newer" else path
    found = await many_at_once(60, AS_SEEN, limits)
    assert found.refused == 0
    assert found.dns_reads <= MOST_READS * 60
    assert found.elastic_calls <= MOST_CALLS * 60
    assert found.seconds <= 1.5 * floor
