"""What the app costs at scale, as one table: before, asked, now. Seconds are those of the simulated clouds.

    python benchmarks/scale.py [--large] [--rows one,memory,...]

Each row is printed as soon as it is measured; `--rows` chooses some of `ROWS`. The figures hold on any machine, but for
plans and for memory: these are ratios within one run. `BEFORE` is what was measured before reads became a budget and
waits followed what is awaited. `--large` sweeps 10,000 endpoints too.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))

import looptime  # noqa: E402 - found only with the path above

from benchmarks.health import planning  # noqa: E402
from shared.core.planning.triage import triage  # noqa: E402
from tests.core.core_parts import NOW  # noqa: E402
from tests.core.planning.large_snapshot import large_snapshot  # noqa: E402
from tests.scale.estates import (  # noqa: E402
    AS_SEEN,
    COMBINATIONS,
    many_at_once,
    one_endpoint,
    swept,
)
from tests.scale.lives import CHANGES, many_targets, repaired  # noqa: E402
from tests.scale.peers import AZ, TERRAFORM, by_hand  # noqa: E402

BEFORE = {
    "one": "1.02 to 4.0 times the critical path, median 1.2",
    "older": "last Ready after 913 s (critical path 57 s), 257 x 429, 29.7 DNS reads and 11.5 Elastic calls each",
    "newer": "not measured",
    "sweep": "refused from 124 zones on, for ever",
    "targets": "95: an outage is not noticed; 159: the record cannot be stored",
    "memory": "not measured",
    "plan": "1.0 (26 ms beside 9.9 ms of the fixed loop, processor time, 2026-11-29)",
    "planned": "13 times for 3,000 (33 s and 2.6 s of CPU, 2026-11-30): each plan looked at every policy",
    "drift": "up to 300 s",
    "peer": "not measured",
}
"""As it was measured before any of it was begun."""
CALIBRATION_THEN, PLAN_THEN = 9.9, 26.0
"""Milliseconds of the fixed loop and of a plan of 1,000 endpoints, on one machine."""


def virtual(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine under virtual time."""
    loop = looptime.new_event_loop(start=0)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def row(what: str, before: str, asked: str, now: str) -> None:
    """One row of the table."""
    print(f"| {what} | {before} | {asked} | {now} |", flush=True)


def calibration() -> float:
    """Milliseconds of processor time of a fixed loop: what this machine does in its time."""

    def loop() -> float:
        started = time.process_time()
        total: dict[int, str] = {}
        for number in range(100_000):
            total[number % 977] = f"{number:x}"
        return (time.process_time() - started) * 1000

    return median(loop() for _ in range(7))


def single() -> None:
    """One endpoint, in every combination."""
    ratios, over, most = [], [], 0
    for durations in COMBINATIONS:
        for hub in (False, True):
            found = virtual(one_endpoint(durations, hub=hub))
            path = durations.critical_path(2 if hub else 1)
            ratios.append(found.seconds / path)
            over.append((found.seconds - 2) / path)
            most = max(most, found.refused)
    row(
        f"one endpoint to Ready, {len(ratios)} estates, against the critical path",
        BEFORE["one"],
        "1.10 times + 2 s",
        f"{min(ratios):.2f} to {max(ratios):.2f} times, median {median(ratios):.2f}; at most {max(over):.2f} times "
        f"+ 2 s; {most} x 429",
    )


def burst() -> None:
    """Sixty at once, by both readings of the limits."""
    path = AS_SEEN.critical_path(1)
    for limits, floor in (("older", path), ("newer", max(path, 90.0))):
        found = virtual(many_at_once(60, AS_SEEN, limits))
        row(
            f"60 endpoints at once, {limits} limits",
            BEFORE[limits],
            f"{1.5 * floor:.0f} s, 0 x 429, 6 DNS reads, 5 Elastic calls each",
            f"{found.seconds:.0f} s, {found.refused} x 429, {found.dns_reads / 60:.1f} DNS reads "
            f"({found.polls / 60:.1f} polls), {found.elastic_calls / 60:.1f} Elastic calls each",
        )


def sweeps() -> None:
    """An hour of sweeps over many zones."""
    for number in (16, 120, 300, 1000):
        for limits in ("older", "newer"):
            found = virtual(swept(number, limits))
            row(
                f"an hour of sweeps of {number} zones, {limits} limits",
                BEFORE["sweep"] if number > 120 else "none refused",
                "0 x 429, each zone hourly",
                f"{found.refused} x 429, each zone within {found.longest_gap / 60:.0f} min, "
                f"{found.reads_of_one_sweep} DNS reads in one sweep at most",
            )


def targets() -> None:
    """One endpoint that many targets ask for."""
    for number in (95, 159, 1000):
        found = virtual(many_targets(number))
        end = f"; the run ends in: {found.error}" if found.error else ""
        row(
            f"one endpoint, {number:,} targets",
            BEFORE["targets"],
            "Ready, all associated",
            f"{found.phase}, {found.associated:,} associated{end}",
        )


def drift() -> None:
    """What a person changes in private DNS, until its repair is begun."""
    took = {change: virtual(repaired(change)) for change in CHANGES}
    told = ", ".join(f"{change} {seconds:.1f} s" for change, seconds in took.items())
    row("drift to repair begun, by events", BEFORE["drift"], "10 s", told)


def peers() -> None:
    """The guide's steps by other tools, against the same clouds."""
    for number, share in ((1, 2), (16, 10)):
        ours = virtual(one_endpoint(AS_SEEN, hub=False) if number == 1 else many_at_once(number, AS_SEEN, "older"))
        for tool in (AZ, TERRAFORM):
            theirs = virtual(by_hand(tool, number, AS_SEEN))
            row(
                f"{number} by the app, and by {tool.name}",
                BEFORE["peer"],
                f"at most 1/{share} of their time",
                f"{ours.seconds:.0f} s and {theirs:.0f} s: {ours.seconds / theirs:.2f}; {ours.refused} x 429",
            )


def plans() -> None:
    """The pure plan, against the calibration of the same run."""
    took, fixed = planning(1000), calibration()
    ratio = (took / fixed) / (PLAN_THEN / CALIBRATION_THEN)
    row("plan of 1,000 endpoints", BEFORE["plan"], "0.8", f"{ratio:.2f} ({took:.0f} ms beside {fixed:.0f} ms)")


def planned(large: bool) -> None:
    """A sweep's planning of endpoints in every situation, with as many policies, targets, zones and networks."""
    small, big = 1_000, 10_000 if large else 3_000
    (least, bare_least), (most, bare_most) = (_planned(number) for number in (small, big))
    row(
        f"planning of a sweep of {big:,} endpoints",
        BEFORE["planned"],
        f"{big // small} times that of {small:,}",
        f"{bare_most / bare_least:.1f} times ({bare_most:.1f} s and {bare_least:.2f} s of CPU); with Python's "
        f"collector, which goes through all that a sweep holds, {most / least:.1f} times ({most:.1f} s)",
    )


def _planned(number: int) -> tuple[float, float]:
    """Seconds of CPU with Python's collector and without."""
    took = []
    for collects in (True, False):
        snapshot, options = large_snapshot(number)
        gc.collect()
        if not collects:
            gc.disable()
        began = time.process_time()
        triage(snapshot, options, NOW)
        took.append(time.process_time() - began)
        gc.enable()
    return took[0], took[1]


def memory(large: bool) -> None:
    """Memory of a function's process, requests and time of one sweep, each size in a process of its own."""
    sizes = ((1_000, 40), (10_000, 400)) if large else ((200, 8), (2_000, 80))
    found = []
    for endpoints, subscriptions in sizes:
        command = [sys.executable, str(ROOT / "benchmarks" / "large_sweep.py"), str(endpoints), str(subscriptions)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append([float(one) for one in done.stdout.split()])
    (small, *_), (big, before, requests, seconds) = found
    row(
        f"sweep of {sizes[1][0]:,} endpoints in {sizes[1][1]} subscriptions",
        BEFORE["memory"],
        f"memory at most 2 times that of {sizes[0][0]:,}",
        f"{big / small:.2f} times ({big:.0f} and {small:.0f} MiB, {before:.0f} before any sweep), {requests:.0f} "
        f"requests, {seconds:.0f} s of CPU",
    )


ROWS: dict[str, Callable[[bool], None]] = {
    "one": lambda _: single(),
    "burst": lambda _: burst(),
    "peers": lambda _: peers(),
    "sweeps": lambda _: sweeps(),
    "targets": lambda _: targets(),
    "memory": memory,
    "plan": lambda _: plans(),
    "planned": planned,
    "drift": lambda _: drift(),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="10,000 endpoints, which takes minutes")
    parser.add_argument("--rows", default=",".join(ROWS), help="of %(default)s")
    asked = parser.parse_args()
    chosen = asked.rows.split(",")
    if unknown := set(chosen) - set(ROWS):
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    row("what", "before", "asked", "now")
    row("---", "---", "---", "---")
    for name in chosen:
        ROWS[name](asked.large)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(None)
    main()
