"""The wire between one worker process and everything remote: counts calls, refuses them, loses answers, kills.

Every remote call of a worker passes here: ARM, Elastic Cloud, tables, queue. A killed worker can make no further call,
not even from its `finally` blocks: that is what `kill -9` means.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from enum import Enum, auto
from typing import Any

import httpx
from azure.core.exceptions import ServiceResponseError
from starlette.responses import JSONResponse

from local.arm.transport import AsgiArmTransport
from local.asgi import AsgiTransport
from shared.clock import Clock
from shared.core.model.errors import AnswerLost, RetryLater, Throttled
from shared.requests import HEADER, OnRequest, Service, outgoing

STORAGE_READS = frozenset({"get", "look", "list", "list_columns", "newest", "across", "poisoned"})
STORAGE_WRITES = frozenset(
    {"insert", "replace", "put", "write", "append", "delete", "prune", "send", "withdraw", "replay_poison"}
)
"""The methods of the tables and the queue; `tests/faults/test_known_calls.py` holds them to the ports."""
HTTP = frozenset({"arm", "elastic", "vault", "topic"})
"""Services whose calls are requests; all others are tables and the queue."""
HTTP_READS = frozenset({"GET", "HEAD"})

_BY_CHANCE = re.compile(r"(?<=OperationStatuses/).*|\b[0-9a-f]{32}\b")


class Fault(Enum):
    """What happens to a call."""

    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    LOSE_ANSWER = auto()
    """Applied; the connection breaks before the answer."""
    REPEAT = auto()
    """Applied; the answer is lost inside the storage SDK, which sends the same again by itself."""


@dataclass(frozen=True)
class Stall:
    """The call is applied, and its answer comes very late: the process was frozen, or the network was."""

    seconds: float


@dataclass(frozen=True)
class Late:
    """The client has given up; the call is applied so many seconds later."""

    seconds: float


@dataclass(frozen=True)
class Frozen:
    """The process stands still just before the request's first byte; all else that it does waits too."""

    seconds: float


@dataclass(frozen=True)
class Edited:
    """Applied; what the caller gets is not what the service answered."""

    name: str
    edit: Callable[[bytes], bytes]

    def app(self, inner: Any) -> Any:
        """The service's app, with its answers edited."""

        async def edited(scope: Any, receive: Any, send: Any) -> None:
            async def changed(message: Any) -> None:
                if message["type"] == "http.response.body":
                    message = message | {"body": self.edit(message.get("body", b""))}
                else:
                    message["headers"] = [one for one in message["headers"] if one[0].lower() != b"content-length"]
                await send(message)

            await inner(scope, receive, changed)

        return edited


@dataclass(frozen=True)
class Refusal:
    """An answer of the service's front door: the call is not applied."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)

    def app(self, service: str) -> JSONResponse:
        """The answer as that service shapes it; a response is an ASGI app."""
        one = {"code": "MadeByTheTest", "message": "refused by the test"}
        return JSONResponse({"error": one} if service == "arm" else {"errors": [one]}, self.status, self.headers)

    def storage_error(self) -> RetryLater:
        """What the storage client makes of it."""
        kind = Throttled if self.status in {429, 503} else RetryLater
        return kind(f"Azure Storage answered {self.status}.", after=10.0)


class Killed(BaseException):
    """The worker process is gone."""


@dataclass(frozen=True)
class Call:
    """One remote call: its number in this worker's life, where it goes, and what it is."""

    number: int
    service: str
    what: str
    correlation_id: str = ""
    query: str = ""
    """Of Elastic Cloud's URLs only, where it decides how much harm a request may do."""
    condition: str = ""
    """Of Elastic Cloud's requests only: If-Match."""
    entries: int = 0
    """Of a project's list that is written: how many it has."""

    @property
    def name(self) -> str:
        """What it is, without the ids that chance gives: the same in every telling of a story."""
        return f"{self.service} {_BY_CHANCE.sub('*', self.what)}"

    @property
    def writes(self) -> bool:
        """Whether it changes something; what is not known to read counts as a write."""
        reads = HTTP_READS if self.service in HTTP else STORAGE_READS
        return self.what.split()[0] not in reads and "_search" not in self.what and not self.only_asks

    @property
    def only_asks(self) -> bool:
        """Whether it is a PATCH for a version that cannot be, which asks whether If-Match is honoured."""
        return "no-version" in self.condition

    @property
    def polls(self) -> bool:
        """Whether it asks how a long-running operation is doing."""
        return "OperationStatuses" in self.what


Outcome = Fault | Refusal | Stall | Late | Frozen | Edited | None
Faults = Callable[[Call], Outcome]


def no_faults(_: Call) -> Outcome:
    """Everything goes well."""
    return None


class Wire:
    """One worker's connection to the world."""

    def __init__(self, faults: Faults = no_faults, request_sent: OnRequest | None = None) -> None:
        """`request_sent`: told of each request to storage, and of its answer's `Date`, as by the SDK's transport."""
        self.calls: list[Call] = []
        self.request_sent = request_sent
        self.control_rows: list[str] = []
        """The rows of table `control` that were read, by name."""
        self.faults = faults
        self.dead = False
        self._thaws_at = 0.0
        self._late: set[asyncio.Task[Any]] = set()

    async def thaw(self) -> None:
        """Wait while the process stands still."""
        if (pause := self._thaws_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(pause)

    async def through(self, fault: Outcome, send: Callable[[], Awaitable[Any]], lost: Callable[[], Exception]) -> Any:
        """Send a call that nothing refused, and give its answer back as far as the fault lets it."""
        if isinstance(fault, Late):
            self._later(fault.seconds, send)
            raise lost()
        if isinstance(fault, Frozen):
            self._thaws_at = asyncio.get_running_loop().time() + fault.seconds
            return await asyncio.shield(self._later(fault.seconds, send))
        answer = await send()
        if fault is Fault.REPEAT:
            answer = await send()
        await self.after(fault)
        if fault is Fault.LOSE_ANSWER:
            raise lost()
        return answer

    def _later(self, seconds: float, send: Callable[[], Awaitable[Any]]) -> asyncio.Task[Any]:
        async def wait() -> Any:
            await asyncio.sleep(seconds)
            return await send()

        task = asyncio.ensure_future(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return task

    def before(self, service: str, what: str, correlation_id: str = "", **more: Any) -> Outcome:
        """Note a call; returns what is to happen to it."""
        if self.dead:
            raise Killed
        call = Call(len(self.calls), service, what, correlation_id, **more)
        self.calls.append(call)
        fault = self.faults(call)
        if fault is Fault.CRASH_BEFORE:
            self.kill()
        return fault

    async def after(self, fault: Outcome) -> None:
        """The call has been applied; whether and when this process sees the answer."""
        if isinstance(fault, Stall):
            await asyncio.sleep(fault.seconds)
        if fault is Fault.CRASH_AFTER or self.dead:
            self.kill()

    def kill(self) -> None:
        """The process is gone from here on."""
        self.dead = True
        raise Killed


class WiredArm(AsgiArmTransport):
    """ARM, or another service that an Azure SDK calls, over the wire."""

    def __init__(self, app: Any, wire: Wire, service: str = "arm") -> None:
        super().__init__(app)
        self._wire, self._service = wire, service

    async def send(self, request: Any, **options: Any) -> Any:
        await self._wire.thaw()
        fault = self._wire.before(self._service, f"{request.method} {request.url}", request.headers.get(HEADER, ""))
        if isinstance(fault, Refusal):
            return await AsgiArmTransport(fault.app("arm")).send(request, **options)
        send = AsgiArmTransport(fault.app(self._app)).send if isinstance(fault, Edited) else super().send
        return await self._wire.through(
            fault, lambda: send(request, **options), lambda: ServiceResponseError("the connection was reset")
        )


class WiredElastic(httpx.AsyncBaseTransport):
    """Elastic Cloud over the wire."""

    def __init__(self, app: Any, wire: Wire) -> None:
        self._app = app
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        await self._wire.thaw()
        fault = self._wire.before(
            "elastic",
            what,
            request.headers.get(HEADER, ""),
            query=request.url.query.decode(),
            condition=request.headers.get("If-Match", ""),
            entries=request.content.count(b'"id"') if request.method == "PATCH" else 0,
        )
        if isinstance(fault, Refusal):
            return await AsgiTransport(fault.app("elastic")).handle_async_request(request)
        inner = AsgiTransport(fault.app(self._app) if isinstance(fault, Edited) else self._app)
        return await self._wire.through(
            fault, lambda: inner.handle_async_request(request), lambda: httpx.ReadError("the connection was reset")
        )


class WiredPort:
    """A table or queue over the wire."""

    def __init__(self, inner: Any, name: str, wire: Wire, date: Callable[[], str]) -> None:
        self._inner, self._name, self._wire, self._date = inner, name, wire, date

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self._inner, method)
        if method in {"list", "list_columns", "across"}:
            return lambda *args: self._iterate(method, inner, *args)

        async def call(*args: Any, **options: Any) -> Any:
            await self._wire.thaw()
            if (self._name, method) == ("control", "get"):
                self._wire.control_rows.append(args[0])
            fault = self._before(method)
            if isinstance(fault, Refusal):
                raise fault.storage_error()
            return await self._wire.through(
                fault,
                lambda: self._dated(lambda: inner(*args, **options)),
                lambda: AnswerLost("Azure Storage took a request and gave no answer.", after=10.0),
            )

        return call

    def _before(self, method: str) -> Outcome:
        # The double sends no requests; the SDK behind the real port would ask for these headers.
        return self._wire.before(self._name, method, outgoing(Service.STORAGE).get(HEADER, ""))

    async def _dated(self, send: Callable[[], Awaitable[Any]]) -> Any:
        heard = self._wire.request_sent() if self._wire.request_sent is not None else None
        answer = await send()
        if heard is not None:
            heard(self._date())
        return answer

    async def _iterate(self, method: str, inner: Any, *args: Any) -> AsyncIterator[Any]:
        await self._wire.thaw()
        fault = self._before(method)
        if isinstance(fault, Refusal):
            raise fault.storage_error()
        heard = self._wire.request_sent() if self._wire.request_sent is not None else None
        async for row in inner(*args):
            if heard is not None:
                heard(self._date())
            yield row


class WiredStorage:
    """The storage over the wire; `clock` is the service's."""

    def __init__(self, inner: Any, wire: Wire, clock: Clock) -> None:
        def date() -> str:
            return format_datetime(clock.now(), usegmt=True)

        self.connections = WiredPort(inner.connections, "connections", wire, date)
        self.journal = WiredPort(inner.journal, "journal", wire, date)
        self.control = WiredPort(inner.control, "control", wire, date)
        self.hosts = WiredPort(inner.hosts, "hosts", wire, date)
        self.checks = WiredPort(inner.checks, "checks", wire, date)
        self.things = WiredPort(inner.things, "things", wire, date)
        self.queue = WiredPort(inner.queue, "queue", wire, date)

    async def aclose(self) -> None:
        pass
