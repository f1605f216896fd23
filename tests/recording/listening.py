"""Listens to all that workers send, whichever estate they are in. Used by `scenarios`; knows `tests/harness/wire.py`.

A request is noted when it leaves the worker, so what is refused, or applied and never answered, is in the recording
too. What a dead worker still tries is not: the harness stops it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from local.storage.memory import MemoryDiaryTable, MemoryStorage
from tests.harness.wire import Wire, WiredArm, WiredElastic

CLOUDS = ("arm", "elastic")
CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
"""Headers that decide whether a request is applied."""

Line = dict[str, Any]
"""One line of a recording: JSON values."""


@dataclass
class Heard:
    """What was heard until now."""

    requests: list[Line] = field(default_factory=list)
    storage: Counter[str] = field(default_factory=Counter)
    """Requests to storage by table and kind."""
    stores: list[MemoryStorage] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)

    def request(self, wire: Wire, service: str, method: str, url: str, headers: Any, content: Any) -> None:
        """Note a request to a cloud."""
        if service not in CLOUDS or wire.dead:
            return
        given = {name.lower(): value for name, value in dict(headers).items()}
        line: Line = {
            "kind": "request",
            "worker": self.wires.index(wire),
            "service": service,
            "at": round(asyncio.get_running_loop().time(), 3),
            "method": method,
            "path": "/" + url.partition("://")[2].partition("/")[2],
            "headers": {name: given[name] for name in CONDITIONS if name in given},
            "body": _value(content),
        }
        self.requests.append(line)


def _value(content: Any) -> Any:
    """A body as JSON values; text where it is none."""
    if not content:
        return None
    text = content.decode() if isinstance(content, bytes) else str(content)
    try:
        return json.loads(text)
    except ValueError:
        return text


@contextmanager
def listening() -> Iterator[Heard]:
    """Note everything that any worker sends within."""
    heard = Heard()
    arm, elastic, before = WiredArm.send, WiredElastic.handle_async_request, Wire.before
    made, stored = Wire.__init__, MemoryStorage.__init__

    async def send_arm(self: Any, request: Any, **options: Any) -> Any:
        content = request.content if hasattr(request, "content") else request.data
        heard.request(self._wire, self._service, request.method, str(request.url), request.headers, content)
        return await arm(self, request, **options)

    async def send_elastic(self: Any, request: Any) -> Any:
        heard.request(self._wire, "elastic", request.method, str(request.url), request.headers, request.content)
        return await elastic(self, request)

    def count(self: Any, service: str, what: str, *args: Any, **options: Any) -> Any:
        outcome = before(self, service, what, *args, **options)
        if service not in CLOUDS:
            heard.storage[f"{service} {what.split(maxsplit=1)[0]}"] += 1
        return outcome

    def make_wire(self: Any, *args: Any, **options: Any) -> None:
        heard.wires.append(self)
        made(self, *args, **options)

    def make_storage(self: Any, *args: Any, **options: Any) -> None:
        heard.stores.append(self)
        stored(self, *args, **options)

    async def prune(self: Any, connection_id: str, before: Any) -> int:
        """Old entries stay in the recording: when they are deleted, the tests of that say."""
        return 0

    with ExitStack() as stack:
        stack.enter_context(patch.object(MemoryDiaryTable, "prune", prune))
        stack.enter_context(patch.object(WiredArm, "send", send_arm))
        stack.enter_context(patch.object(WiredElastic, "handle_async_request", send_elastic))
        stack.enter_context(patch.object(Wire, "before", count))
        stack.enter_context(patch.object(Wire, "__init__", make_wire))
        stack.enter_context(patch.object(MemoryStorage, "__init__", make_storage))
        yield heard
