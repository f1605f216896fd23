"""Limits: fixed windows of the resource providers and ARM's token buckets. Called once per request by `app`.

The providers count by subscription, ARM by subscription and principal; that both also count by region is left out.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.arm.errors import ArmError

if TYPE_CHECKING:
    from local.arm.ids import ResourcePath
    from local.arm.settings import ArmSettings
    from local.clock import LoopClock

REMAINING = "x-ms-ratelimit-remaining-subscription"


@dataclass
class _Window:
    ends_at: datetime
    left: int


@dataclass
class _Bucket:
    at: datetime
    tokens: float


class Throttle:
    """Counts requests; `admit` answers with the headers that tell what is left, or raises 429."""

    def __init__(self, clock: LoopClock, settings: ArmSettings) -> None:
        self._clock, self._settings = clock, settings
        self._windows: dict[tuple[str, str], _Window] = {}
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def admit(self, target: ResourcePath, principal: str, method: str) -> dict[str, str]:
        """Count one request."""
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        subscription, dns = target.subscription_id, target.kind.startswith("privateDns")
        bucket = self._bucket(subscription, principal, kind)
        if dns and self._settings.private_dns_limits == "newer":
            limit = _newer_limit(target, kind)
            if limit is not None:
                self._count(subscription, *limit)
            return bucket
        name, most, seconds = self._limit(kind, dns=dns)
        left = None if most is None else self._count(subscription, name, most, seconds)
        return bucket if left is None else {**bucket, f"{REMAINING}-resource-requests": str(left)}

    def _count(self, subscription: str, name: str, limit: int, seconds: int) -> int:
        """Count one in a window; returns what is left of it."""
        now = self._clock.now()
        window = self._windows.get((subscription, name))
        if window is None or now >= window.ends_at:
            window = self._windows[subscription, name] = _Window(now + timedelta(seconds=seconds), limit)
        if window.left <= 0:
            raise self._refusal((window.ends_at - now).total_seconds(), f"{name}: {limit} in {seconds} seconds")
        window.left -= 1
        return window.left

    def _limit(self, kind: str, *, dns: bool) -> tuple[str, int | None, int]:
        settings, read = self._settings, kind == "reads"
        if dns:
            return (
                ("private DNS reads", settings.private_dns_reads_per_5_minutes, 300)
                if read
                else ("private DNS writes", settings.private_dns_writes_per_hour, 3600)
            )
        return (
            ("network reads", settings.network_reads_per_5_minutes, 300)
            if read
            else ("network writes", settings.network_writes_per_5_minutes, 300)
        )

    def _bucket(self, subscription: str, principal: str, kind: str) -> dict[str, str]:
        if self._settings.arm_bucket is None:
            return {}
        size, refill = self._settings.arm_bucket[kind]
        now = self._clock.now()
        bucket = self._buckets.setdefault((subscription, principal, kind), _Bucket(now, size))
        bucket.tokens = min(size, bucket.tokens + (now - bucket.at).total_seconds() * refill)
        bucket.at = now
        if bucket.tokens < 1:
            raise self._refusal((1 - bucket.tokens) / refill, f"subscription {kind}")
        bucket.tokens -= 1
        return {f"{REMAINING}-{kind}": str(int(bucket.tokens))}

    def _refusal(self, seconds: float, what: str) -> ArmError:
        wish = self._settings.throttle_retry_after
        wait = max(1, math.ceil(seconds)) if wish == "reset" else wish
        shape = self._settings.throttle_shape
        if shape == "private DNS":
            return Throttled({} if wait is None else {"Retry-After": "10"})
        code, message = (
            "SubscriptionRequestsThrottled",
            (f"The request is being throttled as the limit has been reached for operation type - {what}."),
        )
        if shape == "rule":
            code = "ResourceRequestsThrottled"
            message = (
                f"The request for resource type exceeded the limit of {what}. Please try again after "
                f"'{max(1, math.ceil(seconds))}' seconds."
            )
        return ArmError(429, code, message, headers={} if wait is None else {"Retry-After": str(wait)})


class Throttled(ArmError):
    """The refusal of private DNS itself: its body is no object but a text of JSON."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(
            429, "Throttled", "Too many operations are requested. Current operation is throttled.", headers=headers
        )

    def body(self) -> Any:
        """The text."""
        return json.dumps({"code": self.code, "message": self.message}, separators=(",", ":"))


_OF_A_ZONE = {
    ("zone", "get"): 200,
    ("zone", "list"): 100,
    ("records", "get"): 200,
    ("records", "list"): 100,
    ("records", "change"): 60,
    ("links", "get"): 100,
    ("links", "list"): 100,
    ("links", "change"): 60,
}
"""In a minute, for each zone; lists of zones for each resource group."""


def _newer_limit(target: ResourcePath, kind: str) -> tuple[str, int, int] | None:
    """Name, number and seconds of the limit that a request counts against; None: none is known, as for operations."""
    if target.types[:1] != ("privateDnsZones",):
        return None
    does = "change" if kind != "reads" else "list" if target.is_collection else "get"
    if target.types == ("privateDnsZones",):
        if does == "change":
            return "changes of zones", 40, 60
        if target.is_collection and target.resource_group is None:
            return "lists of zones", 60, 60
    below = "links" if target.types[1:2] == ("virtualNetworkLinks",) else "records" if target.types[1:] else "zone"
    where = f"{target.resource_group}/{'/'.join(target.names[:1])}"
    return f"{does} of {below} in {where}", _OF_A_ZONE[below, does], 60
