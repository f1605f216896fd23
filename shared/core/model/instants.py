"""Instants out of stored rows and answers: what can be one. Pure; used by all that read a document.

A row may be damaged, and an instant of the year 9999 would hold what is counted from it for ever; one without a time
zone can be compared with none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_YEARS = range(2000, 2200)

AHEAD = timedelta(days=10)
"""How far ahead of its row's writing an instant may be: the longest wait, and the longest grace period, is 7 days."""


def stored_instant(text: object, *, latest: datetime | None = None) -> datetime:
    """An instant out of a document; raises ValueError for anything else, and for one after `latest`."""
    if isinstance(text, datetime):
        found = text
    elif isinstance(text, str):
        found = datetime.fromisoformat(text)
    else:
        raise ValueError("no instant")  # noqa: TRY004 - one error for all that is damaged
    if found.tzinfo is None or found.year not in _YEARS:
        raise ValueError("no instant that this app has written")
    found = found.astimezone(UTC)
    if latest is not None and found > latest:
        raise ValueError("an instant that is too far ahead")
    return found
