"""How long a service asks to be left alone. Used by `arm_errors` and `elastic_errors`."""

from __future__ import annotations

DEFAULT = 30.0
"""Seconds, where the service does not say."""

LONGEST = 3600.0
"""Seconds; a longer wait is cut, for who asks for a day has changed its mind by then."""


def seconds(text: str | None, default: float = DEFAULT) -> float:
    """A Retry-After header in seconds, at least 1; a date, or nonsense, counts as none."""
    try:
        return min(LONGEST, max(1.0, float(text))) if text is not None else default
    except ValueError:
        return default
