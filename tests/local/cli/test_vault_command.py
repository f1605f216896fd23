"""The command `vault` at the local vault's own API: what a person does with the secrets there."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest

from local.__main__ import parse
from local.asgi import AsgiTransport
from local.cli.client import LocalClient
from local.cli.vault_command import change_vault
from local.clock import LoopClock
from local.identity import APP_CLIENT_ID, SYSTEM_ASSIGNED, ManagedIdentity
from local.vault import AUDIENCE, KeyVault

NAME = "elastic-api-key"


@pytest.fixture
async def identity() -> ManagedIdentity:
    return ManagedIdentity(LoopClock())


@pytest.fixture
async def vault(identity: ManagedIdentity) -> KeyVault:
    return KeyVault(
        LoopClock(),
        check_token=lambda token: identity.is_valid_for(token, AUDIENCE),
        is_app=lambda token: identity.client_of(token) != SYSTEM_ASSIGNED,
    )


@pytest.fixture
async def client(identity: ManagedIdentity, vault: KeyVault) -> AsyncIterator[LocalClient]:
    endpoints = {"vault": "https://vault.local", "identity": "http://identity.local/msi/token"}
    endpoints["identity_header"] = identity.header
    mounts = {
        "https://vault.local": AsgiTransport(vault.app),
        "http://identity.local": AsgiTransport(identity.app),
    }
    async with LocalClient(endpoints, httpx.AsyncClient(mounts=mounts)) as made:
        yield made


async def run(client: LocalClient, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """What the command prints."""
    await change_vault(client, parse(["vault", *words]))
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


async def test_a_secret_is_set_disabled_enabled_deleted_and_recovered_and_its_value_never_shown(
    client: LocalClient, vault: KeyVault, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(client, capsys) == []
    assert await run(client, capsys, "set", NAME, "first") == [f"{NAME} enabled"]
    assert await run(client, capsys, "set", NAME, "second") == [f"{NAME} enabled"]
    assert vault.secrets() == {NAME: "second"}
    assert await run(client, capsys, "disable") == [f"{NAME} disabled"]
    assert vault.secrets() == {}
    assert await run(client, capsys, "enable") == [f"{NAME} enabled"]
    assert await run(client, capsys, "delete") == [f"{NAME} deleted, to be recovered or purged"]
    with pytest.raises(RuntimeError, match="ObjectIsDeletedButRecoverable"):
        await run(client, capsys, "set", NAME, "third")
    with pytest.raises(RuntimeError, match="purge protection"):
        await run(client, capsys, "purge")
    assert await run(client, capsys, "recover") == [f"{NAME} enabled"]
    assert vault.secrets() == {NAME: "second"}


async def test_without_a_value_it_takes_what_comes_in(
    client: LocalClient, vault: KeyVault, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from-a-file\n"))
    await run(client, capsys, "set", "elastic-api-key-second")
    assert vault.secrets() == {"elastic-api-key-second": "from-a-file"}


async def test_the_apps_identity_may_read_and_nothing_else(identity: ManagedIdentity, vault: KeyVault) -> None:
    vault.store(NAME, "value")
    token = identity.issue(AUDIENCE, APP_CLIENT_ID)["access_token"]
    async with httpx.AsyncClient(
        transport=AsgiTransport(vault.app),
        base_url="https://vault.local",
        headers={"Authorization": f"Bearer {token}"},
        params={"api-version": "7.4"},
    ) as app:
        assert (await app.get(f"/secrets/{NAME}")).json()["value"] == "value"
        refused = await app.put(f"/secrets/{NAME}", json={"value": "other"})
    assert (refused.status_code, refused.json()["error"]["innererror"]["code"]) == (403, "ForbiddenByRbac")
