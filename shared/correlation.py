"""Which piece of work a task is doing: its correlation id, the remote calls it has made, how long its stages took.

`reconcile`, `sweep` and the HTTP triggers open a `Work` with `correlated`; every client in `clouds` and `state` asks
for the headers of its next request, which also counts it; `telemetry` tells what it came to. A context variable holds
it: tasks started inside inherit it, so that runs side by side in one process never mix. Outside of any work a request
has no header of ours and nothing is counted.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

HEADER = "x-ms-client-request-id"
"""Azure writes it to its logs beside its own request id: the Activity Log has it as `clientRequestId`."""

P = ParamSpec("P")
T = TypeVar("T")


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
