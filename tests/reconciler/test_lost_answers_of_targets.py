"""S1 and S2 when answers are lost: a search over what may befall each POST and DELETE of an association.

Elastic Cloud itself is the judge: its history tells whether the deployment was ever open, or closed unasked.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from local.elastic.history import moments_open
from shared.core.model.arm_ids import parse_endpoint_id
from shared.core.model.errors import AutopilotError
from shared.core.model.messages import Cause, WorkMessage
from shared.reconciler.loop import reconcile
from tests.harness.estate import Estate
from tests.harness.outcome import EVERY_FAULT
from tests.harness.wire import Call, Fault, Killed, Outcome, Stall
from tests.harness.worker import Worker
from tests.reconciler.safety_parts import the

pytestmark = pytest.mark.both_families(at_length=True)

TARGET = "search-eastus2"
"""A deployment without any policy of others."""


@dataclass(frozen=True)
class Befalls:
    """What becomes of one request about an association."""

    name: str
    late: float | None = None
    """Answered 503, and applied so many seconds after that; None: as `wire` says."""
    status: int | None = None
    """Applied, and answered so."""
    wire: Outcome = None

    def __str__(self) -> str:
        return self.name


KINDS = (
    Befalls("answered"),
    Befalls("applied, answered 500", status=500),
    Befalls("applied, the connection breaks", wire=Fault.LOSE_ANSWER),
    Befalls("applied, answered after 50 s", wire=Stall(50)),
    Befalls("killed before", wire=Fault.CRASH_BEFORE),
    Befalls("killed after", wire=Fault.CRASH_AFTER),
    Befalls("applied 5 s late", late=5),
    Befalls("applied 60 s late", late=60),
    Befalls("applied 600 s late", late=600),
)
LAGS = (0.5, 30.0, 120.0)


@dataclass
class Scene:
    """Two endpoints that lead to one deployment, an hour after that."""

    estate: Estate
    endpoints: list[str]

    @property
    def target(self) -> Any:
        return the(self.estate, TARGET)

    async def worker(self, fault: Befalls, method: str, number: int, **settings: str) -> Worker:
        """A worker whose `number`th request of this method about an association meets the fault."""
        seen = itertools.count(1)
        estate = self.estate
        if fault.late is not None or fault.status is not None:
            _in_the_cloud(estate, fault, method, number)
            return estate.new_worker(**settings)

        def wire(call: Call) -> Outcome:
            hit = call.service == "elastic" and call.what.startswith(method) and "/associations" in call.what
            return fault.wire if hit and next(seen) == number else None

        return estate.new_worker(wire, **settings)

    async def at_once(self, *workers: Worker, apart: float) -> None:
        """Each worker handles a message about its endpoint; then each is tried again at once, by a fresh one."""

        async def one(worker: Worker, endpoint: str, after: float) -> None:
            await self.estate.clock.sleep(after)
            message = WorkMessage(parse_endpoint_id(endpoint), Cause.MANUAL, "test")
            try:
                await reconcile(worker.context, message)
            except (Killed, AutopilotError):
                await self.estate.queue.send(message.encode())

        both = zip(workers, self.endpoints, (0.0, apart), strict=True)
        await asyncio.gather(*(one(worker, endpoint, after) for worker, endpoint, after in both))

    async def an_hour(self) -> None:
        """Time passes, the timer runs."""
        for _ in range(4):
            ends = asyncio.get_running_loop().time() + 900
            await self.estate.sweep()
            await self.estate.settle(900)
            await self.estate.clock.sleep(max(0.0, ends - asyncio.get_running_loop().time()))


def _in_the_cloud(estate: Estate, fault: Befalls, method: str, number: int) -> None:
    """Elastic Cloud itself fails: it answers an error, and has applied the request, or does so later."""
    seen = itertools.count(1)

    def hit(sent: str, path: str) -> bool:
        return sent == method and "/associations" in path and "/rulesets/" in path and next(seen) == number

    def before(sent: str, path: str) -> tuple[int, Any] | None:
        if fault.late is None or not hit(sent, path):
            return None
        policy = path.split("/rulesets/")[1].split("/", maxsplit=1)[0]
        estate.clock.call_later(fault.late, lambda: _apply(estate, method, policy))
        return 503, "the gateway gave up"

    def after(sent: str, path: str) -> tuple[int, Any] | None:
        return (fault.status, "applied") if fault.status is not None and hit(sent, path) else None

    estate.elastic_settings.faults.append(before)
    estate.elastic_settings.faults_after.append(after)


def _apply(estate: Estate, method: str, policy_id: str) -> None:
    target = the(estate, TARGET).id
    there = (policy_id, target) in estate.elastic.associations()
    policy = next((one for one in estate.elastic.rulesets() if one.id == policy_id), None)
    if method == "DELETE" and there:
        estate.elastic.disassociate(policy_id, target)
    elif method == "POST" and not there and policy is not None:
        estate.elastic.associate(policy, target)


async def two_of_ours(**settings: str) -> Scene:
    estate = await Estate(settings={"ELASTIC_FIRST_POLICY_ALLOWED": TARGET, **settings}).open()
    endpoints = [await estate.put_endpoint(name, tags={"elastic-deployments": TARGET}) for name in ("pe-1", "pe-2")]
    await estate.settle()
    for endpoint in endpoints:
        assert await estate.reason(endpoint, "Associated") == "Associated"
    await estate.clock.sleep(3600)
    return Scene(estate, endpoints)


async def no_longer_asked_for(scene: Scene, *which: int) -> None:
    """The endpoints' tags ask for nothing any more; no event tells it."""
    scene.estate.events.settings.drop = True
    for index in which:
        found = scene.estate.arm.private_endpoint(scene.endpoints[index])
        assert found is not None
        found.tags.pop("elastic-deployments")


def set_lag(estate: Estate, lag: float) -> None:
    estate.elastic_settings.association_lag_seconds = lag
    estate.elastic_settings.disassociation_lag_seconds = lag
    estate.elastic_settings.association_effect_seconds = lag


MEETINGS = ((1, 0.0), (1, 2.0), (2, 0.4))
"""Which request meets the fault, and how many seconds lie between the two workers."""


def in_turn(fault: Befalls, lag: float) -> Iterable[tuple[int, float]]:
    """All of them, or in the ordinary run one for each fault and lag."""
    return MEETINGS if EVERY_FAULT else (MEETINGS[(KINDS.index(fault) + LAGS.index(lag)) % len(MEETINGS)],)


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("fault", KINDS, ids=str)
async def test_two_connections_leave_one_deployment_which_is_never_open(fault: Befalls, lag: float) -> None:
    for number, apart in in_turn(fault, lag):
        scene = await two_of_ours()
        set_lag(scene.estate, lag)
        await no_longer_asked_for(scene, 0, 1)
        first = await scene.worker(fault, "DELETE", number)
        await scene.at_once(first, scene.estate.new_worker(), apart=apart)
        await scene.an_hour()
        where = f"DELETE {number}, {apart} s apart"
        opened = moments_open(scene.estate.elastic.history, scene.target.id, association_effect=timedelta(seconds=lag))
        assert not opened, where
        assert len(scene.estate.elastic.attached(scene.target.id)) == 1, f"{where}: one goes, the last one stays"
