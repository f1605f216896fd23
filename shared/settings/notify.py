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
        "Endpoint of the Event Grid custom topic that [notifications](notifications.md) go to; empty for none.",
    )
    after_seconds: float = setting(
        "NOTIFY_AFTER_SECONDS",
        core_value.seconds(0, 86400),
        "240",
        "Seconds that a change must last [before it is told](notifications.md#what-is-told-and-when).",
    )
    repairs: bool = setting(
        "NOTIFY_REPAIRS",
        core_value.yes_or_no,
        "false",
        "Whether an event tells each time that something is put right that others changed or deleted.",
    )
