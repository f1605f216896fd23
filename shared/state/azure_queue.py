"""The work queue on Azure Queue Storage. Loaded by `connect` when a message is first sent.

Through the SDK, not through a queue output binding: that cannot delay a message, and the delay is how the app waits.
Messages are base64 as `messageEncoding` in host.json says, and never expire. That is done here and not by the SDK, so
that a foreign message in the poison queue can be sent again without being understood.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from shared.correlation import Service, request_hook
from shared.state import codec
from shared.state.azure_errors import storage_errors
from shared.state.rows import QueueLook

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

ROLE = "Storage Queue Data Contributor"
_NEVER = -1
_PAGE = 32
"""Messages in one answer, the service's most."""
REPLAY_SECONDS = 120
"""How long a poisoned message is out of sight while it is sent again; after a crash it is back by then."""


def _options() -> dict[str, Any]:
    return {
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
        content = base64.b64encode(text.encode()).decode()
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            await self._send(content, codec.visibility_timeout(delay))

    async def look(self) -> QueueLook:
        """Count, and peek at the message that is next; a queue that is not there yet is an empty one."""
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            try:
                properties = await self._client.get_queue_properties()
                peeked = await self._client.peek_messages(max_messages=1)
            except ResourceNotFoundError:
                return QueueLook(0, None)
        return QueueLook(properties.approximate_message_count or 0, peeked[0].inserted_on if peeked else None)

    async def poisoned(self) -> int:
        """About how many messages there are in the poison queue; the platform makes that queue when it needs it."""
        with storage_errors(f"queue {self._poison.queue_name}", ROLE):
            try:
                return (await self._poison.get_queue_properties()).approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    async def replay_poison(self, limit: int) -> int:
        """Move messages back, one after the other."""
        moved = 0
        with storage_errors(f"queue {self._poison.queue_name}", ROLE), suppress(ResourceNotFoundError):
            poisoned = self._poison.receive_messages(
                messages_per_page=min(limit, _PAGE), max_messages=limit, visibility_timeout=REPLAY_SECONDS
            )
            async for message in poisoned:
                await self._send(message.content)
                with suppress(
                    ResourceNotFoundError
                ):  # another sender was quicker: it is sent twice, which does no harm
                    await self._poison.delete_message(message)
                moved += 1
        return moved

    async def _send(self, content: str, hidden: int = 0) -> None:
        options = {"visibility_timeout": hidden, "time_to_live": _NEVER}
        try:
            await self._client.send_message(content, **options)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._client.create_queue()
            await self._client.send_message(content, **options)
