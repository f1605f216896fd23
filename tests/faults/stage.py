"""What a plan is played on: an estate, two workers side by side, the queue between them, and reads that lag.

Used by `lives` and `search`. A run is one delivery of a message; each has a worker process of its own, so that a kill
or a standstill is one run's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import HUB_VNET, SEEDED, vnet_body, vnet_id
from shared.clock import ServiceClock
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import decode
from shared.core.model.services import Family, Services
from shared.dispatch import take
from shared.settings.services import shipped_services
from tests.faults.acts import at_once
from tests.faults.kinds import ALTERNATING, FOLLOWS
from tests.faults.lagging_azure import LaggingAzure
from tests.faults.watcher import ACTOR, Watcher
from tests.harness.estate import Estate
from tests.harness.wire import Call, Faults, Killed, Outcome
from tests.harness.worker import Worker

AT_ONCE = 2
"""Runs side by side."""
REGIONS = {
    family: Services(tuple(one for one in shipped_services().of_family(family) if one.region == "eastus2"))
    for family in Family
}
"""Elastic's services of one region and family: the targets of others cost each plan time, and play no part."""
NETWORKS = (HUB_VNET, vnet_id("eastus2"), vnet_id("westeurope"))
"""The networks that lives are about; to read the others, all peered with each other, took a tenth of a plan's time."""
SPARE = 3
"""Workers that are there before a plan forks: to make one costs as much as its work."""
LEASE = 130.0
"""Seconds after which the lease of a killed worker has ended."""


class Skewed:
    """The clock of a machine that may be wrong."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.skew = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self.skew

    def passed(self) -> float:
        return float(self._clock.passed())

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Stage:
    """One world, and those who work in it."""

    def __init__(self, family: Family = Family.HOSTED, **settings: str) -> None:
        self.estate = Estate(settings=settings, services=REGIONS[family], family=family)
        self.watcher = Watcher(self.estate)
        self.faults: Faults | None = None
        """Asked at each call while a plan's own part is played."""
        self.lag = 0
        self.azure = LaggingAzure(self.estate)
        self.watcher.lag = lambda kind: abs(self.azure.lag if kind == "zone" else self.lag)
        self.skew = 0.0
        self.runs = 0
        self._reads = 0
        self._states: list[tuple[datetime, Any]] = []
        self._free: list[Worker] = []
        self._spare: list[Worker] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self.unexpected: list[str] = []
        self.told: dict[str, tuple[str, ...]] = {}
        """Of each endpoint, what its record says that its removal left."""
        self.newer: set[str] = set()
        """Connections to whose records a newer version has added something."""
        self._others: set[asyncio.Task[Any]] = set()
        self.day_ago: dict[str, Any] = self.estate.storage.rows()
        """The tables as they were a day before what the plan is about."""

    async def open(self) -> Stage:
        await self.estate.open()
        await self._leave_networks()
        front = self.estate.world.front

        async def lagging(scope: Any, receive: Any, send: Any) -> None:
            reads = scope["method"] == "GET" or scope["path"].endswith("_search")
            state = self._as_read() if reads else None
            if state is None:
                await front(scope, receive, send)
                if not reads:
                    self.remember()  # claims tell no listener
                return
            with self.estate.elastic.shown_as(state):
                at_once(front(scope, receive, send))

        self.estate.world.front = lagging  # type: ignore[assignment]  # the app alone is used of it here
        self.estate.elastic.listeners.append(self.remember)
        self.remember()
        self.azure.open()
        for _ in range(SPARE):
            self._spare.append(await self._new())
        return self

    async def _leave_networks(self) -> None:
        for network in SEEDED:
            if network not in NETWORKS:
                await self.estate.azure("DELETE", network)
        for number, network in enumerate(NETWORKS):
            region = "westeurope" if "westeurope" in network else "eastus2"
            peers = [other for other in NETWORKS if other != network]
            await self.estate.azure("PUT", network, vnet_body(region, f"10.{10 + number}", peers))

    def remember(self, _: Any = None) -> None:
        """Keep how the clouds stand now, for the reads that lag."""
        self._states.append((self.estate.clock.now(), self.estate.elastic.snapshot()))
        self.azure.remember()

    def in_force(self, later: float, longer: float) -> None:
        """Let associations be in force so much later than they are listed, and so much longer."""
        for settings in (self.estate.elastic_settings, self.estate.serverless_settings):
            settings.association_effect_seconds, settings.disassociation_effect_seconds = later, longer
        self.watcher.in_force = timedelta(seconds=later), timedelta(seconds=longer)

    def _as_read(self) -> Any:
        """The state that reads show; None for the present one."""
        self._reads += 1
        if not self.lag or (self.lag == ALTERNATING and self._reads % 2):
            return None
        then = self.estate.clock.now() - timedelta(seconds=abs(self.lag))
        return next((state for at, state in reversed(self._states) if at <= then), self._states[0][1])

    # -- workers ---------------------------------------------------------------------------------------------------

    def _decide(self, call: Call) -> Outcome:
        outcome = self.faults(call) if self.faults else None
        self.watcher.call(call)
        return outcome

    async def _new(self) -> Worker:
        """A process that has its clients already."""
        clock = self.estate.clock
        self.estate.clock = Skewed(clock)  # type: ignore[assignment]  # what a worker asks of a clock
        try:
            worker = self.estate.new_worker(self._decide)
        finally:
            self.estate.clock = clock
        clients = worker.context.endpoints.clients  # made at their first use
        await clients.network(DEFAULT_SUBSCRIPTION)
        await clients.dns(DEFAULT_SUBSCRIPTION)
        return worker

    async def _worker(self) -> Worker:
        if self._free:
            return self._free.pop()
        worker = self._spare.pop() if self._spare else await self._new()
        clock = worker.context.clock
        assert isinstance(clock, ServiceClock)
        clock.machine.skew = timedelta(seconds=self.skew)  # type: ignore[attr-defined]  # a Skewed
        clock.forget()  # a process that begins has not heard from storage
        return worker

    async def _handle(self, message: Any) -> None:
        self.runs += 1
        decoded = decode(message.text, new_correlation_id="test")
        about = decoded.work[0].endpoint.text.lower() if decoded.work else ""
        ACTOR.set((self.runs, about))
        worker = await self._worker()
        queue = self.estate.queue
        try:
            await take(decoded, lambda: worker.context, lambda: worker.context.storage.queue)
        except (Killed, BaseExceptionGroup) as error:
            if not worker.wire.dead:
                self._note(error)
                queue.abandon(message)
            return
        except Exception as error:  # noqa: BLE001 - what the platform delivers again
            self._note(error)
            queue.abandon(message)
        else:
            queue.delete(message)
        if not worker.wire.dead:
            self._free.append(worker)

    def _note(self, error: BaseException) -> None:
        """Errors outside the product's own tree are mistakes of it."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if not isinstance(error, AutopilotError | Killed):
            self.unexpected.append(f"a run raised {type(error).__name__}: {str(error)[:200]}")

    async def work(self, seconds: float = 7200.0) -> None:
        """Deliver events and messages until nothing is left to do, or for so long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            while len(self._tasks) < AT_ONCE and (message := self.estate.queue.receive()) is not None:
                task = loop.create_task(self._handle(message))
                self._tasks.add(task)
                task.add_done_callback(self._done)
            due = self.estate.queue.next_visible_at()
            if due is None and not self._tasks and not self._following and not self.estate.events.pending:
                return
            pause = 60.0 if due is None else (due - self.estate.clock.now()).total_seconds()
            if pause <= 0 and len(self._tasks) >= AT_ONCE:
                pause = 60.0
            pause = min(pause, 1.0) if self.estate.events.pending else pause
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.01, min(pause, end - loop.time())))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._following.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Killed):
            self.unexpected.append(f"a run raised {type(error).__name__}: {str(error)[:200]}")

    async def sweep(self) -> None:
        """The timer fires, in a process of its own."""
        self.runs += 1
        before = ACTOR.set((self.runs, f"sweep {self.runs}"))
        worker = await self._worker()
        try:
            await self.estate.sweep(worker)
        except (Killed, BaseExceptionGroup, AutopilotError) as error:
            self._note(error)
        finally:
            ACTOR.reset(before)
        if not worker.wire.dead:
            self._free.append(worker)

    # -- what follows a fault --------------------------------------------------------------------------------------

    def keep(self, work: Coroutine[Any, Any, object]) -> None:
        """Let others do this meanwhile."""
        task = asyncio.get_running_loop().create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    def follow(self, how: str) -> None:
        """Let this come after the fault that happens now."""
        task = asyncio.get_running_loop().create_task(self._follow(how))
        self._following.add(task)
        task.add_done_callback(self._done)

    async def _follow(self, how: str) -> None:
        if how in FOLLOWS[3:]:
            self.skew = 600.0 if how == FOLLOWS[3] else -600.0
            self._free.clear()
        await asyncio.sleep(1.0)
        queue, now = self.estate.queue, self.estate.clock.now()
        delay = {FOLLOWS[1]: LEASE, FOLLOWS[2]: 1800.0}.get(how, 0.0)
        for message in queue.messages:
            message.visible_at = now + timedelta(seconds=delay)
        self._wake.set()
        if how == FOLLOWS[2]:
            await asyncio.sleep(60.0)
            await self.sweep()
