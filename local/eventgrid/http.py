"""Delivery over HTTP: real sockets, or an ASGI app in this process (an httpx transport decides).

`local.cli.stack` gives a `HttpDeliver` to `EventGrid`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from local.eventgrid.delivery import Answer, DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping


class HttpDeliver:
    """Sends each request with `client`, whose own timeouts should be off: Event Grid has its own."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(timeout=None)  # noqa: S113 - EventGrid.settings.answer_timeout

    async def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it and return what came back."""
        try:
            response = await self._client.request(method, url, headers=headers, content=body)
        except httpx.TransportError as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from error
        return Answer(response.status_code, dict(response.headers), response.content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
