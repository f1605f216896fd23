"""An app of each test's own, run by the host in the test's process on virtual time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func
import httpx
import pytest

from local.asgi import AsgiTransport
from local.clock import LoopClock
from local.host import FunctionsHost, HostSettings, Keys, MemoryQueueService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from local.host.timers import TimerMonitor

START = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEYS = Keys(master="the-master-key", function="the-function-key", event_grid="the-event-grid-key")
HOST_JSON = {
    "version": "2.0",
    "extensions": {
        "queues": {
            "batchSize": 4,
            "newBatchThreshold": 2,
            "maxDequeueCount": 3,
            "visibilityTimeout": "00:00:30",
            "maxPollingInterval": "00:00:05",
        }
    },
}


class Running:
    """A host, its queues, and a client that has the function key."""

    def __init__(
        self, app: func.FunctionApp, monitor: TimerMonitor | None, clock: LoopClock, refuse_deliveries: float
    ) -> None:
        self.clock = clock
        self.queues = MemoryQueueService(self.clock)
        self.host = FunctionsHost(
            app,
            self.clock,
            queues=self.queues,
            keys=KEYS,
            environ={"WORK_QUEUE": "work", "TICK": "0 */5 * * * *"},
            settings=replace(HostSettings.parse(HOST_JSON), refuse_deliveries=refuse_deliveries),
            monitor=monitor,
        )
        transport = AsgiTransport(self.host.app)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://host", headers={"x-functions-key": KEYS.function}
        )

    async def webhook(self, body: object, *, name: str = "on_event", kind: str = "Notification") -> httpx.Response:
        """Deliver to the Event Grid webhook."""
        query = {"functionName": name, "code": KEYS.event_grid}
        url, headers = "/runtime/webhooks/eventgrid", {"aeg-event-type": kind, "x-functions-key": ""}
        return await self.client.post(url, params=query, json=body, headers=headers)

    async def run_by_hand(self, name: str, body: object) -> httpx.Response:
        """Use the admin interface."""
        headers = {"x-functions-key": KEYS.master}
        return await self.client.post(f"/admin/functions/{name}", json=body, headers=headers)


@pytest.fixture
def app() -> func.FunctionApp:
    return func.FunctionApp()


@pytest.fixture
async def start(app: func.FunctionApp) -> AsyncIterator[Callable[..., Running]]:
    started: list[Running] = []

    def make(
        monitor: TimerMonitor | None = None, clock: LoopClock | None = None, refuse_deliveries: float = 0.0
    ) -> Running:
        started.append(Running(app, monitor, clock or LoopClock(START), refuse_deliveries))
        return started[-1]

    yield make
    for running in started:
        await running.host.stop()
        await running.client.aclose()
