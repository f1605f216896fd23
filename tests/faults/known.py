"""What the search has found and is not mended yet, so that it does not hide what is new. Used by `__main__`.

A line goes as soon as the product is mended; `python -m tests.faults --all-failures` counts these too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A problem, by words of the plan and of all that is wrong with it."""

    why: str
    plan: str
    problem: str


KNOWN = (
    Known(
        "what a former network kept after one look that failed is tried again after an hour (`former.AGAIN`), and the "
        "end has three sweeps in 45 minutes",
        "moves to another network",
        "link vnet-eastus2-apps",
    ),
    Known(
        "of two endpoints with one zone the first says that it is left until its next look, after ten minutes and more",
        "two endpoints of one deployment are deleted",
        "Removed True LeftBehind",
    ),
)


_HARM = re.compile(r"\d\d:\d\d:\d\d ")
"""What the watcher says begins with the moment; harm is excused by nothing."""


def known(words: str, problems: list[str]) -> bool:
    """Whether this is one of these. All problems of a plan then have one cause."""
    if any(_HARM.match(problem) for problem in problems):
        return False
    return any(one.plan in words and any(one.problem in problem for problem in problems) for one in KNOWN)
