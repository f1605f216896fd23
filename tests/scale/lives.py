"""What happens to one connection: many targets that ask for it, and changes that others make in its private DNS.

Used by the tests beside it, which assert the figures, and by `benchmarks/scale.py`, which prints them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from unittest import mock

from shared.core.guards.consent import CONNECT_TAG
from shared.core.model.errors import AutopilotError
from tests.harness.dns import DNS_API
from tests.harness.estate import Estate
from tests.harness.platform_parts import WORKERS

CLIENT = "0a1b2c3d-0000-4000-8000-00000000cafe"
CHANGES = ("record", "address", "link", "zone")
REPAIRS = {"PUT zone", "PUT link", "PUT record"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connection that many targets ask for."""

    phase: str
    associated: int
    error: str
    """That its run ended in; empty: none."""


async def many_targets(number: int) -> Wanted:
    """So many deployments ask for one endpoint."""
    estate = await Estate().open()
    for one in range(number):
        estate.elastic.add_deployment(f"t-{one}", "eastus2", ip_policy=True, tags={CONNECT_TAG: "rg-apps/pe-1"})
    endpoint, error = await estate.put_endpoint(tags={"owner": "search"}), ""
    try:
        await estate.settle()
    except AutopilotError as failed:
        error = str(failed)
    connection = await estate.connection(endpoint)
    ours = connection.elastic.policy.id
    attached = [estate.elastic.attached(one.id) for one in estate.elastic.deployments()]
    associated = sum(any(policy.id == ours for policy in policies) for policies in attached)
    return Wanted(str(connection.status.phase), associated, error)


async def repaired(change: str) -> float:
    """Seconds from a person's change of private DNS to the app's first write of its repair, on a warm instance."""
    with mock.patch.dict(os.environ, AZURE_CLIENT_ID=CLIENT):
        estate = Estate(dns_events=True)
        estate.arm_settings.client_ids[WORKERS] = CLIENT
        await estate.open()
        endpoint = await estate.put_endpoint()
        await estate.settle()
        await estate.ready(endpoint)
        changed = await _changed(estate, change)
        await estate.settle()
        await estate.ready(endpoint)
    theirs = [one.at for one in estate.changes if one.resource_id.lower() == changed.lower() and not one.client_id]
    return min(
        (one.at - max(theirs)).total_seconds()
        for one in estate.arm.requests
        if one.operation in REPAIRS and one.at >= max(theirs)
    )


async def _changed(estate: Estate, change: str) -> str:
    zone = estate.zone()
    links = [one.id for one in estate.links_of(zone)]
    record = f"{zone.id}/A/*"
    if change == "record":
        await estate.azure("DELETE", record, api=DNS_API)
    elif change == "address":
        body = {"properties": {"aRecords": [{"ipv4Address": "10.9.9.9"}]}}
        await estate.azure("PATCH", record, body, api=DNS_API)
    elif change == "link":
        await estate.azure("DELETE", links[0], api=DNS_API)
        await estate.clock.sleep(5)
        return links[0]
    else:
        estate.events.settings.drop = True
        for link in links:
            await estate.azure("DELETE", link, api=DNS_API)
        await estate.clock.sleep(5)
        estate.events.settings.drop = False
        await estate.azure("DELETE", zone.id, api=DNS_API)
        await estate.clock.sleep(5)
        return zone.id
    return record
