"""One deadline for a whole request: connection, request, head and body of the answer. Used by every client.

The libraries bound each read: an answer that drips, a byte now and then, would never end. Nothing awaits a request for
longer than its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.pipeline.transport import AsyncHttpTransport


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
