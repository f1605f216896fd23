"""A landing zone's policies refuse zones in the wrong group and links without a tag: said, nothing left, and mended."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm.settings import DEFAULT_SUBSCRIPTION
from tests.harness.estate import Estate
from tests.harness.leaving import everything

SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
RULES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization"
HUB = f"{SUBSCRIPTION}/resourceGroups/rg-hub"
ZONES = "Microsoft.Network/privateDnsZones"
LINKS = f"{ZONES}/virtualNetworkLinks"
ELSEWHERE = {"allOf": [{"field": "type", "equals": ZONES}, {"field": "id", "notLike": "*/resourceGroups/rg-hub/*"}]}
UNTAGGED = {"allOf": [{"field": "type", "equals": LINKS}, {"field": "tags['cost-center']", "exists": "false"}]}


async def forbid(estate: Estate, condition: dict[str, Any]) -> None:
    """A policy with the effect Deny on the whole subscription."""
    rule = {"if": condition, "then": {"effect": "deny"}}
    definition = f"{RULES}/policyDefinitions/landing-zone"
    await estate.azure("PUT", definition, {"properties": {"policyRule": rule}}, api="2022-04-01")
    assigned = {"properties": {"policyDefinitionId": definition}}
    await estate.azure("PUT", f"{RULES}/policyAssignments/landing-zone", assigned, api="2022-04-01")


@pytest.mark.parametrize(
    ("rule", "condition", "made", "settings"),
    [
        pytest.param(ELSEWHERE, "ZoneReady", 0, {"DNS_ZONE_RESOURCE_GROUPS": HUB}, id="zones in the wrong group"),
        pytest.param(UNTAGGED, "Linked", 1, {"RESOURCE_TAGS": "cost-center=12"}, id="links without a tag"),
    ],
)
async def test_what_a_policy_refuses_is_said_and_a_setting_mends_it(
    rule: dict[str, Any], condition: str, made: int, settings: dict[str, str]
) -> None:
    estate = await Estate().open()
    await forbid(estate, rule)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.sweep()
    await estate.settle()
    refused = (await estate.connection(endpoint)).condition(condition)
    assert refused is not None
    assert refused.reason == "RequestDisallowedByPolicy"
    assert "policyAssignments/landing-zone" in refused.message
    assert next(iter(settings)) in refused.next_step or "another resource group for zones" in refused.next_step
    assert (len(estate.arm.private_dns_zones()), estate.arm.virtual_network_links()) == (made, [])
    estate.worker = estate.new_worker(**settings)
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)


async def test_what_was_made_before_a_refusal_goes_with_its_endpoint() -> None:
    estate = await Estate().open()
    await forbid(estate, UNTAGGED)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    assert everything(estate) != []
    await estate.delete(endpoint)
    await estate.settle(4000)
    assert everything(estate) == []


async def test_zones_and_links_have_the_tags_that_were_given_besides_their_marker() -> None:
    estate = await Estate(settings={"RESOURCE_TAGS": "cost-center=12, owner=platform team"}).open()
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await estate.ready(endpoint)
    zone = estate.zone()
    for made in (zone, *estate.links_of(zone)):
        given = {name: text for name, text in made.tags.items() if not name.startswith("elastic-privatelink")}
        assert given == {"cost-center": "12", "owner": "platform team"}
        assert len(made.tags) > len(given)
