"""The work queue on Azure Queue Storage. Loaded by `connect` when a message is first sent.

Through the SDK, not through a queue output binding: that cannot delay a message, and the delay is how the app waits.
Messages are base64 as `messageEncoding` in host.json says, and never expire.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from shared.correlation import Service, request_hook
from shared.state import codec
from shared.state.azure_errors import storage_errors

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

ROLE = "Storage Queue Data Contributor"
_NEVER = -1


def _options() -> dict[str, Any]:
    return {
        "message_encode_policy": TextBase64EncodePolicy(),
        "retry_total": 2,
        "initial_backoff": 1,
        "increment_base": 1,
        "random_jitter_range": 1,
        "connection_timeout": 5,
        "read_timeout": 20,
        "raw_request_hook": request_hook(Service.STORAGE),
    }


def queue_from_connection_string(connection_string: str, name: str) -> QueueClient:
    """A queue of the account, by key or SAS."""
    return QueueClient.from_connection_string(connection_string, name, **_options())


def queue_from_identity(endpoint: str, name: str, credential: AsyncTokenCredential) -> QueueClient:
    """A queue of the account, by identity."""
    return QueueClient(endpoint, name, credential=credential, **_options())


class AzureWorkQueue:
    """`ports.WorkQueue` on Queue Storage."""

    def __init__(self, client: QueueClient, poison: QueueClient) -> None:
        self._client, self._poison = client, poison

    async def send(self, text: str, delay: float = 0.0) -> None:
        """Add a message; make the queue first if there is none."""
        codec.checked_message(text)
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            try:
                await self._send(text, delay)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    await self._client.create_queue()
                await self._send(text, delay)

    async def poisoned(self) -> int:
        """About how many messages there are in the poison queue; the platform makes that queue when it needs it."""
        with storage_errors(f"queue {self._poison.queue_name}", ROLE):
            try:
                return (await self._poison.get_queue_properties()).approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    async def _send(self, text: str, delay: float) -> None:
        timeout = codec.visibility_timeout(delay)
        await self._client.send_message(text, visibility_timeout=timeout, time_to_live=_NEVER)
