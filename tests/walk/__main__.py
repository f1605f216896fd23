"""`python -m tests.walk`: one random walk by its number, or many, outside the test run.

WALK=17 python -m tests.walk                     tell walk 17
WALK=17 WALK_WITHOUT=3,5 python -m tests.walk    without two of its steps
python -m tests.walk shortest 17                 leave out all steps that it fails without
python -m tests.walk many 1000 2000              walks 1000 to 1999; the numbers of those that fail

WALK_STEPS=60 makes each longer; it is another walk then.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter

from tests.walk.story import Story, WalkFailed, shortest


def main(arguments: list[str]) -> int:
    """Run; 1 when a walk failed."""
    match arguments:
        case ["shortest", seed]:
            story = shortest(int(seed))
        case ["many", first, last]:
            return _many(range(int(first), int(last)))
        case _:
            without = [int(number) for number in os.environ.get("WALK_WITHOUT", "").split(",") if number]
            story = Story(int(os.environ["WALK"]), without=without)
    try:
        story = Story(story.seed, story.steps, story.without)
        story.tell()
    except WalkFailed as error:
        _say(error)
        return 1
    _say("\n".join(story.lines))
    _say(story.phases)
    return 0


def _many(seeds: range) -> int:
    failed, phases, began = [], Counter[str](), time.monotonic()
    for number, seed in enumerate(seeds):
        if number and number % 100 == 0:
            _say(f"{number} walks, {(time.monotonic() - began) / number:.1f} s each, {len(failed)} failed")
        story = Story(seed)
        try:
            story.tell()
        except WalkFailed as error:
            failed.append(seed)
            _say(f"{seed}: {str(error).splitlines()[0][:300]}")
        phases.update(story.phases)
    seconds = (time.monotonic() - began) / len(seeds)
    _say(f"{len(failed)} of {len(seeds)} failed, {seconds:.1f} s each; {dict(phases)}")
    return bool(failed)


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
