"""The managed identity endpoint, as App Service answers and as azure-identity uses it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from azure.identity.aio import ManagedIdentityCredential

from local.arm.settings import DEFAULT_TENANT
from local.clock import LoopClock
from local.identity import ManagedIdentity
from shared.clouds.azure.clients import arm_errors
from shared.core.model.errors import AutopilotError, Forbidden, RetryLater

ARM = "https://management.azure.com/"


async def ask(identity: ManagedIdentity, header: str | None = None, **query: str) -> httpx.Response:
    parameters = {"api-version": "2019-08-01", "resource": ARM, **query}
    headers = {"X-IDENTITY-HEADER": identity.header if header is None else header}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(identity.app), base_url="http://msi") as client:
        return await client.get("/msi/token", params=parameters, headers=headers)


async def test_a_token_is_answered_as_app_service_answers_it() -> None:
    clock = LoopClock()
    identity = ManagedIdentity(clock, "secret-header", lifetime=600)
    body: dict[str, Any] = (await ask(identity, client_id="cid")).json()
    assert body["expires_on"] == str(int(clock.now().timestamp()) + 600)
    assert (body["resource"], body["token_type"], body["client_id"]) == (ARM, "Bearer", "cid")
    assert identity.is_valid(body["access_token"])


async def test_a_token_expires_and_others_were_never_valid() -> None:
    identity = ManagedIdentity(LoopClock(), lifetime=600)
    first, second = [(await ask(identity)).json()["access_token"] for _ in range(2)]
    assert first != second
    await asyncio.sleep(599)
    assert identity.is_valid(first)
    await asyncio.sleep(2)
    assert not identity.is_valid(first)
    assert not identity.is_valid("made-up")


async def test_a_token_reads_as_a_jwt_that_names_its_tenant() -> None:
    token = (await ask(ManagedIdentity(LoopClock()))).json()["access_token"]
    _, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    assert json.loads(claims)["tid"] == DEFAULT_TENANT
    assert signature


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        ({}, "wrong", 401),
        ({}, "", 401),
        ({"resource": "https://unknown.example"}, None, 400),
        ({"resource": ""}, None, 400),
        ({"api-version": "2017-09-01"}, None, 400),
    ],
)
async def test_a_wrong_request_gets_no_token(query: dict[str, str], header: str | None, status: int) -> None:
    identity = ManagedIdentity(LoopClock())
    refused = await ask(identity, header, **query)
    assert (refused.status_code, "access_token" in refused.json()) == (status, False)


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def served(identity: ManagedIdentity, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The endpoint on a socket, where azure-identity looks for it."""
    server = Server(uvicorn.Config(identity.app, port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    try:
        await server.listening.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        yield
    finally:
        server.should_exit = True
        await serving


@pytest.mark.real_time
async def test_azure_identity_gets_a_token_over_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ManagedIdentity(LoopClock(), "secret-header")
    async with served(identity, monkeypatch), ManagedIdentityCredential(client_id="cid") as credential:
        token = await credential.get_token(f"{ARM}.default")
    assert identity.is_valid(token.token)
    assert token.expires_on > time.time() + 3000


@pytest.mark.real_time
@pytest.mark.parametrize(("status", "kind"), [(400, Forbidden), (403, Forbidden), (429, RetryLater), (503, RetryLater)])
async def test_a_refused_identity_and_a_busy_endpoint_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: type[AutopilotError]
) -> None:
    """azure-identity raises the same error for both; the product reads its status."""
    identity = ManagedIdentity(LoopClock(), "secret-header")
    identity.outage = status
    async with served(identity, monkeypatch), ManagedIdentityCredential(client_id="cid", retry_total=0) as credential:
        with pytest.raises(AutopilotError) as raised, arm_errors("read it", "the zone"):
            await credential.get_token(f"{ARM}.default")
    assert type(raised.value) is kind
