"""Limits: fixed windows of the resource providers and ARM's token buckets. Called once per request by `app`.

The providers count by subscription, ARM by subscription and principal; that both also count by region is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from local.arm.errors import ArmError

if TYPE_CHECKING:
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

    def admit(self, subscription: str, principal: str, method: str, *, dns: bool) -> dict[str, str]:
        """Count one request."""
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        return {**self._bucket(subscription, principal, kind), **self._window(subscription, kind, dns=dns)}

    def _window(self, subscription: str, kind: str, *, dns: bool) -> dict[str, str]:
        name, limit, seconds = self._limit(kind, dns=dns)
        if limit is None:
            return {}
        now = self._clock.now()
        window = self._windows.get((subscription, name))
        if window is None or now >= window.ends_at:
            window = self._windows[subscription, name] = _Window(now + timedelta(seconds=seconds), limit)
        if window.left <= 0:
            raise self._refusal((window.ends_at - now).total_seconds(), f"{name}: {limit} in {seconds} seconds")
        window.left -= 1
        return {f"{REMAINING}-resource-requests": str(window.left)}

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
        return ArmError(
            429,
            "TooManyRequests",
            f"The request is being throttled as the limit has been reached for operation type - {what}.",
            headers={} if wait is None else {"Retry-After": str(wait)},
        )
