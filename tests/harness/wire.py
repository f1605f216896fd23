"""The wire between one worker process and everything remote: counts calls, loses answers, kills the process.

Every remote call of a worker passes here: ARM, Elastic Cloud, tables, queue. A killed worker can make no further call,
not even from its `finally` blocks: that is what `kill -9` means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httpx
from azure.core.exceptions import ServiceResponseError

from local.arm.transport import AsgiArmTransport


class Fault(Enum):
    """What happens to a call."""

    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    LOSE_ANSWER = auto()


class Killed(BaseException):
    """The worker process is gone."""


@dataclass(frozen=True)
class Call:
    """One remote call: its number in this worker's life, where it goes, and what it is."""

    number: int
    service: str
    what: str

    @property
    def writes(self) -> bool:
        return self.what.split()[0] in {"PUT", "POST", "DELETE", "PATCH", "insert", "replace", "append", "send"}


class Wire:
    """One worker's connection to the world."""

    def __init__(self, fault: Callable[[Call], Fault | None] = lambda _: None) -> None:
        self.calls: list[Call] = []
        self.fault = fault
        self.dead = False

    def before(self, service: str, what: str) -> Fault | None:
        if self.dead:
            raise Killed
        call = Call(len(self.calls), service, what)
        self.calls.append(call)
        fault = self.fault(call)
        if fault is Fault.CRASH_BEFORE:
            self.kill()
        return fault

    def after(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER or self.dead:
            self.kill()

    def kill(self) -> None:
        self.dead = True
        raise Killed


class WiredArm(AsgiArmTransport):
    """ARM over the wire."""

    def __init__(self, app: Any, wire: Wire) -> None:
        super().__init__(app)
        self._wire = wire

    async def send(self, request: Any, **options: Any) -> Any:
        fault = self._wire.before("arm", f"{request.method} {request.url}")
        answer = await super().send(request, **options)
        self._wire.after(fault)
        if fault is Fault.LOSE_ANSWER:
            raise ServiceResponseError("the connection was reset")
        return answer


class WiredElastic(httpx.AsyncBaseTransport):
    """Elastic Cloud over the wire."""

    def __init__(self, app: Any, wire: Wire) -> None:
        self._inner = httpx.ASGITransport(app)
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self._wire.before("elastic", f"{request.method} {request.url.path}")
        answer = await self._inner.handle_async_request(request)
        self._wire.after(fault)
        if fault is Fault.LOSE_ANSWER:
            raise httpx.ReadError("the connection was reset")
        return answer


class WiredPort:
    """A table or queue over the wire."""

    def __init__(self, inner: Any, name: str, wire: Wire) -> None:
        self._inner, self._name, self._wire = inner, name, wire

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._inner, method)
        if method == "list":
            return lambda *args: self._iterate(inner, *args)

        async def call(*args: Any, **options: Any) -> Any:
            fault = self._wire.before(self._name, method)
            answer = await inner(*args, **options)
            self._wire.after(fault)
            return answer

        return call

    async def _iterate(self, inner: Any, *args: Any) -> AsyncIterator[Any]:
        self._wire.before(self._name, "list")
        async for row in inner(*args):
            yield row


class WiredStorage:
    """The storage over the wire."""

    def __init__(self, inner: Any, wire: Wire) -> None:
        self.connections = WiredPort(inner.connections, "connections", wire)
        self.journal = WiredPort(inner.journal, "journal", wire)
        self.queue = WiredPort(inner.queue, "queue", wire)

    async def aclose(self) -> None:
        pass
