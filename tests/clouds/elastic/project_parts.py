"""The Serverless API as tests of its client have it: something else may happen before, or in place of, a request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from local.asgi import AsgiTransport
from local.elastic import ElasticCloud
from shared.clouds.elastic.serverless.client import ServerlessConnections
from shared.core.model.markers import Marker
from shared.core.model.steps import CreatePolicy
from tests.local.elastic.elastic_parts import GUID

if TYPE_CHECKING:
    from collections.abc import Callable

ALIAS = "eastus2-prod-privatelink-serverless.46552e7f-8404-48e2-8c79-66801ef74a76.eastus2.azure.privatelinkservice"
ZONE = "private.eastus2.azure.elastic.cloud"
MARKER = Marker("autopilot", "0123456789abcdef")


class Interrupting(httpx.AsyncBaseTransport):
    """The API, where something else happens before, or in place of, some requests."""

    def __init__(self, elastic: ElasticCloud) -> None:
        self._api = AsgiTransport(elastic.app)
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.lost: list[bool] = []
        """Of the next writes of a list: True is applied and its answer lost, False is lost before it is applied."""
        self.sent: list[str] = []
        self.short: list[bool] = []
        """Of the next answers about a project: whether its last filter is left out; the ETag is the current one."""
        self.refused: dict[str, int] = {}
        """Requests that are refused once, and with which status."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/serverless")
        self.sent.append(f"{request.method} {path}")
        self.before(request.method, path)
        if status := self.refused.pop(f"{request.method} {path}", 0):
            errors = {"errors": [{"code": "project.conflict", "message": "something else is under way"}]}
            return httpx.Response(status, json=errors, request=request)
        lost = self.lost.pop(0) if self.lost and b"traffic_filters" in request.content else None
        answer = None if lost is False else await self._api.handle_async_request(request)
        if answer is None or lost:
            raise httpx.ReadError("lost", request=request)
        if request.method == "GET" and path.count("/") == 3 and self.short and self.short.pop(0):
            body = json.loads(await answer.aread())
            body["traffic_filters"] = body["traffic_filters"][:-1]
            return httpx.Response(200, json=body, headers={"ETag": answer.headers["etag"]}, request=request)
        return answer


async def made(api: ServerlessConnections, **other: Any) -> str:
    step = {"name": "pe-1", "region": "azure-eastus2", "endpoint_name": "pe-1", "endpoint_guid": GUID, "marker": MARKER}
    return await api.create_policy(CreatePolicy(**{**step, **other}))
