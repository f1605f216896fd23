"""What an endpoint leaves when it goes, and what was taken away for it. Used by the tests of the removal."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.harness.estate import Estate

DNS_API = "2024-06-01"
GRACE = 600.0
OFFICE = "logs-eastus2-office"


async def connected(estate: Estate, name: str = "pe-1", **options: Any) -> str:
    endpoint = await estate.put_endpoint(name, **options)
    await estate.settle()
    await estate.ready(endpoint)
    await estate.clock.sleep(3600)
    return endpoint


def everything(estate: Estate) -> list[str]:
    """What there is of zones, records, links, and policies of endpoints, by kind and name."""
    zones = estate.arm.private_dns_zones()
    found = [f"zone {zone.name}" for zone in zones]
    found += [f"record {zone.a_record('*')}" for zone in zones if zone.a_record("*") is not None]
    found += [f"link {link.vnet.id.rpartition('/')[2]}" for zone in zones for link in estate.links_of(zone)]
    return sorted([*found, *(f"policy {policy.name}" for policy in estate.elastic.rulesets() if policy.guids)])


def removals(estate: Estate) -> list[str]:
    """What the workers took away, in order."""
    words = {"virtualNetworkLinks": "link", "A": "record", "privateDnsZones": "zone", "associations": "association"}
    found, lists = [], dict[str, int]()
    for call in estate.worker.wire.calls:
        parts = call.what.split("?")[0].split("/")
        if call.what.startswith("DELETE"):
            kind = next((word for part, word in words.items() if part in parts[-3:]), "policy")
            found.append(kind)
        elif call.what.startswith("PATCH") and "/projects/" in call.what and not call.only_asks:
            if call.entries < lists.get(call.what, 0):
                found.append("association")
            lists[call.what] = call.entries
        elif call.what.endswith("_unclaim"):
            found.append("claim")
    return found


async def removed_reason(estate: Estate, endpoint: str) -> str:
    return await estate.reason(endpoint, "Removed")


async def work_for(estate: Estate, seconds: float) -> None:
    """Let so much time pass, in which what comes due is done."""
    end = asyncio.get_running_loop().time() + seconds
    await estate.settle(seconds)
    await estate.clock.sleep(max(0.0, end - asyncio.get_running_loop().time()))
