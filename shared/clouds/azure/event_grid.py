"""The Event Grid custom topic that notifications are sent to: one request for a batch of CloudEvents 1.0.

Used by `shared.notifications.outbox`; built by `app` when the setting names a topic. It signs in with the app's
identity, which needs the role EventGrid Data Sender on the topic; there is no key. Publishing to a custom topic:
https://learn.microsoft.com/azure/event-grid/post-to-custom-topic (1 MB a request, each event counted by 64 KB).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from shared.clouds.azure.clients import SdkClients, arm_errors
from shared.core.model.errors import Forbidden
from shared.core.model.notices import Notice
from shared.requests import Service

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.eventgrid.aio import EventGridPublisherClient

DOING = "publish notifications"


@dataclass(frozen=True, slots=True)
class TopicOptions:
    """Where the topic is, and who speaks."""

    url: str
    """The topic's endpoint: https://NAME.REGION-1.eventgrid.azure.net/api/events."""
    source: str
    """CloudEvents' `source`: with the event's id it is unique."""
    timeout: float = 10.0
    """Seconds for one request."""


class Topic:
    """The topic. `transport` replaces the SDK's own (aiohttp), for running without sockets."""

    def __init__(
        self,
        options: TopicOptions,
        credential: Callable[[], AsyncTokenCredential],
        transport: Callable[[], AsyncHttpTransport[Any, Any]] | None = None,
    ) -> None:
        self.options = options
        self.rests_until: datetime | None = None
        """Set by who uses it, after a failure: until then only the sweep tries again."""
        self._clients = SdkClients(Service.TOPIC, options.timeout, credential, transport)

    async def publish(self, notices: Sequence[Notice]) -> None:
        """Return once the topic has taken all of them, in this order; any error means that it may have taken none."""
        client = await self._opened()
        from azure.core.messaging import CloudEvent  # noqa: PLC0415 - the SDK is imported when first used

        events = [
            CloudEvent(
                source=self.options.source,
                type=notice.type,
                id=notice.id,
                time=notice.time,
                subject=notice.subject,
                datacontenttype="application/json",
                data=dict(notice.data),
            )
            for notice in notices
        ]
        try:
            with arm_errors(DOING, on=self.options.url):
                await client.send(events)
        except Forbidden as error:
            step = (
                "Give the app's identity the role EventGrid Data Sender on the topic, or correct the topic's firewall."
            )
            raise Forbidden(replace(error.explanation, next_step=step), on=self.options.url) from error

    async def _opened(self) -> EventGridPublisherClient:
        client = await self._clients.client(
            "azure.eventgrid.aio", "EventGridPublisherClient", endpoint=self.options.url
        )
        return cast("EventGridPublisherClient", client)

    async def aclose(self) -> None:
        """Close the client and the credential."""
        await self._clients.aclose()
