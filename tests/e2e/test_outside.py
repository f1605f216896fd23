"""A client speaks ARM, the Elastic Cloud API or HTTP to the running instance: the app reacts as it would in Azure."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from typing import Any

import httpx
import pytest
from e2e_instance import (
    ALIASES,
    HUB_VNET,
    connection,
    eventually,
    lines_of,
    policies_of,
    put_endpoint,
    ready,
)

from local.cli.client import LocalClient
from local.world import endpoint_body, vnet_id
from shared.core.model.arm_ids import connection_id
from shared.core.model.services import Family
from shared.settings.services import shipped_services

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-outside")]


async def test_what_the_clouds_start_with(client: LocalClient) -> None:
    endpoints = client.endpoints
    assert {
        "arm", "elastic", "functions", "identity", "identity_header", "dns", "azurite", "ca_file", "subscription_id",
        "elastic_api_key", "function_key", "deciding_key",
    } <= set(endpoints)  # fmt: skip
    assert set(endpoints["dns"]) == {"host", "port"}
    subscription = f"/subscriptions/{endpoints['subscription_id']}"
    listed = await client.azure("GET", f"{subscription}/providers/Microsoft.Network/virtualNetworks")
    regions = [network["location"] for network in listed["value"] if "rg-network" in network["id"]]
    assert sorted(regions) == sorted(["eastus2", "westeurope", "japaneast"] * 2)
    deployments = (await client.elastic("GET", "/deployments"))["deployments"]
    rulesets = (await client.elastic("GET", "/deployments/traffic-filter/rulesets?include_associations=true"))[
        "rulesets"
    ]
    by_ip = {a["id"] for r in rulesets if r["type"] == "ip" for a in r["associations"]}
    for service in shipped_services().of_family(Family.HOSTED):
        here = {d["name"]: d["id"] for d in deployments if service.region in d["name"].split("-")}
        assert set(here) == {f"search-{service.region}", f"logs-{service.region}"}
        assert here[f"logs-{service.region}"] in by_ip
        assert here[f"search-{service.region}"] not in by_ip


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_an_endpoint_made_with_curl_alone_is_connected(client: LocalClient) -> None:
    endpoints = client.endpoints
    asked = f"{endpoints['identity']}?resource=https://management.azure.com&api-version=2019-08-01"
    token = json.loads(await curl("-H", f"X-IDENTITY-HEADER: {endpoints['identity_header']}", asked))["access_token"]
    group = f"/subscriptions/{endpoints['subscription_id']}/resourceGroups/rg-curl"
    endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/pe-curl"
    tags = {"elastic-deployments": "logs-centralindia"}
    body = endpoint_body("japaneast", vnet_id("japaneast"), ALIASES["centralindia"], tags)
    answer = await curl(
        "--cacert", endpoints["ca_file"], "-X", "PUT", "-H", f"Authorization: Bearer {token}",
        "-H", "Content-Type: application/json", "-d", json.dumps(body),
        f"{endpoints['arm']}{endpoint}?api-version=2024-05-01",
    )  # fmt: skip
    assert json.loads(answer)["properties"]["provisioningState"] == "Updating"
    found = await ready(client, endpoint)
    assert (found["location"], found["region"]) == ("japaneast", "centralindia")


async def run(*command: str, **environment: str) -> str:
    """Run a program as a user would; returns what it prints."""
    program = await asyncio.create_subprocess_exec(
        *command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 0, errors.decode()
    return output.decode()


async def curl(*arguments: str) -> str:
    return await run("curl", "-sS", *arguments)


async def test_a_deleted_record_comes_back(client: LocalClient) -> None:
    found = await ready(client, await put_endpoint(client, "pe-record", "francecentral"))
    record = f"{found['zone']['id']}/A/*"
    await client.azure("DELETE", record)

    async def read() -> Any:
        try:
            return await client.azure("GET", record)
        except RuntimeError as error:
            return str(error)

    back = await eventually(read, lambda answer: isinstance(answer, dict))
    assert back["properties"]["aRecords"] == [{"ipv4Address": found["address"]}]


async def test_tags_changed_by_themselves_are_delivered_to_the_app_and_obeyed(client: LocalClient) -> None:
    """As the portal and `az tag` change them; the event is one of the tags, and no write of the endpoint."""
    endpoint = await put_endpoint(client, "pe-tagged", "brazilsouth")
    await ready(client, endpoint)
    tags = f"{endpoint}/providers/Microsoft.Resources/tags/default"
    await client.azure("PATCH", tags, {"operation": "Replace", "properties": {"tags": {}}})

    async def delivered() -> list[int]:
        sent = [x for x in exchanges_of(client) if x["service"] == "eventgrid" and isinstance(x["request_body"], list)]
        return [x["status"] for x in sent for event in x["request_body"] if event["subject"].lower() == tags.lower()]

    await eventually(delivered, lambda statuses: statuses == [httpx.codes.ACCEPTED])

    async def deployments() -> list[str]:
        return [entry["name"] for entry in (await connection(client, endpoint))["targets"]]

    await eventually(deployments, lambda connected: connected == [])


async def test_the_manual_rerun_answers_at_once_and_says_where_to_look(client: LocalClient) -> None:
    endpoint = await put_endpoint(client, "pe-manual", "westus2")
    before = await ready(client, endpoint)
    for path, body in (("/reconcile", {"endpoint": endpoint}), (f"/connections/{before['id']}/reconcile", None)):
        answer = await client.app("POST", path, body)
        assert answer.status_code == httpx.codes.ACCEPTED
        assert answer.json()["connections"] == [connection_id(endpoint)]
        where = httpx.URL(answer.headers["location"]).path
        assert where.startswith("/api/operations/")
        assert (await client.app("GET", where.removeprefix("/api"))).is_success

    async def ask() -> dict[str, Any]:
        return await connection(client, endpoint)

    after = await eventually(ask, lambda found: found["generation"] > before["generation"])
    assert after["phase"] == "Ready"
    assert len(await policies_of(client, endpoint)) == 1


async def test_the_doctor_finds_the_instance_in_order(client: LocalClient) -> None:
    async def ask() -> list[dict[str, Any]]:
        findings = (await client.app("GET", "/doctor")).json()["findings"]
        # The lag is short here, so that no story takes an hour.
        return [one for one in findings if one["level"] != "ok" and not one["what"].startswith("LAG_SECONDS is 10")]

    await eventually(ask, lambda bad: bad == [])  # but for the first sweep, which may not have ended yet


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/connections/0123456789abcdef", None, 404, "ConnectionNotFound"),
        ("GET", "/connections/nonsense", None, 400, "InvalidConnectionId"),
        ("POST", "/reconcile", {"endpoint": HUB_VNET}, 400, "InvalidInput"),
        ("POST", "/reconcile", {"endpoint": "x" * 20000}, 413, "BodyTooLarge"),
        ("POST", "/reconcile", ["no object"], 400, "InvalidInput"),
    ],
)
async def test_every_refusal_has_one_shape(
    client: LocalClient, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = await client.app(method, path, body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "target", "nextStep", "correlationId"}
    assert error["code"] == code


async def test_without_a_key_nothing_is_answered(client: LocalClient) -> None:
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(f"{client.endpoints['functions']}/api/connections")).status_code == 401


async def test_the_genuine_identity_and_sdk_work_from_outside(client: LocalClient) -> None:
    endpoints = client.endpoints
    script = """
import asyncio, sys
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
async def main(url, subscription):
    async with ManagedIdentityCredential() as credential:
        async with PrivateDnsManagementClient(credential, subscription, base_url=url,
                                              credential_scopes=["https://management.azure.com/.default"]) as client:
            print(*[zone.name async for zone in client.private_zones.list()])
asyncio.run(main(*sys.argv[1:]))
"""
    await ready(client, await put_endpoint(client, "pe-sdk", "southcentralus"))
    zones = await run(
        sys.executable, "-c", script, endpoints["arm"], endpoints["subscription_id"],
        IDENTITY_ENDPOINT=endpoints["identity"],
        IDENTITY_HEADER=endpoints["identity_header"],
        SSL_CERT_FILE=endpoints["ca_file"],
    )  # fmt: skip
    assert "privatelink.southcentralus.azure.elastic-cloud.com" in zones.split()


def exchanges_of(client: LocalClient) -> list[dict[str, Any]]:
    """All that went over the wire so far."""
    return [json.loads(line) for line in lines_of(client.endpoints["exchanges"])]


async def test_one_correlation_id_leads_from_the_event_through_every_service(client: LocalClient) -> None:
    """As an operator follows it: from Azure's record of the user's operation to what the app asked of whom."""
    endpoint = await put_endpoint(client, "pe-followed", "southeastasia")
    found = await ready(client, endpoint)

    async def services() -> dict[str, set[str]]:
        lines = exchanges_of(client)
        created = next(x for x in lines if x["method"] == "PUT" and f"{endpoint}?" in x["url"])
        correlation = created["response_headers"]["x-ms-correlation-request-id"]
        asked = [x for x in lines if x["request_headers"].get("x-ms-client-request-id") == correlation]
        return {correlation: {x["service"] for x in asked}}

    followed = await eventually(services, lambda one: "topic" in next(iter(one.values())))
    ((correlation, reached),) = followed.items()
    assert reached == {"arm", "elastic", "topic"}
    journal = (await client.app("GET", f"/connections/{found['id']}/journal?limit=500")).json()["items"]
    assert correlation in {entry["correlationId"] for entry in journal}
    assert correlation in {e["data"]["correlationId"] for e in client.notifications() if e["subject"] == endpoint}
