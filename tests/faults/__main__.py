"""`python -m tests.faults`: play many plans of faults; 1 when one failed. `make faults` calls it.

python -m tests.faults                  a quarter of all faults, at all calls, each followed by one thing: some 6,100
python -m tests.faults --share 1        all of them; --seed N: others follow
python -m tests.faults --life deleted   of the lives whose name this expression finds
python -m tests.faults --plan 300123    one plan, in words, with the calls that came after its fault
python -m tests.faults --pairs 20000    so many plans with a second fault each
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.faults.children import Tokens, lanes
from tests.faults.lives import LIVES
from tests.faults.plan import OF_A_LIFE, Choice, Plan
from tests.faults.search import Playing, warmed_up

USUAL = 0.223
"""Of all plans with one thing that follows: what two cores play in less than five minutes."""
ALL_PLANS = 178_000
"""About so many plans there are with everything that follows; for `--pairs`, which draws from these."""


def main(arguments: Sequence[str]) -> int:
    """Play, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Play plans of faults.")
    parser.add_argument("--share", type=float, default=USUAL, metavar="PART", help="of all plans, from 0 to 1")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--plan", type=int, help="only this number")
    parser.add_argument("--pairs", type=int, default=0, metavar="N", help="plans with two faults")
    parser.add_argument("--every-follow", action="store_true", help="each fault with all that may follow it")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--first", action="store_true", help="end with the first plan that fails")
    parser.add_argument("--life", default="", help="only lives in whose name this regular expression is found")
    parser.add_argument("--call", default="", help="only faults at calls in whose name this expression is found")
    parser.add_argument("--kind", default="", help="only faults in whose words this expression is found")
    options = parser.parse_args(arguments)
    choice = Choice(
        options.share, options.seed, options.every_follow, options.plan, call=options.call, kind=options.kind
    )
    jobs = options.jobs if options.plan is None else 1
    if options.pairs:
        choice = replace(choice, pairs=True, share=min(1.0, options.pairs / ALL_PLANS), every_follow=True)
    began = time.monotonic()
    reading, writing = os.pipe()
    tokens = Tokens(jobs)
    played = [index for index in range(len(LIVES)) if _plays(index, choice, options.life)]
    with warmed_up():
        children = lanes(jobs, played, lambda index: _play(index, choice, tokens, writing), apart=options.first)
    os.close(writing)
    found = Counter[str]()
    with os.fdopen(reading) as pipe:
        for line in pipe:
            _count(json.loads(line), found, every=options.plan is not None)
            if found["failed"] and options.first:
                for child in children:
                    os.killpg(child, signal.SIGKILL)
                break
    broken = sum(os.waitpid(child, 0)[1] != 0 for child in children) if not (found["failed"] and options.first) else 0
    return _tell(found, broken, time.monotonic() - began)


def _count(told: dict[str, Any], found: Counter[str], *, every: bool) -> None:
    found["played"] += told["number"] >= 0
    found["races"] += told["races"]
    found["failed"] += bool(told["problems"])
    if told["problems"] or every:
        _say(told)


def _tell(found: Counter[str], broken: int, seconds: float) -> int:
    played, failed, races = found["played"], found["failed"], found["races"]
    if races:
        sys.stdout.write(f"{races} times a person acted between a last look and its write: no client can close that\n")
    if broken:
        sys.stdout.write("a process ended before it had played its part; what it said is above\n")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = (used.ru_utime + used.ru_stime) / max(1, played)
    sys.stdout.write(f"{played / seconds:.1f} plans per second, {busy:.3f} s of processor time each\n")
    sys.stdout.write(f"{played} plans, {failed} failed, {seconds:.0f} s\n")
    return int(bool(failed or broken or not played))


def _plays(index: int, choice: Choice, only: str) -> bool:
    return bool(re.search(only, LIVES[index].name)) and (choice.number is None or choice.number // OF_A_LIFE == index)


def _play(index: int, choice: Choice, tokens: Tokens, writing: int) -> int:
    """Let a process of its own play a life; what this returns is not 0 when it could not."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]

    def tell(plan: Plan, answer: dict[str, Any]) -> None:
        line = {"number": plan.number, "words": plan.words, "second": "", "trace": [], "races": 0} | answer
        line["problems"] = [text[:500] for text in answer["problems"]][:8]
        os.write(writing, json.dumps(line, default=str).encode() + b"\n")

    calls = Playing(index, LIVES[index], choice, tokens, tell).play()
    if not calls:
        sys.stderr.write(f"{LIVES[index].name}: nothing is called in this life\n")
    os._exit(int(not calls))


def _say(told: dict[str, Any]) -> None:
    lines = [f"plan {told['number']}: {told['words']} {told['second']}".rstrip()]
    lines += [f"    {line}" for line in told["trace"]]
    lines += [f"  - {problem}" for problem in told["problems"]]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "tests.faults", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606 - this interpreter
    sys.exit(main(sys.argv[1:]))
