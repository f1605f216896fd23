"""Several organizations behind Elastic Cloud's one address: the API key tells whose request it is. Used by `World`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from local.elastic.cloud import ElasticCloud
    from local.elastic.model import ProxyAnswer


class Front:
    """The API and the proxy that all organizations share."""

    def __init__(self, organizations: Mapping[str, ElasticCloud]) -> None:
        """`organizations` by their API key; a request with another key goes to the first, which refuses it."""
        self._organizations = dict(organizations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The API as an ASGI app."""
        _, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        first = next(iter(self._organizations.values()))
        await self._organizations.get(key.strip(), first).app(scope, receive, send)

    def decide(self, host: str, endpoint_guid: str, path: str = "/") -> ProxyAnswer:
        """The proxy's answer: that of the organization whose deployment the host is."""
        answers = [one.decide(host, endpoint_guid, path) for one in self._organizations.values()]
        return next((answer for answer in answers if answer.status != 404), answers[0])
