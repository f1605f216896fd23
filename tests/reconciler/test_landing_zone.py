"""A landing zone refuses zones outside the platform's group, and links without a tag: explained, and not half made.

The policies are those of its sets by what they refuse: `Deny-Private-DNS-Zones` with the platform's group left out, and
a required tag. The whole app runs against them, under exactly the shipped roles.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.core.model.conditions import Phase
from tests.harness.estate import Estate
from tests.harness.platform_parts import WORKERS
from tests.infra.life import HUB_GROUP, SUBSCRIPTION, deleted
from tests.infra.shipped import assignments

AUTHORIZATION = f"{SUBSCRIPTION}/providers/Microsoft.Authorization"
AUTHORIZATION_API = "2022-06-01"
ZONE, LINK = "Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
NO_ZONES = {"field": "type", "equals": ZONE}
NO_BARE_LINKS = {"allOf": [{"field": "type", "equals": LINK}, {"field": "tags['CostCenter']", "exists": "false"}]}


async def deny(estate: Estate, name: str, condition: dict[str, Any], *outside: str) -> None:
    """A policy over the whole subscription, but for these groups."""
    definition = f"{AUTHORIZATION}/policyDefinitions/{name}"
    rule = {"displayName": name, "policyRule": {"if": condition, "then": {"effect": "deny"}}}
    given = {"policyDefinitionId": definition, "displayName": f"Corp {name}", "notScopes": list(outside)}
    for path, properties in ((definition, rule), (f"{AUTHORIZATION}/policyAssignments/{name}", given)):
        await estate.azure("PUT", path, {"properties": properties}, api=AUTHORIZATION_API)


async def landing_zone(**settings: str) -> Estate:
    """A subscription of a landing zone, with the platform's group for zones, and the roles that go with it."""
    estate = Estate(settings=settings)
    homes = [HUB_GROUP] if "DNS_ZONE_RESOURCE_GROUPS" in settings else [SUBSCRIPTION]
    links = [estate.world.app_vnet]
    given = assignments(read=[SUBSCRIPTION], write=homes, link=links, app=estate.world.app_vnet)
    estate.arm_settings.role_assignments[WORKERS] = given
    await estate.open()
    await deny(estate, "Deny-Private-DNS-Zones", NO_ZONES, HUB_GROUP)
    await deny(estate, "Require-CostCenter", NO_BARE_LINKS)
    return estate


async def conditions(estate: Estate, endpoint: str) -> dict[str, Any]:
    connection = await estate.connection(endpoint)
    return {str(one.type): one for one in connection.status.conditions}


def made_in_azure(estate: Estate) -> list[str]:
    return [zone.id for zone in estate.arm.private_dns_zones()]


async def test_a_zone_in_the_wrong_group_is_refused_and_explained_and_nothing_of_dns_is_made() -> None:
    estate = await landing_zone(RESOURCE_TAGS="CostCenter=42")
    endpoint = await estate.put_endpoint()
    await estate.settle()
    told = (await conditions(estate, endpoint))["ZoneReady"]
    assert (str(told.reason), (await estate.connection(endpoint)).status.phase) == (
        "RequestDisallowedByPolicy",
        Phase.BLOCKED,
    )
    assert "Corp Deny-Private-DNS-Zones" in told.message
    assert told.next_step
    assert made_in_azure(estate) == []

    # What the page of landing zones says: name the platform's group. Then all of it is made there, and nowhere else.
    estate.worker = estate.new_worker(DNS_ZONE_RESOURCE_GROUPS=HUB_GROUP)
    links = [estate.world.app_vnet]
    given = assignments(read=[SUBSCRIPTION], write=[HUB_GROUP], link=links, app=estate.world.app_vnet)
    estate.arm_settings.role_assignments[WORKERS] = given
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    (zone,) = made_in_azure(estate)
    assert zone.lower().startswith(HUB_GROUP.lower())


async def test_a_link_without_a_tag_is_refused_and_explained_and_no_network_sees_what_is_there() -> None:
    estate = await landing_zone(DNS_ZONE_RESOURCE_GROUPS=HUB_GROUP)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    told = (await conditions(estate, endpoint))["Linked"]
    assert str(told.reason) == "RequestDisallowedByPolicy"
    assert "Corp Require-CostCenter" in told.message
    assert "RESOURCE_TAGS" in told.next_step
    (zone,) = estate.arm.private_dns_zones()
    assert estate.links_of(zone) == []  # so no name of it is answered anywhere

    estate.worker = estate.new_worker(RESOURCE_TAGS="CostCenter=42")
    await estate.sweep()
    await estate.settle()
    await estate.ready(endpoint)
    assert made_in_azure(estate) == [zone.id]


@pytest.mark.parametrize("tags", ["", "CostCenter=42"])
async def test_nothing_of_the_endpoint_stays_when_it_goes(tags: str) -> None:
    """Also of one that Azure refused half of."""
    estate = await landing_zone(DNS_ZONE_RESOURCE_GROUPS=HUB_GROUP, RESOURCE_TAGS=tags)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    await deleted(estate, endpoint)
    gone = await estate.connection(endpoint)
    assert (gone.status.phase, list(gone.removal.leftovers)) == (Phase.REMOVED, [])
    assert made_in_azure(estate) == []
