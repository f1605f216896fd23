"""`python -m tests.planted [NAME ...]`: plant bugs one after the other, and tell which tests notice.

python -m tests.planted                      all of them, as `make planted` does: an hour on two busy cores
python -m tests.planted link-before-record   one
python -m tests.planted --all                where a bug's tests miss it, run all fast tests once
python -m tests.planted --at-once 2          two side by side

A test that fails is run once more without the bug, and has caught nothing where it fails again. Tests that are skipped
miss what they are to catch: give them what they need, as `make test` has it. Ends with 1 when a bug is missed that was
caught at first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.planted.bug import Bug
from tests.planted.bugs import BUGS
from tests.planted.plant import Outcome, run_clean, run_planted


def main(arguments: Sequence[str]) -> int:
    """Plant, and tell."""
    by_name = {bug.name: bug for bug in BUGS}
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description="Plant bugs; which tests notice?")
    parser.add_argument("names", nargs="*", metavar="NAME", help="bugs to plant; left out: all")
    parser.add_argument("--all", action="store_true", help="run all fast tests where a bug's own tests miss it")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="how many are planted side by side")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in by_name]:
        parser.error(f"there is no bug {', '.join(unknown)}; the names are {', '.join(by_name)}")
    bugs = [by_name[name] for name in options.names] or list(BUGS)

    missed = []
    with ThreadPoolExecutor(options.at_once) as pool:
        results = pool.map(lambda bug: _plant(bug, everything=options.all), bugs)
        for bug, (line, caught) in zip(bugs, results, strict=True):
            _say(f"{bug.name}: {line}")
            if not caught:
                missed.append(bug)
    _say(f"{len(bugs)} planted, {len(bugs) - len(missed)} caught, {len(missed)} missed")
    if lost := [bug.name for bug in missed if bug.caught_at_first]:
        _say(f"caught at first, and missed now: {', '.join(lost)}")
    return 1 if lost else 0


def _plant(bug: Bug, *, everything: bool) -> tuple[str, bool]:
    """What is told of a bug, and whether its own tests caught it."""
    outcome = run_planted(bug)
    if outcome.failed:
        return _judged(outcome)
    line = f"MISSED ({outcome.counts})"
    if everything:
        further = run_planted(bug, everything=True)
        line += f"; of all fast tests: {_judged(further)[0] if further.failed else f'MISSED ({further.counts})'}"
    return line, False


def _judged(outcome: Outcome) -> tuple[str, bool]:
    """The same of a run in which a test failed."""
    if run_clean(outcome.failed).failed:
        return f"MISSED, {outcome.failed} fails without the bug too", False
    return f"caught by {outcome.failed}", True


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
