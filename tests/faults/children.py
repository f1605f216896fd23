"""Processes that play plans, so many at once over all lives. Used by `search`, which forks them, and `__main__`.

Each life is a process of its own that walks on while its children play; a token for each child that may run is in a
pipe that all lives share. So no processor waits while one life is set up, or for the last child of another.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Told = Callable[[bytes], None]


class Tokens:
    """How many children may run; to be made before the lives fork."""

    def __init__(self, number: int) -> None:
        self.reading, self._writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.write(self._writing, b"." * number)

    def take(self) -> bool:
        """Whether there was one."""
        try:
            return bool(os.read(self.reading, 1))
        except BlockingIOError:  # another life was quicker
            return False

    def give_back(self) -> None:
        """A child has ended."""
        os.write(self._writing, b".")


@dataclass(slots=True)
class Children:
    """Those of one life."""

    tokens: Tokens
    _running: dict[int, tuple[int, Told]] = field(default_factory=dict)
    """By the pipe in which a child tells how it ended: its process, and who wants to know."""

    def wait_for_room(self) -> None:
        """Return when one more may run."""
        while True:
            ready, _, _ = select.select([self.tokens.reading, *self._running], [], [])
            for pipe in ready:
                if pipe in self._running:
                    self._end(pipe)
            if self.tokens.reading in ready and self.tokens.take():
                return

    def began(self, pipe: int, process: int, told: Told) -> None:
        """A child runs, with the token that was waited for."""
        self._running[pipe] = process, told

    def wait_for_all(self) -> None:
        """Return when none runs any more."""
        while self._running:
            self._end(next(iter(self._running)))

    def forget(self) -> None:
        """In a child: these are its brothers, not its own."""
        for pipe in self._running:
            os.close(pipe)
        self._running = {}

    def _end(self, pipe: int) -> None:
        process, told = self._running.pop(pipe)
        answer = whole(pipe, process)
        self.tokens.give_back()
        told(answer)


def whole(pipe: int, process: int) -> bytes:
    """All that a child tells, once it has ended."""
    with os.fdopen(pipe, "rb") as reading:
        told = reading.read()
    os.waitpid(process, 0)
    return told


def lanes(number: int, works: list[Any], do: Callable[[Any], int], *, apart: bool) -> list[int]:
    """So many processes that do these works, each the next one that is left; returns their ids."""
    reading, writing = os.pipe()
    os.write(writing, bytes(range(len(works))))
    os.close(writing)
    return [_lane(reading, works, do, apart=apart) for _ in range(number)]


def _lane(reading: int, works: list[Any], do: Callable[[Any], int], *, apart: bool) -> int:
    child = os.fork()
    if child:
        return child
    if apart:
        os.setpgid(0, 0)  # with those that it forks, so that all can be ended at once
    worst = 0
    while place := os.read(reading, 1):
        worst |= do(works[place[0]])
    os._exit(int(bool(worst)))
