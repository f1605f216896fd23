"""The endpoints that an organization has claimed, in the Elastic Cloud API. Used through `HostedConnections.claims`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.clouds.elastic.transport import ElasticTransport, list_in
from shared.core.model.errors import Blocked, Forbidden, NotVisibleYet
from shared.core.model.json_values import mapping, text
from shared.core.model.resources import Claim
from shared.core.model.steps import ClaimEndpoint, UnclaimEndpoint

_CLAIMS = "/deployments/traffic-filter/link-ids"
_LISTS_LAG = 120.0
"""Seconds for which a list may show what is no more."""


class HostedClaims:
    """The claims of one organization."""

    def __init__(self, transport: ElasticTransport) -> None:
        self._transport = transport
        self._refused_at: dict[str, float] = {}
        """By GUID, when the end of a claim was refused that the list still had."""

    async def listed(self, region: str | None = None) -> tuple[Claim, ...]:
        """The endpoints of a region, or of all, that the organization has claimed."""
        doing, query = "list claimed endpoints", {"region": region} if region else {}
        body = await self._transport.call("GET", _CLAIMS, doing=doing, on=region or "all regions", params=query)
        return tuple(claim_of(mapping(entry)) for entry in list_in(body, "claimed_link_ids", doing))

    async def claim(self, step: ClaimEndpoint) -> None:
        """Claim an endpoint for the organization."""
        await self._post("_claim", step, "claim the endpoint")

    async def unclaim(self, step: UnclaimEndpoint) -> None:
        """Give a claim up. One that is not there is refused by the API (400): the list tells whether it is gone.

        NotVisibleYet while the list still has it: it may lag behind an earlier request whose answer was lost. For as
        long as lists lag only the list is asked then.
        """
        guid, now = step.endpoint_guid.lower(), asyncio.get_running_loop().time()
        what = "Elastic Cloud lists a claim that it has refused to give up."
        if now >= self._refused_at.get(guid, -_LISTS_LAG) + _LISTS_LAG:
            try:
                await self._post("_unclaim", step, "give up the claim to the endpoint")
            except Forbidden:
                raise
            except Blocked as error:
                self._refused_at[guid], what = now, error.what
            else:
                return
        held = {claim.endpoint_guid.lower() for claim in await self.listed(step.region)}
        if guid in held:
            raise NotVisibleYet(what, on=step.endpoint_name, after=30.0)
        self._refused_at.pop(guid, None)

    async def _post(self, action: str, step: ClaimEndpoint | UnclaimEndpoint, doing: str) -> None:
        link = {
            "region": step.region,
            "azure_endpoint_name": step.endpoint_name,
            "azure_endpoint_guid": step.endpoint_guid,
        }
        await self._transport.send("POST", f"{_CLAIMS}/{action}", doing=doing, on=step.endpoint_name, body=link)


def claim_of(body: Mapping[str, Any]) -> Claim:
    """A claim from the API's JSON."""
    name, guid = text(body.get("azure_endpoint_name")), text(body.get("azure_endpoint_guid"))
    return Claim(text(body.get("region")), name, guid)
