"""The SDK's clients of one Azure service: made when first needed, kept for the process, closed together.

Used by `arm`, `vault` and `event_grid`. All clients of a service share one credential, which caches tokens; each has a
transport of its own, whose requests have one deadline, and repeats nothing: a message of the queue waits cheaper than
an instance that sleeps inside the SDK.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.requests import Service, azure_transport, request_hook

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport


class SdkClients:
    """The clients of one service, by class and by what each is for."""

    def __init__(
        self,
        service: Service,
        timeout: float,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    ) -> None:
        """`timeout`: seconds for one request. `transport` replaces the SDK's (aiohttp), for running without sockets."""
        self._service, self._timeout = service, timeout
        self._new_credential, self._new_transport = credential, transport
        self._credential: AsyncTokenCredential | None = None
        self._clients: dict[tuple[str, str, str], Any] = {}

    async def client(self, module: str, kind: str, of: str = "", **options: Any) -> Any:
        """The client `kind` of `module`, made with these options; `of` tells several of a kind apart."""
        key = (module, kind, of)
        if key not in self._clients:
            # The import takes up to a second: off the event loop, so that other work in this process goes on.
            loaded = await asyncio.to_thread(import_module, module)
            if key not in self._clients:  # another caller may have been quicker
                self._clients[key] = self._made(getattr(loaded, kind), options)
        return self._clients[key]

    def _made(self, kind: Any, options: dict[str, Any]) -> Any:
        # One credential for all clients and runs: closing it with a client would close it for the next run.
        self._credential = self._credential or self._new_credential()
        transport = azure_transport(self._timeout) if self._new_transport is None else self._new_transport()
        return kind(
            credential=self._credential,
            retry_total=0,
            raw_request_hook=request_hook(self._service),
            transport=transport,
            **options,
        )

    async def aclose(self) -> None:
        """Close every client and the credential."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.close()
        if self._credential is not None:
            await self._credential.close()
            self._credential = None
