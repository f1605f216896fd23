"""However the Serverless API behaves where no document says it, a connection to a project lives and ends the same.

Every switch of `local.elastic.serverless` is turned to every position: the endpoint is connected, loses its place in
the project's list, asks for another project, is made again under its name, and goes. `test_every_switch` has the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from local.cli.switches import Switches
from local.elastic.history import most_policies_at_once
from local.elastic.serverless import Project, ServerlessSettings
from shared.core.model.services import Family
from shared.settings.services import shipped_services
from tests.harness.estate import Estate

NUMBERS: dict[str, list[Any]] = {
    "serverless.page_size": [1],
    "serverless.delete_with_associations": [409],
    "serverless.deleted_status": [200],
    "serverless.create_lag_seconds": [45],
    "serverless.project_lag_seconds": [45],
    "serverless.association_effect_seconds": [45],
    "serverless.disassociation_effect_seconds": [45],
}
ELSEWHERE = {
    "serverless.honours_if_match": "then nothing is written: test_project_lists_over_time",
    "serverless.tier_refusal": "a person's to mend: test_serverless_api",
    "serverless.project_roles": "a person's to mend: test_serverless",
    "serverless.editable_projects": "a person's to mend: test_serverless_api",
    "serverless.invisible_projects": "such a project is not there: test_project_lists_over_time",
    "serverless.max_filters": "a limit, documented",
}
SERVICE = shipped_services().of(Family.SERVERLESS, "eastus2")
SWEEPS = 12


def switches_of(settings: ServerlessSettings) -> Switches:
    return Switches({"serverless": settings})


@cache
def positions() -> list[tuple[str, Any]]:
    """Each switch with each position besides the one it is in."""
    switches = switches_of(ServerlessSettings())
    now = switches.values()
    every = {name: [*switches.words(name), *NUMBERS.get(name, ())] for name in now if name not in ELSEWHERE}
    return list(
        dict.fromkeys((name, value) for name, listed in every.items() for value in listed if value != now[name])
    )


def test_every_switch_is_turned_here_or_said_why_not() -> None:
    assert {name for name, _ in positions()} | set(ELSEWHERE) == set(switches_of(ServerlessSettings()).values())


@pytest.mark.parametrize(("name", "value"), positions(), ids=str)
async def test_a_connections_life_is_the_same_in_every_position(name: str, value: Any) -> None:
    estate = await Estate().open()
    switches_of(estate.serverless_settings).set(name, value)
    serverless = estate.elastic.serverless
    first = next(one for one in serverless.projects() if one.name == "observability-eastus2")
    second = serverless.add_project("second", "security", "eastus2", ip_filter=True)
    office, others = first.filters, second.filters
    endpoint = await asking_for(estate, first)
    await lasting(estate, endpoint)
    await an_hour(estate)
    serverless.write_list(first, office)
    await an_hour(estate)
    assert len(first.filters) == 2, "put back"
    await asking_for(estate, second)
    await an_hour(estate)
    await estate.ready(endpoint)
    assert (first.filters, len(second.filters)) == (office, 2)
    await estate.azure("DELETE", endpoint)
    await estate.clock.sleep(90)
    await asking_for(estate, second)
    await lasting(estate, endpoint)
    (policy,) = [one for one in serverless.filters() if one.guids]
    (guid,) = policy.guids
    assert most_policies_at_once(estate.elastic.history, guid) == 1
    await estate.azure("DELETE", endpoint)
    for _ in range(6):
        await estate.clock.sleep(21600)
        await estate.sweep()
        await estate.settle()
        if (await estate.connection(endpoint)).status.phase == "Removed":
            break
    assert (await estate.connection(endpoint)).status.phase == "Removed"
    assert (first.filters, second.filters) == (office, others), "those of others stand"
    assert [one for one in serverless.filters() if one.guids] == []
    assert list(estate.arm.private_dns_zones()) == []
    assert not estate.queue.poison


async def an_hour(estate: Estate) -> None:
    """Longer than a request may take to land: what others did meanwhile is seen and answered."""
    for _ in range(2):
        await estate.clock.sleep(1800)
        await estate.sweep()
        await estate.settle(300)


async def asking_for(estate: Estate, project: Project) -> str:
    """The endpoint, asking for one project."""
    assert SERVICE is not None
    return await estate.put_endpoint("pe-1", alias=SERVICE.alias, tags={"elastic-deployments": project.id})


async def lasting(estate: Estate, endpoint: str) -> None:
    """What is to do is done by events, the queue and the timer; then it is Ready, and stays so."""
    await estate.settle(600)
    for _ in range(SWEEPS):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle(300)
        if (await estate.connection(endpoint)).status.phase == "Ready" and not estate.queue.messages:
            break
    await estate.ready(endpoint)
