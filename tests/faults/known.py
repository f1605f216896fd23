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


KNOWN = (
    Known(
        "the lease goes by the clocks of workers: one that is ahead takes over what is held",
        "10 minutes ahead",
        "two writers",
    ),
    Known(
        "what a listing lacks counts as gone: the record goes before the policy",
        "its lists are short",
        "the record * went before the policy",
    ),
    Known(
        "what one 403 left behind is not tried again",
        "answered 403",
        "LeftBehind",
    ),
    Known(
        "a claim that was given up, and is still listed, counts as left behind for good",
        "_unclaim",
        "LeftBehind",
    ),
)


def known(words: str, problems: list[str]) -> bool:
    """Whether this is one of these. All problems of a plan then have one cause."""
    return any(one.plan in words and any(one.problem in problem for problem in problems) for one in KNOWN)
