"""One sweep of many endpoints in many subscriptions: its memory in MiB, requests and seconds of this CPU, on a line.

    python benchmarks/large_sweep.py ENDPOINTS SUBSCRIPTIONS

Run by `scale.py`, each size in a process of its own. The clouds are in the same process; their own memory before the
sweep is taken off.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import looptime

from tests.scale.estates import large_estate


def peak() -> float:
    """The most memory that the process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def swept(endpoints: int, subscriptions: int) -> str:
    """The line."""
    estate = await large_estate(endpoints, subscriptions)
    estate.arm.requests.clear()
    before, began = peak(), time.process_time()
    await estate.sweep()
    took = time.process_time() - began
    return f"{peak() - before:.1f} {len(estate.arm.requests)} {took:.1f}"


if __name__ == "__main__":
    loop = looptime.new_event_loop(start=0)
    asyncio.set_event_loop(loop)
    print(loop.run_until_complete(swept(int(sys.argv[1]), int(sys.argv[2]))))
