"""Two installations of one name, each with its token, in one subscription: neither touches what the other has made.

Each looks after the endpoints of its own team. They share the resource group of the zones, and Elastic Cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local.storage.memory import MemoryStorage
from shared.api.decisions import decide
from shared.installation.recovered import recovered_list
from tests.harness.estate import Estate
from tests.harness.leaving import work_for
from tests.harness.outcome import snapshot
from tests.harness.platform_parts import ASKED

TEAMS = {"red": "prod-4abfa4f8a26c8", "blue": "prod-9c1185a5c5e9f"}
"""The instance ids that the template makes of one name in two regions."""
REGION = {"red": "eastus2", "blue": "westeurope"}


class TwoInstallations:
    """Red and blue, each with its own storage and queue."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._storages = {team: MemoryStorage(estate.clock) for team in TEAMS}

    @contextmanager
    def acting(self, team: str) -> Iterator[Estate]:
        """The estate as this installation sees it: it takes the timer, the messages, and no events."""
        estate = self.estate
        estate.storage = self._storages[team]
        estate.queue = estate.storage.queue
        estate.worker = estate.new_worker(INSTANCE_ID=TEAMS[team], AZURE_TAGS=f"team={team}")
        yield estate

    async def sweeps(self, team: str, times: int = 1) -> None:
        """The timer of one of them."""
        with self.acting(team) as estate:
            for _ in range(times):
                await estate.sweep()
                await work_for(estate, 900)

    def lose_tables(self, team: str) -> None:
        """One of them forgets everything."""
        self._storages[team] = MemoryStorage(self.estate.clock)

    def made_by(self, team: str) -> dict[str, object]:
        """Everything in both clouds that belongs to one region, byte for byte."""
        found = snapshot(self.estate)
        ours = {one.id for one in self.estate.elastic.rulesets() if REGION[team] in one.region}
        return {name: value for name, value in found.items() if REGION[team] in name or name in ours}


async def opened() -> tuple[TwoInstallations, dict[str, str]]:
    """Both have connected their endpoint."""
    estate = await Estate().open()
    estate.events.settings.drop = True
    both, endpoints = TwoInstallations(estate), {}
    for team, region in REGION.items():
        tags = {"team": team, "elastic-deployments": f"logs-{region}"}
        endpoints[team] = await estate.put_endpoint(f"pe-{team}", region=region, tags=tags)
    for team in TEAMS:
        await both.sweeps(team, 2)
        with both.acting(team):
            await estate.ready(endpoints[team])
    await estate.clock.sleep(3600)
    return both, endpoints


async def test_neither_touches_what_the_other_has_made_also_when_its_tables_are_lost() -> None:
    both, endpoints = await opened()
    red = both.made_by("red")
    assert red
    both.lose_tables("blue")
    await both.sweeps("blue", 2)
    with both.acting("blue") as estate:
        await estate.ready(endpoints["blue"])
        waiting = await recovered_list(estate.worker.context)
        assert waiting.things, "its own things carry its marker"
        assert not [one.id for one in waiting.things if REGION["red"] in one.id]
        await decide(estate.worker.context, {"decision": "confirm-recovered", "list": waiting.id}, ASKED)
    assert both.made_by("red") == red
    await both.estate.delete(endpoints["blue"])
    await both.sweeps("blue", 5)
    with both.acting("blue") as estate:
        assert (await estate.connection(endpoints["blue"])).status.phase == "Removed"
    assert both.made_by("red") == red
    for _ in range(2):
        await both.sweeps("red")
    assert both.made_by("red") == red


async def test_an_endpoint_that_goes_is_left_to_the_installation_that_has_made_its_things() -> None:
    both, endpoints = await opened()
    await both.estate.delete(endpoints["red"])
    before = both.made_by("red")
    await both.sweeps("blue", 5)
    assert both.made_by("red") == before, "its marker is not blue's"
    await both.sweeps("red", 5)
    with both.acting("red") as estate:
        assert (await estate.connection(endpoints["red"])).status.phase == "Removed"
