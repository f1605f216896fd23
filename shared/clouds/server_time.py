"""What time it is at a service, as its answers say. Used by `elastic_transport` and `arm_questions`; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The answer's `Date`, to the second; None where there is none, or none that is understood."""
    text = headers.get("Date") or headers.get("date")
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo else None
