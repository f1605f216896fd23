"""The work queue on Azure Queue Storage. Loaded by `connect` when a message is first sent.

Through the SDK, not through a queue output binding: that cannot delay a message, and the delay is how the app waits.
Messages are base64 as `messageEncoding` in host.json says, and never expire. That is done here and not by the SDK, so
that a foreign message in the poison queue can be sent again without being understood.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from http.client import NOT_FOUND
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from shared.core.model.messages import checked_message, visibility_timeout
from shared.core.model.record_parts import QueuedMessage
from shared.requests import OnRequest, Service, azure_transport, request_hook
from shared.state.azure_errors import storage_errors
from shared.state.rows import QueueLook
from shared.state.storage_settings import CONNECT_SECONDS, REQUEST_SECONDS

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.queue import QueueMessage

ROLE = "Storage Queue Data Contributor"
_NEVER = -1
_PAGE = 32
"""Messages in one answer, the service's most."""
REPLAY_SECONDS = 120
"""How long a poisoned message is out of sight while it is sent again; after a crash it is back by then."""


def _options(request_sent: OnRequest | None) -> dict[str, Any]:
    return {
        "retry_total": 2,
        "initial_backoff": 1,
        "increment_base": 1,
        "random_jitter_range": 1,
        "transport": azure_transport(REQUEST_SECONDS, connect=CONNECT_SECONDS, request_sent=request_sent),
        "raw_request_hook": request_hook(Service.STORAGE),
    }


def queue_from_connection_string(
    connection_string: str, name: str, request_sent: OnRequest | None = None
) -> QueueClient:
    """A queue of the account, by key or SAS."""
    return QueueClient.from_connection_string(connection_string, name, **_options(request_sent))


def queue_from_identity(
    endpoint: str, name: str, credential: AsyncTokenCredential, request_sent: OnRequest | None = None
) -> QueueClient:
    """A queue of the account, by identity."""
    return QueueClient(endpoint, name, credential=credential, **_options(request_sent))


class AzureWorkQueue:
    """`ports.WorkQueue` on Queue Storage."""

    def __init__(self, client: QueueClient, poison: QueueClient) -> None:
        self._client, self._poison = client, poison

    async def send(self, text: str, delay: float = 0.0) -> QueuedMessage:
        """Add a message; make the queue first if there is none."""
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            return _queued(await self._send(_content(text), visibility_timeout(delay)))

    async def replace(self, message: QueuedMessage, text: str, delay: float = 0.0) -> QueuedMessage | None:
        """Put another text and another time in a message's place."""
        content, hidden = _content(text), visibility_timeout(delay)
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            try:
                return _queued(
                    await self._client.update_message(
                        message.id, message.receipt, visibility_timeout=hidden, content=content
                    )
                )
            except HttpResponseError as error:
                if not _gone(error):
                    raise
        return None

    async def withdraw(self, message: QueuedMessage) -> None:
        """Delete a message that no worker has taken."""
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            try:
                await self._client.delete_message(message.id, message.receipt)
            except HttpResponseError as error:
                if not _gone(error):
                    raise

    async def look(self) -> QueueLook:
        """Count, and peek at the message that is next; a queue that is not there yet is an empty one."""
        with storage_errors(f"queue {self._client.queue_name}", ROLE):
            try:
                properties = await self._client.get_queue_properties()
                peeked = await self._client.peek_messages(max_messages=1)
            except ResourceNotFoundError:
                return QueueLook(0, None)
        waiting = properties.approximate_message_count or 0
        return QueueLook(waiting, peeked[0].inserted_on, _text(peeked[0])) if peeked else QueueLook(waiting, None)

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

    async def _send(self, content: str, hidden: int = 0) -> QueueMessage:
        options = {"visibility_timeout": hidden, "time_to_live": _NEVER}
        try:
            return await self._client.send_message(content, **options)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._client.create_queue()
            return await self._client.send_message(content, **options)


def _content(text: str) -> str:
    checked_message(text)
    return base64.b64encode(text.encode()).decode()


def _text(message: QueueMessage) -> str:
    """What a message says; another one's may be no base64 or no text."""
    try:
        return base64.b64decode(message.content, validate=True).decode()
    except ValueError:
        return ""


def _queued(message: QueueMessage) -> QueuedMessage:
    return QueuedMessage(message.id, str(message.pop_receipt))


def _gone(error: HttpResponseError) -> bool:
    """Whether the message is no longer the one that was sent: it was taken, replaced, or deleted."""
    return error.status_code == NOT_FOUND or getattr(error, "error_code", "") == "PopReceiptMismatch"
