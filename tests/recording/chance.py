"""Chance that gives the same every time, and the same however often it is asked. Used by `scenarios` around each play.

The product draws lease tokens, run ids, correlation ids, pauses after a lost race and the order of health checks. Here
ids are counted, and what spreads work gives the middle: so a recording stays comparable when the code draws more
often or less often than before. A generator that was made with a seed stays as it is: a walk is drawn by those.
"""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

_Seeded = random.Random


class Middle(_Seeded):
    """A generator that knows no chance."""

    def __init__(self) -> None:
        super().__init__(0)
        self._count = count(1)

    def random(self) -> float:
        """The middle."""
        return 0.5

    def getrandbits(self, k: int, /) -> int:
        """A number that it has not given before."""
        return next(self._count) % (1 << k)

    def sample(self, population: Sequence[Any], k: int, **_: Any) -> list[Any]:
        """The first ones, in their order."""
        return list(population)[:k]

    def shuffle(self, x: Any) -> None:
        """Leave them in their order."""

    def choice(self, seq: Any) -> Any:
        """The first one."""
        return seq[0]


class _Generator:
    """What stands for `random.Random`: calm unless it is given a seed."""

    def __new__(cls, seed: Any = None) -> Any:
        return Middle() if seed is None else _Seeded(seed)


@contextmanager
def without_chance() -> Iterator[None]:
    """No module of the product finds any chance within."""
    ids, middle = count(1), Middle()

    def token_hex(nbytes: int | None = None) -> str:
        digits = 2 * (nbytes or 32)
        return f"c0ffee{next(ids):0{digits - 6}x}"

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=(0xC0FFEE << 104) | next(ids), version=4)

    with ExitStack() as stack:
        stack.enter_context(patch.object(secrets, "token_hex", token_hex))
        stack.enter_context(patch.object(uuid, "uuid4", uuid4))
        stack.enter_context(patch.object(random, "Random", _Generator))
        for name in ("random", "uniform", "getrandbits", "sample", "shuffle", "choice"):
            stack.enter_context(patch.object(random, name, getattr(middle, name)))
        yield
