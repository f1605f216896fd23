"""Talks to an `ArmCloud` in-process: the genuine Azure SDKs over an ASGI transport, and plain HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import case_insensitive_dict
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

from local.arm import DEFAULT_SUBSCRIPTION, ArmCloud

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SUB = f"/subscriptions/{DEFAULT_SUBSCRIPTION}"
NET = f"{SUB}/resourceGroups/rg-net/providers/Microsoft.Network"
DNS = f"{SUB}/resourceGroups/rg-dns/providers/Microsoft.Network"
ZONE_NAME = "privatelink.eastus2.azure.elastic-cloud.com"
ZONE = f"{DNS}/privateDnsZones/{ZONE_NAME}"
VNET = f"{NET}/virtualNetworks/vnet1"
PE = f"{NET}/privateEndpoints/pe-1"
ALIAS = "eastus2-prod-002-privatelink-service.64359fdd-7893-4215-9929-ece3287e1371.eastus2.azure.privatelinkservice"
NETWORK_VERSION, DNS_VERSION = "2024-05-01", "2024-06-01"


class Credential:
    """A token that never expires."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("test-token", 32503680000)

    async def close(self) -> None:
        pass


class _Read:
    """What azure-core closes after reading: there is nothing left to close."""

    async def close(self) -> None:
        pass


class AsgiTransport(AsyncHttpTransport):
    """Hands each request of an Azure SDK to the cloud's ASGI app."""

    def __init__(self, cloud: ArmCloud) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(cloud.app))

    async def send(self, request: Any, *, stream: bool = False, **_: Any) -> AsyncHttpResponseImpl:
        answer = await self._client.request(
            request.method, request.url, headers=dict(request.headers), content=request.content
        )

        async def whole(*_: Any, **__: Any) -> AsyncIterator[bytes]:
            yield answer.content

        response = AsyncHttpResponseImpl(
            request=request,
            internal_response=_Read(),
            status_code=answer.status_code,
            reason=answer.reason_phrase,
            content_type=answer.headers.get("content-type", ""),
            headers=case_insensitive_dict(dict(answer.headers)),
            stream_download_generator=whole,
        )
        if not stream:
            await response.read()
        return response

    async def sleep(self, duration: float) -> None:
        await asyncio.sleep(duration)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        await self._client.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def network_client(cloud: ArmCloud) -> NetworkManagementClient:
    return NetworkManagementClient(
        Credential(), DEFAULT_SUBSCRIPTION, cloud.base_url, transport=AsgiTransport(cloud), polling_interval=1
    )


def dns_client(cloud: ArmCloud) -> PrivateDnsManagementClient:
    return PrivateDnsManagementClient(
        Credential(), DEFAULT_SUBSCRIPTION, cloud.base_url, transport=AsgiTransport(cloud), polling_interval=1
    )


class Http:
    """Plain requests with a token and the usual api-version of the path."""

    def __init__(self, cloud: ArmCloud) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(cloud.app), base_url=cloud.base_url)

    async def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        if "api-version=" not in url:
            version = DNS_VERSION if "privatedns" in url.lower() else NETWORK_VERSION
            url += f"{'&' if '?' in url else '?'}api-version={version}"
        sent = {"Authorization": "Bearer test", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self._client.request(method, url, json=body, headers=sent)

    async def finished(self, answer: httpx.Response) -> dict[str, Any]:
        """Poll the operation that `answer` announces until it has ended."""
        for _ in range(100):
            poll = await self("GET", answer.headers["azure-asyncoperation"])
            if poll.json()["status"] != "InProgress":
                return poll.json()
            await asyncio.sleep(1)
        raise TimeoutError

    async def done(self, method: str, url: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """A long-running write and the end of its operation."""
        return await self.finished(await self(method, url, body, **headers))

    async def network(self, name: str = "vnet1", location: str = "eastus2", prefix: str = "10.1.0.0/16") -> str:
        subnet = {"name": "pe", "properties": {"addressPrefix": prefix.replace("/16", "/24")}}
        body = {
            "location": location,
            "properties": {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet]},
        }
        answer = await self("PUT", f"{NET}/virtualNetworks/{name}", body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["id"]

    async def zone(self, group: str = "rg-dns", name: str = ZONE_NAME) -> str:
        path = f"{SUB}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/{name}"
        assert await self.done("PUT", path, {"location": "global"}) == {"status": "Succeeded"}
        return path

    async def link(self, zone: str, vnet: str, name: str = "link") -> dict[str, Any]:
        return await self.done("PUT", f"{zone}/virtualNetworkLinks/{name}", link_body(vnet))


def link_body(vnet: str) -> dict[str, Any]:
    return {"location": "global", "properties": {"virtualNetwork": {"id": vnet}, "registrationEnabled": False}}


def endpoint_body(vnet: str = VNET, *, service: str = ALIAS, manual: bool = True, **more: Any) -> dict[str, Any]:
    field = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    connection = {"name": "elastic", "properties": {"privateLinkServiceId": service, "requestMessage": "hello"}}
    properties = {"subnet": {"id": f"{vnet}/subnets/pe"}, field: [connection]}
    return {"location": "eastus2", "tags": {"elastic-deployments": "logs"}, "properties": properties, **more}


def record_body(*addresses: str, ttl: int = 300, **metadata: str) -> dict[str, Any]:
    records = [{"ipv4Address": address} for address in addresses]
    return {"properties": {"ttl": ttl, "aRecords": records, "metadata": metadata}}
