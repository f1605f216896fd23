"""The app as a process of its own, with exactly the rights that `infra/` ships, enforced by the local Azure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from e2e_instance import Instance, connection, eventually, policies_of, put_endpoint, ready

from local.arm import DEFAULT_SUBSCRIPTION
from local.cli.client import LocalClient
from local.world import HUB_VNET, VAULT_ID
from tests.infra.shipped import assignments

pytestmark = pytest.mark.e2e

CLIENT_ID = "22222222-0000-0000-0000-000000000000"
KEY_VAULT_SECRETS_USER = [
    "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
]
"""Azure's built-in role, which main.bicep assigns at the vault."""
SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
HUB_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-dns"
ZONE_TYPE = "Microsoft.Network/privateDnsZones"
ZONE = f"{HUB_GROUP}/providers/{ZONE_TYPE}/privatelink.eastus2.azure.elastic-cloud.com"

Start = Callable[..., Instance]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an instance whose app has the shipped roles, less some actions."""
    started: list[Instance] = []

    def begin(*without: str, allow_delete: bool = True, **options: Any) -> Instance:
        roles = assignments(
            read=[SUBSCRIPTION],
            write=[HUB_GROUP],
            link=[HUB_VNET],
            app=HUB_VNET,
            allow_delete=allow_delete,
            without=without,
        )
        given: list[dict[str, Any]] = [
            {"scope": r.scope, "actions": asdict(r)["actions"], "notActions": without} for r in roles
        ]
        given.append({"scope": VAULT_ID, "dataActions": KEY_VAULT_SECRETS_USER})
        file = tmp_path / "roles.json"
        file.write_text(json.dumps({CLIENT_ID: given}), encoding="utf-8")
        instance = Instance(
            tmp_path / "local",
            "--approval-seconds",
            "1",
            "--role-assignments",
            str(file),
            AZURE_CLIENT_ID=CLIENT_ID,
            DNS_ZONE_RESOURCE_GROUPS=HUB_GROUP,
            DNS_LINK_VNETS=HUB_VNET,
            **options,
        )
        started.append(instance)
        return instance.wait_for("\nready\n")

    yield begin
    for instance in started:
        instance.stop()


async def removed(client: LocalClient, endpoint: str) -> dict[str, Any]:
    """Delete the endpoint as its owner does, and wait until the app has noticed."""
    await client.azure("DELETE", endpoint)

    async def ask() -> dict[str, Any]:
        return await connection(client, endpoint)

    return dict(await eventually(ask, lambda found: found.get("phase") == "Removed"))


async def zones(client: LocalClient) -> list[str]:
    """The private DNS zones that there are."""
    answer = await client.azure("GET", f"{SUBSCRIPTION}/providers/{ZONE_TYPE}")
    return [zone["name"] for zone in answer["value"]]


def refusals(instance: Instance) -> list[str]:
    """What the local Azure refused anybody for want of rights."""
    lines = (Path(instance.endpoints["folder"]) / "exchanges.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "AuthorizationFailed" in line]


@pytest.mark.parametrize("allow_delete", [True, False], ids=["shipped", "without-delete"])
async def test_the_whole_life_of_a_connection_under_the_shipped_roles(start: Start, allow_delete: bool) -> None:
    instance = start(allow_delete=allow_delete, REMOVAL_GRACE_SECONDS="1")
    async with instance.client() as client:
        endpoint = await put_endpoint(client, "pe-rights", "eastus2")
        found = await ready(client, endpoint)
        (policy,) = await policies_of(client, endpoint)

        async def record() -> list[str]:
            zone = await client.azure("GET", f"{ZONE}/A")
            return [a["ipv4Address"] for entry in zone["value"] for a in entry["properties"].get("aRecords", [])]

        assert await record() == [found["address"]]
        await client.azure("DELETE", f"{ZONE}/A/*")
        await eventually(record, lambda addresses: addresses == [found["address"]])
        assert refusals(instance) == []

        left = await removed(client, endpoint)
        said = next(c for c in left["conditions"] if c["type"] == "Removed")
        rulesets = (await client.elastic("GET", "/deployments/traffic-filter/rulesets"))["rulesets"]
        assert policy["id"] not in {ruleset["id"] for ruleset in rulesets}
        if allow_delete:
            assert (said["reason"], left["left"], refusals(instance)) == ("Removed", [], [])
            assert await zones(client) == []
        else:
            assert said["reason"] == "LeftBehind"
            assert any(f"{ZONE_TYPE}/A/delete" in text for text in left["left"])
            assert await record() == [], "what may not be deleted leads nowhere: the next endpoint can take it"


async def test_a_right_that_is_missing_is_named(start: Start) -> None:
    action = "Microsoft.Network/privateDnsZones/A/write"
    instance = start(action, keep_exchanges=False)
    async with instance.client() as client:
        endpoint = await put_endpoint(client, "pe-refused", "eastus2")

        async def ask() -> dict[str, Any]:
            return await connection(client, endpoint)

        found = await eventually(ask, lambda answer: answer.get("phase") == "Blocked")
        blocked = next(c for c in found["conditions"] if c["type"] == "RecordReady")
        assert blocked["reason"] == "AzureRightsMissing"
        assert action in blocked["message"]
        assert refusals(instance)
