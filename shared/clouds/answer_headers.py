"""What the headers of an answer say: how long to leave the service alone, and what time it is there. Pure.

Used by `azure.errors`, `azure.arm_checks` and `elastic.transport`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.clock import http_date

DEFAULT_RETRY_AFTER = 30.0
"""Seconds, where the service does not say."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds; a longer wait is cut: a service that asks for a day is asked again sooner."""


def seconds_to_wait(text: str | None, default: float = DEFAULT_RETRY_AFTER) -> float:
    """A Retry-After header in seconds, at least 1; a date, or nonsense, counts as none."""
    try:
        return min(LONGEST_RETRY_AFTER, max(1.0, float(text))) if text is not None else default
    except ValueError:
        return default


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The answer's `Date`, to the second; None where there is none, or none that is understood."""
    return http_date(headers.get("Date") or headers.get("date"))
