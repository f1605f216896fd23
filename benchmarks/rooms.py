"""Which modules of the product one event enters on its way to Ready: the way of one connection, as a list of rooms.

    .venv/bin/python benchmarks/rooms.py

The local clouds are played in-process on virtual time. Counted is every function of `shared/` that is entered while
messages of the queue are handled, from the event's message to the last wait, with its calls; what the event's trigger
does before, and what merely loads, is left out. `tests/reconciler/test_rooms.py` holds the number of modules.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import looptime

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.harness.estate import Estate  # noqa: E402 - only now the project can be imported

SHARED = f"{ROOT / 'shared'}/"


async def entered() -> Counter[tuple[str, str]]:
    """Calls of each function (module, name), while the queue brings one endpoint to Ready."""
    estate = await Estate().open()
    endpoint = await estate.put_endpoint()
    calls: Counter[tuple[str, str]] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SHARED) and code.co_name != "<module>":
            calls[code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname] += 1

    while estate.events.pending:  # the event's trigger is not part of the way
        await estate.clock.sleep(0.1)
    sys.setprofile(note)
    try:
        await estate.settle()
    finally:
        sys.setprofile(None)
    await estate.ready(endpoint)
    return calls


def rooms(calls: Counter[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Functions and calls of each module."""
    found: dict[str, tuple[int, int]] = {}
    for (module, _), times in calls.items():
        functions, total = found.get(module, (0, 0))
        found[module] = (functions + 1, total + times)
    return found


def measured() -> dict[str, tuple[int, int]]:
    """The rooms of the happy path."""
    loop = looptime.new_event_loop(start=0)
    try:
        return rooms(loop.run_until_complete(entered()))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def main() -> None:
    """Print the rooms, the busiest first."""
    found = measured()
    print(f"{'module':<55}{'functions':>10}{'calls':>8}")
    for module, (functions, calls) in sorted(found.items(), key=lambda one: (-one[1][1], one[0])):
        print(f"{module:<55}{functions:>10}{calls:>8}")
    functions, calls = (sum(one[part] for one in found.values()) for part in (0, 1))
    lines = sum(len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in found)
    print(f"{len(found)} modules, {functions} functions, {calls} calls, {lines} lines")


if __name__ == "__main__":
    main()
