"""The app's HTTP API in this process: the small host around the real functions, on an estate, on virtual time.

Synchronous outside, because Hypothesis drives it: one event loop lives from the first request to the last.
"""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import looptime

from local.asgi import AsgiTransport
from local.host import FunctionsHost, HostSettings, Keys, MemoryQueueService
from local.host.definition import load_app
from shared.app import provide
from tests.harness.estate import DECIDING_KEY, Estate

ROOT = Path(__file__).resolve().parents[3]
BASE = "http://host"
KEYS = Keys(master="master", function="function", event_grid="event-grid")


class ServedApi:
    """One app with a connection that is ready, one that is blocked, and poison."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=looptime.new_event_loop)
        self.estate = self._runner.run(_estate())
        app = load_app(ROOT)
        app.functions_bindings = None  # the library would call a second indexing a duplicate
        storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
        clock = self.estate.clock
        host = FunctionsHost(
            app, clock, queues=MemoryQueueService(clock), keys=KEYS, environ=storage, settings=HostSettings.read(ROOT)
        )
        self._client = httpx.AsyncClient(transport=AsgiTransport(host.app), base_url=BASE)

    def request(self, method: str, url: str, *, key: str = KEYS.function, **options: Any) -> httpx.Response:
        """Ask, and be answered by one of the estate's function processes."""
        options.pop("cookies", None)  # nothing reads one
        if isinstance(options.get("data"), bytes | str):
            options["content"] = options.pop("data")
        given = options.pop("headers", None) or {}
        headers = {**given, "x-autopilot-key": DECIDING_KEY, "x-functions-key": key}
        with provide(self.estate.worker.context):
            return self._runner.run(self._client.request(method, url, headers=headers, **options))

    def connections(self) -> list[str]:
        """The ids of all connections."""
        answer = self.request("GET", "/api/connections").json()
        return [entry["id"] for entry in answer["items"]]


@cache
def served_api() -> ServedApi:
    """One for all tests of a process."""
    return ServedApi()


async def _estate() -> Estate:
    estate = await Estate().open()
    await estate.put_endpoint()
    await estate.put_endpoint("pe-2", region="westeurope", tags={"elastic-deployments": "search-westeurope"})
    await estate.settle()
    for _ in range(3):
        await estate.clock.sleep(300)
        await estate.sweep()
        await estate.settle()
    for number in range(3):
        await estate.queue.send(f"poison {number}")
    estate.queue.poison, estate.queue.messages = estate.queue.messages, []
    return estate
