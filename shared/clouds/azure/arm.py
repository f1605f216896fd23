"""Azure Resource Manager clients, one pair per subscription, made when first needed and kept for the process.

Used by `private_endpoints` and `private_dns`; built by `app`. The address, the audience and the credential are settings
or the platform's environment, so the same code talks to any ARM.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.correlation import Service, request_hook
from shared.request_deadline import azure_transport

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.mgmt.network.aio import NetworkManagementClient
    from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

NETWORK_API = "2024-05-01"
"""Pinned: the SDK's default moves with each release, and every call must work in clouds that lag behind."""


@dataclass(frozen=True, slots=True)
class ArmOptions:
    """Where ARM is and how patient to be; times in seconds."""

    url: str = "https://management.azure.com"
    audience: str = "https://management.azure.com"
    poll_interval: float = 2.0
    """Between two looks at a long-running operation; the SDK's own default is 30."""
    operation_wait: float = 25.0
    """How long one run waits for an operation before it goes back to the queue."""
    timeout: float = 15.0
    """For one request."""


class ArmClients:
    """The SDK clients. `transport` replaces the SDK's own (aiohttp), for running without sockets."""

    def __init__(
        self,
        options: ArmOptions,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    ) -> None:
        self.options = options
        self._new_credential = credential
        self._transport = transport
        self._credential: AsyncTokenCredential | None = None
        self._network: dict[str, NetworkManagementClient] = {}
        self._dns: dict[str, PrivateDnsManagementClient] = {}

    async def network(self, subscription_id: str) -> NetworkManagementClient:
        """The client for private endpoints and network interfaces of a subscription."""
        if subscription_id not in self._network:
            # The import takes most of a second: off the event loop, so that other work in this process goes on.
            module = await asyncio.to_thread(_import, "azure.mgmt.network.aio")
            self._network.setdefault(subscription_id, self._build(module.NetworkManagementClient, subscription_id))
        return self._network[subscription_id]

    async def dns(self, subscription_id: str) -> PrivateDnsManagementClient:
        """The client for private DNS of a subscription."""
        if subscription_id not in self._dns:
            module = await asyncio.to_thread(_import, "azure.mgmt.privatedns.aio")
            self._dns.setdefault(subscription_id, self._build(module.PrivateDnsManagementClient, subscription_id))
        return self._dns[subscription_id]

    def _build(self, client: Any, subscription_id: str) -> Any:
        # One credential for all clients and runs: it caches tokens, and closing it would close it for the next run.
        self._credential = self._credential or self._new_credential()
        transport = azure_transport(self.options.timeout) if self._transport is None else self._transport()
        return client(
            self._credential,
            subscription_id,
            base_url=self.options.url,
            credential_scopes=[f"{self.options.audience.rstrip('/')}/.default"],
            polling_interval=self.options.poll_interval,
            # The SDK sleeps a Retry-After in full inside the call; a queue message waits cheaper than an instance does.
            retry_total=0,
            raw_request_hook=request_hook(Service.ARM),
            transport=transport,
        )

    async def aclose(self) -> None:
        """Close every client and the credential."""
        clients: list[Any] = [*self._network.values(), *self._dns.values()]
        for client in clients:
            await client.close()
        self._network.clear()
        self._dns.clear()
        if self._credential is not None:
            await self._credential.close()
            self._credential = None


def _import(name: str) -> Any:
    import importlib  # noqa: PLC0415 - needed only here

    return importlib.import_module(name)
