"""Answers that many runs in one process need at once: asked for by the first, shared by the others for some seconds.

Used by the clients in `clouds` for listings, and by `reconciler.dns_branch` for what our own records say. What is
shared is as old as any answer may be by the time that it is used; who has to know more asks anew. An error is not
shared: the next one asks for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 1_000
"""Answers that are kept; one more, and those go that are shared no longer."""


@dataclass(slots=True)
class _Answer(Generic[V]):
    value: V
    until: float


class SharedReads(Generic[K, V]):
    """Answers by what was asked."""

    def __init__(self) -> None:
        self._answers: dict[K, _Answer[V]] = {}
        self._asking: dict[K, asyncio.Lock] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]], seconds: Callable[[V], float]) -> V:
        """The answer that is shared, or a new one; who comes while that is on its way waits for it.

        `seconds`: how long an answer may be shared, counted from before it was asked for.
        """
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:
            found = self.peek(key)
            if found is None:
                found = await self._asked(key, ask, seconds)
            return found

    async def anew(self, key: K, ask: Callable[[], Awaitable[V]], seconds: Callable[[V], float]) -> V:
        """A new answer, which takes the place of the one that is shared."""
        return await self._asked(key, ask, seconds)

    def peek(self, key: K) -> V | None:
        """The answer that is shared just now."""
        answer = self._answers.get(key)
        return answer.value if answer is not None and _now() < answer.until else None

    def amend(self, key: K, change: Callable[[V], V]) -> None:
        """Tell what is shared of a change of our own; it is shared for no longer because of that."""
        answer = self._answers.get(key)
        if answer is not None:
            answer.value = change(answer.value)

    def forget(self, key: K) -> None:
        """The next one asks anew."""
        self._answers.pop(key, None)

    async def _asked(self, key: K, ask: Callable[[], Awaitable[V]], seconds: Callable[[V], float]) -> V:
        began = _now()
        value = await ask()
        if len(self._answers) >= MOST:
            self._answers = {name: one for name, one in self._answers.items() if _now() < one.until}
            self._asking = {name: one for name, one in self._asking.items() if one.locked() or name in self._answers}
        self._answers[key] = _Answer(value, began + seconds(value))
        return value


def _now() -> float:
    return asyncio.get_running_loop().time()
