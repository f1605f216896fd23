"""Settings: who is told what becomes of connections. A group of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.options import values as core_value
from shared.core.options.declaration import setting
from shared.settings import values as value


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Who is told what becomes of connections, and how patient that is."""

    topic_endpoint: str = setting(
        "NOTIFY_TOPIC_ENDPOINT",
        value.optional_url,
        "",
        "Endpoint of the Event Grid custom topic that gets an event when a connection becomes Ready, Degraded, Blocked "
        "or is removed, and when the Elastic Cloud API key comes to its end; empty for none. The topic's input schema "
        "is CloudEvents 1.0, and the app's identity has the role EventGrid Data Sender on it.",
    )
    after_seconds: float = setting(
        "NOTIFY_AFTER_SECONDS",
        core_value.seconds(0, 86400),
        "240",
        "Seconds that a change must last before it is told, so that what comes and goes is not. The first state of a "
        "connection and its removal are told at once.",
    )
