"""What time an HTTP answer says it is: its `Date` header. Pure; used by `clouds.answer_headers` and `state`."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_YEARS = range(2000, 2200)
"""Years that a service may be in: an instant of the year 9999 would hold what is counted from it for ever."""


def http_date(text: str | None) -> datetime | None:
    """A `Date` header, to the second; None where there is none, or none that is understood."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):  # a year of many digits overflows
        return None
    return found if found is not None and found.tzinfo and found.year in _YEARS else None
