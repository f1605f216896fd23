"""The settings of the storage, and what is loaded when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.core.model.errors import InvalidSettings
from shared.state.connect import AzureStorage, storage_from_environment
from shared.state.storage_settings import StorageSettings, storage_settings
from tests.state.state_backends import no_credential

ROOT = Path(__file__).resolve().parents[2]
KEY = "c2VjcmV0"
STRING = f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={KEY};EndpointSuffix=core.windows.net"
SAS = "TableEndpoint=https://a.table.x/;QueueEndpoint=https://a.queue.x/;SharedAccessSignature=sv=1&sig=c2VjcmV0"


class TokenCredential:
    """Stands for an identity; it is never asked for a token here."""

    async def get_token(self, *scopes: str, **options: object) -> None:
        raise AssertionError("nothing is sent")


@pytest.mark.parametrize("text", [STRING, STRING + ";", SAS, "UseDevelopmentStorage=true"])
def test_a_connection_string_is_enough(text: str) -> None:
    assert storage_settings({"AzureWebJobsStorage": text}) == (StorageSettings(text), ())


def test_a_connection_string_wins_over_an_identity() -> None:
    environ = {"AzureWebJobsStorage": STRING, "AzureWebJobsStorage__accountName": "other"}
    assert storage_settings(environ) == (StorageSettings(STRING), ())


def test_an_identity_with_the_name_of_the_account() -> None:
    environ = {"AzureWebJobsStorage__accountName": "acct", "AzureWebJobsStorage__credential": "managedidentity"}
    expected = StorageSettings(None, "https://acct.table.core.windows.net", "https://acct.queue.core.windows.net")
    assert storage_settings(environ) == (expected, ())


def test_an_identity_with_uris_and_a_client_id() -> None:
    environ = {
        "AzureWebJobsStorage__tableServiceUri": "https://a.table.core.usgovcloudapi.net/",
        "AzureWebJobsStorage__queueServiceUri": "https://a.queue.core.usgovcloudapi.net",
        "AzureWebJobsStorage__blobServiceUri": "https://a.blob.core.usgovcloudapi.net",
        "AzureWebJobsStorage__credential": "managedIdentity",
        "AzureWebJobsStorage__clientId": "1111",
    }
    expected = StorageSettings(
        None, "https://a.table.core.usgovcloudapi.net", "https://a.queue.core.usgovcloudapi.net", "1111"
    )
    assert storage_settings(environ) == (expected, ())


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({}, ["AzureWebJobsStorage"]),
        ({"AzureWebJobsStorage": " "}, ["AzureWebJobsStorage"]),
        ({"AzureWebJobsStorage": "nonsense"}, ["AzureWebJobsStorage"]),
        ({"AzureWebJobsStorage": "AccountName=acct"}, ["AzureWebJobsStorage"]),
        ({"AzureWebJobsStorage": "EndpointSuffix=x"}, ["AzureWebJobsStorage", "AzureWebJobsStorage"]),
        (
            {"AzureWebJobsStorage__tableServiceUri": "https://a.table.core.windows.net"},
            ["AzureWebJobsStorage__queueServiceUri"],
        ),
        (
            {
                "AzureWebJobsStorage__tableServiceUri": "http://a.table.core.windows.net",
                "AzureWebJobsStorage__queueServiceUri": "https://a.queue.core.windows.net?sig=c2VjcmV0",
                "AzureWebJobsStorage__credential": "workloadidentity",
            },
            [
                "AzureWebJobsStorage__tableServiceUri",
                "AzureWebJobsStorage__queueServiceUri",
                "AzureWebJobsStorage__credential",
            ],
        ),
    ],
)
def test_everything_that_is_wrong_is_listed_with_its_setting(environ: dict[str, str], wrong: list[str]) -> None:
    _, problems = storage_settings(environ)
    assert [problem.partition(":")[0] for problem in problems] == wrong
    with pytest.raises(InvalidSettings) as raised:
        storage_from_environment(environ, no_credential, queue_name="work")
    assert all(problem in str(raised.value) for problem in problems)
    assert "c2VjcmV0" not in str(raised.value)


def test_the_settings_do_not_show_the_connection_string() -> None:
    assert KEY not in repr(StorageSettings(STRING))


async def test_the_identity_is_made_on_first_use_and_once_for_tables_and_queue() -> None:
    asked: list[str | None] = []

    def factory(client_id: str | None) -> Any:
        asked.append(client_id)
        return TokenCredential()

    environ = {"AzureWebJobsStorage__accountName": "acct", "AzureWebJobsStorage__clientId": "1111"}
    storage = storage_from_environment(environ, factory, queue_name="work")
    assert asked == []
    assert storage.connections is storage.connections
    assert storage.journal is not None
    assert storage.queue is storage.queue
    assert asked == ["1111"]
    assert storage.table_service.url == "https://acct.table.core.windows.net"
    assert storage.queue_client.url == "https://acct.queue.core.windows.net/work"
    await storage.aclose()


async def test_tables_and_queue_have_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = AzureStorage(StorageSettings(STRING), no_credential, queue_name="work")
    asked: list[str] = []
    client_of = storage.table_service.get_table_client

    def get_table_client(name: str) -> Any:
        asked.append(name)
        return client_of(name)

    monkeypatch.setattr(storage.table_service, "get_table_client", get_table_client)
    assert storage.queue_client.queue_name == "work"
    assert [storage.connections, storage.journal, storage.checks, storage.control]
    assert asked == ["connections", "journal", "checks", "control"]
    await storage.aclose()


async def test_closing_what_was_never_used_is_no_error() -> None:
    storage = AzureStorage(StorageSettings(STRING), no_credential, queue_name="work")
    await storage.aclose()
    assert "table_service" not in storage.__dict__


@pytest.mark.real_time
def test_importing_the_state_loads_no_sdk() -> None:
    """Of the standard library it takes asyncio, which the worker of the platform has loaded before."""
    program = (
        "import sys; import shared.state, shared.state.connect, shared.state.leases, shared.state.codec\n"
        f"environ = {{'AzureWebJobsStorage': '{STRING}'}}\n"
        "shared.state.connect.storage_from_environment(environ, None, queue_name='work')\n"
        "heavy = {'azure', 'aiohttp', 'httpx', 'cryptography'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert result.stdout.strip() == "[]"
