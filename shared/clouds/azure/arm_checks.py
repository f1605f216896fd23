"""Reads of Azure that are tried for their own sake: is the app let in, and what time is it there? Used by `doctor`.

Each asks for one page of a list and changes nothing. Of the rights to write nothing is tried: there is no harmless
write in ARM, and a right that is missing stands in the condition of the connection that needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock
from shared.clouds.answer_headers import server_time
from shared.clouds.azure.arm import NETWORK_API, ArmClients, body_of
from shared.clouds.azure.errors import arm_errors
from shared.core.model.arm_ids import ArmId, parse_arm_id
from shared.core.model.errors import InvalidInput
from shared.core.model.json_values import text


class ArmChecks:
    """`ahead`: how far this machine's clock is ahead of ARM's, by the last answer; None before the first."""

    def __init__(self, clients: ArmClients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self.ahead: timedelta | None = None

    async def endpoints(self, subscription_id: str) -> None:
        """Try to list private endpoints."""
        client = await self._clients.network(subscription_id)
        listing = client.private_endpoints.list_by_subscription(
            api_version=NETWORK_API, raw_response_hook=self._note_time
        )
        await _first_page(listing, "list private endpoints", f"/subscriptions/{subscription_id}")

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

    def _note_time(self, response: Any) -> None:
        there: datetime | None = server_time(response.http_response.headers)
        if there is not None:
            self.ahead = self._clock.now() - there


async def _first_page(listing: Any, doing: str, on: str) -> list[Mapping[str, Any]]:
    with arm_errors(doing, on):
        async for page in listing.by_page():
            return [body_of(answer) async for answer in page]
    return []
