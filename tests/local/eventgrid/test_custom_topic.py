"""The local custom topic takes what Microsoft's publisher sends over TLS with a managed identity, and nothing else."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.core.pipeline.transport import AioHttpTransport
from azure.eventgrid import EventGridEvent
from azure.eventgrid.aio import EventGridPublisherClient
from azure.identity.aio import ManagedIdentityCredential

from local.clock import LoopClock
from local.eventgrid import AUDIENCE, CustomTopic
from local.exchanges import ExchangeLog
from local.identity import ManagedIdentity
from local.network import CertificateAuthority
from local.process.serving import Serving
from shared.clouds.azure.event_grid import Topic, TopicOptions
from shared.core.model.errors import Forbidden, RetryLater
from shared.core.model.notices import Notice, Type
from shared.requests import HEADER, correlated

pytestmark = pytest.mark.real_time

NOTICES = [
    Notice(f"id-{n}", Type.READY, "/subscriptions/s", datetime(2026, 1, 5, 9, n, tzinfo=UTC), {"name": "pe-ä", "n": n})
    for n in range(3)
]


GOOD = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def batch(*events: dict[str, Any]) -> bytes:
    return json.dumps(events).encode()


@dataclass
class Running:
    """A topic and an identity endpoint that answer on loopback."""

    topic: CustomTopic
    url: str
    ca_file: str
    exchanges: ExchangeLog

    def product(self, **options: Any) -> Topic:
        """The product's own client, with what SSL_CERT_FILE is to a process."""
        chosen = TopicOptions(**{"url": self.url, "source": "/privatelink-autopilot/test"} | options)
        return Topic(chosen, ManagedIdentityCredential, lambda: AioHttpTransport(connection_verify=self.ca_file))

    def publisher(self, key: str) -> EventGridPublisherClient:
        """Microsoft's client with a key."""
        return EventGridPublisherClient(
            self.url, AzureKeyCredential(key), retry_total=0, connection_verify=self.ca_file
        )

    async def post(self, audience: str, **request: Any) -> httpx.Response:
        """Any request, with a token for some service."""
        async with ManagedIdentityCredential() as credential:
            token = (await credential.get_token(f"{audience}/.default")).token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/cloudevents-batch+json"}
        headers |= request.pop("headers", {})
        good = {"method": "POST", "url": self.url, "params": {"api-version": "2018-01-01"}, "content": batch(GOOD)}
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=self.ca_file)) as client:
            return await client.request(**good | request, headers=headers)


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    clock, authority = LoopClock(), CertificateAuthority()
    identity = ManagedIdentity(clock)
    topic = CustomTopic(
        clock, check_token=lambda token: identity.is_valid_for(token, AUDIENCE), file=tmp_path / "events.jsonl"
    )
    exchanges = ExchangeLog(clock=clock)
    issued = authority.issue(["localhost"], ["127.0.0.1"]).write(tmp_path, "topic")
    serving = Serving(exchanges.record(topic.app, "topic"), certificate=issued)
    tokens = Serving(identity.app)
    for one in (serving, tokens):
        await one.start()
    ca_file = str(authority.write(tmp_path / "ca.pem"))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{tokens.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", identity.header)
    yield Running(topic, f"{serving.url}/api/events", ca_file, exchanges)
    for one in (serving, tokens):
        await one.stop()


async def test_the_apps_topic_publishes_with_its_managed_identity(running: Running) -> None:
    """The product's own client, Microsoft's SDK, azure-identity, TLS: as in Azure, but for the address."""
    async with aclosing(running.product()) as topic:
        with correlated("work-1"):
            await topic.publish(NOTICES)
        await topic.publish(NOTICES[:1])
    assert [event["id"] for event in running.topic.events] == ["id-0", "id-1", "id-2", "id-0"]
    assert running.topic.events[1] == {
        "specversion": "1.0",
        "id": "id-1",
        "source": "/privatelink-autopilot/test",
        "type": "ElasticPrivateLink.ConnectionReady",
        "subject": "/subscriptions/s",
        "time": "2026-01-05T09:01:00.000Z",
        "datacontenttype": "application/json",
        "data": {"name": "pe-ä", "n": 1},
    }
    assert running.topic.file is not None
    written = running.topic.file.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in written] == running.topic.events
    first, second = running.exchanges.exchanges
    assert first["request_headers"]["authorization"] == "Bearer REDACTED"
    assert first["request_headers"][HEADER] == "work-1"
    assert second["request_headers"][HEADER] != "work-1"


@pytest.mark.parametrize(
    ("status", "error"), [(401, Forbidden), (403, Forbidden), (429, RetryLater), (500, RetryLater), (503, RetryLater)]
)
async def test_a_refusal_becomes_an_error_of_the_products(running: Running, status: int, error: type) -> None:
    running.topic.settings.fail = status
    async with aclosing(running.product()) as topic:
        with pytest.raises(error):
            await topic.publish(NOTICES)
    assert [answered for _, answered in running.topic.requests] == [status], "it is not repeated in place"


async def test_without_a_listener(running: Running) -> None:
    async with aclosing(running.product(url="https://127.0.0.1:9/api/events")) as topic:
        with pytest.raises(RetryLater, match="could not be reached"):
            await topic.publish(NOTICES)
    assert running.topic.events == []


async def test_a_key_opens_it_too_and_another_key_does_not(running: Running) -> None:
    event = CloudEvent("/s", "t", data={"a": 1})
    async with running.publisher(running.topic.key) as publisher:
        await publisher.send(event)
    async with running.publisher("another") as publisher:
        with pytest.raises(ClientAuthenticationError):
            await publisher.send(event)
    assert [event["type"] for event in running.topic.events] == ["t"]


async def test_events_in_another_schema_are_refused_as_by_a_topic_for_cloudevents(running: Running) -> None:
    async with running.publisher(running.topic.key) as publisher:
        with pytest.raises(HttpResponseError) as refused:
            await publisher.send(EventGridEvent("subject", "type", {"a": 1}, "1.0"))
    assert refused.value.status_code == 400
    assert running.topic.events == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"headers": {"authorization": ""}}, 401),
        ({"headers": {"authorization": "Bearer of-another"}}, 401),
        ({"headers": {"content-type": "application/json"}}, 400),
        ({"params": {}}, 400),
        ({"params": {"api-version": "2024-06-01"}}, 400),
        ({"content": b"{"}, 400),
        ({"content": json.dumps(GOOD).encode()}, 400),
        ({"content": batch(GOOD, GOOD | {"specversion": "0.3"})}, 400),
        ({"content": batch(GOOD, {**GOOD, "Bad-Name": "x"})}, 400),
        ({"content": batch(GOOD, {k: v for k, v in GOOD.items() if k != "id"})}, 400),
        ({"content": batch(GOOD | {"data": "x" * 1024 * 1024})}, 413),
        ({"method": "GET"}, 405),
    ],
)
async def test_all_of_a_batch_is_taken_or_none(running: Running, change: dict[str, Any], status: int) -> None:
    answer = await running.post(AUDIENCE, **change)
    assert answer.status_code == status
    assert len(running.topic.events) == (status == 200)
    if status in {400, 401, 413}:
        assert set(answer.json()) == {"error"}
        assert answer.json()["error"]["code"]


async def test_a_token_for_another_service_is_refused(running: Running) -> None:
    assert (await running.post("https://management.azure.com")).status_code == 401
