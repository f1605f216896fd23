"""AzureWebJobsStorage settings -> the ports. Called by `app` once; the SDKs are loaded when a port is first used.

The app keeps its state in the storage account that its host uses, found by the same settings as the host finds it: a
connection string, or service URIs (or the account's name) with an identity.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shared.core.model.errors import InvalidSettings
from shared.state import codec as diary_codec
from shared.state.storage_settings import StorageSettings, storage_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.queue.aio import QueueClient

    from shared.requests import OnRequest
    from shared.state.azure_diary import AzureDiaryTable
    from shared.state.codec import DiaryCodec
    from shared.state.ports import (
        ChecksTable,
        ConnectionTable,
        ControlTable,
        HostTable,
        JournalTable,
        ThingTable,
        WorkQueue,
    )
    from shared.state.rows import E

    CredentialFactory = Callable[[str | None], AsyncTokenCredential]

POISON_SUFFIX = "-poison"
"""The platform's name for the queue of messages that failed too often."""


class AzureStorage:
    """`ports.Storage` on an Azure storage account. Its clients belong to the event loop that first uses them."""

    def __init__(
        self,
        settings: StorageSettings,
        credential_factory: CredentialFactory,
        *,
        queue_name: str,
        request_sent: OnRequest | None = None,
        connections_table: str = "connections",
        journal_table: str = "journal",
        checks_table: str = "checks",
        hosts_table: str = "hosts",
        control_table: str = "control",
        things_table: str = "things",
    ) -> None:
        self._settings = settings
        self._credential_factory = credential_factory
        self.queue_name = queue_name
        self._request_sent = request_sent
        self._connections_table = connections_table
        self._journal_table = journal_table
        self._checks_table = checks_table
        self._hosts_table = hosts_table
        self._control_table = control_table
        self._things_table = things_table

    @cached_property
    def connections(self) -> ConnectionTable:
        """Table `connections`."""
        from shared.state.azure_tables import AzureConnectionTable  # noqa: PLC0415 - loads the SDK, when first used

        return AzureConnectionTable(self.table_service.get_table_client(self._connections_table))

    @cached_property
    def journal(self) -> JournalTable:
        """Table `journal`."""
        return self._diary(self._journal_table, diary_codec.JOURNAL)

    @cached_property
    def checks(self) -> ChecksTable:
        """Table `checks`."""
        return self._diary(self._checks_table, diary_codec.CHECKS)

    def _diary(self, table: str, codec: DiaryCodec[E]) -> AzureDiaryTable[E]:
        from shared.state.azure_diary import AzureDiaryTable  # noqa: PLC0415 - loads the SDK, when first used

        return AzureDiaryTable(self.table_service.get_table_client(table), codec)

    @cached_property
    def hosts(self) -> HostTable:
        """Table `hosts`."""
        from shared.state.azure_hosts import AzureHostTable  # noqa: PLC0415 - loads the SDK, when first used

        return AzureHostTable(self.table_service.get_table_client(self._hosts_table))

    @cached_property
    def control(self) -> ControlTable:
        """Table `control`."""
        from shared.state.azure_tables import AzureControlTable  # noqa: PLC0415 - loads the SDK, when first used

        return AzureControlTable(self.table_service.get_table_client(self._control_table))

    @cached_property
    def things(self) -> ThingTable:
        """Table `things`."""
        from shared.state.azure_things import AzureThingTable  # noqa: PLC0415 - loads the SDK, when first used

        return AzureThingTable(self.table_service.get_table_client(self._things_table))

    @cached_property
    def queue(self) -> WorkQueue:
        """The work queue."""
        from shared.state.azure_queue import AzureWorkQueue  # noqa: PLC0415 - loads the SDK, when first used

        return AzureWorkQueue(self.queue_client, self.poison_client)

    async def aclose(self) -> None:
        """Close the clients that were opened. The maker of the credential closes it."""
        for name in ("table_service", "queue_client", "poison_client"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                await client.close()
        for name in ("connections", "journal", "checks", "hosts", "control", "things", "queue"):
            self.__dict__.pop(name, None)

    @cached_property
    def _credential(self) -> AsyncTokenCredential:
        return self._credential_factory(self._settings.client_id)

    @cached_property
    def table_service(self) -> TableServiceClient:
        """The SDK's client of all tables."""
        from shared.state import azure_tables  # noqa: PLC0415 - loads the SDK, when first used

        if self._settings.connection_string is not None:
            return azure_tables.service_from_connection_string(self._settings.connection_string, self._request_sent)
        return azure_tables.service_from_identity(self._settings.table_endpoint, self._credential, self._request_sent)

    @cached_property
    def queue_client(self) -> QueueClient:
        """The SDK's client of the work queue."""
        return self._queue_named(self.queue_name)

    @cached_property
    def poison_client(self) -> QueueClient:
        """The SDK's client of the queue of poison messages."""
        return self._queue_named(f"{self.queue_name}{POISON_SUFFIX}")

    def _queue_named(self, name: str) -> QueueClient:
        from shared.state import azure_queue  # noqa: PLC0415 - loads the SDK, when first used

        if self._settings.connection_string is not None:
            return azure_queue.queue_from_connection_string(self._settings.connection_string, name, self._request_sent)
        return azure_queue.queue_from_identity(
            self._settings.queue_endpoint, name, self._credential, self._request_sent
        )


def storage_from_environment(
    environ: Mapping[str, str],
    credential_factory: CredentialFactory,
    *,
    queue_name: str,
    request_sent: OnRequest | None = None,
) -> AzureStorage:
    """The app's storage; `InvalidSettings` lists all that is wrong. Opens nothing yet.

    `request_sent`: told of each request, and of the `Date` of its answer.
    """
    settings, problems = storage_settings(environ)
    if problems:
        raise InvalidSettings("\n".join(problems))
    return AzureStorage(settings, credential_factory, queue_name=queue_name, request_sent=request_sent)
