"""Azure Storage queues through Microsoft's SDK: Azurite on this machine, a storage account elsewhere.

Made by `python -m local.host`. The connection is an app setting that holds a connection string; identity-based
connections need the real host.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.definition import HostError
from local.host.queues import QueueError, StoredMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from azure.storage.queue import QueueMessage

P = ParamSpec("P")
T = TypeVar("T")
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)
"""What `UseDevelopmentStorage=true` stands for; the key is published by Microsoft and the same everywhere."""


def connection_string(environ: Mapping[str, str], connection: str) -> str:
    """Return the connection string that a binding's `connection` names; raises `HostError`."""
    name = connection or "AzureWebJobsStorage"
    value = environ.get(name) or environ.get(f"AzureWebJobs{name}")
    if not value:
        raise HostError(
            f"the app setting {name!r} must hold a storage connection string (the local host knows no identities)"
        )
    return _EMULATOR if value.strip().rstrip(";").casefold() == "usedevelopmentstorage=true" else value


class StorageQueueService:
    """Queues of the accounts that the app settings name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._accounts: dict[str, QueueServiceClient] = {}
        self._queues: dict[tuple[str, str], StorageQueue] = {}

    def queue(self, connection: str, name: str) -> StorageQueue:
        """Return the queue `name`; nothing is asked of the service yet."""
        text = connection_string(self._environ, connection)
        if text not in self._accounts:
            # The listener polls again anyway: a retry inside the SDK would only hide that the service is away.
            self._accounts[text] = QueueServiceClient.from_connection_string(text, retry_total=0)
        key = (text, name)
        if key not in self._queues:
            self._queues[key] = StorageQueue(self._accounts[text].get_queue_client(name))
        return self._queues[key]

    async def close(self) -> None:
        """Close all connections."""
        for account in self._accounts.values():
            await account.close()


def _translated(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @functools.wraps(method)
    async def translated(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except AzureError as error:
            # The first line only: later ones repeat the answer's body and headers.
            raise QueueError(f"{type(error).__name__}: {str(error).splitlines()[0]}") from error

    return translated


class StorageQueue:
    """One queue."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    @_translated
    async def create(self) -> None:
        """Make it unless it exists."""
        try:
            await self._client.create_queue()
        except ResourceExistsError:
            return

    @_translated
    async def send(self, content: str) -> None:
        """Add a message; the queue is made when it turns out to be missing."""
        try:
            await self._client.send_message(content)
        except ResourceNotFoundError:
            await self.create()
            await self._client.send_message(content)

    @_translated
    async def receive(self, count: int, visibility_timeout: float) -> list[StoredMessage]:
        """Take visible messages: exactly one request."""
        pages = self._client.receive_messages(
            messages_per_page=count, max_messages=count, visibility_timeout=round(visibility_timeout)
        ).by_page()
        async for page in pages:
            return [_stored(message) async for message in page]
        return []

    @_translated
    async def update(self, message: StoredMessage, visibility_timeout: float) -> StoredMessage:
        """Hide for longer, or show again."""
        changed = await self._client.update_message(
            message.id, message.pop_receipt, visibility_timeout=round(visibility_timeout), content=message.content
        )
        return StoredMessage(
            message.id,
            message.content,
            message.dequeue_count,
            str(changed.pop_receipt),
            message.inserted_on,
            message.expires_on,
            _known(changed.next_visible_on),
        )

    @_translated
    async def delete(self, message: StoredMessage) -> None:
        """Remove it."""
        await self._client.delete_message(message.id, message.pop_receipt)


def _stored(message: QueueMessage) -> StoredMessage:
    return StoredMessage(
        id=message.id,
        content=message.content,
        dequeue_count=int(message.dequeue_count or 0),
        pop_receipt=str(message.pop_receipt),
        inserted_on=_known(message.inserted_on),
        expires_on=_known(message.expires_on),
        next_visible_on=_known(message.next_visible_on),
    )


def _known(value: Any) -> Any:
    """The SDK types every field as optional; the service always sends these."""
    if value is None:
        raise QueueError("the queue service answered a message without a time")
    return value
