"""An azure-core transport that hands requests to an ASGI app in this process; for the fast tests.

The SDKs' own pipelines run unchanged above it: authentication, polling, paging, errors. No socket is opened, and
waiting is the event loop's, so it is virtual under a virtual-time loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import case_insensitive_dict

from local.asgi import call

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class _NothingToClose:
    """What azure-core closes after reading."""

    async def close(self) -> None:
        """The answer is in memory already."""


class AsgiArmTransport(AsyncHttpTransport[Any, Any]):
    """Each request of an Azure SDK becomes one call of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def send(self, request: Any, *, stream: bool = False, **_: Any) -> AsyncHttpResponseImpl:
        """Call the app."""
        # azure-eventgrid still makes requests of azure-core's first kind, whose body has another name.
        content = request.content if hasattr(request, "content") else request.data
        body = content.encode() if isinstance(content, str) else content or b""
        answer = await call(self._app, request.method, urlsplit(request.url), request.headers.items(), body)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}

        async def whole(*_: Any, **__: Any) -> AsyncIterator[bytes]:
            yield answer.body

        response = AsyncHttpResponseImpl(
            request=request,
            internal_response=_NothingToClose(),
            status_code=answer.status,
            reason=HTTPStatus(answer.status).phrase,
            content_type=headers.get("content-type", ""),
            headers=case_insensitive_dict(headers),
            stream_download_generator=whole,
        )
        if not stream:
            await response.read()
        return response

    async def sleep(self, duration: float) -> None:
        """Wait on the loop's time."""
        await asyncio.sleep(duration)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(self, *_: object) -> None:
        await self.close()
