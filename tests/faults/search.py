"""Plays plans: a life, one call of it, a fault there, and what follows. Used by `__main__`.

A life is played once, in a process that forks at each call: the child takes the fault, plays the rest, and tells how it
ended, while the life walks on. So a plan costs what comes after its fault, not the whole life. The first child takes no
fault: its end is what all others are compared with.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import random
import secrets
import signal
import sys
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shared.core.model.services import Family
from tests.faults.children import Children, Tokens, whole
from tests.faults.ending import ending, left_unsaid, problems
from tests.faults.kinds import kinds_of
from tests.faults.lives import SHORT, Life, make_and_remove
from tests.faults.plan import Choice, Plan, plans_at
from tests.faults.stage import Stage
from tests.faults.virtual import run
from tests.harness.wire import Call, Outcome

LONGEST = 60.0
"""Seconds of processor time after which a plan counts as one without an end."""
DAY = 86400.0
FURTHEST = 40
"""Calls from a plan's first fault to its second, at most."""
Answer = dict[str, Any]


class Playing:
    """One life, in a process of its own."""

    def __init__(
        self, index: int, life: Life, choice: Choice, tokens: Tokens, tell: Callable[[Plan, Answer], None]
    ) -> None:
        self._index, self._life, self._choice, self._tell = index, life, choice, tell
        self._children = Children(tokens)
        self._stage = Stage(life.family, **life.settings)
        self._reference: Answer = {}
        self._calls = 0
        self._numbers = 0
        self._names: Counter[str] = Counter()
        self._plan: Plan | None = None
        self._pipe = -1
        """Where a child tells how it ended."""
        self._second: tuple[int, str] = (0, "")
        self._same = True
        """Whether it has to end as without the faults."""
        self._trace: list[str] = []

    def play(self) -> int:
        """Play it; returns how many calls it has."""
        fix_chance()
        run(self._play())
        self._children.wait_for_all()
        return self._calls

    async def _play(self) -> None:
        stage, life = self._stage, self._life
        await stage.open()
        await life.first(stage)
        stage.watcher.opens, stage.watcher.closes = life.opens, life.closes
        stage.watcher.begin()
        stage.day_ago = stage.estate.storage.rows()
        await stage.estate.clock.sleep(DAY)
        stage.faults = self._at_call
        try:
            await life.then(stage)
            await stage.work()
            await self._end()
        except BaseException as error:
            if self._pipe < 0:
                raise
            self._answer({"problems": [f"it raised {error!r}: {traceback.format_exc(limit=-3)}"]})

    async def _end(self) -> None:
        if self._pipe < 0:
            return
        if self._plan is None or not self._choice.pairs:
            self._stage.faults = self._traced
        wanted = self._reference.get("end") if self._same else None
        faults = 2 if self._choice.pairs else 1
        found = await ending(self._stage, self._life, wanted, faults)
        watcher = self._stage.watcher
        wrong = [*watcher.problems, *left_unsaid(self._stage)]
        answer: Answer = {"end": found, "writes": watcher.writes, "net": watcher.net, "problems": wrong}
        if self._plan is not None:
            wrong = problems(self._stage, self._life, found, self._reference, same=self._same, faults=faults)
            answer = {"problems": wrong, "trace": self._trace, "races": self._stage.watcher.races}
            answer["second"] = self._second[1]
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        with os.fdopen(self._pipe, "w") as pipe:
            json.dump(answer, pipe, default=str)
        sys.stdout.flush()
        os._exit(0)

    # -- at each call ----------------------------------------------------------------------------------------------

    def _at_call(self, call: Call) -> Outcome:
        """The parent forks for each plan; a child takes its fault here, and a second one later."""
        if self._plan is not None:
            return self._again(call)
        if self._pipe >= 0:
            return None
        if not self._calls and not self._refer(call):
            return None
        self._calls += 1
        alike = self._names[call.name]
        self._names[call.name] += 1
        plans = plans_at(self._index, self._life.name, call, self._calls, self._numbers, alike)
        self._numbers += len(plans)
        for plan in plans:
            if self._choice.wants(plan) and not self._plays(plan):
                return self._begin(plan)
        return None

    def _refer(self, call: Call) -> bool:
        """Let a child play without a fault; False in the child."""
        forked = self._fork(None)
        if forked is None:
            return False
        self._reference = answer = _understood(whole(*forked))
        if answer["problems"]:
            self._tell(Plan(-1, self._life.name, 0, "no call", kinds_of(call)[0], "without any fault"), answer)
        return True

    def _plays(self, plan: Plan) -> bool:
        """Let a child play it as soon as there is room for one more; False in the child."""
        self._children.wait_for_room()
        forked = self._fork(plan)
        if forked is None:
            self._children.forget()
            return False
        self._children.began(*forked, lambda told: self._tell(plan, _understood(told)))
        return True

    def _begin(self, plan: Plan) -> Outcome:
        """In the child: the fault happens."""
        chance = random.Random(plan.number)
        self._second = (chance.randint(1, FURTHEST), "")
        self._same = plan.kind.same
        if plan.kind.act is not None:
            plan.kind.act(self._stage)
        self._stage.lag, self._stage.azure.lag = plan.kind.lag, plan.kind.azure_lag
        self._stage.azure.remembers = bool(plan.kind.azure_lag) or self._choice.pairs
        self._stage.in_force(*plan.kind.in_force)
        self._stage.follow(plan.follow)
        self._trace.append(f"FAULT {plan.name}")
        return plan.kind.outcome

    def _again(self, call: Call) -> Outcome:
        self._traced(call)
        left, words = self._second
        self._second = (left - 1, words)
        if not self._choice.pairs or left != 1 or self._plan is None:
            return None
        kind = random.Random(f"second {self._plan.number}").choice(kinds_of(call))
        self._same = self._same and kind.same
        if kind.act is not None:
            kind.act(self._stage)
        self._second = (0, f"and then {call.name}: {kind.words.lstrip(', ')}")
        self._stage.lag = kind.lag or self._stage.lag
        self._stage.azure.lag = kind.azure_lag or self._stage.azure.lag
        if any(kind.in_force):
            self._stage.in_force(*kind.in_force)
        return kind.outcome

    def _traced(self, call: Call) -> None:
        if self._choice.number is not None and call.service in {"arm", "elastic"} and not call.polls:
            self._trace.append(f"{self._stage.estate.clock.now():%H:%M:%S} {call.what} {call.condition}".rstrip())

    def _fork(self, plan: Plan | None) -> tuple[int, int] | None:
        """In the parent the pipe in which the child will tell how it ended, and the child; None in the child."""
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        child = os.fork()
        if child == 0:
            asyncio._set_running_loop(loop)  # noqa: SLF001 - a forked process has to say so itself
            os.close(reading)
            gc.disable()
            signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
            self._pipe, self._plan = writing, plan
            return None
        os.close(writing)
        return reading, child


def _understood(told: bytes) -> Answer:
    answer: Answer = {"problems": [f"no end within {LONGEST:.0f} s of processor time"]}
    return json.loads(told) if told else answer


def fix_chance() -> None:
    """Let all that is drawn by chance be the same each time."""
    random.seed(0)
    numbers = random.Random(0)
    real = random.Random

    class Seeded(real):
        def __init__(self, seed: Any = None) -> None:
            super().__init__(numbers.random() if seed is None else seed)

    random.Random = Seeded  # type: ignore[misc]
    uuid.uuid1 = lambda *_: uuid.UUID(int=numbers.getrandbits(128), version=1)
    secrets.token_hex = lambda size=16: f"{numbers.getrandbits(8 * (size or 16)):0{2 * (size or 16)}x}"
    uuid.uuid4 = lambda: uuid.UUID(int=numbers.getrandbits(128), version=4)


@contextmanager
def warmed_up() -> Iterator[None]:
    """One short life in which all is imported and compiled that every plan would import and compile anew.

    What is loaded then is left out of garbage collections: a child would copy what they touch.
    """

    async def once() -> None:
        for family in Family:
            stage = await Stage(family).open()
            stage.watcher.begin()
            await make_and_remove(stage)
            found = await ending(stage, SHORT, None)
            reference = {"end": found, "writes": {}, "net": {}}
            problems(stage, SHORT, found, reference)

    logging.getLogger().addHandler(logging.NullHandler())
    run(once())
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
