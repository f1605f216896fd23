"""What the requests of all clients have in common: the work that they belong to, their deadline, shared answers.

`reconcile`, `sweep` and the HTTP triggers open a `Work` with `correlated`; every client in `clouds` and `state` asks
for the headers of its next request, which also counts it; `telemetry` tells what it came to. A context variable holds
it: tasks started inside inherit it, so that runs side by side in one process never mix. Outside of any work a request
has no header of ours and nothing is counted.

A request has one deadline for all of it: connection, request, head and body of the answer. The libraries bound each
read: an answer that drips, a byte now and then, would never end.

What many runs in one process need at once is asked for by the first and shared with the others for some seconds.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from azure.core.pipeline.transport import AsyncHttpTransport


HEADER = "x-ms-client-request-id"
"""Azure writes it to its logs beside its own request id: the Activity Log has it as `clientRequestId`."""

P = ParamSpec("P")
T = TypeVar("T")


# -- the work that a task does -----------------------------------------------------------------------------------------


class Service(StrEnum):
    """Whom the app calls with credentials; the test of a connection is not among them and carries no header."""

    ARM = "arm"
    ELASTIC = "elastic"
    STORAGE = "storage"
    TOPIC = "topic"
    VAULT = "vault"


class Stage(StrEnum):
    """What a piece of work spends its time with."""

    OBSERVE_DNS = "observeDns"
    OBSERVE_ELASTIC = "observeElastic"
    APPLY_DNS = "applyDns"
    APPLY_ELASTIC = "applyElastic"
    TEST = "test"
    READ_RECORDS = "readRecords"
    LIST_ENDPOINTS = "listEndpoints"
    READ_CLOUDS = "readClouds"


@dataclass(slots=True)
class Spent:
    """What a piece of work has cost."""

    calls: Counter[Service] = field(default_factory=Counter)
    """Requests sent, by service; those of long-running operations and repeats included."""
    throttled: Counter[Service] = field(default_factory=Counter)
    """Answers that asked to slow down (429), by service."""
    seconds: dict[Stage, float] = field(default_factory=dict)
    """Time by stage. Stages run side by side, so they may add up to more than the whole took."""

    def milliseconds(self, stage: Stage) -> int:
        """Time of one stage."""
        return round(self.seconds.get(stage, 0.0) * 1000)


@dataclass(slots=True)
class Work:
    """One run over an endpoint, or one sweep."""

    correlation_id: str
    spent: Spent = field(default_factory=Spent)


_current: ContextVar[Work | None] = ContextVar("work", default=None)


@contextmanager
def correlated(correlation_id: str) -> Iterator[None]:
    """Everything called inside belongs to one piece of work."""
    token = _current.set(Work(correlation_id))
    try:
        yield
    finally:
        _current.reset(token)


def present_id() -> str:
    """The correlation id of the present work; empty outside of any."""
    work = _current.get()
    return "" if work is None else work.correlation_id


def take_spent() -> Spent:
    """What the present work has cost since this was last asked."""
    work = _current.get()
    if work is None:
        return Spent()
    spent, work.spent = work.spent, Spent()
    return spent


def outgoing(service: Service) -> dict[str, str]:
    """The headers of the next request to a service, which counts as sent."""
    work = _current.get()
    if work is None:
        return {}
    work.spent.calls[service] += 1
    return {HEADER: work.correlation_id}


def was_throttled(service: Service) -> None:
    """Count that a service has asked to slow down."""
    work = _current.get()
    if work is not None:
        work.spent.throttled[service] += 1


def request_hook(service: Service) -> Callable[[Any], None]:
    """The same for an Azure SDK client, as its `raw_request_hook`."""

    def hook(request: Any) -> None:
        request.http_request.headers.update(outgoing(service))

    return hook


def timed(stage: Stage) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Count the time of an async function as a stage of the work that calls it."""

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            work, now = _current.get(), asyncio.get_running_loop().time
            started = now()
            try:
                return await function(*args, **kwargs)
            finally:
                if work is not None:
                    work.spent.seconds[stage] = work.spent.seconds.get(stage, 0.0) + now() - started

        return wrapper

    return decorate


# -- one deadline for a whole request ----------------------------------------------------------------------------------


OnRequest = Callable[[], Callable[[str | None], None]]
"""Called when a request is sent; what it returns is told the answer's `Date` (`clock.ServiceClock.request_sent`)."""


@asynccontextmanager
async def request_deadline(seconds: float, late: Exception) -> AsyncIterator[None]:
    """Break off what takes longer, and raise `late`; a timeout that is not ours comes through as it is."""
    try:
        async with asyncio.timeout(seconds) as bound:
            yield
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise late from error


def azure_transport(
    seconds: float, connect: float | None = None, request_sent: OnRequest | None = None
) -> AsyncHttpTransport[Any, Any]:
    """The transport of an Azure SDK client (aiohttp) whose requests, bodies included, take so long at most.

    `connect`: seconds for the connection alone. Each repeat that a client makes is a request of its own. What
    took too long is reported as `ServiceResponseTimeoutError`: the request may have been carried out.
    """
    # The SDK is imported when it is first used.
    from azure.core.exceptions import ServiceResponseTimeoutError  # noqa: PLC0415
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415

    class DeadlineTransport(AioHttpTransport):  # type: ignore[misc] # the SDK gives it lazily, without a type
        async def send(self, request: Any, **config: Any) -> Any:
            late = ServiceResponseTimeoutError(f"No whole answer within {seconds:g} s.")
            heard = request_sent() if request_sent is not None else None
            async with request_deadline(seconds, late):
                answer = await super().send(request, **config)
            if heard is not None:
                heard(answer.headers.get("Date"))
            return answer

    return DeadlineTransport(connection_timeout=connect or seconds, read_timeout=seconds)


# -- answers that are shared -------------------------------------------------------------------------------------------


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 1_000
"""Answers that are kept; one more, and those go that are shared no longer."""


@dataclass(slots=True)
class _Answer(Generic[V]):
    value: V
    until: float


@dataclass(slots=True)
class _Group:
    """Those who ask for the same kind of thing at the same time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: set[str] = field(default_factory=set)
    """What the next request is to be about."""
    about: frozenset[str] = frozenset()
    """What the answer that is shared is about."""
    failed: frozenset[str] = frozenset()
    """What the last request was about, if it failed."""
    error: Exception | None = None
    """How it did."""


class SharedReads(Generic[K, V]):
    """Answers by what was asked."""

    def __init__(self) -> None:
        self._answers: dict[K, _Answer[V]] = {}
        self._asking: dict[K, asyncio.Lock] = {}
        self._groups: dict[K, _Group] = {}

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

    async def together(
        self, key: K, wanted: Iterable[str], ask: Callable[[tuple[str, ...]], Awaitable[V]], seconds: float
    ) -> V:
        """An answer about what is wanted: all who come while another answer is on its way are asked for at once.

        An error is shared by those who wait for the answer; who comes later asks anew.
        """
        group, mine = self._groups.setdefault(key, _Group()), frozenset(wanted)
        group.wanted |= mine
        waits = group.lock.locked()
        async with group.lock:
            if waits and group.error is not None and mine <= group.failed:
                raise group.error
            found = self.peek(key)
            if found is not None and mine <= group.about:
                return found
            about = mine | group.wanted | (frozenset() if found is None else group.about)
            group.wanted, group.error = set(), None
            try:
                found = await self._asked(key, lambda: ask(tuple(sorted(about))), lambda _: seconds)
            except Exception as error:
                group.failed, group.error = about, error
                raise
            group.about = about
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
