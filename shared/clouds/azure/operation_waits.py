"""Long-running operations of private DNS: looked at when their kind usually ends, and seldom before.

Used by `private_dns`. Each look is one of the few private DNS reads that a subscription has, and the service names no
time. So what the last operation of a kind took tells when the first look at the next is worth it; while that is not
known, one of those that run side by side is looked at for all. Looks after the first follow the time waited so far: a
tenth of it. Nothing of this is kept: a process learns it with its first operation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from shared.core.model.json_values import text

SHARE = 0.1
"""Of the time waited so far, to the next look."""
SOONER = 0.95
"""Of the time that the last one took where the first look found it ended: it may have ended before."""
LONGER = 5.0
"""Seconds that a run waits beyond its time rather than go through the queue."""

ENDED = frozenset({"succeeded", "failed", "canceled"})

Look = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(slots=True)
class _Learned:
    """What is known of operations of one kind."""

    usual: float | None = None
    """Seconds until the first look."""
    running: list[object] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when one has ended, so that its time is known."""


class StillRunning(Exception):
    """The operation outlasts the run; `after`: seconds to the next look."""

    def __init__(self, after: float) -> None:
        super().__init__(after)
        self.after = after


class Operations:
    """How long operations take, by their kind, and the wait for one of them."""

    def __init__(self, shortest: float, longest: float) -> None:
        """`shortest`: seconds between two looks at least. `longest`: that a run waits for one operation."""
        self._shortest, self._longest = shortest, longest
        self._kinds: dict[str, _Learned] = {}

    def next_look(self, waited: float) -> float:
        """Seconds from one look to the next, by the time waited so far."""
        return max(self._shortest, waited * SHARE)

    def learn(self, kind: str, took: float, looks: int) -> None:
        """What one operation tells of the next."""
        known = self._kind(kind)
        known.usual = took * SOONER if looks == 1 else took
        known.ended.set()

    async def wait_for_end(self, kind: str, look: Look) -> Mapping[str, Any]:
        """What Azure tells of an operation, begun just now, once it has ended; raises StillRunning."""
        known, mine, began, looks = self._kind(kind), object(), _now(), 0
        known.running.append(mine)
        try:
            while True:
                waited = _now() - began
                pause = self._pause(known, mine, waited, looks)
                if waited + pause > self._longest + LONGER:
                    raise StillRunning(pause)
                await self._sleep(known, mine, pause)
                if looks == 0 and known.usual is not None and _now() - began < known.usual - self._shortest:
                    continue  # another one has told how long it takes
                told, looks = await look(), looks + 1
                if text(told.get("status")).lower() in ENDED or not told.get("status"):
                    self.learn(kind, _now() - began, looks)
                    return told
        finally:
            known.running.remove(mine)

    def _kind(self, kind: str) -> _Learned:
        return self._kinds.setdefault(kind, _Learned())

    def _pause(self, known: _Learned, mine: object, waited: float, looks: int) -> float:
        if looks == 0 and known.usual is not None:
            return max(self._shortest, known.usual) - waited if waited < known.usual else self.next_look(waited)
        if known.usual is None and known.running[0] is not mine:
            return max(2 * self._shortest, waited)  # the first of them is looked at for all
        return self.next_look(waited)

    async def _sleep(self, known: _Learned, mine: object, pause: float) -> None:
        if known.usual is not None or known.running[0] is mine:
            await asyncio.sleep(pause)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await known.ended.wait()


def _now() -> float:
    return asyncio.get_running_loop().time()
