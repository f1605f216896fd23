"""A storage account as Event Grid meets it: a queue that takes events, a container for dead letters, by one identity.

`local.cli.stack` and tests give a `QueueDeliver` to `EventGrid.subscribe` and guard their dead letters with the same
account. What is known of the live service: behind a storage firewall only the topic's system-assigned identity gets
through, though trusted services are allowed; a role that was just assigned is refused for a while; a 403 of an Azure
destination is never tried again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from local.eventgrid.delivery import Answer

if TYPE_CHECKING:
    from local.clock import LoopClock

Put = Callable[[str], Awaitable[None]]
"""Puts a message on the queue; raises DeliveryError when it cannot."""


@dataclass
class AccountSettings:
    """The switches; read at every delivery, so that a test or a user may change them at any time."""

    topic_identity: Literal["system-assigned", "user-assigned"] = "user-assigned"
    """Whose roles the topic uses at the account."""
    firewall: bool = False
    """Whether the account takes no public traffic, but for trusted services."""
    role_spread_seconds: float = 0.0
    """How long after its assignment a role is refused everywhere still."""


class StorageAccount:
    """Who may write to it. The roles of the topic's identity stand from the beginning; `assign` gives them anew."""

    def __init__(self, clock: LoopClock, settings: AccountSettings | None = None) -> None:
        self.settings = settings or AccountSettings()
        self.lost: list[dict[str, Any]] = []
        """Events that were refused as dead letters too: in Azure nothing is left of them."""
        self._clock = clock
        self._assigned: datetime | None = clock.now()

    def assign(self) -> None:
        """The topic's identity gets its two roles now."""
        self._assigned = self._clock.now()

    def revoke(self) -> None:
        """The topic's identity loses its roles."""
        self._assigned = None

    def refusal(self) -> str:
        """The code that a write is refused with, all of them with 403; empty: it is let through."""
        settings = self.settings
        if settings.firewall and settings.topic_identity != "system-assigned":
            return "AuthorizationFailure"
        spread = timedelta(seconds=settings.role_spread_seconds)
        if self._assigned is None or self._clock.now() < self._assigned + spread:
            return "AuthorizationPermissionMismatch"
        return ""

    def guarded(self, keep: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        """What keeps dead letters, as far as the account lets them in."""

        def kept(event: dict[str, Any]) -> None:
            self.lost.append(event) if self.refusal() else keep(event)

        return kept


class QueueDeliver:
    """Delivery to a queue of the account: each event is a message of its own."""

    def __init__(self, account: StorageAccount, put: Put) -> None:
        self._account, self._put = account, put

    async def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Put it there, or answer as the account does."""
        del method, url, headers
        if code := self._account.refusal():
            return Answer(HTTPStatus.FORBIDDEN, {"x-ms-error-code": code})
        brought = json.loads(body)
        for event in brought if isinstance(brought, list) else [brought]:
            await self._put(json.dumps(event))
        return Answer(HTTPStatus.CREATED)
