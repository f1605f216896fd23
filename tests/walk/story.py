"""A random walk from its seed to its end, the same whenever it is told. Used by the test and by `python -m tests.walk`.

A step's deed and its details are drawn by the walk's seed and the step's number alone, so that steps can be left out:
what fails with few steps is easier to understand.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import looptime

from local.elastic.errors import ApiError
from tests.harness.wire import Call, Outcome
from tests.walk import ending, hosting, people_azure, people_elastic, people_network
from tests.walk.hosting import Weather
from tests.walk.scene import Deed, Refused, Scene, opened
from tests.walk.watch import Watch

STEPS_BY_DEFAULT = 24
STEPS = int(os.environ.get("WALK_STEPS", STEPS_BY_DEFAULT))
PEOPLES_DEEDS = (*people_azure.DEEDS, *people_network.DEEDS, *people_elastic.DEEDS)
PEOPLE = 0.5
"""Share of the steps that are a person's, or another manager's."""


class WalkFailed(AssertionError):
    """What failed, and everything that had happened until then."""


class AtOnce(ThreadPoolExecutor):
    """Runs what is meant for another thread where it stands: threads take real time, and never the same."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it, and hand out what came of it."""
        done = Future[Any]()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            done.set_exception(error)
        return done


@dataclass(frozen=True, slots=True)
class Walk:
    """An estate in which things happen, what goes wrong with the calls, and who looks on."""

    scene: Scene
    weather: Weather
    watch: Watch


@dataclass(slots=True)
class Story:
    """What has happened so far."""

    seed: int
    steps: int = STEPS
    without: Collection[int] = ()
    """Steps to leave out."""
    lines: list[str] = field(default_factory=list)
    phases: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """Every remote call of every worker, in order."""

    def tell(self) -> None:
        """All of it, on virtual time; raises WalkFailed."""
        with self.told() as loop:
            loop.run_until_complete(self._tell())

    @contextmanager
    def told(self) -> Iterator[asyncio.AbstractEventLoop]:
        """A loop of its own to tell it on, the same at every telling; what fails is raised as WalkFailed."""
        random.seed(self.seed)  # the product spreads retries and mixes its tests by it
        loop = looptime.new_event_loop(start=0)
        loop.set_default_executor(AtOnce())
        try:
            yield loop
        except Exception as error:
            told = "\n".join(f"    {line}" for line in self.lines)
            without = f" WALK_WITHOUT={','.join(map(str, sorted(self.without)))}" if self.without else ""
            steps = f" WALK_STEPS={self.steps}" if self.steps != STEPS_BY_DEFAULT else ""
            again = f"WALK={self.seed}{steps}{without} python -m tests.walk"
            raise WalkFailed(f"{error or type(error).__name__}\n{told}\n  again: {again}") from error
        finally:
            _close(loop)

    async def _tell(self) -> None:
        walk = await self.begin()
        for number in range(self.steps):
            if number not in self.without:
                await self._step(number, walk)
        await self.end(walk)

    async def begin(self) -> Walk:
        """The estate, its first endpoint, and those who look on."""
        scene = await opened(self._drawn("settings"))
        walk = Walk(scene, Weather(self._drawn("weather")), Watch(scene))

        def hook(call: Call) -> Outcome:
            self.calls.append(call.name)
            walk.watch.call(call)
            happens = walk.weather(call)
            if happens is None:
                scene.saw(call.what)
            return happens

        scene.estate.hook = hook
        self._log(scene, f"settings: { {k: v for k, v in scene.estate.settings.items() if k in _SHOWN} }")
        await people_azure.make_endpoint(scene, self._drawn("first"))
        walk.watch.people_did()
        return walk

    async def end(self, walk: Walk) -> None:
        """Let all come to rest, and judge how it stands then."""
        await ending.calm_down(walk.scene, walk.weather, walk.watch, lambda line: self._log(walk.scene, line))
        self.phases = await ending.check(walk.scene, walk.watch)

    async def _step(self, number: int, walk: Walk) -> None:
        drawn = self._drawn(number)
        people = drawn.random() < PEOPLE
        deeds = PEOPLES_DEEDS if people else hosting.deeds(walk.weather)
        deed = drawn.choices([one for _, one in deeds], [weight for weight, _ in deeds])[0]
        await self.do(walk, deed, drawn, f"{number:2}", people=people)

    async def do(self, walk: Walk, deed: Deed, drawn: Random, label: str, *, people: bool) -> None:
        """One deed, of a person or another manager, or of the platform; looked on before and after."""
        walk.watch.look()
        told: str | None = "refused"
        try:
            with suppress(Refused, ApiError):
                told = await deed(walk.scene, drawn)
        finally:
            self._log(walk.scene, f"{label}. {deed.__name__}")
        if people:
            walk.watch.people_did()
        else:
            walk.watch.look()
        self.lines[-1] += f": {told or 'nothing to do it to'}"

    def _drawn(self, what: object) -> Random:
        return Random(f"{self.seed} {what}")

    def _log(self, scene: Scene, line: str) -> None:
        self.lines.append(f"{scene.estate.clock.now():%d %H:%M:%S} {line}")


_SHOWN = {
    "DNS_RECORD_MODE",
    "DNS_LINK_VNETS",
    "DNS_ZONE_RESOURCE_GROUPS",
    "APP_VNET",
    "ELASTIC_CLAIM",
    "ELASTIC_DEPLOYMENTS_ALLOWED",
    "ELASTIC_FIRST_POLICY_ALLOWED",
    "ELASTIC_LAST_POLICY_ALLOWED",
    "REMOVAL_LIMIT",
    "ASSOCIATION_RESTORES",
}


def _close(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def shortest(seed: int, steps: int = STEPS) -> Story:
    """The story of a failing seed with as few steps as still fail in the same way."""
    without: set[int] = set()
    kind = _failure(Story(seed, steps))
    if not kind:
        raise ValueError(f"the walk with the seed {seed} does not fail")
    for number in reversed(range(steps)):
        if _failure(Story(seed, steps, without | {number})) == kind:
            without.add(number)
    return Story(seed, steps, without)


def _failure(story: Story) -> str:
    """The first words of how it fails; empty if it does not."""
    try:
        story.tell()
    except WalkFailed as error:
        return f"{type(error.__cause__).__name__} {str(error)[:12]}"
    return ""
