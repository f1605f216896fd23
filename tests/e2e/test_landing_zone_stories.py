"""What landing zones deny, played over sockets: zones in the wrong group, links without a tag."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from e2e_instance import connection, eventually, put_endpoint, ready

from local.cli.client import LocalClient

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-outside")]

ZONES = "Microsoft.Network/privateDnsZones"
LINKS = f"{ZONES}/virtualNetworkLinks"
NO_ZONES = {"field": "type", "equals": ZONES}
"""The rule of `Deny-Private-DNS-Zones`."""
NO_BARE_LINKS = {"allOf": [{"field": "type", "equals": LINKS}, {"field": "tags['CostCenter']", "exists": "false"}]}


async def denied(client: LocalClient, group: str, name: str, condition: dict[str, Any]) -> str:
    """The id of the assignment of a policy to a resource group."""
    subscription = client.endpoints["subscription_id"]
    definition = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/policyDefinitions/{name}"
    rule = {"if": condition, "then": {"effect": "deny"}}
    await client.azure("PUT", definition, {"properties": {"displayName": name, "policyRule": rule}})
    assignment = f"{group}/providers/Microsoft.Authorization/policyAssignments/{name}"
    given = {"policyDefinitionId": definition, "displayName": f"Corp {name}"}
    await client.azure("PUT", assignment, {"properties": given})
    return assignment


async def refused_and_explained(
    client: LocalClient, region: str, rule: dict[str, Any], condition: str, advice: str, zones_made: int
) -> None:
    """One endpoint in a group that denies; then the policy goes, and the connection becomes Ready by itself."""
    group = f"/subscriptions/{client.endpoints['subscription_id']}/resourceGroups/rg-pe-denied-{region}"
    assignment = await denied(client, group, f"landing-zone-{region}", rule)
    endpoint = await put_endpoint(client, f"pe-denied-{region}", region)

    async def told() -> dict[str, Any]:
        conditions = (await connection(client, endpoint)).get("conditions", [])
        return next((one for one in conditions if one["type"] == condition), {})

    refused = await eventually(told, lambda found: found.get("reason") == "RequestDisallowedByPolicy")
    assert f"Corp landing-zone-{region}" in refused["message"]
    assert advice in refused["nextStep"]
    assert (await connection(client, endpoint))["phase"] == "Blocked"
    zones = (await client.azure("GET", f"{group}/providers/{ZONES}"))["value"]
    assert len(zones) == zones_made
    for zone in zones:  # so it answers no network
        assert (await client.azure("GET", f"{zone['id']}/virtualNetworkLinks"))["value"] == []

    await client.azure("DELETE", assignment)
    await ready(client, endpoint)


async def test_what_a_landing_zone_refuses_is_explained_and_nothing_is_half_made(client: LocalClient) -> None:
    elsewhere = "another resource group for zones"
    await asyncio.gather(
        refused_and_explained(client, "northeurope", NO_ZONES, "ZoneReady", elsewhere, 0),
        refused_and_explained(client, "centralus", NO_BARE_LINKS, "Linked", "RESOURCE_TAGS", 1),
    )
