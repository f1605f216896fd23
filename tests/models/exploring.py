"""Breadth-first search over a small model: every state that can be reached, and how each falls quiet.

A model tells what can happen next in plain sentences, so a way to harm is printed as a story, and is a shortest one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

S = TypeVar("S", bound=Hashable)
Successors = Callable[[S], Iterable[tuple[str, S]]]

TICKS = 60
"""A quiet world comes to rest within so many."""


def search(initial: S, successors: Successors[S], is_wrong: Callable[[S], bool]) -> tuple[set[S], list[str] | None]:
    """Every state that can be reached, or the shortest way to a wrong one."""
    parent: dict[S, tuple[S, str] | None] = {initial: None}
    queue = deque([initial])
    while queue:
        state = queue.popleft()
        for sentence, after in successors(state):
            if after in parent:
                continue
            parent[after] = (state, sentence)
            if is_wrong(after):
                return set(), _way(parent, after)
            queue.append(after)
    return set(parent), None


def _way(parent: dict[S, tuple[S, str] | None], state: S) -> list[str]:
    sentences: list[str] = []
    while (before := parent[state]) is not None:
        state = before[0]
        sentences.append(before[1])
    return sentences[::-1]


def bad_ends(
    states: Iterable[S], quiet_step: Callable[[S], tuple[S, bool]], ended_well: Callable[[S], bool]
) -> list[S]:
    """The states from which a quiet world does not come to rest as it should.

    `quiet_step`: what a fair scheduler does next once nothing fails and nothing lags any more; and whether that is a
    tick. The state itself where nothing is left to do.
    """
    known: dict[S, bool] = {}
    every = list(states)
    for first in every:
        path: dict[S, None] = {}
        state, ticks = first, 0
        while state not in known and state not in path and ticks <= TICKS:
            path[state] = None
            after, ticked = quiet_step(state)
            ticks += ticked
            if after == state:
                known[state] = ended_well(state)
            state = after
        verdict = known.get(state, False)
        known |= dict.fromkeys(path, verdict)
    return [state for state in every if not known[state]]
