"""One sweep of many connected endpoints in many subscriptions, as a function instance's process sees it.

    python benchmarks/large_sweep.py ENDPOINTS SUBSCRIPTIONS [--holders]

This process holds what a function instance holds: the app, its SDKs, and what the sweep reads. The clouds, the tables
and the queue are in a process of their own, and each request and each page of rows comes through a pipe: none of their
memory is counted. Every endpoint has a record as a Ready one has, and its policy; each subscription has a zone. The
other zones are missing, so that everything is to be repaired: no sweep hands over more.

Printed, on a line: MiB of the process at its peak, MiB of it before the sweep, requests of ARM, seconds of processor
time. `--holders` says instead which lines hold what is there at the most, which makes the sweep several times slower.
Run by `scale.py`, each size for itself.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import resource
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import looptime  # noqa: E402 - found only with the path above

LIBRARIES = (
    "function_app",
    "shared.composition",
    "azure.mgmt.network.aio",
    "azure.mgmt.privatedns.aio",
    "azure.identity.aio",
    "shared.state.azure_tables",
    "shared.state.azure_queue",
    "shared.sweep.sweep",
    "cattrs.preconf.json",
    "httpx",
)
"""What a function instance has loaded after its first sweep."""
PORTS = ("connections", "journal", "control", "hosts", "checks", "things", "queue")


# -- the process of the clouds -------------------------------------------------------------------------------------


def clouds(pipe: Connection, endpoints: int, subscriptions: int) -> None:
    """Make the estate, then answer what the function's process asks, until it asks no more."""
    loop = looptime.new_event_loop(start=0)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(pipe, endpoints, subscriptions))


async def _serve(pipe: Connection, endpoints: int, subscriptions: int) -> None:
    from benchmarks.known_estate import known_estate, page  # noqa: PLC0415 - the function's process does without

    estate = await known_estate(endpoints, subscriptions)
    estate.arm.requests.clear()
    pipe.send((estate.settings, estate.clock.now()))
    apps = {"arm": estate.arm.app, "elastic": estate.world.front}
    while (asked := pipe.recv()) is not None:
        kind, *details = asked
        if kind in apps:
            pipe.send(await _answer(apps[kind], *details))
        elif kind == "page":
            pipe.send(page(estate, *details))
        elif kind == "count":
            pipe.send(len(estate.arm.requests))
        else:
            pipe.send(await _done(getattr(getattr(estate.storage, kind), details[0]), *details[1:]))


async def _answer(app: Any, scope: dict[str, Any], body: bytes) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages


async def _done(call: Callable[..., Any], args: Any, options: Any) -> Any:
    try:
        found = call(*args, **options)
        return [one async for one in found] if hasattr(found, "__aiter__") else await found
    except Exception as error:  # noqa: BLE001 - raised in the other process
        return error


# -- the function's process ----------------------------------------------------------------------------------------


class Remote:
    """What is asked through the pipe: an ASGI app of the clouds'."""

    def __init__(self, pipe: Connection, name: str) -> None:
        self._pipe, self._name = pipe, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request and its answer."""
        asked = await receive()
        await asyncio.sleep(0)  # the others are under way as well
        self._pipe.send((self._name, scope, asked["body"]))
        for message in self._pipe.recv():
            await send(message)


class RemotePort:
    """A table or the queue, through the pipe; rows of connections in pages, decoded here as those of a real table."""

    def __init__(self, pipe: Connection, name: str) -> None:
        self._pipe, self._name = pipe, name

    def __getattr__(self, method: str) -> Any:
        if method in {"list", "list_columns", "across"}:
            return lambda *args: self._rows(method, args)

        async def call(*args: Any, **options: Any) -> Any:
            await asyncio.sleep(0)
            return self._asked(method, args, options)

        return call

    def _asked(self, method: str, args: Any, options: Any) -> Any:
        self._pipe.send((self._name, method, args, options))
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _rows(self, method: str, args: Any) -> AsyncIterator[Any]:
        if (self._name, method) != ("connections", "list"):
            for one in self._asked(method, args, {}):
                yield one
            return
        from shared.state import codec  # noqa: PLC0415 - after the libraries, as in the app

        last = ""
        while True:
            self._pipe.send(("page", last))
            page, last = self._pipe.recv()
            while page:
                entity, etag, at = page.pop(0)
                yield replace(codec.connection_row(entity, etag), read_at=at, written_at=at)
            if not last:
                return


class RemoteStorage:
    """All of them."""

    def __init__(self, pipe: Connection) -> None:
        for name in PORTS:
            setattr(self, name, RemotePort(pipe, name))


def _context(pipe: Connection, settings: dict[str, str], clock: Any) -> Any:
    """The app's context, built as the app builds it, over the pipe."""
    from local.arm.transport import AsgiArmTransport  # noqa: PLC0415
    from local.asgi import AsgiTransport  # noqa: PLC0415
    from shared.clouds.azure.clients import ArmClients  # noqa: PLC0415
    from shared.clouds.azure.private_dns import PrivateDns  # noqa: PLC0415
    from shared.clouds.azure.private_endpoints import PrivateEndpoints  # noqa: PLC0415
    from shared.composition import arm_options, build, organizations  # noqa: PLC0415
    from shared.state.leases import Leases  # noqa: PLC0415
    from shared.state.read_budget import ReadBudget  # noqa: PLC0415
    from tests.harness.platform_parts import Credential  # noqa: PLC0415

    context, storage = build(settings), RemoteStorage(pipe)
    budget = ReadBudget(storage.control, clock)
    options, arm = arm_options(context.settings), Remote(pipe, "arm")
    clients = ArmClients(options, Credential, lambda: AsgiArmTransport(arm), budget)
    return replace(
        context,
        clock=clock,
        storage=storage,
        budget=budget,
        endpoints=PrivateEndpoints(clients),
        dns=PrivateDns(clients),
        elastic=organizations(context.settings, clock, None, AsgiTransport(Remote(pipe, "elastic"))),
        leases=Leases(storage.connections, storage.control, storage.queue, clock, owner_id="worker"),
    )


def peak() -> float:
    """The most memory that this process has had so far, in MiB; on Linux without what its parent had when it began."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def swept(pipe: Connection, holders: bool) -> str:
    """The line."""
    settings, now = pipe.recv()
    os.environ.update(settings)  # the app reads them as it is loaded
    for name in LIBRARIES:
        importlib.import_module(name)
    from local.clock import LoopClock  # noqa: PLC0415
    from shared.sweep.sweep import sweep  # noqa: PLC0415

    context = _context(pipe, settings, LoopClock(now))
    before, began = peak(), time.process_time()
    result = await (_watched(sweep(context, "large")) if holders else sweep(context, "large"))
    took = time.process_time() - began
    pipe.send(("count",))
    requests = pipe.recv()
    pipe.send(None)
    found = f"{result.endpoints} endpoints, {result.enqueued} enqueued, {len(result.errors)} errors {result.errors[:2]}"
    print(found, file=sys.stderr)
    return f"{peak():.1f} {before:.1f} {requests} {took:.1f}"


async def _watched(sweeping: Any) -> Any:
    """The sweep, and where the memory is from that is in use when its listings are whole."""
    from shared.core.planning import triage  # noqa: PLC0415
    from shared.sweep import sweep as module  # noqa: PLC0415

    def told(*args: Any) -> Any:
        found = triage.triage(*args)
        for one in tracemalloc.take_snapshot().statistics("lineno")[:25]:
            print(one, file=sys.stderr)
        print([round(one / 2**20, 1) for one in tracemalloc.get_traced_memory()], "MiB now, peak", file=sys.stderr)
        return found

    module.triage = told
    tracemalloc.start()
    return await sweeping


def main() -> None:
    """Start the clouds, sweep, print."""
    numbers = [int(one) for one in sys.argv[1:] if one.isdecimal()]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    other = context.Process(target=clouds, args=(theirs, *numbers), daemon=True)
    other.start()
    theirs.close()
    loop = looptime.new_event_loop(start=0)
    asyncio.set_event_loop(loop)
    print(loop.run_until_complete(swept(ours, "--holders" in sys.argv)))
    other.join(30)


if __name__ == "__main__":
    main()
