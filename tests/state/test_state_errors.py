"""What the storage account answers when it is unwell, through the real SDKs, and what the product makes of it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ClientAuthenticationError

from shared.core.model.errors import AnswerLost, AutopilotError, Forbidden, LostRace, Permanent, RetryLater, Throttled
from shared.state.azure_errors import storage_errors
from shared.state.connect import AzureStorage
from shared.state.rows import ConnectionRow, JournalEntry
from shared.state.storage_settings import StorageSettings
from tests.state.state_backends import START, azure_storage, no_credential

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.storage.azurite import Azurite

KEY = "c2VjcmV0LWtleQ=="
ROW = ConnectionRow("c1", {"a": 1}, etag='W/"1"')
ENTRY = JournalEntry(START, "run", "correlation", "event", "step")


@asynccontextmanager
async def account(answer: bytes) -> AsyncIterator[tuple[AzureStorage, list[str]]]:
    """A storage whose account answers every request alike; and the request lines it saw."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.split(b"\r\n")[0].decode())
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        await reader.readexactly(length)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aclosing(storage_at(port)) as storage:
        yield storage, seen


def storage_at(port: int) -> AzureStorage:
    url = f"http://127.0.0.1:{port}/acct"
    text = f"AccountName=acct;AccountKey={KEY};TableEndpoint={url};QueueEndpoint={url}"
    return AzureStorage(StorageSettings(text), no_credential, queue_name="work")


def answered(status: int, code: str, headers: str = "") -> bytes:
    body = f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en","value":"server used {KEY}"}}}}}}'
    return (
        f"HTTP/1.1 {status} Nope\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"x-ms-request-id: req-7\r\nConnection: close\r\n{headers}\r\n{body}"
    ).encode()


async def each_call(storage: AzureStorage) -> list[AutopilotError]:
    """What every operation raises."""
    calls = [
        storage.connections.get("c1"),
        storage.connections.get("c1"),
        storage.connections.insert(ROW),
        storage.connections.replace(ROW),
        storage.connections.delete(ROW),
        storage.journal.append("c1", [ENTRY]),
        storage.journal.newest("c1"),
        storage.journal.prune("c1", START),
        storage.queue.send("text"),
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, AutopilotError) for result in results), results
    return [result for result in results if isinstance(result, AutopilotError)]


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("code", "reason", "step"),
    [
        ("KeyBasedAuthenticationNotPermitted", "StorageKeysNotPermitted", "AzureWebJobsStorage__credential"),
        ("AuthorizationFailure", "StorageClosedToNetwork", "firewall"),
        ("PublicAccessNotPermitted", "StorageAnonymous", "AzureWebJobsStorage__credential"),
        ("AccountIsDisabled", "StorageAccountDisabled", "Enable"),
    ],
)
async def test_what_the_account_itself_forbids_is_no_missing_role(code: str, reason: str, step: str) -> None:
    async with account(answered(409 if code.startswith("Public") else 403, code)) as (storage, _):
        errors = await each_call(storage)
    assert {getattr(error, "reason", "") for error in errors} == {reason}
    assert all(step in error.next_step and "the role '" not in error.next_step for error in errors)
    assert code in str(errors[0])


@pytest.mark.real_time
async def test_a_missing_role_is_named_with_what_it_is_missing_on() -> None:
    async with account(answered(403, "AuthorizationPermissionMismatch")) as (storage, _):
        errors = await each_call(storage)
    assert {type(error) for error in errors} == {Forbidden}
    assert {getattr(error, "reason", "") for error in errors} == {"StorageAccessDenied"}
    roles = {error.on: error.next_step.split("'")[2] for error in errors}
    assert roles == {
        "table connections": "Storage Table Data Contributor",
        "table journal": "Storage Table Data Contributor",
        "queue work": "Storage Queue Data Contributor",
    }
    assert "AuthorizationPermissionMismatch" in str(errors[0])
    assert "req-7" in str(errors[0])


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Forbidden), (429, RetryLater), (500, RetryLater), (503, RetryLater)]
)
def test_a_token_that_cannot_be_had_is_told_from_one_that_is_refused(status: int, kind: type[AutopilotError]) -> None:
    """azure-identity raises one error for both, with the answer of the identity endpoint in it."""
    response = SimpleNamespace(status_code=status, reason="said so", headers={})
    with pytest.raises(AutopilotError) as raised, storage_errors("queue work", "some role"):
        raise ClientAuthenticationError(response=response)  # type: ignore[arg-type]  # as much of it as is looked at
    assert type(raised.value) is kind
    assert ("AzureWebJobsStorage__clientId" in raised.value.next_step) == (kind is Forbidden)


@pytest.mark.real_time
async def test_no_key_and_no_text_of_the_server_reach_a_message() -> None:
    async with account(answered(403, "AuthenticationFailed")) as (storage, _):
        errors = await each_call(storage)
    assert not [error for error in errors if KEY in str(error)]


@pytest.mark.real_time
async def test_a_busy_account_is_asked_again_later_as_it_says() -> None:
    async with account(answered(429, "TooManyRequests", "Retry-After: 0\r\n")) as (storage, _):
        errors = await each_call(storage)
    assert {(type(error), getattr(error, "after", None)) for error in errors} == {(Throttled, 0.0)}


@pytest.mark.real_time
async def test_a_request_is_repeated_twice_at_most() -> None:
    async with account(answered(500, "InternalError")) as (storage, seen):
        with pytest.raises(RetryLater, match="500 InternalError"):
            await storage.connections.get("c1")
    assert len(seen) == 3


@pytest.mark.real_time
@pytest.mark.parametrize(("status", "code"), [(409, "TableBeingDeleted"), (409, "QueueBeingDeleted")])
async def test_what_is_just_being_deleted_is_tried_again_later(status: int, code: str) -> None:
    async with account(answered(status, code, f"x-ms-error-code: {code}\r\n")) as (storage, _):
        errors = await each_call(storage)
    assert {type(error) for error in errors} == {RetryLater}


@pytest.mark.real_time
async def test_a_request_that_can_never_succeed_is_permanent() -> None:
    async with account(answered(400, "InvalidInput")) as (storage, _):
        errors = await each_call(storage)
    assert {type(error) for error in errors} == {Permanent}


@pytest.mark.real_time
async def test_a_conflict_is_a_lost_race() -> None:
    async with account(answered(412, "UpdateConditionNotSatisfied")) as (storage, _):
        for call in (storage.connections.replace, storage.connections.delete):
            with pytest.raises(LostRace):
                await call(ROW)


@pytest.mark.real_time
async def test_an_account_that_cannot_be_reached_is_tried_again_later(unused_tcp_port: int) -> None:
    async with aclosing(storage_at(unused_tcp_port)) as storage:
        with pytest.raises(RetryLater, match="could not be asked") as raised:
            await storage.connections.get("c1")
    assert raised.value.__cause__ is not None
    assert not isinstance(raised.value, AnswerLost)


@pytest.mark.real_time
async def test_a_write_without_an_answer_may_have_been_applied() -> None:
    async with account(b"") as (storage, _):
        with pytest.raises(AnswerLost):
            await storage.connections.insert(ROW)


@pytest.mark.azurite
async def test_a_wrong_key_is_a_missing_right(azurite: Azurite) -> None:
    right = azurite.connection_string.split("AccountKey=")[1].split(";")[0]
    async with aclosing(azure_storage(azurite.connection_string.replace(right, KEY))) as storage:
        with pytest.raises(Forbidden):
            await storage.connections.insert(replace(ROW, etag=None))
        with pytest.raises(Forbidden):
            await storage.queue.send("text")


async def test_a_refusal_tells_the_time_of_the_service_and_without_a_sensible_one_no_look_is_made() -> None:
    absent = "Date: Wed, 04 Mar 2026 05:06:07 GMT\r\n"
    async with account(answered(404, "ResourceNotFound", absent)) as (storage, _):
        assert (await storage.control.look("pause")).read_at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    for header in ("", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"):
        async with account(answered(404, "ResourceNotFound", header)) as (storage, _):
            with pytest.raises(RetryLater, match="without a date"):
                await storage.control.look("pause")
