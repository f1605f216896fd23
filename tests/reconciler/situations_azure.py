"""Situations on Azure's side: names, the endpoint and its approval, rights and limits. Rows for `test_situations`."""

from __future__ import annotations

from typing import Any

from local.arm import FaultResponse
from local.world import HUB_VNET
from tests.harness.dns import APPS, DNS_API, OTHER_SUBSCRIPTION, a_zone_of_others, zone_id
from tests.harness.estate import Estate, arm_error
from tests.reconciler.situations import (
    a_link,
    a_policy_by_hand,
    a_record,
    asks_elsewhere,
    diagnosed,
    guid_of,
    label,
    made,
    pending,
    ready,
    swept,
)

# -- names ---------------------------------------------------------------------------------------------------------


@diagnosed("the name does not resolve", "unreachable NameNotFound dns", cause="no address", step="168.63.129.16")
async def _no_name(estate: Estate) -> str:
    """A record for a neighbour: below `es` the zone's `*` does not answer any more (RFC 4592)."""
    endpoint = await ready(estate)
    await a_record(estate, "neighbour.es", "10.99.0.4")
    await swept(estate)
    return endpoint


@diagnosed("the name resolves to a public address", "unreachable PublicAddress dns", cause="20.1.2.3", step="* record")
async def _public(estate: Estate) -> str:
    endpoint = await ready(estate)
    await a_record(estate, label(estate), "20.1.2.3")
    await swept(estate)
    return endpoint


@diagnosed("the name resolves to another private address", "unreachable WrongAddress dns", cause="10.99.0.4")
async def _elsewhere(estate: Estate) -> str:
    endpoint = await ready(estate)
    await a_record(estate, label(estate), "10.99.0.4")
    await swept(estate)
    return endpoint


@diagnosed("the zone is not linked to the app's network", "healthy Reachable none", DNS_LINK_VNETS="")
async def _app_not_linked(estate: Estate) -> str:
    return await ready(estate)


@diagnosed("the zone is not linked, and the app may not link it", "blocked AzureRightsMissing network",
           cause="virtualNetworkLinks/write", step="role")  # fmt: skip
async def _not_linked(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.arm_settings.denied_actions.add("Microsoft.Network/privateDnsZones/virtualNetworkLinks/write")
    await a_link(estate)
    await swept(estate)
    return endpoint


@diagnosed("the app's network has its own DNS servers", "healthy Reachable none")
async def _custom_dns(estate: Estate) -> str:
    """What they answer says nothing of the endpoint's clients."""
    endpoint = await ready(estate)
    asks_elsewhere(estate, HUB_VNET)
    await swept(estate)
    return endpoint


@diagnosed("zones overlap", "blocked NetworkLinkedToAnotherZone dns", cause="zone", step="read access")
async def _overlap(estate: Estate) -> str:
    estate.arm_settings.subscriptions.append(OTHER_SUBSCRIPTION)
    await a_zone_of_others(estate, zone_id("rg-secret", OTHER_SUBSCRIPTION), APPS)
    return await made(estate)


@diagnosed("the record is missing, and nothing is to be changed", "degraded ObserveMode dns", cause="* A record")
async def _no_record(estate: Estate) -> str:
    endpoint = await ready(estate)
    await estate.azure("DELETE", f"{estate.zone().id}/A/*", api=DNS_API)
    estate.worker = estate.new_worker(MODE="observe")
    await swept(estate)
    return endpoint


@diagnosed("the record is another owner's", "blocked RecordHeldByOthers dns", cause="10.99.0.4", step="Point it")
async def _foreign_record(estate: Estate) -> str:
    await a_zone_of_others(estate, zone_id("rg-apps"), APPS, address="10.99.0.4")
    return await made(estate)


@diagnosed("two endpoints want one record", "blocked RecordHeldByAnotherEndpoint dns", cause="pe-1", step="union")
async def _contested_record(estate: Estate) -> str:
    await ready(estate)
    return await made(estate, name="pe-2")


# -- the endpoint and its approval ---------------------------------------------------------------------------------


@diagnosed("the endpoint has no address", "unknown NoAddressYet endpoint")
async def _no_address(estate: Estate) -> str:
    estate.arm_settings.nic_address_seconds = 10**6
    endpoint = await estate.put_endpoint()
    await estate.settle(120)
    return endpoint


@diagnosed("the endpoint failed", "blocked EndpointFailed endpoint", cause="Failed", step="create it again")
async def _failed(estate: Estate) -> str:
    estate.arm_settings.failing_endpoints["pe-1"] = "SubnetIsFull"
    estate.arm_settings.nic_address_seconds = 10**6
    return await made(estate)


@diagnosed("the approval is awaited", "unknown AwaitingApproval approval")
async def _awaited(estate: Estate) -> str:
    return await pending(estate)


@diagnosed("pending too long", "blocked ApprovalOverdue approval", cause="Pending since ", step="GUID")
async def _overdue(estate: Estate) -> str:
    return await pending(estate, 7200)


@diagnosed("pending too long, with another policy of the GUID", "blocked ApprovalOverdue approval",
           cause="in another letter case", step="Correct the GUID in policy")  # fmt: skip
async def _misspelt(estate: Estate) -> str:
    endpoint = await pending(estate)
    a_policy_by_hand(estate, endpoint, guid=guid_of(estate, endpoint).upper())
    await estate.settle(7200)
    return endpoint


@diagnosed("rejected", "blocked Rejected approval", cause="not one of ours", step="create it again")
async def _rejected(estate: Estate) -> str:
    endpoint = await pending(estate)
    estate.arm.set_connection(endpoint, "Rejected", "not one of ours")
    await swept(estate, 1)
    return endpoint


@diagnosed("disconnected", "blocked Disconnected approval", step="create it again")
async def _disconnected(estate: Estate) -> str:
    endpoint = await ready(estate)
    estate.arm.set_connection(endpoint, "Disconnected")
    await swept(estate, 1)
    return endpoint


@diagnosed(
    "an unknown alias",
    "unknown UnknownElasticAlias endpoint",
    cause="in region marsnorth",
    step="guide",
)
async def _unknown_alias(estate: Estate) -> str:
    guid = "00000000-8404-48e2-8c79-66801ef74a76"
    return await made(estate, alias=f"marsnorth-prod-001-privatelink-service.{guid}.marsnorth.azure.privatelinkservice")


# -- rights and limits ---------------------------------------------------------------------------------------------


@diagnosed("a right in Azure is missing", "blocked AzureRightsMissing dns",
           cause="Microsoft.Network/privateDnsZones/write on /subscriptions", step="role")  # fmt: skip
async def _azure_rights(estate: Estate) -> str:
    estate.arm_settings.denied_actions.add("Microsoft.Network/privateDnsZones/write")
    return await made(estate)


@diagnosed("throttled", "unknown Throttled dns", cause="not to be called before")
async def _throttled(estate: Estate) -> str:
    def slow_down(request: Any) -> FaultResponse | None:
        dns = "privatednszones" in request.path.lower()
        return arm_error(429, "TooManyRequests", **{"Retry-After": "600"}) if dns else None

    estate.arm.faults.append(slow_down)
    endpoint = await estate.put_endpoint()
    await estate.settle(60)
    return endpoint
