"""The story's three networks, and then a hub: laid out in a running instance by the very lines that the story prints.

Each stage is what the lines so far lead to. One stage follows another and none comes again, so tests that are content
with what was seen ask `at`, and a test that looks at a stage while it lasts is collected before those of later ones.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from e2e_instance import READY_SECONDS, ROOT, Instance, connection, eventually

from local.cli import next_steps
from local.cli.client import LocalClient
from local.cli.connecting import endpoint_name
from local.cli.story import group

Connections = Mapping[tuple[str, str], Mapping[str, Any]]
"""By network and region, as the app shows them."""
POLL_SECONDS = 1.0


def phases(found: Connections, region: str) -> list[str]:
    """Of a region's connections."""
    return sorted(str(one.get("phase")) for (_, here), one in found.items() if here == region)


def advice(one: Mapping[str, Any], reason: str) -> list[str]:
    """What a connection is told for this reason."""
    return [str(told["message"]) for told in one.get("verdict", {}).get("advice", []) if told["reason"] == reason]


def _each_region(holds: Callable[[Connections, str], bool]) -> Callable[[Connections], bool]:
    return lambda found: all(holds(found, region) for region in next_steps.REGIONS)


def _ready(found: Connections, region: str) -> bool:
    return phases(found, region) == ["Ready"] * 3


def _two_are_told_of_the_hub(found: Connections, region: str) -> bool:
    told = [len(advice(one, "NetworkLinkedToAnotherZone")) for (_, here), one in found.items() if here == region]
    return _ready(found, region) and sorted(told) == [0, 1, 1]


def _one_is_ready(found: Connections, region: str) -> bool:
    return phases(found, region) == ["Degraded", "Degraded", "Ready"]


def _shared(found: Connections, region: str) -> bool:
    """Each is told of the others' addresses; which those are grows as one after the other adds its own."""
    here = [one for (_, its), one in found.items() if its == region]
    told = ["".join(advice(one, "RecordShared")) for one in here]
    others = [[str(other["address"]) for other in here if other is not one] for one in here]
    return _ready(found, region) and all(
        address in said for said, addresses in zip(told, others, strict=True) for address in addresses
    )


STAGES: Mapping[str, tuple[int, Callable[[Connections], bool]]] = {
    "three networks": (4, _each_region(_ready)),
    "a hub is linked": (6, _each_region(_two_are_told_of_the_hub)),
    "the hub answers": (7, _each_region(_one_is_ready)),
    "union": (8, _each_region(_shared)),
}
"""After how many lines, and how all stands then."""


@dataclass
class Seen:
    """A stage as it was."""

    connections: Connections
    status: str
    """What the command of this name printed."""


@dataclass
class ThreeNetworks:
    """In one instance."""

    instance: Instance
    seen: dict[str, Seen] = field(default_factory=dict)
    _done: int = 0

    async def at(self, stage: str) -> Seen:
        """Run the lines up to a stage, unless that was before, and tell what was seen."""
        for name, (lines, holds) in STAGES.items():
            if stage in self.seen:
                break
            if name not in self.seen:
                self.seen[name] = await self._reach(lines, holds)
        return self.seen[stage]

    async def while_at(self, stage: str) -> Seen:
        """The same, for a stage that must still last."""
        seen = await self.at(stage)
        assert list(self.seen)[-1] == stage, "collect the tests of later stages after this one"
        return seen

    async def _reach(self, lines: int, holds: Callable[[Connections], bool]) -> Seen:
        local = f"{sys.executable} -m local --folder {self.instance.folder}"
        for line in next_steps.several_networks(local)[self._done : lines]:
            await _pasted(line)
        self._done = lines
        async with self.instance.client() as client:

            async def ask() -> Connections:
                await asyncio.sleep(POLL_SECONDS)
                return await connections(client)

            found = await eventually(ask, holds)
        return Seen(found, await _pasted(f"{local} status"))


async def connections(client: LocalClient) -> Connections:
    """The story's six."""
    return {
        (network, region): await connection(client, endpoint_id(client, network, region))
        for network in next_steps.SPOKES
        for region in next_steps.REGIONS
    }


def endpoint_id(client: LocalClient, network: str, region: str) -> str:
    """Of one of them."""
    name = endpoint_name(region, network)
    return f"{group(client, f'rg-{name}')}/privateEndpoints/{name}"


async def _pasted(line: str) -> str:
    """Run a line in a shell, as a reader does."""
    program = await asyncio.create_subprocess_shell(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = await asyncio.wait_for(program.communicate(), READY_SECONDS)
    assert program.returncode == 0, f"{line}\n{output.decode()}"
    return output.decode()
