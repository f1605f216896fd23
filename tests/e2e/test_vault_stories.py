"""The Elastic Cloud API key in the key vault, by Microsoft's SDK on both sides: late, wrong, replaced, lost.

The app runs throughout; only a right that is lost holds up nothing but new processes, so there it is started again.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ManagedIdentityCredential
from azure.keyvault.secrets.aio import SecretClient
from azure.storage.queue.aio import QueueClient
from e2e_instance import Instance, connection, eventually, put_endpoint, ready
from e2e_stories import condition, until

from local.__main__ import parse as parsed
from local.__main__ import run_client
from local.cli.breaking import HOPS
from local.cli.client import LocalClient
from shared.core.model.messages import QUEUE

pytestmark = pytest.mark.e2e

NAME = "elastic-api-key"
COMMAND = f"az keyvault secret set --vault-name localhost --name {NAME} --file FILE"


@pytest.fixture
def keyless(tmp_path: Path) -> Iterator[Instance]:
    """An instance whose vault is empty, as after a deployment. Each story has its own, and waits beside the others."""
    started = Instance(tmp_path / "local", "--approval-seconds", "1", "--no-key")
    try:
        yield started.wait_for("\nready\n")
    finally:
        started.stop()


@pytest.fixture
async def person(keyless: Instance) -> AsyncIterator[LocalClient]:
    async with keyless.client() as talking:
        yield talking


@asynccontextmanager
async def secrets(instance: Instance) -> AsyncIterator[SecretClient]:
    """Microsoft's client of the vault, signed in as a person."""
    endpoints = instance.endpoints
    signed_in = {"IDENTITY_ENDPOINT": endpoints["identity"], "IDENTITY_HEADER": endpoints["identity_header"]}
    trusting = AioHttpTransport(connection_verify=endpoints["ca_file"])
    with mock.patch.dict(os.environ, signed_in):
        credential = ManagedIdentityCredential()
    async with (
        credential,
        SecretClient(endpoints["vault"], credential, transport=trusting, verify_challenge_resource=False) as client,
    ):
        yield client


async def restart(client: LocalClient) -> None:
    await client.backstage("app", state="stopped")
    await client.backstage("app", state="started")


async def finding(client: LocalClient) -> dict[str, Any]:
    """What doctor says of the key."""
    findings = (await client.app("GET", "/doctor")).json()["findings"]
    return next(dict(one) for one in findings if one["check"] == "elastic key")


async def poisoned(client: LocalClient) -> list[Any]:
    """The messages that the host has given up; the queue is made with the first."""
    queue = QueueClient.from_connection_string(client.endpoints["azurite"], f"{QUEUE}-poison")
    async with queue:
        try:
            return list(await queue.peek_messages(max_messages=32))
        except ResourceNotFoundError:
            return []


async def test_an_event_before_the_key_and_a_wrong_key_wait_until_the_right_one_is_there(
    keyless: Instance, person: LocalClient
) -> None:
    started_with = keyless.host_pid()
    endpoint = await put_endpoint(person, "pe-early", "eastus2")
    found = await until(
        person, endpoint, PolicyReady="ElasticKeyMissing", Linked="Linked", RecordReady="PointsToEndpoint"
    )
    assert COMMAND in condition(found, "PolicyReady")["nextStep"]
    told = await finding(person)
    assert (told["level"], COMMAND in told["nextStep"]) == ("problem", True)

    await run_client(parsed(["--folder", str(keyless.folder), "vault", "set", NAME, "d3Jvbmc="]))
    found = await until(person, endpoint, PolicyReady="ElasticKeyRefused")
    assert COMMAND in condition(found, "PolicyReady")["nextStep"]

    async with secrets(keyless) as vault:
        await vault.set_secret(NAME, person.endpoints["elastic_api_key"])
    await ready(person, endpoint)  # within a minute, as the tests of the first hour see under virtual time
    assert await poisoned(person) == []
    assert keyless.host_pid() == started_with


async def test_a_replaced_key_works_at_once_without_a_restart(keyless: Instance, person: LocalClient) -> None:
    async with secrets(keyless) as vault:
        await vault.set_secret(NAME, person.endpoints["elastic_api_key"])
    await restart(person)
    first = await ready(person, await put_endpoint(person, "pe-before", "westus2"))
    started_with = keyless.host_pid()
    await HOPS["key"].do(person, first)
    undo = HOPS["key"].undo
    assert undo is not None
    await undo(person, first)
    await ready(person, await put_endpoint(person, "pe-after", "uksouth"))
    assert keyless.host_pid() == started_with
    assert await poisoned(person) == []


async def test_a_lost_right_and_a_deleted_secret_say_what_to_do_and_end_when_both_are_back(
    keyless: Instance, person: LocalClient
) -> None:
    async with secrets(keyless) as vault:
        key = person.endpoints["elastic_api_key"]
        await vault.set_secret(NAME, key)
        await person.backstage("switches", **{"vault.app_may_read": False})
        await restart(person)
        endpoint = await put_endpoint(person, "pe-no-right", "francecentral")
        found = await until(person, endpoint, PolicyReady="ElasticKeyMissing", Linked="Linked")
        assert "the role Key Vault Secrets User on key vault localhost" in condition(found, "PolicyReady")["nextStep"]

        await vault.delete_secret(NAME)
        with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
            await vault.set_secret(NAME, key)
        await person.backstage("switches", **{"vault.app_may_read": True})

        async def says() -> str:
            return str(condition(await connection(person, endpoint), "PolicyReady").get("message"))

        await eventually(says, lambda text: "holds no API key" in text)
        await vault.recover_deleted_secret(NAME)
        await ready(person, endpoint)
    assert await poisoned(person) == []
