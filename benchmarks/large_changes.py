"""A large estate: all of it connected, 5 % of it changed by others, and put right. Figures on a line.

    python benchmarks/large_changes.py ENDPOINTS SUBSCRIPTIONS [--eased]

`--eased`: until all are connected, Azure allows more private DNS reads than it documents; the changes meet its limit.
With 1,000 and 63 it takes minutes; how far it is goes to standard error. Seconds are those of the simulated clouds, but
for the processor's.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import looptime

from tests.scale.large import converged


async def main(endpoints: int, subscriptions: int, *, eased: bool) -> None:
    """Print what it took."""
    began = time.process_time()

    def told(progress: str) -> None:
        print(f"{progress}; {time.process_time() - began:.0f} s of CPU", file=sys.stderr, flush=True)

    found = await converged(endpoints, subscriptions, told, eased=eased)
    print(
        f"{endpoints:,} endpoints in {subscriptions} subscriptions: all Ready after {found.ready_after:.0f} s; "
        f"{found.changed} changed, {found.removed} of them deleted: right after {found.right_after:.0f} s, "
        f"{found.requests} requests of ARM, {found.refused} x 429; {time.process_time() - began:.0f} s of CPU"
    )


if __name__ == "__main__":
    loop = looptime.new_event_loop(start=0)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main(int(sys.argv[1]), int(sys.argv[2]), eased="--eased" in sys.argv))
