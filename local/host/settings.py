"""What `host.json` says, with the real host's defaults. Read once by the module that makes a `FunctionsHost`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2}(?:\.\d+)?)")


class SettingsError(Exception):
    """`host.json` holds something that the real host would refuse."""


def time_span(text: str) -> float:
    """Seconds of a .NET TimeSpan: `[d.]hh:mm:ss[.fff]`."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} is no time span; expected hh:mm:ss")
    days, hours, minutes = (int(match[name] or 0) for name in ("days", "hours", "minutes"))
    return ((days * 24 + hours) * 60 + minutes) * 60 + float(match["seconds"])


@dataclass(frozen=True)
class QueueSettings:
    """`extensions.queues`; times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    max_polling_interval: float = 60.0
    base64: bool = True
    lease: float = 600.0
    """How long a message is hidden while it runs, renewed at half time. No setting of `host.json`: fixed in Azure."""


@dataclass(frozen=True)
class HostSettings:
    """What the host takes from `host.json`."""

    queues: QueueSettings = QueueSettings()
    route_prefix: str = "api"
    function_timeout: float | None = 1800.0
    refuse_deliveries: float = 0.0
    """Seconds from the start in which every delivery of Event Grid is refused, as by an app that starts from zero and
    has not loaded its keys yet (azure-functions-host#11834). No setting of `host.json`: a switch."""

    @classmethod
    def read(cls, app_dir: Path) -> HostSettings:
        """Read `host.json` in `app_dir`."""
        path = app_dir / "host.json"
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SettingsError(f"{path} is missing: the folder is no function app") from None
        except ValueError as error:
            raise SettingsError(f"{path} is no JSON: {error}") from error
        return cls.parse(value)

    @classmethod
    def parse(cls, value: dict[str, Any]) -> HostSettings:
        """Take what the host needs from a decoded `host.json`."""
        if value.get("version") != "2.0":
            raise SettingsError('host.json: "version" must be "2.0"')
        extensions = value.get("extensions", {})
        timeout = value.get("functionTimeout", "00:30:00")
        return cls(
            queues=_queues(extensions.get("queues", {})),
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            function_timeout=None if timeout == "-1" else time_span(timeout),
        )


def _queues(value: dict[str, Any]) -> QueueSettings:
    batch_size = int(value.get("batchSize", 16))
    if not 1 <= batch_size <= 32:
        raise SettingsError(f"host.json: extensions.queues.batchSize is {batch_size}; expected 1 to 32")
    encoding = str(value.get("messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise SettingsError(f"host.json: extensions.queues.messageEncoding is {encoding!r}; expected base64 or none")
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=int(value.get("newBatchThreshold", batch_size // 2)),
        max_dequeue_count=int(value.get("maxDequeueCount", 5)),
        visibility_timeout=time_span(value.get("visibilityTimeout", "00:00:00")),
        max_polling_interval=time_span(value.get("maxPollingInterval", "00:01:00")),
        base64=encoding == "base64",
    )
