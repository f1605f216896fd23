"""What the search has found and is not mended yet, so that it does not hide what is new. Used by `__main__`.

A line goes as soon as the product is mended; `python -m tests.faults --all-failures` counts these too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A problem, by words of the plan and of all that is wrong with it."""

    why: str
    plan: str
    problem: str


KNOWN: tuple[Known, ...] = ()


def known(words: str, problems: list[str]) -> bool:
    """Whether this is one of these. All problems of a plan then have one cause."""
    return any(one.plan in words and any(one.problem in problem for problem in problems) for one in KNOWN)
