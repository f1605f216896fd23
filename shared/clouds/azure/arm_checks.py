"""Reads of Azure that are tried for their own sake: is the app let in, and what time is it there? Used by `doctor`.

Each asks for one thing or one page of a list, and changes nothing. ARM has no harmless write: of the role that writes
zones its one right to read is tried, and what else is missing stands in the condition of the connection that needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock
from shared.clouds.answer_headers import server_time
from shared.clouds.azure.clients import NETWORK_API, ArmClients, arm_errors, body_of
from shared.core.model.arm_ids import ArmId, parse_arm_id
from shared.core.model.errors import Blocked, Forbidden, InvalidInput, NotFound
from shared.core.model.json_values import text
from shared.core.model.reasons import Reason

NO_OPERATION = "/providers/Microsoft.Network/privateDnsOperationStatuses/doctor"
"""Of a name that none has."""
DNS_API = "2024-06-01"


class ArmChecks:
    """`ahead`: how far this machine's clock is ahead of ARM's, by the last answer; None before the first."""

    def __init__(self, clients: ArmClients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self.ahead: timedelta | None = None

    async def endpoints(self, subscription_id: str) -> list[ArmId]:
        """Try to list private endpoints; some of them."""
        client = await self._clients.network(subscription_id)
        listing = client.private_endpoints.list_by_subscription(
            api_version=NETWORK_API, raw_response_hook=self._note_time
        )
        page = await _first_page(listing, "list private endpoints", f"/subscriptions/{subscription_id}")
        found = []
        for body in page:
            with suppress(InvalidInput):
                found.append(parse_arm_id(body.get("id")))
        return found

    async def interfaces(self, subscription_id: str) -> None:
        """Try to list network interfaces."""
        client = await self._clients.network(subscription_id)
        listing = client.network_interfaces.list_all(api_version=NETWORK_API, raw_response_hook=self._note_time)
        await _first_page(listing, "list network interfaces", f"/subscriptions/{subscription_id}")

    async def zones(self, subscription_id: str, names: Collection[str]) -> ArmId | None:
        """Try to list private DNS zones; returns one of these names if one is seen."""
        client = await self._clients.dns(subscription_id)
        listing = client.private_zones.list(raw_response_hook=self._note_time)
        page = await _first_page(listing, "list private DNS zones", f"/subscriptions/{subscription_id}")
        for body in page:
            if text(body.get("name")).lower() in names:
                with suppress(InvalidInput):
                    return parse_arm_id(body.get("id"))
        return None

    async def networks(self, subscription_id: str) -> None:
        """Try to list virtual networks."""
        client = await self._clients.network(subscription_id)
        listing = client.virtual_networks.list_all(api_version=NETWORK_API, raw_response_hook=self._note_time)
        await _first_page(listing, "list virtual networks", f"/subscriptions/{subscription_id}")

    async def operations(self, place: str) -> None:
        """Try to ask about an operation on a zone, which there is not: the role that writes zones includes that."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - the SDK is imported when first used

        url = f"{self._clients.options.url}{place}{NO_OPERATION}"
        client = await self._clients.dns(place.split("/")[2])
        try:
            with arm_errors("ask about an operation on a private DNS zone", place):
                response = await client.send_request(HttpRequest("GET", url, params={"api-version": DNS_API}))
                response.raise_for_status()
        except Forbidden:
            raise
        except (NotFound, Blocked):
            return  # let in, and told that there is none, in one of the ways in which Azure may say so

    async def operations_beside(self, subscription_id: str) -> None:
        """The same where zones are made beside the endpoints: in the resource group of one, once there is one."""
        try:
            endpoints = await self.endpoints(subscription_id)
        except Forbidden as error:
            if error.reason is not Reason.AZURE_RIGHTS_MISSING:
                raise
            return  # which the question about endpoints tells
        for endpoint in endpoints[:1]:
            await self.operations(f"/subscriptions/{subscription_id}/resourceGroups/{endpoint.resource_group}")

    def _note_time(self, response: Any) -> None:
        there: datetime | None = server_time(response.http_response.headers)
        if there is not None:
            self.ahead = self._clock.now() - there


async def _first_page(listing: Any, doing: str, on: str) -> list[Mapping[str, Any]]:
    with arm_errors(doing, on):
        async for page in listing.by_page():
            return [body_of(answer) async for answer in page]
    return []
