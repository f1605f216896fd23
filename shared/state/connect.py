"""AzureWebJobsStorage settings -> the ports. Called by `app` once; the SDKs are loaded when a port is first used.

The app keeps its state in the storage account that its host uses, found by the same settings as the host finds it: a
connection string, or service URIs (or the account's name) with an identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.core.model.errors import InvalidSettings
from shared.state import diary_codec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials_async import AsyncTokenCredential
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.queue.aio import QueueClient

    from shared.state.azure_diary import AzureDiaryTable
    from shared.state.diary_codec import DiaryCodec
    from shared.state.ports import ChecksTable, ConnectionTable, ControlTable, JournalTable, WorkQueue
    from shared.state.rows import E

    CredentialFactory = Callable[[str | None], AsyncTokenCredential]

SETTING = "AzureWebJobsStorage"
POISON_SUFFIX = "-poison"
"""The platform's name for the queue of messages that failed too often."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where the state is: a connection string, or two endpoints and an identity (None: the system-assigned one)."""

    connection_string: str | None = field(default=None, repr=False)
    table_endpoint: str = ""
    queue_endpoint: str = ""
    client_id: str | None = None


def storage_settings(environ: Mapping[str, str]) -> tuple[StorageSettings, tuple[str, ...]]:
    """The settings, and everything that is wrong with them, each naming its setting. A pure function.

    As for the Functions host, the connection string wins where both kinds are given.
    """
    connection_string = environ.get(SETTING, "").strip()
    if connection_string:
        return StorageSettings(connection_string), tuple(_connection_string_problems(connection_string))
    account = environ.get(f"{SETTING}__accountName", "").strip()
    uris = {kind: environ.get(f"{SETTING}__{kind}ServiceUri", "").strip().rstrip("/") for kind in ("table", "queue")}
    if not account and not any(uris.values()):
        return StorageSettings(), (f"{SETTING}: expected a connection string, or {SETTING}__accountName; not set",)
    problems = [problem for kind, uri in uris.items() if (problem := _uri_problem(kind, uri, account))]
    endpoints = {kind: uri or f"https://{account}.{kind}.core.windows.net" for kind, uri in uris.items()}
    credential = environ.get(f"{SETTING}__credential", "managedidentity").strip()
    if credential.lower() != "managedidentity":
        problems.append(f"{SETTING}__credential: expected 'managedidentity'; got '{credential}'")
    client_id = environ.get(f"{SETTING}__clientId", "").strip() or None
    return StorageSettings(None, endpoints["table"], endpoints["queue"], client_id), tuple(problems)


def _uri_problem(kind: str, uri: str, account: str) -> str | None:
    expected = f"{SETTING}__{kind}ServiceUri: expected https://ACCOUNT.{kind}.core.windows.net"
    if not uri:
        return None if account else f"{expected}, or {SETTING}__accountName; not set"
    parts = urlsplit(uri)
    # A token is only ever sent over TLS; a query would be a SAS, which is a secret and belongs in a connection string.
    good = parts.scheme == "https" and parts.hostname and not parts.query
    return None if good else f"{expected}, with https and without a query"


def _connection_string_problems(text: str) -> list[str]:
    """What is wrong with a connection string, without quoting any of it."""
    if text.rstrip(";").lower() == "usedevelopmentstorage=true":
        return []
    parts = [part.partition("=") for part in text.rstrip(";").split(";")]
    if not all(equals for _, equals, _ in parts):
        return [f"{SETTING}: expected a connection string (Name=value;Name=value)"]
    names = {name.strip().lower() for name, _, value in parts if value}
    problems = []
    if not ({"accountname", "accountkey"} <= names or "sharedaccesssignature" in names):
        problems.append(f"{SETTING}: expected AccountName and AccountKey, or SharedAccessSignature, in it")
    if not ("accountname" in names or {"tableendpoint", "queueendpoint"} <= names):
        problems.append(f"{SETTING}: expected AccountName, or TableEndpoint and QueueEndpoint, in it")
    return problems


class AzureStorage:
    """`ports.Storage` on an Azure storage account. Its clients belong to the event loop that first uses them."""

    def __init__(
        self,
        settings: StorageSettings,
        credential_factory: CredentialFactory,
        *,
        queue_name: str,
        connections_table: str = "connections",
        journal_table: str = "journal",
        checks_table: str = "checks",
        control_table: str = "control",
    ) -> None:
        self._settings = settings
        self._credential_factory = credential_factory
        self.queue_name = queue_name
        self._connections_table = connections_table
        self._journal_table = journal_table
        self._checks_table = checks_table
        self._control_table = control_table

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
    def control(self) -> ControlTable:
        """Table `control`."""
        from shared.state.azure_tables import AzureControlTable  # noqa: PLC0415 - loads the SDK, when first used

        return AzureControlTable(self.table_service.get_table_client(self._control_table))

    @cached_property
    def queue(self) -> WorkQueue:
        """The work queue."""
        from shared.state.azure_queue import AzureWorkQueue  # noqa: PLC0415 - loads the SDK, when first used

        return AzureWorkQueue(self.queue_client, self.poison_client)

    async def aclose(self) -> None:
        """Close the clients that were opened. The credential is closed by whoever made it."""
        for name in ("table_service", "queue_client", "poison_client"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                await client.close()
        for name in ("connections", "journal", "checks", "control", "queue"):
            self.__dict__.pop(name, None)

    @cached_property
    def _credential(self) -> AsyncTokenCredential:
        return self._credential_factory(self._settings.client_id)

    @cached_property
    def table_service(self) -> TableServiceClient:
        """The SDK's client of all tables."""
        from shared.state import azure_tables  # noqa: PLC0415 - loads the SDK, when first used

        if self._settings.connection_string is not None:
            return azure_tables.service_from_connection_string(self._settings.connection_string)
        return azure_tables.service_from_identity(self._settings.table_endpoint, self._credential)

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
            return azure_queue.queue_from_connection_string(self._settings.connection_string, name)
        return azure_queue.queue_from_identity(self._settings.queue_endpoint, name, self._credential)


def storage_from_environment(
    environ: Mapping[str, str], credential_factory: CredentialFactory, *, queue_name: str
) -> AzureStorage:
    """The app's storage; `InvalidSettings` lists all that is wrong. Opens nothing yet."""
    settings, problems = storage_settings(environ)
    if problems:
        raise InvalidSettings("\n".join(problems))
    return AzureStorage(settings, credential_factory, queue_name=queue_name)
