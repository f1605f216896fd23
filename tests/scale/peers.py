"""The guide's steps by other hands: `az` commands one after the other, and the serial calls of a Terraform apply.

They talk to the same local clouds as the app, and wait as these tools do; the start of a process, a plan, a person who
reads and types cost nothing here. Used by the tests beside it and by `benchmarks/scale.py`.

* `az` looks at an operation at once, then every 30 s: its `network` commands run `AAZBasePolling` (azure-cli-core
  `aaz/_client.py`, no interval given), which is azure-core's `LROBasePolling` with its default of 30 s where the answer
  has no Retry-After, and private DNS sends none. `az network private-endpoint wait` looks every 30 s, its `--interval`.
* Terraform's azurerm waits 10 s before each look: hashicorp/go-azure-sdk `sdk/client/resourcemanager/poller_lro.go`
  (`initialRetryDuration`), `sdk/client/pollers/poller.go` (the delay comes before the first look too). It does not wait
  for the approval; that is looked at in the same rhythm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from local.arm import DEFAULT_SUBSCRIPTION
from local.asgi import AsgiTransport
from local.world import API_KEY, HUB_VNET, NETWORK_API, OWN_VNET, endpoint_body
from shared.core.model.services import Service
from tests.harness.dns import DNS_API
from tests.harness.estate import HOSTED, Estate
from tests.scale.estates import Durations, network_of, opened


@dataclass(frozen=True, slots=True)
class Tool:
    """How a tool waits for an operation that Azure has accepted."""

    name: str
    first: float
    """Seconds to its first look."""
    then: float
    """Seconds between two looks."""


AZ = Tool("az commands", 0.0, 30.0)
TERRAFORM = Tool("Terraform-like calls", 10.0, 10.0)


async def by_hand(tool: Tool, number: int, durations: Durations, *, hub: bool = False) -> float:
    """Seconds until so many endpoints, made one after the other, let clients in; `hub`: zones are linked to it too."""
    estate = await opened(durations, HUB_VNET if hub else OWN_VNET)
    further = {"hub": HUB_VNET} if hub else {}
    estate.events.settings.drop = True
    networks = [await network_of(estate, one) for one in range(number)]
    began = estate.clock.passed()
    for one, vnet in enumerate(networks):
        await _Person(tool, estate).connects(HOSTED[one % len(HOSTED)], vnet, one, further)
    return estate.clock.passed() - began


class _Person:
    def __init__(self, tool: Tool, estate: Estate) -> None:
        self._tool, self._estate = tool, estate

    async def connects(self, service: Service, vnet: str, number: int, further: dict[str, str]) -> None:
        """Elastic's guide, from the endpoint to the approval."""
        network = f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-hand-{number}/providers/Microsoft.Network"
        endpoint, zone = f"{network}/privateEndpoints/pe", f"{network}/privateDnsZones/{service.zone}"
        await self._make(endpoint, endpoint_body("eastus2", vnet, service.alias, {}), NETWORK_API)
        shown = await self._until(lambda: self._show(endpoint, NETWORK_API), lambda body: _interface(body) != "")
        interface = _interface(shown)
        nic = await self._until(lambda: self._show(interface, NETWORK_API), lambda body: _address(body) != "")
        await self._make(zone, {"location": "global"}, DNS_API)
        for name, linked in {"own": vnet, **further}.items():
            link = {
                "location": "global",
                "properties": {"virtualNetwork": {"id": linked}, "registrationEnabled": False},
            }
            await self._make(f"{zone}/virtualNetworkLinks/{name}", link, DNS_API)
        record = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": _address(nic)}]}}
        await self._make(f"{zone}/A/*", record, DNS_API)
        await self._policy(service, shown["properties"]["resourceGuid"])
        await self._until(lambda: self._show(endpoint, NETWORK_API), _approved)

    async def _make(self, resource: str, body: dict[str, Any], api: str) -> None:
        """A PUT, and looks at its operation until it has ended."""
        async with self._estate.world.azure() as client:
            answer = await client.put(f"{resource}?api-version={api}", json=body)
            assert answer.is_success, answer.text
            operation = answer.headers.get("azure-asyncoperation")
            pause = self._tool.first
            while operation is not None:
                await self._estate.clock.sleep(pause)
                if (await client.get(operation)).json()["status"] == "Succeeded":
                    return
                pause = self._tool.then

    async def _show(self, resource: str, api: str) -> Any:
        return await self._estate.azure("GET", resource, api=api)

    async def _until(self, show: Any, stands: Any) -> Any:
        while True:
            body = await show()
            if stands(body):
                return body
            await self._estate.clock.sleep(self._tool.then)

    async def _policy(self, service: Service, guid: str) -> None:
        """Elastic's API: the policy, then its association."""
        rule = {"azure_endpoint_name": "pe", "azure_endpoint_guid": guid}
        what = {"name": "pe", "type": "azure_private_endpoint", "region": service.elastic_region}
        body = {**what, "include_by_default": False, "rules": [rule]}
        target = next(one for one in self._estate.elastic.deployments() if one.name == f"logs-{service.region}")
        async with httpx.AsyncClient(
            transport=AsgiTransport(self._estate.world.elastic.app),
            base_url="https://elastic.local/api/v1/deployments/traffic-filter",
            headers={"Authorization": f"ApiKey {API_KEY}"},
        ) as client:
            made = await client.post("/rulesets", json=body)
            assert made.is_success, made.text
            path = f"/rulesets/{made.json()['id']}/associations"
            done = await client.post(path, json={"entity_type": "deployment", "id": target.id})
            assert done.is_success, done.text


def _interface(body: Any) -> str:
    found = body["properties"].get("networkInterfaces") or [{"id": ""}]
    return str(found[0]["id"])


def _address(body: Any) -> str:
    return str(body["properties"]["ipConfigurations"][0]["properties"].get("privateIPAddress") or "")


def _approved(body: Any) -> bool:
    connection = body["properties"]["manualPrivateLinkServiceConnections"][0]
    return bool(connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved")
