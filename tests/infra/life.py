"""The whole life of a connection, as the product goes through it: what the rights are derived from, and tried on.

The estate is a hub's: zones are made in one resource group, which is all that the app may write to, while a zone of the
same name stands unused in a foreign group.
"""

from __future__ import annotations

from local.arm import DEFAULT_SUBSCRIPTION
from local.world import HUB_VNET
from tests.harness.estate import Estate

SUBSCRIPTION = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
HUB_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-dns"
FOREIGN_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-foreign"
ZONES = "providers/Microsoft.Network/privateDnsZones"
ZONE_NAME = "privatelink.eastus2.azure.elastic-cloud.com"
DNS_API = "2024-06-01"
PRINCIPAL = "token"
"""The workers' bearer token, which the local ARM takes for their identity."""


def hub_estate(**settings: str) -> Estate:
    """An estate whose app makes zones in the hub's group."""
    return Estate(settings={"DNS_ZONE_RESOURCE_GROUP": HUB_GROUP} | settings)


async def connected(estate: Estate) -> tuple[str, list[str]]:
    """An endpoint is created, connected and swept; returns its id and what the sweep could not read."""
    await estate.open()
    await estate.azure("PUT", f"{FOREIGN_GROUP}/{ZONES}/{ZONE_NAME}", {"location": "global"}, api=DNS_API)
    await estate.clock.sleep(10)
    endpoint = await estate.put_endpoint()
    await estate.settle()
    return endpoint, list((await estate.sweep()).errors)


async def drifted(estate: Estate) -> list[str]:
    """Somebody deletes the record, and the app puts it back; returns what sweeps could not read."""
    await estate.azure("DELETE", f"{HUB_GROUP}/{ZONES}/{ZONE_NAME}/A/*", api=DNS_API)
    errors = list((await estate.sweep()).errors)
    await estate.settle()
    return errors


async def misled(estate: Estate) -> list[str]:
    """The app's network asks other name servers for a while: checks fail, and the app looks for the reason."""
    hub = estate.arm.virtual_network(HUB_VNET)
    assert hub is not None
    hub.dns_servers = ["10.99.0.53"]
    errors = list((await estate.sweep()).errors)
    hub.dns_servers = []
    return errors + list((await estate.sweep()).errors)


async def deleted(estate: Estate, endpoint: str) -> list[str]:
    """The endpoint is deleted by its owner; returns what the sweep after it could not read."""
    await estate.delete(endpoint)
    await estate.settle()
    return list((await estate.sweep()).errors)


async def whole_life(estate: Estate) -> str:
    """All of it without a hitch; returns the endpoint's id."""
    endpoint, errors = await connected(estate)
    await estate.ready(endpoint)
    errors += await drifted(estate)
    await estate.ready(endpoint)
    errors += await misled(estate)
    await estate.ready(endpoint)
    errors += await deleted(estate, endpoint)
    assert errors == []
    return endpoint
