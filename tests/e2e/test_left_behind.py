"""All that a run has logged, stored, sent and answered holds no key, no token and nothing about a person."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient
from e2e_instance import connection, eventually, lines_of, put_endpoint, ready

from local.cli.client import LocalClient
from local.eventgrid import PERSONAL_DATA

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-outside")]


async def a_raw_event(client: LocalClient, endpoint: str) -> None:
    """An event subscription delivers straight to the queue, with all that Event Grid says of the person behind it."""
    name, upn, address, object_id = PERSONAL_DATA[1], PERSONAL_DATA[0], PERSONAL_DATA[2], PERSONAL_DATA[3]
    event = {
        "specversion": "1.0",
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "source": f"/subscriptions/{client.endpoints['subscription_id']}",
        "subject": endpoint,
        "id": str(uuid.uuid4()),
        "data": {
            "operationName": "Microsoft.Network/privateEndpoints/write",
            "claims": {"name": name, "upn": upn, "ipaddr": address, "oid": object_id},
            "correlationId": str(uuid.uuid4()),
        },
    }
    connection_string = client.endpoints["azurite"]
    async with QueueClient.from_connection_string(
        connection_string, "reconcile", message_encode_policy=TextBase64EncodePolicy()
    ) as queue:
        await queue.send_message(json.dumps(event))


async def stored(endpoints: dict[str, Any]) -> AsyncIterator[tuple[str, str]]:
    """Every row of every table and every message of every queue, the poisoned ones too."""
    async with TableServiceClient.from_connection_string(endpoints["azurite"]) as tables:
        names = [table.name async for table in tables.list_tables()]
        for name in names:
            async for row in tables.get_table_client(name).list_entities():
                yield f"table {name}", json.dumps(dict(row), default=str)
    async with QueueServiceClient.from_connection_string(endpoints["azurite"]) as queues:
        names = [queue.name async for queue in queues.list_queues()]
    for name in names:
        async with QueueClient.from_connection_string(
            endpoints["azurite"], name, message_decode_policy=TextBase64DecodePolicy()
        ) as queue:
            for message in await queue.peek_messages(max_messages=32):
                yield f"queue {name}", str(message.content)


def sent(folder: Path) -> dict[str, str]:
    """What the app has sent to others, by service: bodies and addresses, and the notifications as they were taken."""
    found = {"notifications": (folder / "notifications.jsonl").read_text(encoding="utf-8")}
    for line in lines_of(folder / "exchanges.jsonl"):
        exchange = json.loads(line)
        if exchange["service"] != "eventgrid":  # which delivers to the app, personal data and all
            said = f"{exchange['url']} {json.dumps(exchange['request_body'])}\n"
            found[exchange["service"]] = found.get(exchange["service"], "") + said
    return found


async def answered(client: LocalClient, connection_id: str) -> str:
    """What the app answers about it over HTTP."""
    paths = ("", "/journal?limit=500", "/checks?limit=500")
    answers = [await client.app("GET", f"/connections/{connection_id}{path}") for path in paths]
    answers.append(await client.app("GET", "/connections"))
    assert all(answer.is_success for answer in answers)
    return "\n".join(answer.text for answer in answers)


async def secrets_of(endpoints: dict[str, Any]) -> list[str]:
    """Everything that opens something."""
    keys = json.loads((Path(endpoints["folder"]) / "functions.keys.json").read_text(encoding="utf-8"))
    query = {"resource": "https://management.azure.com", "api-version": "2019-08-01"}
    async with httpx.AsyncClient() as identity:
        headers = {"X-IDENTITY-HEADER": endpoints["identity_header"]}
        answer = await identity.get(endpoints["identity"], params=query, headers=headers)
    return [
        endpoints["elastic_api_key"],
        endpoints["identity_header"],
        keys["masterKey"]["value"],
        *(key["value"] for name in ("functionKeys", "systemKeys") for key in keys[name]),
        str(answer.json()["access_token"]).split(".")[0],  # all tokens begin alike
        "Bearer ",
        "ApiKey ",
        "AccountKey",
    ]


async def test_no_secret_and_no_personal_data_is_logged_stored_sent_or_answered(client: LocalClient) -> None:
    endpoints = client.endpoints
    endpoint = await put_endpoint(client, f"pe-{uuid.uuid4().hex[:6]}", "canadacentral")
    found = await ready(client, endpoint)
    await a_raw_event(client, endpoint)

    log = Path(endpoints["folder"]) / "functions.log"

    async def log_text() -> str:
        return log.read_text(encoding="utf-8")

    await eventually(log_text, lambda text: f"taken: event-write {endpoint}" in text)
    # A key in the address, as browsers send it, and a request that is refused.
    async with httpx.AsyncClient(params={"code": endpoints["function_key"]}) as browser:
        assert (await browser.get(f"{endpoints['functions']}/api/connections")).is_success
        assert (await browser.get(f"{endpoints['functions']}/api/connections/{'0' * 16}")).status_code == 404

    async def told() -> list[str]:
        return [event["type"] for event in client.notifications() if event["subject"] == endpoint]

    await eventually(told, lambda types: "ElasticPrivateLink.ConnectionReady" in types)
    left = {"log": await log_text(), "answers": await answered(client, found["id"]), **sent(Path(endpoints["folder"]))}
    async for place, text in stored(endpoints):
        left[place] = left.get(place, "") + text + "\n"
    assert {"table connections", "table journal", "table checks", "arm", "elastic", "topic"} <= set(left)
    places = ("log", "answers", "table connections", "notifications", "topic")
    assert [place for place in places if endpoint not in left[place]] == [], "the search looks in the right places"
    for secret in (*await secrets_of(endpoints), *PERSONAL_DATA):
        assert [place for place, text in left.items() if secret in text] == [], f"{secret[:6]}... was left behind"
    assert (await connection(client, endpoint))["phase"] == "Ready"
