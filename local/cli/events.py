"""Event Grid of the running instance: the app's subscription to the events of its endpoints, as a deployment makes it.

Used by `local.cli.stack`. By default the events go straight to the app's work queue, as the templates have it; with
`function` they go to the app's Event Grid trigger.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from local.arm import DEFAULT_SUBSCRIPTION
from local.cli.folder import add_line
from local.eventgrid import (
    AccountSettings,
    DeliveryError,
    Destination,
    EventGrid,
    EventGridSettings,
    HandshakeError,
    HttpDeliver,
    QueueDeliver,
    StorageAccount,
)
from local.host.queue_listener import encode
from local.host.queues import QueueError
from local.host.settings import QueueSettings
from local.host.storage_queues import StorageQueueService
from shared.core.model.messages import QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.cli.function_app import FunctionApp
    from local.clock import LoopClock

Way = Literal["queue", "function"]
"""How events get to the app."""
HANDSHAKE_SECONDS = 60.0
FILTERS: dict[str, Any] = {
    "included_types": ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"],
    "operation_names": [
        "Microsoft.Network/privateEndpoints/write",
        "Microsoft.Network/privateEndpoints/delete",
        "Microsoft.Network/privateEndpoints/privateLinkServiceProxies/write",
        "Microsoft.Network/privateEndpoints/privateLinkServiceProxies/delete",
        "Microsoft.Resources/tags/write",
        "Microsoft.Resources/tags/delete",
        "Microsoft.Network/privateDnsZones/write",
        "Microsoft.Network/privateDnsZones/delete",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/delete",
        "Microsoft.Network/privateDnsZones/A/write",
        "Microsoft.Network/privateDnsZones/A/delete",
    ],
    "subject_parts": [
        "/providers/Microsoft.Network/privateEndpoints/",
        ".azure.elastic-cloud.com",
        ".azure.elastic.cloud",
    ],
}
"""Which events the app is told, as the templates have it."""


class AppEvents:
    """The topic of the subscription, and the app's subscription to it."""

    def __init__(
        self,
        clock: LoopClock,
        settings: EventGridSettings,
        account: AccountSettings,
        *,
        dead_letters: Path,
        write: Callable[[dict[str, Any]], None],
    ) -> None:
        """`account`: how the storage account takes what the topic writes; `write` gets each delivery."""
        self._deliver = HttpDeliver()
        self._account = StorageAccount(clock, account)
        self._dead_letter = self._account.guarded(partial(add_line, dead_letters))
        self._queues: StorageQueueService | None = None
        self.grid = EventGrid(
            clock,
            deliver=self._deliver,
            settings=settings,
            topic=f"/subscriptions/{DEFAULT_SUBSCRIPTION}",
            write=write,
        )

    async def subscribe_queue(self, connection_string: str) -> None:
        """Deliver straight to the work queue; the roles of the topic's identity are assigned now."""
        self._account.assign()
        self._queues = StorageQueueService({"AzureWebJobsStorage": connection_string})
        queue = self._queues.queue("", QUEUE)

        async def put(event: str) -> None:
            try:
                await queue.send(encode(event.encode(), QueueSettings()))
            except QueueError as error:
                raise DeliveryError(str(error)) from error

        await self.grid.subscribe(
            f"https://local.queue.core.windows.net/{QUEUE}",
            destination=Destination.QUEUE,
            deliver=QueueDeliver(self._account, put),
            dead_letter=self._dead_letter,
            **FILTERS,
        )

    async def subscribe_function(self, app: FunctionApp) -> None:
        """Deliver to the app's Event Grid trigger; an app that is still starting is asked again."""
        deadline = time.monotonic() + HANDSHAKE_SECONDS
        url = f"{app.url}/runtime/webhooks/eventgrid?functionName=endpoint_events&code={app.event_grid_key}"
        while True:
            try:
                await self.grid.subscribe(
                    url, destination=Destination.FUNCTION, dead_letter=self._dead_letter, **FILTERS
                )
            except HandshakeError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)
            else:
                return

    async def close(self) -> None:
        """Drop what is on its way, and the connections."""
        await self.grid.close()
        await self._deliver.close()
        if self._queues is not None:
            await self._queues.close()
