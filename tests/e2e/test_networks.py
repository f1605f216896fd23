"""Three networks with endpoints of two regions, laid out by the story's lines: `status` says how all stand."""

from __future__ import annotations

import re

import pytest
from e2e_networks import ThreeNetworks, advice, phases
from e2e_stories import condition

from local.cli.next_steps import REGIONS, SPOKES

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-commands")]


def stands(status: str, region: str) -> dict[str, tuple[str, str]]:
    """What `status` says of the three connections of a region, by network: phase and reason."""
    lines = re.findall(rf"^[0-9a-f]+  (\w+) +{region} +pe-(\w+)-{region} +(\w+)$", status, re.MULTILINE)
    return {f"vnet-{name}": (phase, reason) for phase, name, reason in lines}


@pytest.mark.parametrize("stage", ["three networks", "a hub is linked"])
async def test_without_a_hub_that_answers_all_are_ready_and_tested_where_there_is_a_way(
    three_networks: ThreeNetworks, stage: str
) -> None:
    seen = await three_networks.at(stage)
    tested, apart = ("Ready", "AllConditionsTrue"), ("Ready", "SetUpNotTested")
    for region in REGIONS:
        assert stands(seen.status, region) == dict(zip(SPOKES, (tested, tested, apart), strict=True))
    zones = {one["zone"]["id"] for one in seen.connections.values()}
    assert len(zones) == len(SPOKES) * len(REGIONS)
    reached = {network: condition(one, "Reachable")["reason"] for (network, _), one in seen.connections.items()}
    assert reached == dict(zip(SPOKES, ("Reachable", "Reachable", "NoRouteFromApp"), strict=True))


async def test_a_hub_that_answers_leads_to_one_of_each_region_and_the_others_say_why(
    three_networks: ThreeNetworks,
) -> None:
    seen = await three_networks.at("the hub answers")
    for region in REGIONS:
        others = [reason for phase, reason in stands(seen.status, region).values() if phase == "Degraded"]
        assert others == ["AnsweredByAnotherZone"] * 2
        assert phases(seen.connections, region) == ["Degraded", "Degraded", "Ready"]


async def test_with_union_all_are_ready_and_each_is_told_of_the_others_addresses(three_networks: ThreeNetworks) -> None:
    seen = await three_networks.at("union")
    for region in REGIONS:
        assert {phase for phase, _ in stands(seen.status, region).values()} == {"Ready"}
        here = [one for (_, its), one in seen.connections.items() if its == region]
        for one in here:
            (told,) = advice(one, "RecordShared")
            assert [other["address"] for other in here if other is not one and other["address"] not in told] == []
