"""Microsoft.Network in a subscription: registered, not yet, or on its way. Called by `app`.

Registering takes a right of its own, `Microsoft.Network/register/action`, and a while.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local.arm.access import denied, not_authorized
from local.arm.context import Answer
from local.arm.errors import ArmError
from local.arm.metadata import provider

if TYPE_CHECKING:
    from local.arm.context import Context

_PATH = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/providers/Microsoft\.Network(?P<register>/register)?/?", re.IGNORECASE
)
NAMESPACE = "Microsoft.Network"


class Registrations:
    """Which subscriptions have the provider."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._registering: set[str] = set()

    def answer(self, method: str, path: str, principal: str) -> Answer | None:
        """The answer to a request about the provider; None if the path is none of these."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        subscription = match["subscription"]
        if match["register"] and method == "POST":
            self._register(subscription, principal)
        return Answer(200, provider(subscription) | {"registrationState": self._state(subscription)})

    def check_write(self, subscription: str) -> None:
        """409 MissingSubscriptionRegistration where the provider is not registered."""
        if self._state(subscription) == "Registered":
            return
        message = (
            f"The subscription is not registered to use namespace '{NAMESPACE}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions."
        )
        code = "MissingSubscriptionRegistration"
        details: dict[str, Any] = {"details": [{"code": code, "target": NAMESPACE, "message": message}]}
        raise ArmError(409, code, message, details=details)

    def _state(self, subscription: str) -> str:
        if subscription.lower() in self._registering:
            return "Registering"
        missing = map(str.lower, self._context.settings.unregistered_subscriptions)
        return "NotRegistered" if subscription.lower() in missing else "Registered"

    def _register(self, subscription: str, principal: str) -> None:
        settings, scope, action = (
            self._context.settings,
            f"/subscriptions/{subscription}",
            f"{NAMESPACE}/register/action",
        )
        if denied(settings, principal, action, scope):
            raise not_authorized(action, scope)
        if self._state(subscription) != "NotRegistered":
            return
        self._registering.add(subscription.lower())

        def finish() -> None:
            self._registering.discard(subscription.lower())
            missing = settings.unregistered_subscriptions
            missing -= {one for one in missing if one.lower() == subscription.lower()}

        self._context.clock.call_later(settings.registration_seconds, finish)
