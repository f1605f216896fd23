"""Which modules of the product one event enters on its way to Ready, and one sweep: the ways through the house.

    .venv/bin/python benchmarks/rooms.py            # the event: modules, functions and calls, the busiest first
    .venv/bin/python benchmarks/rooms.py sweep      # the sweep
    .venv/bin/python benchmarks/rooms.py event walk # only the modules, in the order in which they are entered first

The local clouds are played in-process on virtual time. Counted is every function of `shared/` that is entered while
messages of the queue are handled, from the event's message to the last wait, with its calls; what the event's trigger
does before, and what merely loads, is left out. `tests/reconciler/test_rooms.py` holds the number of modules, and
`tests/docs/test_architecture.py` the two walks of docs/architecture.md.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import looptime

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.harness.estate import Estate  # noqa: E402 - only now the project can be imported

SHARED = f"{ROOT / 'shared'}/"
Calls = Counter[tuple[str, str]]
"""Calls of each function, by module and name, in the order in which they were first made."""


async def entered(what: str) -> Calls:
    """The calls while the queue brings one endpoint to Ready, or while a sweep looks at it afterwards."""
    estate = await Estate().open()
    endpoint = await estate.put_endpoint()
    calls: Calls = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SHARED) and code.co_name != "<module>":
            calls[code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname] += 1

    while estate.events.pending:  # the event's trigger is not part of the way
        await estate.clock.sleep(0.1)
    if what == "sweep":
        await estate.settle()
    sys.setprofile(note)
    threads, asyncio.to_thread = asyncio.to_thread, _at_once  # else the order would depend on the machine
    try:
        await (estate.sweep() if what == "sweep" else estate.settle())
    finally:
        asyncio.to_thread = threads
        sys.setprofile(None)
    await estate.ready(endpoint)
    return calls


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """In place of a thread: what is imported there is loaded here."""
    return function(*arguments)


def rooms(calls: Calls) -> dict[str, tuple[int, int]]:
    """Functions and calls of each module, in the order in which the modules were entered."""
    found: dict[str, tuple[int, int]] = {}
    for (module, _), times in calls.items():
        functions, total = found.get(module, (0, 0))
        found[module] = (functions + 1, total + times)
    return found


def measured(what: str) -> dict[str, tuple[int, int]]:
    """The rooms of the way of an event, or of a sweep."""
    loop = looptime.new_event_loop(start=0)
    try:
        return rooms(loop.run_until_complete(entered(what)))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def main(what: str = "event", how: str = "") -> None:
    """Print the rooms."""
    found = measured(what)
    if how == "walk":
        print("\n".join(found))
        return
    print(f"{'module':<55}{'functions':>10}{'calls':>8}")
    for module, (functions, calls) in sorted(found.items(), key=lambda one: (-one[1][1], one[0])):
        print(f"{module:<55}{functions:>10}{calls:>8}")
    functions, calls = (sum(one[part] for one in found.values()) for part in (0, 1))
    lines = sum(len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in found)
    print(f"{len(found)} modules, {functions} functions, {calls} calls, {lines} lines")


if __name__ == "__main__":
    main(*sys.argv[1:])
